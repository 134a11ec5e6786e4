package sioclient

import (
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/hermod-io/hermod/engineio/eioclient"
	"github.com/hermod-io/hermod/internal/ctxend"
)

// Manager keeps one connection to a server, which its Sockets share: it is made
// when the first of them connects, made again when it is lost, and closed when
// no Socket needs it any more. Its methods may be called from any goroutine.
type Manager struct {
	// mu guards the Manager and all of its Sockets. What is sent is queued under it,
	// which does not block; user code is never called under it.

	cfg    Config
	url    string
	dialer *eioclient.Dialer
	random func() float64
	hooks  atomic.Pointer[hooks]
	wg     sync.WaitGroup // goroutines of ours, but for those of the dialer

	mu      sync.Mutex // guards what follows
	sockets map[string]*Socket
	link    *link // the connection; nil while there is none
	dialing *dialing
	box     mailboxes
	closed  bool
}

// NewManager returns a Manager for the server at url (http, https, ws or wss).
// The path of the URL does not matter, its query is sent; where the server is
// mounted is Config.Engine.Path. Nothing is connected yet. The error is that of
// Config.Validate, or about the URL.
func NewManager(url string, cfg Config) (*Manager, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	d, err := eioclient.NewDialer(cfg.Engine)
	if err != nil {
		return nil, err
	}
	if err := d.CheckURL(url); err != nil {
		return nil, err
	}
	m := &Manager{cfg: cfg, url: url, dialer: d, random: rand.Float64, sockets: make(map[string]*Socket)}
	m.hooks.Store(new(hooks))
	return m, nil
}

// SocketOptions are those of one Socket.
type SocketOptions struct {
	// Auth takes the place of Config.Auth.
	Auth func(ctx context.Context) (any, error)
}

// Socket returns the Socket in a namespace ("" is "/"), which is not connected
// yet. A second call for the same namespace returns the same Socket, and o does
// not count. After Close it is one that is closed. JS: manager.socket.
func (m *Manager) Socket(namespace string, o SocketOptions) *Socket {
	if !strings.HasPrefix(namespace, "/") {
		namespace = "/" + namespace
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.sockets[namespace]; s != nil {
		return s
	}
	s := newSocket(m, namespace, o)
	s.closed = m.closed
	m.sockets[namespace] = s
	return s
}

// Session is the Engine.IO session in use, or nil while there is none.
func (m *Manager) Session() *eioclient.Session {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.link == nil {
		return nil
	}
	return m.link.session
}

// Close disconnects all Sockets, closes the connection when what was sent
// before has left, and waits until all handlers have returned and nothing of
// the Manager's runs any more, or ctx ends: that is the only error, which wraps ctx's
// and its cause. Handlers must not wait for it.
func (m *Manager) Close(ctx context.Context) error {
	m.mu.Lock()
	m.closed = true
	l := m.link
	for _, s := range m.sockets {
		s.disconnect()
		s.closed = true
		s.dropQueue(ErrClosed)
	}
	m.rest()
	m.mu.Unlock()
	if l != nil {
		select {
		case <-l.session.Done():
		case <-ctx.Done():
		}
	}
	if err := m.dialer.Close(ctx); err != nil {
		if ended := ctxend.Err(ctx); ended != nil {
			return ended
		}
		return err
	}
	done := make(chan struct{})
	go func() { // ends with the last handler
		m.wg.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctxend.Err(ctx)
	}
}

// rest closes the connection, and stops the making of one, if no Socket needs
// it. mu is held.
func (m *Manager) rest() {
	for _, s := range m.sockets {
		if s.active {
			return
		}
	}
	if m.dialing != nil {
		m.dialing.cancel()
		m.dialing = nil
	}
	if l := m.link; l != nil {
		m.unlink()
		l.session.Close()
	}
}

// unlink forgets the connection. mu is held.
func (m *Manager) unlink() {
	m.link.cancel()
	m.link = nil
	m.box.wake()
}
