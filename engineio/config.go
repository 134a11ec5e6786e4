package engineio

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/rs/cors"
)

// Reason is why a session ended; the strings are the official server's.
type Reason string

// The reasons of Handler.OnClose.
const (
	TransportClose Reason = "transport close"
	TransportError Reason = "transport error"
	PingTimeout    Reason = "ping timeout"
	ParseError     Reason = "parse error"
	ForcedClose    Reason = "forced close"
)

// Names of the transports.
const (
	Polling   = "polling"
	WebSocket = "websocket"
)

// Config configures a Server. The zero value has the official server's
// defaults, but for the bounds that it lacks (Queue). It is copied by New. Numbers and durations: 0 = default, negative = off.
type Config struct {
	Path              string                                // JS: path. "/engine.io"
	NoTrailingSlash   bool                                  // JS: addTrailingSlash (inverted)
	PingInterval      time.Duration                         // JS: pingInterval. 25 s
	PingTimeout       time.Duration                         // JS: pingTimeout. 20 s
	UpgradeTimeout    time.Duration                         // JS: upgradeTimeout. 10 s
	MaxHTTPBufferSize int64                                 // JS: maxHttpBufferSize. 1e6 bytes
	Transports        []string                              // JS: transports. polling, websocket
	NoUpgrades        bool                                  // JS: allowUpgrades (inverted)
	AllowRequest      func(r *http.Request) error           // JS: allowRequest. An error refuses (403, code 4); its text is sent if it is an *AllowError
	HTTPCompression   *HTTPCompression                      // JS: httpCompression. nil = threshold 1024
	Cookie            *Cookie                               // JS: cookie. nil = none
	CORS              *cors.Options                         // JS: cors. nil = no CORS headers
	InitialPacket     *Message                              // JS: initialPacket
	GenerateID        func(r *http.Request) (string, error) // JS: engine.generateId
	Queue             Queue                                 // what may wait for one client, over both transports
	MaxReadPause      time.Duration                         // how long a receiver may hold up reading with the heartbeat suspended. 60 s
	PerMessageDeflate bool                                  // JS: perMessageDeflate. Not available yet: Validate refuses true
	AllowEIO3         bool                                  // JS: allowEIO3. Not available yet: Validate refuses true
	OnInitialHeaders  func(h http.Header, r *http.Request)  // JS: initial_headers
	OnHeaders         func(h http.Header, r *http.Request)  // JS: headers
	OnConnectionError func(e *ConnectionError)              // JS: connection_error
	Log               *slog.Logger                          // nil = silent
}

// HTTPCompression configures the compression of polling responses.
type HTTPCompression struct {
	Threshold int // bytes; 0 means 1024, negative: no compression
}

// Cookie is the cookie set on the handshake response over polling. Zero fields mean the official defaults.
type Cookie struct {
	Name       string // "io"
	Path       string // "/"
	Domain     string
	MaxAge     time.Duration
	Expires    time.Time
	NoHTTPOnly bool // JS: httpOnly (inverted)
	Secure     bool
	SameSite   http.SameSite // lax
}

// OnFull, Disconnect, DropNewest: see wscore.
type OnFull uint8

// What happens to a message that finds the queue full.
const (
	Disconnect OnFull = iota
	DropNewest
)

// Queue bounds what waits for one client.
type Queue struct {
	Bytes   int // 0 means 4 MiB
	Packets int // 0 means 4096
	OnFull  OnFull
}

// ConnectionError is a refused request. Code numbers are those of the protocol.
type ConnectionError struct {
	Request *http.Request
	Code    int
	Message string
	Context map[string]any
}

// Message is one Engine.IO message; its payload is Prefix followed by Data,
// both read before the call that takes it returns.
type Message struct {
	Binary       bool
	Prefix, Data []byte
}

// SendFlags modify a send.
type SendFlags uint8

const (
	// Later only queues: for what goes to many sessions (decision D3).
	Later SendFlags = 1 << iota
	// Must exempts from DropNewest (connect replies, acks, control packets).
	Must
	// NoCompress: not worth compressing (JS: compress false).
	NoCompress
)

// Handler is the floor above. OnMessage and OnClose of one session are called one at a
// time, in order. A panic in one closes that session.
type Handler interface {
	// OnOpen is called once, before anything of the session is read and
	// after its open packet was queued; it may send and SetValue.
	OnOpen(s *Session)
	// OnMessage is called for each message. data is lent until it returns. It may block, which
	// stops the reading of this session (back-pressure; see Session.Suspend).
	OnMessage(s *Session, binary bool, data []byte)
	// OnClose is called once, last. err says more than reason, or is nil.
	OnClose(s *Session, reason Reason, err error)
}

// Validate reports the first setting that makes no sense.
func (c *Config) Validate() error {
	switch {
	case c.AllowEIO3:
		return errors.New("engineio: AllowEIO3 is not available")
	case c.PerMessageDeflate:
		return errors.New("engineio: PerMessageDeflate is not available")
	case c.PingInterval < 0 || c.PingTimeout < 0 || c.UpgradeTimeout < 0:
		return errors.New("engineio: PingInterval, PingTimeout and UpgradeTimeout cannot be switched off")
	case c.MaxHTTPBufferSize < 0:
		return errors.New("engineio: MaxHTTPBufferSize cannot be switched off")
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
