package cluster

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

const (
	// relayWindow is how many bytes of a stream may be on their way or unread, in
	// each direction. It is part of the wire.
	relayWindow = 256 << 10
	// relayChunk is how many bytes a frame has at most.
	relayChunk = 32 << 10
)

// relayError is why a stream ended.
type relayError struct{ text string }

func (e *relayError) Error() string { return "cluster: " + e.text }

var (
	errStreamAborted  = &relayError{"the other side of a relayed request is gone"}
	errStreamUnknown  = &relayError{"no such session"}
	errStreamOverload = &relayError{"too much is relayed"}
	errStreamGap      = &relayError{"messages between nodes were lost"}
	errNodeGone       = &relayError{"the other node is gone"}
	errRouterClosed   = &relayError{"the router is closed"}
)

var resetErrors = map[uint64]*relayError{resetUnknown: errStreamUnknown, resetOverload: errStreamOverload, resetGap: errStreamGap}

// relayAnswer is the beginning of an answer.
type relayAnswer struct {
	status  int
	header  http.Header
	confirm bool
}

// relayStream is one relayed request, on either of the two nodes: bytes in both
// directions within a window, and what else is known of it. Its fields belong to
// whoever holds mu.
type relayStream struct {
	p  *relayPeer
	id uint64 // times two, plus 1 on the node that opened it

	turn sync.Mutex // held while credit is taken and its bytes are handed to the Mail, which does not block

	mu       sync.Mutex // guards what follows
	cond     sync.Cond
	changes  uint64 // how often cond was told
	in       [][]byte
	inBytes  int
	fin      bool // the other side sends no more
	eaten    int  // bytes that were read, and not told of yet
	credit   int
	finSent  bool
	ended    bool // the other side reads and sends no more
	closed   bool // nor do we
	err      error
	answer   *relayAnswer
	taken    bool
	done     bool // the answer was written to the client
	rd, wd   relayDeadline
	onFail   func(err error) // of the one who serves; called with mu, does not block
	onChange func()          // when answer, taken or ended is set; called with mu, does not block
}

// relayDeadline is a deadline of a stream.
type relayDeadline struct {
	at    time.Time
	timer *time.Timer
}

func (d *relayDeadline) over() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

// setDeadline moves d, one of the stream's two.
func (s *relayStream) setDeadline(d *relayDeadline, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.at = at
	if wait := time.Until(at); !at.IsZero() && wait > 0 && !s.closed {
		d.timer = time.AfterFunc(wait, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.tell()
		})
	}
	s.tell()
}

// tell wakes who waits. mu is held.
func (s *relayStream) tell() {
	s.changes++
	s.cond.Broadcast()
}

// await waits until ready, which is called with mu.
func (s *relayStream) await(ready func() bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !ready() {
		s.cond.Wait()
	}
}

// tryRead reads what is there; again means that nothing is yet.
func (s *relayStream) tryRead(p []byte) (n int, again bool, err error) {
	s.mu.Lock()
	for n < len(p) && len(s.in) > 0 && s.err == nil && !s.closed {
		m := copy(p[n:], s.in[0])
		if n += m; m == len(s.in[0]) {
			s.in[0] = nil
			s.in = s.in[1:]
		} else {
			s.in[0] = s.in[0][m:]
		}
	}
	s.inBytes -= n
	s.eaten += n
	var grant int
	switch {
	case n > 0:
		s.p.r.buffered.Add(int64(-n))
		if s.eaten >= relayWindow/2 && !s.fin {
			grant, s.eaten = s.eaten, 0
		}
	case s.closed:
		err = net.ErrClosed
	case s.err != nil:
		err = s.err
	case s.fin:
		err = io.EOF
	case s.rd.over():
		err = os.ErrDeadlineExceeded
	default:
		again = len(p) > 0
	}
	s.mu.Unlock()
	if grant > 0 {
		s.post(&relayFrame{kind: frameCredit, n: uint64(grant)}, true)
	}
	return n, again, err
}

