package socketio

import (
	"context"
	"encoding/json"
	"io/fs"
	"iter"
	"log/slog"
	"net/http"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/socketio/event"
	"github.com/hermod-io/hermod/socketio/parser"
)

// Reason is why a socket left its namespace; the strings are the official server's.
type Reason string

// The reasons of OnDisconnecting and OnDisconnect.
const (
	TransportClose            Reason = "transport close"
	TransportError            Reason = "transport error"
	PingTimeout               Reason = "ping timeout"
	ParseError                Reason = "parse error"
	ForcedClose               Reason = "forced close"
	ForcedServerClose         Reason = "forced server close"
	ClientNamespaceDisconnect Reason = "client namespace disconnect"
	ServerNamespaceDisconnect Reason = "server namespace disconnect"
	ServerShuttingDown        Reason = "server shutting down"
)

// Config configures a Server; the zero value has the official defaults, but
// for bounds that the official server lacks.
type Config struct {
	Engine         engineio.Config  // Engine.Path "" means "/socket.io" here
	NoServeClient  bool             // JS: serveClient (inverted)
	ClientFiles    fs.FS            // the official bundles; nil = not served
	Adapter        adapters.Factory // JS: adapter. nil = in memory
	Parser         parser.Parser    // JS: parser. nil = default
	JSON           parser.JSON      // nil = parser.DefaultJSON()
	ConnectTimeout time.Duration    // JS: connectTimeout. 45 s
	AckTimeout     time.Duration    // default deadline of EmitWithAck. 30 s
	MaxAttachments int              // 10
	Mailbox        Mailbox          // what waits to be handled, per client
	AckError       func(error) any  // the argument of the ack that a handler's error becomes; nil = decision D9
	Log            *slog.Logger     // nil = silent
}

// Mailbox bounds the received packets of one client that wait for their handlers.
type Mailbox struct {
	Packets int // 0 means 256
	Bytes   int // 0 means 1 MiB
}

// Handler handles an event of a socket. ctx ends when the socket disconnects, with the *DisconnectError as cause.
type Handler func(ctx context.Context, s *Socket, e *Event) error

// Server is a Socket.IO server, an http.Handler. Its namespace methods act on the main namespace "/".
type Server struct{}

// New returns a Server.
func New(cfg Config) (*Server, error) { panic("skeleton") }

