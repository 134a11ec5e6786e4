package engineio

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/rs/cors"

	"github.com/hermod-io/hermod/wscore"
)

// Names of the transports. Engine.IO protocol v4, "Transports".
const (
	Polling   = "polling"   // HTTP long-polling
	WebSocket = "websocket" // WebSocket
)

// Config configures a Server. The zero value has the official server's
// defaults, but for the bounds that it lacks (Queue, MaxReadPause). New copies
// it. Durations and numbers: 0 is the default, negative is off where that makes
// sense.
type Config struct {
	// Path is where the server is to be mounted, without a slash at the end;
	// "" means "/engine.io". See [Server.Pattern]. JS: path.
	Path string
	// NoTrailingSlash leaves the slash behind Path out of the pattern. JS:
	// addTrailingSlash (inverted).
	NoTrailingSlash bool
	// PingInterval is the time between two heartbeats, told to the client; 0
	// means 25 s. It is kept to within a hundredth of the smaller of it and
	// PingTimeout, or 20 ms if that is more. JS: pingInterval.
	PingInterval time.Duration
	// PingTimeout is how long a client may take to answer one; 0 means 20 s.
	// JS: pingTimeout.
	PingTimeout time.Duration
	// UpgradeTimeout is how long a client may take from the second connection
	// to the switch; 0 means 10 s. JS: upgradeTimeout.
	UpgradeTimeout time.Duration
	// MaxHTTPBufferSize is the largest POST body and the largest WebSocket
	// message, in bytes; 0 means 1,000,000. JS: maxHttpBufferSize.
	MaxHTTPBufferSize int64
	// Transports are those that a client may use; nil means Polling and
	// WebSocket. A list that is empty but not nil is refused: there would be no way
	// in. JS: transports.
	Transports []string
	// NoUpgrades keeps clients from being offered the upgrade. JS:
	// allowUpgrades (inverted).
	NoUpgrades bool
	// PerMessageDeflate compresses WebSocket messages for clients that offer it;
	// nil is off. The zero wscore.Deflate compresses those of 1 KiB and more, each
	// for itself. JS: perMessageDeflate.
	PerMessageDeflate *wscore.Deflate
	// AllowEIO3 lets clients of protocol 3 in: those of Socket.IO 1 and 2, which
	// are else refused (code 5). JS: allowEIO3.
	AllowEIO3 bool
	// AllowRequest is asked about each handshake, when all else about it is in
	// order; nil allows all. An error refuses it (403, code 4), its text is
	// sent only if it is an *AllowError. [SameOrigin] is one. JS: allowRequest.
	AllowRequest func(r *http.Request) error
	// HTTPCompression configures the compression of polling responses; nil
	// means its zero value. JS: httpCompression.
	HTTPCompression *HTTPCompression
	// Cookie is set by the handshake response over polling; nil means none.
	// JS: cookie.
	Cookie *Cookie
	// CORS says which pages of other hosts may connect; nil means that no CORS
	// headers are sent, and that nothing keeps such a page from a WebSocket.
	// With it a handshake with another Origin (JSONP: Referer) is refused (403,
	// code 4). Methods and headers left nil are the official defaults. JS: cors.
	CORS *cors.Options
	// InitialPacket is sent right after the handshake; nil means none. JS:
	// initialPacket.
	InitialPacket *Message
	// GenerateID makes the sid of a session, which must be unique and not to be
	// guessed; nil means 15 random bytes in base64url. An error refuses the
	// handshake (code 3), as do "" and an id in use. JS: engine.generateId.
	GenerateID func(r *http.Request) (string, error)
	// Router lets any node of a cluster serve any request; nil is off: a
	// request whose sid is not of a session here is refused. It makes the sids,
	// so GenerateID must be nil.
	Router Router
	// Queue bounds what waits for one client, over either transport.
	Queue Queue
	// Limits bound who may open a session; the zero value has none.
	Limits Limits
	// MaxReadPause bounds how long the heartbeat may be suspended, see
	// [Session.Suspend]; 0 means 60 s, negative that it is not suspended.
	MaxReadPause time.Duration
	// OnInitialHeaders may change the headers of the first response of a
	// session, polling or the 101. JS: event initial_headers.
	OnInitialHeaders func(h http.Header, r *http.Request)
	// OnHeaders may change the headers of every polling response and of every
	// 101. JS: event headers.
	OnHeaders func(h http.Header, r *http.Request)
	// OnConnectionError is told of every refused request. JS: event
	// connection_error.
	OnConnectionError func(e *ConnectionError)
	// OnUpgrade is told of every session that goes on over a WebSocket, before
	// anything is received from there; it must not block. JS: event upgrade of a
	// socket.
	OnUpgrade func(s *Session)
	// Log takes diagnostics; nil is silent.
	Log *slog.Logger
}

