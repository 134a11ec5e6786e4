package wscore

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/hermod-io/hermod/internal/wheel"
)

// Server holds what the connections of one server share: settings, timers, and
// the flushers of their queues. The zero value is not usable, see NewServer.
type Server struct {
	settings Settings
	wheel    *wheel.Wheel
	pools    pools

	mu       sync.Mutex // guards what follows
	conns    map[*Conn]struct{}
	dirty    []*Conn // with bytes to be written; the first of them is dirty[taken]
	taken    int
	flushers int
	running  int // goroutines of ours
	idle     chan struct{}
	closed   bool
}

// NewServer returns a Server. settings is copied.
func NewServer(settings Settings) *Server {
	return &Server{settings: settings, wheel: wheel.New(100 * time.Millisecond), conns: map[*Conn]struct{}{}}
}

// NewConn returns the server side of a connection whose handshake is done.
func (s *Server) NewConn(rwc io.ReadWriteCloser) *Conn { return s.newConn(rwc, nil) }

func (s *Server) newConn(rwc io.ReadWriteCloser, early []byte) *Conn {
	c := &Conn{srv: s, rwc: rwc, raw: newRawIO(rwc, &s.pools.writes), early: early}
	c.parser.masked, c.parser.limit = true, s.settings.maxMessage()
	c.out.corked = true
	s.mu.Lock()
	closed := s.closed
	s.conns[c] = struct{}{}
	s.mu.Unlock()
	if closed {
		c.CloseNow()
	}
	return c
}

// Conns reports how many connections are open.
func (s *Server) Conns() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// goFunc starts f on a goroutine that Close waits for. f ends with its connection.
func (s *Server) goFunc(f func()) {
	s.mu.Lock()
	s.running++
	s.mu.Unlock()
	go func() {
		defer s.ended()
		f()
	}()
}

func (s *Server) ended() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running--; s.running == 0 && s.idle != nil {
		close(s.idle)
		s.idle = nil
	}
}

func (s *Server) forget(c *Conn) {
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
}

// Close closes all connections at once and waits until nothing of the server
// runs any more, or ctx ends.
func (s *Server) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	conns := make([]*Conn, 0, len(s.conns))
	for c := range s.conns {
		conns = append(conns, c)
	}
	s.mu.Unlock()
	for _, c := range conns {
		c.CloseNow()
	}
	s.mu.Lock()
	if s.running == 0 {
		s.mu.Unlock()
		return nil
	}
	if s.idle == nil {
		s.idle = make(chan struct{})
	}
	idle := s.idle
	s.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