// tryWrite sends of bufs what the window has room for, and fin behind all of
// them; again means that it has none.
func (s *relayStream) tryWrite(bufs [][]byte, fin bool) (n int, again bool, err error) {
	s.turn.Lock()
	defer s.turn.Unlock()
	total := 0
	for _, b := range bufs {
		total += len(b)
	}
	s.mu.Lock()
	switch {
	case s.closed:
		err = net.ErrClosed
	case s.err != nil:
		err = s.err
	case s.ended:
		err = errStreamAborted
	case s.finSent:
		err = io.ErrClosedPipe
	case s.wd.over():
		err = os.ErrDeadlineExceeded
	case total > 0 && s.credit == 0:
		again = true
	default:
		n = min(total, s.credit)
		s.credit -= n
		fin = fin && n == total
		s.finSent = fin
	}
	s.mu.Unlock()
	if err != nil || again {
		return 0, again, err
	}
	s.sendData(bufs, n, fin)
	return n, false, nil
}

// sendData sends the first n bytes of bufs in frames. turn is held.
func (s *relayStream) sendData(bufs [][]byte, n int, fin bool) {
	for _, b := range bufs {
		for len(b) > 0 && n > 0 {
			m := min(len(b), n, relayChunk)
			f := relayFrame{kind: frameData, data: b[:m]}
			if b, n = b[m:], n-m; n == 0 && fin {
				f.flags, fin = flagFin, false
			}
			s.post(&f, true)
		}
	}
	if fin {
		s.post(&relayFrame{kind: frameData, flags: flagFin}, true)
	}
}

// write sends all of b, and fin behind it. It waits for the window, until the
// deadline, the end of the stream, or stop (called with mu).
func (s *relayStream) write(b []byte, fin bool, stop func() bool) (n int, err error) {
	for {
		m, again, err := s.tryWrite([][]byte{b}, fin)
		n, b = n+m, b[m:]
		if err != nil || !again && len(b) == 0 {
			return n, err
		}
		s.await(func() bool {
			return s.credit > 0 || s.over(&s.wd) || s.ended || stop != nil && stop()
		})
		if stop != nil && s.is(stop) {
			return n, errStreamAborted
		}
	}
}

// read waits for bytes.
func (s *relayStream) read(b []byte) (int, error) {
	for {
		n, again, err := s.tryRead(b)
		if !again {
			return n, err
		}
		s.await(func() bool { return len(s.in) > 0 || s.fin || s.over(&s.rd) })
	}
}

// over reports whether nothing is to be waited for. mu is held.
func (s *relayStream) over(d *relayDeadline) bool { return s.closed || s.err != nil || d.over() }

// is evaluates f with mu.
func (s *relayStream) is(f func() bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return f()
}

// post sends a frame of the stream.
func (s *relayStream) post(f *relayFrame, urgent bool) {
	f.stream = s.id
	s.p.post(f, urgent)
}

// fail ends the stream because of err; with a reason the other side is told.
func (s *relayStream) fail(err error, reason ...uint64) {
	s.mu.Lock()
	if s.err != nil || s.closed {
		s.mu.Unlock()
		return
	}
	s.err = err
	s.empty()
	if s.onFail != nil {
		s.onFail(err)
	}
	s.tell()
	s.mu.Unlock()
	s.p.remove(s)
	for _, why := range reason {
		s.post(&relayFrame{kind: frameReset, n: why}, true)
	}
}

// close ends the stream, which this side does not need any more; if the other
// side may not know that it is told.
func (s *relayStream) close(tell bool) {
	s.mu.Lock()
	tell = tell && !s.closed && s.err == nil && !s.ended
	s.closed = true
	s.empty()
	s.tell()
	s.mu.Unlock()
	s.p.remove(s)
	if tell {
		s.post(&relayFrame{kind: frameEnd}, true)
	}
}

// empty drops what nobody will read. mu is held.
func (s *relayStream) empty() {
	s.p.r.buffered.Add(int64(-s.inBytes))
	s.in, s.inBytes = nil, 0
	for _, d := range []*relayDeadline{&s.rd, &s.wd} {
		if d.timer != nil {
			d.timer.Stop()
			d.timer = nil
		}
	}
}

