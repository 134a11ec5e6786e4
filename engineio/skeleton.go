package engineio

import (
	"context"
	"iter"
	"log/slog"
	"net/http"
	"net/url"
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

// Server accepts sessions. It is an http.Handler.
type Server struct{}

// New returns a Server that reports to h. The error is of Config.Validate.
func New(cfg Config, h Handler) (*Server, error) { panic("skeleton") }

// Validate reports the first setting that makes no sense.
func (c *Config) Validate() error { panic("skeleton") }

// ServeHTTP serves a request under any path; mounting is the caller's.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { panic("skeleton") }

// Use adds a middleware around every request of the server, upgrades included. JS: engine.use.
func (s *Server) Use(mw func(http.Handler) http.Handler) { panic("skeleton") }

// Clients reports the number of open sessions. JS: engine.clientsCount.
func (s *Server) Clients() int { panic("skeleton") }

// Sessions iterates over the open sessions, in no order.
func (s *Server) Sessions() iter.Seq[*Session] { panic("skeleton") }

// Config returns the settings in force, defaults filled in.
func (s *Server) Config() Config { panic("skeleton") }

// After calls f on the server's timer wheel, not before d has passed; coarse (see Config.PingInterval), f must not block.
// It serves the floor above: connect timeouts, ack timeouts.
func (s *Server) After(t *Timer, d time.Duration, f func()) { panic("skeleton") }

// Timer is a coarse timer of a Server; the zero value is ready. Stop unlinks it at once.
type Timer struct{}

// Stop reports whether the timer was armed.
func (t *Timer) Stop() bool { panic("skeleton") }

// Close refuses new sessions and closes all sessions at once (reason forced close, nothing is sent), and
// waits until nothing of the server runs, or ctx ends.
func (s *Server) Close(ctx context.Context) error { panic("skeleton") }

// Shutdown refuses new sessions and closes the transports of the others spread over
// the time ctx leaves (at most a few seconds), delivering first what is queued; official clients reconnect.
func (s *Server) Shutdown(ctx context.Context) error { panic("skeleton") }

// Session is what a sid names. All methods may be called from any goroutine and none blocks.
type Session struct{}

// ID is the sid, a bearer secret: never show it to other parties.
func (s *Session) ID() string { panic("skeleton") }

// Protocol is 4.
func (s *Session) Protocol() int { panic("skeleton") }

// Transport is the name of the current transport.
func (s *Session) Transport() string { panic("skeleton") }

// Value returns what SetValue stored; meant for the one pointer of the floor above.
func (s *Session) Value() any { panic("skeleton") }

// SetValue is to be called in OnOpen.
func (s *Session) SetValue(v any) { panic("skeleton") }

// Handshake returns the request that opened the session, parsed anew at each call.
func (s *Session) Handshake() *Handshake { panic("skeleton") }

// Context carries the values of the request that opened the session; it is never cancelled.
func (s *Session) Context() context.Context { panic("skeleton") }

// Send queues msgs as one unit, nothing gets between them. Errors: ErrClosed, ErrQueueFull.
func (s *Session) Send(f SendFlags, msgs ...Message) error { panic("skeleton") }

// SendPrepared is Send for messages encoded before.
func (s *Session) SendPrepared(p *Prepared, f SendFlags) error { panic("skeleton") }

// Writable reports whether a volatile packet would leave now: not when the kernel has refused bytes that still wait, or no GET waits.
func (s *Session) Writable() bool { panic("skeleton") }

// Buffered reports what waits for the client.
func (s *Session) Buffered() (bytes, packets int) { panic("skeleton") }

// Close closes the session with reason forced close: what is queued is sent first, then (polling) a close packet.
// With discard at once and without a word. It does not wait.
func (s *Session) Close(discard bool) { panic("skeleton") }

// Suspend and Resume bracket a wait within OnMessage: while suspended the heartbeat is not
// enforced, for at most Config.MaxReadPause.
func (s *Session) Suspend() { panic("skeleton") }

// Resume ends Suspend.
func (s *Session) Resume() { panic("skeleton") }

// Handshake is the request that opened a session.
type Handshake struct {
	Method     string
	URL        *url.URL
	Header     http.Header // with Host
	RemoteAddr string      // host:port
	Secure     bool        // over TLS
	Time       time.Time
}

// Prepared is an immutable unit of messages, encoded at most once per wire form.
type Prepared struct{}

// NewPrepared returns a unit of msgs; their bytes are copied.
func NewPrepared(msgs ...Message) *Prepared { panic("skeleton") }
