package wscore

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// Upgrade is what the handshake of a connection said. RFC 6455 section 4.2.1.
type Upgrade struct {
	URI         string      // request target without leading slash, with query
	Subprotocol string      // the one chosen, in the client's spelling; "" if by path alone
	BearerToken string      // of the Authorization header
	RemoteAddr  netip.Addr  // of the client, on a server; see ProcessSettings.TrustedProxies. Invalid if unknown
	Secure      bool        // over TLS
	Header      http.Header // of the request, during Check and OnUpgrade; nil afterwards
	ID          int64       // the connection's; 0 on a client whose server gave none
	Resumed     bool        // the id is that of a connection that was lost
	Value       any         // what ProtocolSpec.Check left

	token     string // that resumed it; "" when none did
	inherited any    // Process.Data of the connection that is resumed
}

// State is how far a Process is. mORMot: TWebSocketProcessState.
type State uint8

// How far a Process is. mORMot: TWebSocketProcessState.
const (
	StateCreate  State = iota // made, not yet running
	StateRun                  // messages flow
	StateClose                // one side has begun to close, or the connection is lost
	StateDestroy              // OnDisconnect has returned
)

// String returns the word for s.
func (s State) String() string {
	switch s {
	case StateCreate:
		return "create"
	case StateRun:
		return "run"
	case StateClose:
		return "close"
	}
	return "destroy"
}

// ErrConsumed is what Coder.Decode returns for a message that was for the Coder
// itself: the protocol is not told of it.
var ErrConsumed = errors.New("wscore: message was for the coder")

// ErrNoPong is the cause of a connection's end whose peer gave no sign of life.
// RFC 6455 section 5.5.2.
var ErrNoPong = errors.New("wscore: heartbeats not answered")

// Process is the running of a connection: a Conn, the Protocol on it, settings
// and counters. It exists on servers and clients. Its methods may be called from
// any goroutine and do not block. mORMot: TWebSocketProcess.
type Process struct {
	conn     *Conn
	settings *ProcessSettings
	proto    Protocol
	coder    Coder // proto, if it is one
	upgrade  Upgrade
	log      *slog.Logger
	gone     func(p *Process, err error) // tells the Handler or Client
	started  chan struct{}               // closed when OnConnect and OnOpen have returned
	done     chan struct{}
	err      error  // set before done is closed
	arrived  func() // called with the first frame of the peer, by the reader; nil afterwards
	counters counters
	life     atomic.Uint32 // State, but for StateClose
	opened   atomic.Bool   // OnOpen is called, or would be
	seen     sign
	data     atomic.Pointer[any]

	heart heartbeat

	mu        sync.Mutex // guards what follows; held from encoding a message until it is queued
	gathered  []Message
	waiting   int // bytes of them
	timer     *time.Timer
	lastError error
}

// newProcess binds what was negotiated; build and start make it run.
func newProcess(c *Conn, s *ProcessSettings, u Upgrade, gone func(*Process, error)) *Process {
	p := &Process{conn: c, settings: s, upgrade: u, log: s.logger(), gone: gone, started: make(chan struct{}), done: make(chan struct{})}
	if u.inherited != nil {
		p.SetData(u.inherited)
	}
	return p
}

// build makes the protocol's instance. Nobody may find p before: what is sent
// without the Coder would travel in the clear.
func (p *Process) build(spec *ProtocolSpec) {
	p.proto = p.instance(spec)
	p.coder, _ = p.proto.(Coder)
}

// start runs the connection.
func (p *Process) start() { p.conn.Serve((*processReader)(p)) }

// instance is spec.New, which may panic. If it ends the goroutine nobody will read.
func (p *Process) instance(spec *ProtocolSpec) (proto Protocol) {
	returned := false
	defer func() {
		switch v := recover(); {
		case v != nil:
			p.logPanic("New", v)
		case !returned:
			p.logPanic("New", "runtime.Goexit")
			_ = p.conn.CloseNow()
		}
		if proto == nil {
			proto = failing{p}
		}
	}()
	proto = spec.New(p)
	returned = true
	return proto
}

// failing stands for a protocol that could not be made.
type failing struct{ p *Process }

func (f failing) OnOpen()                  { _ = f.p.conn.Close(CloseInternal, "") }
func (f failing) OnMessage(Opcode, []byte) {}
func (f failing) OnClose(error)            {}

// Conn is the connection below. What is sent on it directly passes neither the
// protocol's Coder nor the counters.
func (p *Process) Conn() *Conn { return p.conn }

// Protocol is the instance that runs on the connection.
// mORMot: TWebSocketProcess.Protocol.
func (p *Process) Protocol() Protocol { return p.proto }

// Upgrade is what the handshake said. mORMot: TWebSocketProtocol.UpgradeUri.
func (p *Process) Upgrade() *Upgrade { return &p.upgrade }

// ID is the connection's: random, and the same on both sides. 0 on a client
// whose server gave none.
func (p *Process) ID() int64 { return p.upgrade.ID }

// IsClient reports which side this is.
func (p *Process) IsClient() bool { return p.conn.client }

// State tells how far the process is. mORMot: TWebSocketProcess.State.
func (p *Process) State() State {
	s := State(p.life.Load())
	if s == StateRun && !p.conn.open() {
		return StateClose
	}
	return s
}