// arrived takes a frame, and reports false if it breaks a bound. It is called by
// the one goroutine that receives.
func (s *relayStream) arrived(f *relayFrame) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.err != nil {
		return true
	}
	switch f.kind {
	case frameAnswer:
		if s.answer == nil && !s.taken {
			s.answer = &relayAnswer{f.status, f.header, f.flags&flagConfirm != 0}
		}
		s.changed()
	case frameTaken:
		s.taken = s.answer == nil
		s.changed()
	case frameCredit:
		s.credit += int(min(f.n, relayWindow))
	case frameDone:
		s.done = true
	case frameEnd:
		s.fin, s.ended = true, true
		s.changed()
	}
	if len(f.data) > 0 && !s.fin {
		s.in = append(s.in, append([]byte(nil), f.data...))
		s.inBytes += len(f.data)
		if total := s.p.r.buffered.Add(int64(len(f.data))); s.inBytes > relayWindow || total > s.p.r.cfg.MaxBuffered {
			return false
		}
	}
	s.fin = s.fin || f.flags&flagFin != 0
	s.tell()
	return true
}

// changed tells the one who serves. mu is held.
func (s *relayStream) changed() {
	if s.onChange != nil {
		s.onChange()
	}
}

// waitDone waits until the answer was written to the client.
func (s *relayStream) waitDone() error {
	s.await(func() bool { return s.done || s.over(&s.wd) })
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.done:
		return nil
	case s.err != nil:
		return s.err
	case s.closed:
		return net.ErrClosed
	}
	return os.ErrDeadlineExceeded
}

// relayConn is the client's connection as the node sees it that owns the
// session: a net.Conn. It can also be asked without waiting, as wscore does with
// what brings these methods: an idle connection holds no buffer.
type relayConn struct {
	s      *relayStream
	remote net.Addr
}

var (
	errNoHijack          = errors.New("cluster: the connection was taken over")
	_           net.Conn = (*relayConn)(nil)
)

// Read implements net.Conn.
func (c *relayConn) Read(p []byte) (int, error) { return c.s.read(p) }

// Write implements net.Conn.
func (c *relayConn) Write(p []byte) (int, error) { return c.s.write(p, false, nil) }

// Close implements net.Conn. What was written still arrives.
func (c *relayConn) Close() error {
	c.s.close(true)
	return nil
}

// CloseWrite ends the output, as that of a net.TCPConn.
func (c *relayConn) CloseWrite() error {
	_, _, err := c.s.tryWrite(nil, true)
	return err
}

// LocalAddr implements net.Conn.
func (c *relayConn) LocalAddr() net.Addr { return relayAddr("") }

// RemoteAddr implements net.Conn: it is the client's.
func (c *relayConn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline implements net.Conn.
func (c *relayConn) SetDeadline(t time.Time) error {
	c.s.setDeadline(&c.s.rd, t)
	c.s.setDeadline(&c.s.wd, t)
	return nil
}

// SetReadDeadline implements net.Conn.
func (c *relayConn) SetReadDeadline(t time.Time) error {
	c.s.setDeadline(&c.s.rd, t)
	return nil
}

// SetWriteDeadline implements net.Conn.
func (c *relayConn) SetWriteDeadline(t time.Time) error {
	c.s.setDeadline(&c.s.wd, t)
	return nil
}

// TryRead reads what is there; again means that nothing is.
func (c *relayConn) TryRead(p []byte) (n int, again bool, err error) { return c.s.tryRead(p) }

// TryWritev writes what the window has room for; again means that it has none.
func (c *relayConn) TryWritev(bufs [][]byte) (n int, again bool, err error) {
	return c.s.tryWrite(bufs, false)
}

// WaitRead calls f at once and again whenever something has changed, until it
// returns true; f is not called under a lock.
func (c *relayConn) WaitRead(f func(fd uintptr) bool) error { return c.wait(&c.s.rd, f) }

// WaitWrite is WaitRead for who writes.
func (c *relayConn) WaitWrite(f func(fd uintptr) bool) error { return c.wait(&c.s.wd, f) }

func (c *relayConn) wait(d *relayDeadline, f func(fd uintptr) bool) error {
	s := c.s
	for {
		s.mu.Lock()
		seen, closed, late := s.changes, s.closed, d.over()
		s.mu.Unlock()
		switch {
		case closed:
			return net.ErrClosed
		case late:
			return os.ErrDeadlineExceeded
		case f(0):
			return nil
		}
		s.await(func() bool { return s.changes != seen || s.closed || d.over() })
	}
}

// relayAddr is an address that is only known as text.
type relayAddr string

// Network implements net.Addr.
func (relayAddr) Network() string { return "tcp" }

// String implements net.Addr.
func (a relayAddr) String() string { return string(a) }
