package sioclient

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/hermod-io/hermod/internal/ctxend"
	"github.com/hermod-io/hermod/internal/usercode"
	"github.com/hermod-io/hermod/socketio/event"
	"github.com/hermod-io/hermod/socketio/parser"
)

// Socket is a client in one namespace. Its methods may be called from any
// goroutine.
type Socket struct {
	// The Manager's mu guards what is not atomic or set once; while working is set,
	// a goroutine owns the right to run the handlers.

	m     *Manager
	nsp   string
	auth  func(ctx context.Context) (any, error)
	owns  bool // the Manager is its own
	table atomic.Pointer[table]
	ids   atomic.Uint64 // of acks

	// guarded by m.mu
	active    bool  // it is, or wants to be, in its namespace
	closed    bool  // Close was called
	conn      *conn // nil while it is not in its namespace
	asked     *link // on which a CONNECT is not answered yet
	recovered bool
	pid       string // of connection state recovery
	offset    string // of the last event
	lastErr   error  // why there is no connection
	waiting   []chan error
	waits     map[uint64]*wait
	buffer    buffer // events that wait for a connection
	queue     retries
	box       mailbox
	early     []*Event // events before the answer to CONNECT
	earlySize int
}

// conn is one stay of a Socket in its namespace.
type conn struct {
	link   *link
	id     string
	ctx    context.Context
	cancel context.CancelCauseFunc
	flush  *time.Timer // of the rest of the buffer; nil until there is one; guarded by m.mu
}

func newSocket(m *Manager, nsp string, o SocketOptions) *Socket {
	s := &Socket{m: m, nsp: nsp, auth: o.Auth, waits: make(map[uint64]*wait)}
	if s.auth == nil {
		s.auth = m.cfg.Auth
	}
	s.table.Store(new(table))
	return s
}

var _ interface {
	event.Emitter
	event.Caller
} = (*Socket)(nil)

// Namespace is the name of the namespace.
func (s *Socket) Namespace() string { return s.nsp }

// Manager is what keeps the connection.
func (s *Socket) Manager() *Manager { return s.m }

// ID is the id that the server gave the Socket, "" while it is not connected.
// It is another after each reconnection that recovered nothing. JS: id.
func (s *Socket) ID() string {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	if s.conn == nil {
		return ""
	}
	return s.conn.id
}

// Connected reports whether the Socket is in its namespace. JS: connected.
func (s *Socket) Connected() bool {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	return s.conn != nil
}

// Active reports whether the Socket is in its namespace, or will try to be by
// itself. JS: active.
func (s *Socket) Active() bool {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	return s.active
}

// Recovered reports whether the last connection has continued the one before, so
// that nothing was missed. JS: recovered.
func (s *Socket) Recovered() bool {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	return s.recovered
}

// Context returns the context of the connection: what handlers are given. It
// ends when the Socket leaves its namespace, with the *DisconnectError as cause.
// While the Socket is not connected it is one that has ended.
func (s *Socket) Context() context.Context {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	if s.conn != nil {
		return s.conn.ctx
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(ErrClosed)
	return ctx
}

// Disconnect makes the Socket leave its namespace; it does not connect again by
// itself. Events that wait for their handlers are dropped; those that were
// emitted before are sent, and those that wait in the Buffer kept. It does
// not wait: OnDisconnect is called once the running handler has returned. The
// connection is closed if no other Socket uses it. A session that could be
// recovered is given up. JS: disconnect.
func (s *Socket) Disconnect() {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	s.disconnect()
	s.m.rest()
}

// disconnect needs mu.
func (s *Socket) disconnect() {
	s.active = false
	s.pid, s.offset = "", ""
	s.tellWaiting(ErrClosed)
	s.dropMail()
	if s.conn == nil {
		return
	}
	_ = s.conn.link.send(must, &parser.Packet{Type: parser.Disconnect, Namespace: s.nsp}) // closed: it hears anyway
	s.left(&DisconnectError{Reason: IOClientDisconnect})
}

// Close disconnects the Socket for ever and waits until its handlers have
// returned, or ctx ends. Of a Socket by New or Dial it closes the Manager as
// well, see Manager.Close. Handlers must not wait for it.
func (s *Socket) Close(ctx context.Context) error {
	if s.owns {
		return s.m.Close(ctx)
	}
	s.m.mu.Lock()
	s.disconnect()
	s.closed = true
	s.dropQueue(ErrClosed)
	s.m.rest()
	if s.m.sockets[s.nsp] == s { // else there is another one since
		delete(s.m.sockets, s.nsp)
	}
	idle := s.idle()
	s.m.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctxend.Err(ctx)
	}
}

// left ends the stay in the namespace, if there is one. mu is held.
func (s *Socket) left(cause *DisconnectError) {
	s.asked = nil
	s.moveEarly()
	c := s.conn
	if c == nil {
		return
	}
	s.conn = nil
	c.cancel(cause)
	if c.flush != nil {
		c.flush.Stop()
	}
	s.failWaits(cause)
	s.post(mail{f: func() {
		s.m.logLife(s, c, "disconnected", cause.Reason)
		usercode.Each(s.table.Load().onDisconnect, func(f func(*Socket, Reason)) {
			s.tell(func() { f(s, cause.Reason) })
		})
	}})
}

// serverDisconnect takes a DISCONNECT. mu is held.
func (s *Socket) serverDisconnect() {
	if s.conn == nil {
		return
	}
	s.active = false
	s.left(&DisconnectError{Reason: IOServerDisconnect})
	s.m.rest()
}