// HTTPCompression configures the compression (gzip, deflate) of polling
// responses, for clients that accept it.
type HTTPCompression struct {
	// Threshold is the smallest body worth it, in bytes; 0 means 1024, negative
	// means no compression.
	Threshold int
}

// Cookie is a cookie that holds the sid, for load balancers that keep a client
// on one node. Its zero value has the official defaults.
type Cookie struct {
	// Name; "" means "io".
	Name string
	// Path; "" means "/".
	Path string
	// Domain; "" means the host alone.
	Domain string
	// MaxAge is how long the browser keeps it; zero means until it is closed, or
	// Expires.
	MaxAge time.Duration
	// Expires is until when the browser keeps it, if there is no MaxAge; zero means
	// until it is closed.
	Expires time.Time
	// NoHTTPOnly lets the page's scripts see it. JS: httpOnly (inverted).
	NoHTTPOnly bool
	// Secure keeps it to TLS.
	Secure bool
	// SameSite; 0 means lax.
	SameSite http.SameSite
}

// OnFull says what happens to a message that finds the queue full.
type OnFull uint8

const (
	// Disconnect closes the session (transport error); the send returns
	// ErrQueueFull. The default.
	Disconnect OnFull = iota
	// DropNewest refuses the message: the send returns ErrQueueFull and the
	// session lives on.
	DropNewest
)

// Queue bounds what waits for one client. One message is always taken by an
// empty queue, whatever its size.
type Queue struct {
	// Bytes of packets; 0 means 4 MiB.
	Bytes int
	// Packets; 0 means 4096.
	Packets int
	// OnFull is what becomes of a message too many; 0 means Disconnect.
	OnFull OnFull
}

// Validate reports the first setting that makes no sense.
func (c *Config) Validate() error {
	switch {
	case c.PingInterval < 0 || c.PingTimeout < 0 || c.UpgradeTimeout < 0:
		return errors.New("engineio: PingInterval, PingTimeout and UpgradeTimeout cannot be switched off")
	case c.Transports != nil && len(c.Transports) == 0:
		return errors.New("engineio: Transports is empty")
	case c.MaxHTTPBufferSize < 0:
		return errors.New("engineio: MaxHTTPBufferSize cannot be switched off")
	case c.Queue.Bytes < 0 || c.Queue.Packets < 0:
		return errors.New("engineio: Queue is negative: there is no queue without a bound")
	case c.Queue.OnFull > DropNewest:
		return fmt.Errorf("engineio: Queue.OnFull is %d", c.Queue.OnFull)
	case c.Limits.Connections < 0 || c.Limits.PerIP < 0 || !(c.Limits.Handshakes >= 0) || c.Limits.Burst < 0: // NaN is not, either
		return errors.New("engineio: Limits are not negative; 0 is no limit")
	case c.Router != nil && c.GenerateID != nil:
		return errors.New("engineio: a Router makes the ids, GenerateID cannot")
	}
	for _, t := range c.Transports {
		if t != Polling && t != WebSocket {
			return fmt.Errorf("engineio: unknown transport %q", t)
		}
	}
	if c.Cookie != nil {
		return c.Cookie.validate()
	}
	return nil
}

// withDefaults returns c with the zero fields filled in.
func (c Config) withDefaults() Config {
	def(&c.Path, "/engine.io")
	def(&c.PingInterval, 25*time.Second)
	def(&c.PingTimeout, 20*time.Second)
	def(&c.UpgradeTimeout, 10*time.Second)
	def(&c.MaxHTTPBufferSize, 1_000_000)
	def(&c.Queue.Bytes, 4<<20)
	def(&c.Queue.Packets, 4096)
	def(&c.MaxReadPause, time.Minute)
	if c.Transports == nil {
		c.Transports = []string{Polling, WebSocket}
	}
	return c
}

func def[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}