func (srv *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { panic("skeleton") }

// Of returns the namespace of that name, made at the first call.
func (srv *Server) Of(name string) *Namespace { panic("skeleton") }

// Engine is the Engine.IO server underneath.
func (srv *Server) Engine() *engineio.Server { panic("skeleton") }

// OnNewNamespace registers a hook.
func (srv *Server) OnNewNamespace(f func(*Namespace)) { panic("skeleton") }

// Close disconnects every socket (reason ServerShuttingDown) and ends all at once.
func (srv *Server) Close(ctx context.Context) error { panic("skeleton") }

// Shutdown drains: refuses new connections, lets transports close paced, so that clients reconnect elsewhere.
func (srv *Server) Shutdown(ctx context.Context) error { panic("skeleton") }

// The namespace methods of Server act on the main namespace: Use, OnConnect, On, OnAny, OnAnyOutgoing,
// OnDisconnecting, OnDisconnect, UseEvent, To, Except, Local, Volatile, Compress, Timeout, Emit,
// EmitWithAck, FetchSockets, SocketsJoin, SocketsLeave, DisconnectSockets, ServerSideEmit, OnServerSide, Sockets, Socket.

// Namespace is a Socket.IO namespace.
type Namespace struct{}

func (n *Namespace) Name() string { panic("skeleton") }

// Use adds a connection middleware, run in order for each CONNECT. An *Error refuses with {message, data}, any other error with its text.
func (n *Namespace) Use(f func(ctx context.Context, s *Socket) error) { panic("skeleton") }

// OnConnect adds a function run when a socket joined, before its first event. An error disconnects it.
func (n *Namespace) OnConnect(f func(ctx context.Context, s *Socket) error) { panic("skeleton") }

// On sets the handler of an event.
func (n *Namespace) On(event string, h Handler) { panic("skeleton") }

// OnAny adds a catch-all called before the handler of each incoming event. OnAnyOutgoing for each emit and broadcast to a socket.
func (n *Namespace) OnAny(h Handler)                           { panic("skeleton") }
func (n *Namespace) OnAnyOutgoing(f func(s *Socket, e *Event)) { panic("skeleton") }

// UseEvent adds a socket middleware around all handlers: an error without calling next drops the event (and is the error ack).
func (n *Namespace) UseEvent(mw func(next Handler) Handler) { panic("skeleton") }

// OnDisconnecting (rooms still there) and OnDisconnect run once, after the last handler.
func (n *Namespace) OnDisconnecting(f func(s *Socket, r Reason)) { panic("skeleton") }
func (n *Namespace) OnDisconnect(f func(s *Socket, r Reason))    { panic("skeleton") }

// OnError hears errors and panics of handlers.
func (n *Namespace) OnError(f func(s *Socket, event string, err error)) { panic("skeleton") }

// OnServerSide handles an event that another node sent with ServerSideEmit.
func (n *Namespace) OnServerSide(event string, f func(ctx context.Context, e *Event) error) {
	panic("skeleton")
}

func (n *Namespace) To(rooms ...string) Broadcast         { panic("skeleton") }
func (n *Namespace) Except(rooms ...string) Broadcast     { panic("skeleton") }
func (n *Namespace) Local() Broadcast                     { panic("skeleton") }
func (n *Namespace) Volatile() Broadcast                  { panic("skeleton") }
func (n *Namespace) Compress(on bool) Broadcast           { panic("skeleton") }
func (n *Namespace) Timeout(d time.Duration) Broadcast    { panic("skeleton") }
func (n *Namespace) Emit(event string, args ...any) error { panic("skeleton") }
func (n *Namespace) EmitWithAck(ctx context.Context, event string, args ...any) (Replies, error) {
	panic("skeleton")
}
func (n *Namespace) FetchSockets(ctx context.Context) ([]*RemoteSocket, error)   { panic("skeleton") }
func (n *Namespace) SocketsJoin(ctx context.Context, rooms ...string) error      { panic("skeleton") }
func (n *Namespace) SocketsLeave(ctx context.Context, rooms ...string) error     { panic("skeleton") }
func (n *Namespace) DisconnectSockets(ctx context.Context, closeConn bool) error { panic("skeleton") }
func (n *Namespace) ServerSideEmit(ctx context.Context, event string, args ...any) error {
	panic("skeleton")
}
func (n *Namespace) ServerSideEmitWithAck(ctx context.Context, event string, args ...any) (Replies, error) {
	panic("skeleton")
}

// Sockets iterates over this node's connected sockets; Socket finds one by id.
func (n *Namespace) Sockets() iter.Seq[*Socket] { panic("skeleton") }
func (n *Namespace) Socket(id string) *Socket   { panic("skeleton") }

// Rooms returns all rooms that have a member.
func (n *Namespace) Rooms(ctx context.Context) ([]string, error) { panic("skeleton") }

// Broadcast says whom an emit reaches and how. It is an immutable value; each method returns a changed copy.
type Broadcast struct{}

func (b Broadcast) To(rooms ...string) Broadcast         { panic("skeleton") }
func (b Broadcast) Except(rooms ...string) Broadcast     { panic("skeleton") }
func (b Broadcast) Local() Broadcast                     { panic("skeleton") }
func (b Broadcast) Volatile() Broadcast                  { panic("skeleton") }
func (b Broadcast) Compress(on bool) Broadcast           { panic("skeleton") }
func (b Broadcast) Timeout(d time.Duration) Broadcast    { panic("skeleton") }
func (b Broadcast) Emit(event string, args ...any) error { panic("skeleton") }
func (b Broadcast) EmitWithAck(ctx context.Context, event string, args ...any) (Replies, error) {
	panic("skeleton")
}
func (b Broadcast) FetchSockets(ctx context.Context) ([]*RemoteSocket, error)   { panic("skeleton") }
func (b Broadcast) SocketsJoin(ctx context.Context, rooms ...string) error      { panic("skeleton") }
func (b Broadcast) SocketsLeave(ctx context.Context, rooms ...string) error     { panic("skeleton") }
func (b Broadcast) DisconnectSockets(ctx context.Context, closeConn bool) error { panic("skeleton") }

// Replies are the acks of a broadcast, one Args per socket that answered.
type Replies []Args

// Args are received arguments, decoded on demand.
type Args struct{}

func (a Args) Len() int                  { panic("skeleton") }
func (a Args) Raw(i int) json.RawMessage { panic("skeleton") }

// Decode decodes argument i into v. A missing one is an *ArgError.
func (a Args) Decode(i int, v any) error { panic("skeleton") }

// Scan decodes the leading arguments into vs; missing ones are *ArgError, surplus is ignored.
func (a Args) Scan(vs ...any) error { panic("skeleton") }

// Event is a received event. It may be kept.
type Event struct{ Args }

func (e *Event) Name() string { panic("skeleton") }

// WantsAck reports whether the client asked for an ack. Ack sends it, once; later calls and calls without a request do nothing.
func (e *Event) WantsAck() bool        { panic("skeleton") }
func (e *Event) Ack(args ...any) error { panic("skeleton") }

// Socket is one client in one namespace.
type Socket struct{}

func (s *Socket) ID() string                                      { panic("skeleton") }
func (s *Socket) Namespace() *Namespace                           { panic("skeleton") }
func (s *Socket) Handshake() *Handshake                           { panic("skeleton") }
func (s *Socket) Session() *engineio.Session                      { panic("skeleton") }
func (s *Socket) Context() context.Context                        { panic("skeleton") }
func (s *Socket) Connected() bool                                 { panic("skeleton") }
func (s *Socket) Recovered() bool                                 { panic("skeleton") }
func (s *Socket) Data() *Data                                     { panic("skeleton") }
func (s *Socket) Rooms() []string                                 { panic("skeleton") }
func (s *Socket) Join(ctx context.Context, rooms ...string) error { panic("skeleton") }
func (s *Socket) Leave(rooms ...string)                           { panic("skeleton") }

// On overrides the namespace's handler of an event for this socket.
func (s *Socket) On(event string, h Handler)           { panic("skeleton") }
func (s *Socket) Emit(event string, args ...any) error { panic("skeleton") }

// EmitWithAck waits for the client's ack: deadline from ctx, else Config.AckTimeout.
func (s *Socket) EmitWithAck(ctx context.Context, event string, args ...any) (Args, error) {
	panic("skeleton")
}

// Call is EmitWithAck that decodes the first argument of the ack into reply (nil: ignored).
func (s *Socket) Call(ctx context.Context, event string, reply any, args ...any) error {
	panic("skeleton")
}

// Disconnect leaves the namespace (false) or closes the whole connection (true).
func (s *Socket) Disconnect(closeConn bool) { panic("skeleton") }

// Volatile and Compress return an emitter to this socket alone with the modifier set.
func (s *Socket) Volatile() Emitter        { panic("skeleton") }
func (s *Socket) Compress(on bool) Emitter { panic("skeleton") }

// To, In, Except, Broadcast and Local reach others, never this socket itself.
func (s *Socket) To(rooms ...string) Broadcast     { panic("skeleton") }
func (s *Socket) Except(rooms ...string) Broadcast { panic("skeleton") }
func (s *Socket) Broadcast() Broadcast             { panic("skeleton") }
func (s *Socket) Local() Broadcast                 { panic("skeleton") }

// Emitter emits to one socket with modifiers.
type Emitter struct{}

func (e Emitter) Volatile() Emitter                    { panic("skeleton") }
func (e Emitter) Compress(on bool) Emitter             { panic("skeleton") }
func (e Emitter) Emit(event string, args ...any) error { panic("skeleton") }

// RemoteSocket is a socket of any node, as FetchSockets found it.
type RemoteSocket struct{}

func (r *RemoteSocket) ID() string                           { panic("skeleton") }
func (r *RemoteSocket) Info() adapters.SocketInfo            { panic("skeleton") }
func (r *RemoteSocket) Emit(event string, args ...any) error { panic("skeleton") }
func (r *RemoteSocket) EmitWithAck(ctx context.Context, event string, args ...any) (Args, error) {
	panic("skeleton")
}
func (r *RemoteSocket) Join(ctx context.Context, rooms ...string) error      { panic("skeleton") }
func (r *RemoteSocket) Leave(ctx context.Context, rooms ...string) error     { panic("skeleton") }
func (r *RemoteSocket) Disconnect(ctx context.Context, closeConn bool) error { panic("skeleton") }

// Handshake is how a socket connected: the Engine.IO request and the CONNECT payload.
type Handshake struct {
	*engineio.Handshake
	auth json.RawMessage
}

// Auth is the CONNECT payload as JSON text (nil: none); DecodeAuth decodes it into v.
func (h *Handshake) Auth() json.RawMessage  { panic("skeleton") }
func (h *Handshake) DecodeAuth(v any) error { panic("skeleton") }

// Data is what the application attaches to a socket; safe for concurrent use, encoded as JSON for other nodes.
type Data struct{}

func (d *Data) Get(key string) (any, bool) { panic("skeleton") }
func (d *Data) Set(key string, v any)      { panic("skeleton") }
func (d *Data) Delete(key string)          { panic("skeleton") }

// Key gives typed access to a Socket's Data.
type Key[T any] struct{ name string }

func NewKey[T any](name string) Key[T]        { return Key[T]{name} }
func (k Key[T]) Get(s *Socket) (v T, ok bool) { panic("skeleton") }
func (k Key[T]) Set(s *Socket, v T)           { panic("skeleton") }

// Owned wraps bytes that an emit may keep without copying.
type Owned []byte

// Receive makes a Handler of a typed function without a reply; Reply of one whose result is the ack.
func Receive[T any](f func(ctx context.Context, s *Socket, v T) error) Handler { panic("skeleton") }
func Reply[In, Out any](f func(ctx context.Context, s *Socket, in In) (Out, error)) Handler {
	panic("skeleton")
}

// Concurrent makes a Handler that runs on a goroutine of its own, out of order.
func Concurrent(h Handler) Handler { panic("skeleton") }

// Registrar is a Server, a Namespace or a Socket.
type Registrar interface{ On(event string, h Handler) }

// HandleMessage and HandleRequest register a handler by a typed descriptor.
func HandleMessage[T any](r Registrar, m event.Message[T], f func(ctx context.Context, s *Socket, v T) error) {
	panic("skeleton")
}
func HandleRequest[In, Out any](r Registrar, q event.Request[In, Out], f func(ctx context.Context, s *Socket, in In) (Out, error)) {
	panic("skeleton")
}

// Error is an error whose content the client may see.
type Error struct {
	Code    string
	Message string
	Data    any
}

// Errorf returns an *Error.
func Errorf(code, format string, args ...any) *Error { panic("skeleton") }
func (e *Error) Error() string                       { panic("skeleton") }

// ArgError: an argument is missing or of the wrong type (code bad_request).
type ArgError struct {
	Index int
	Err   error
}

func (e *ArgError) Error() string { panic("skeleton") }

// AckError: acks are missing. DisconnectError: cause of a socket's context. EncodeError: an emit's argument could not be encoded.
type AckError struct {
	Missing int
	Err     error
}

func (e *AckError) Error() string { panic("skeleton") }

// DisconnectError is the cause of a socket's context.
type DisconnectError struct{ Reason Reason }

func (e *DisconnectError) Error() string { panic("skeleton") }

// EncodeError reports an argument that could not be encoded.
type EncodeError struct {
	Event string
	Err   error
}

func (e *EncodeError) Error() string { panic("skeleton") }

// ErrClosed, ErrQueueFull: see Emit.
var (
	ErrClosed    = engineio.ErrClosed
	ErrQueueFull = engineio.ErrQueueFull
)
