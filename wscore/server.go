package wscore

import (
	"context"
	"io"
	"net"
	"runtime"
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

// backlog is how many connections must wait before another flusher starts.
const backlog = 64

// flushLater puts c on the dirty list. c.mu may be held.
func (s *Server) flushLater(c *Conn) {
	s.mu.Lock()
	if len(s.dirty) == cap(s.dirty) && s.taken > len(s.dirty)/2 {
		rest := copy(s.dirty, s.dirty[s.taken:]) // a list that is never empty must not grow for ever
		clear(s.dirty[rest:])
		s.dirty, s.taken = s.dirty[:rest], 0
	}
	s.dirty = append(s.dirty, c)
	start := s.flushers == 0 || len(s.dirty)-s.taken >= backlog*s.flushers && s.flushers < runtime.GOMAXPROCS(0)
	if start {
		s.flushers++
		s.running++
	}
	s.mu.Unlock()
	if start {
		go s.flusher()
	}
}

// flusher writes what is queued until the dirty list is empty. It never waits.
func (s *Server) flusher() {
	defer s.ended()
	var batch [16]*Conn
	for n := s.takeDirty(batch[:]); n > 0; n = s.takeDirty(batch[:]) {
		for _, c := range batch[:n] {
			c.flush()
		}
	}
}

// takeDirty moves the first connections of the list to batch. When there are
// none the flusher that asked is counted off.
func (s *Server) takeDirty(batch []*Conn) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := copy(batch, s.dirty[s.taken:])
	clear(s.dirty[s.taken : s.taken+n])
	s.taken += n
	if s.taken == len(s.dirty) {
		s.dirty, s.taken = s.dirty[:0], 0
		if cap(s.dirty) > maxIdleList {
			s.dirty = nil
		}
	}
	if n == 0 {
		s.flushers--
	}
	return n
}

// maxIdleList is the room that an empty dirty list keeps.
const maxIdleList = 4096

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

// RemoteAddr is the address of the peer, or nil if the stream has none.
func (c *Conn) RemoteAddr() net.Addr {
	if nc, ok := c.rwc.(net.Conn); ok {
		return nc.RemoteAddr()
	}
	return nil
}