// Done is closed when the connection has ended, before the protocol and
// OnDisconnect are told.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err is why the connection ended, a *CloseError; nil before Done is closed.
// RFC 6455 section 7.1.5.
func (p *Process) Err() error {
	select {
	case <-p.done:
		return p.err
	default:
		return nil
	}
}

// SetData keeps a value of the application with the process. A resumed
// connection inherits it. mORMot: TWebSocketProtocol.CustomData.
func (p *Process) SetData(v any) { p.data.Store(&v) }

// Data is what SetData kept, or nil. mORMot: TWebSocketProtocol.CustomData.
func (p *Process) Data() any {
	if v := p.data.Load(); v != nil {
		return *v
	}
	return nil
}

// NoteError remembers err as the last one of the process, and logs it.
// mORMot: TWebSocketProtocol.LastError.
func (p *Process) NoteError(err error) {
	p.log.Warn("wscore: process", "id", p.ID(), "err", err)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lastError = err
}

// LastError is the last error that was noted, or nil.
// mORMot: TWebSocketProtocol.LastError.
func (p *Process) LastError() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lastError
}

// Logger is the one of the settings, or one that is silent; never nil.
func (p *Process) Logger() *slog.Logger { return p.log }

// Logs reports whether details of that kind are to be logged.
func (p *Process) Logs(d LogDetail) bool {
	return p.settings.LogDetails&d != 0 && p.log.Enabled(context.Background(), slog.LevelDebug)
}

func (p *Process) logFrame(what string, op Opcode, data []byte) {
	detail := LogHeartbeats
	switch op {
	case OpText:
		detail = LogText
	case OpBinary:
		detail = LogBinary
	}
	if p.Logs(detail) {
		p.log.Debug("wscore: "+what, "id", p.ID(), "op", op, "len", len(data), "data", string(data[:min(len(data), logged)]))
	}
}

func (p *Process) logPanic(where string, v any) {
	p.log.Error("wscore: panic", "id", p.ID(), "in", where, "panic", v, "stack", string(debug.Stack()))
}

// processReader is the Process as its connection sees it.
type processReader Process

// onStart implements starter.
func (r *processReader) onStart() {
	p := (*Process)(r)
	defer close(p.started)
	p.life.Store(uint32(StateRun))
	p.busy()
	defer p.listening()
	p.heart.start(p)
	p.log.Info("wscore: connected", "id", p.ID(), "remote", p.upgrade.RemoteAddr, "protocol", p.upgrade.Subprotocol)
	p.guard("OnConnect", func() {
		if f := p.settings.OnConnect; f != nil {
			f(p)
		}
	})
	p.opened.Store(true)
	if o, ok := p.proto.(Opener); ok {
		o.OnOpen()
	}
}

// guard runs a callback of the application whose panic harms nobody.
func (p *Process) guard(where string, f func()) {
	defer func() {
		if v := recover(); v != nil {
			p.logPanic(where, v)
		}
	}()
	f()
}

// OnMessage implements Protocol.
func (r *processReader) OnMessage(op Opcode, data []byte) {
	p := (*Process)(r)
	p.busy()
	defer p.listening()
	p.arrive()
	wire := len(data)
	if p.coder != nil {
		var err error
		if op, data, err = p.coder.Decode(op, data); err != nil {
			p.undecoded(wire, err)
			return
		}
	}
	p.counters.received(len(data), wire)
	p.logFrame("received", op, data)
	if f := p.settings.BeforeMessage; f != nil && f(p, op, data) {
		return
	}
	p.proto.OnMessage(op, data)
	if f := p.settings.AfterMessage; f != nil {
		f(p, op, data)
	}
}

func (p *Process) undecoded(wire int, err error) {
	p.counters.received(0, wire)
	if errors.Is(err, ErrConsumed) {
		return
	}
	p.NoteError(err)
	code := CloseInvalidPayload
	var ce *CloseError
	if errors.As(err, &ce) {
		code = ce.Code
	}
	p.conn.failWith(code, err)
}

// arrive notes that the peer has spoken.
func (p *Process) arrive() {
	if f := p.arrived; f != nil {
		p.arrived = nil
		f()
	}
}

// onControl implements controlSeer.
func (r *processReader) onControl(op Opcode, data []byte) {
	p := (*Process)(r)
	p.busy()
	defer p.listening()
	p.arrive()
	p.logFrame("received", op, data)
	if !p.settings.NotifyAllFrames {
		return
	}
	if o, ok := p.proto.(ControlObserver); ok {
		o.OnControl(op, data)
	}
}

// onPart implements controlSeer.
func (r *processReader) onPart() { (*Process)(r).listening() }

// OnClose implements Protocol.
func (r *processReader) OnClose(err error) {
	p := (*Process)(r)
	p.heart.stop(p)
	p.mu.Lock()
	p.err = err
	p.gathered = nil
	if p.timer != nil {
		p.timer.Stop()
	}
	p.mu.Unlock()
	close(p.done)
	p.log.Info("wscore: disconnected", "id", p.ID(), "reason", err)
	defer func() { // also if one of those ends the goroutine (runtime.Goexit)
		p.life.Store(uint32(StateDestroy))
		if p.gone != nil {
			p.gone(p, err)
		}
	}()
	defer p.guard("OnDisconnect", func() {
		if f := p.settings.OnDisconnect; f != nil {
			f(p, err)
		}
	})
	p.guard("OnClose", func() { p.proto.OnClose(err) })
}
