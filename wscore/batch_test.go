//go:build unix

package wscore

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/await"
	"github.com/hermod-io/hermod/internal/testnet"
)

// tcpPair returns both ends of a connection over loopback.
func tcpPair(t *testing.T, l net.Listener) (client, server *net.TCPConn) {
	t.Helper()
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(time.Minute))
	end, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return nc.(*net.TCPConn), end.(*net.TCPConn)
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// member is a connection of a batch, and its client.
type member struct {
	client net.Conn
	end    net.Conn
	conn   *Conn
	rec    *recorder
}

// batchOf has a batch write to members made of the first 16 streams.
func batchOf(t *testing.T, before func(all []member), stream func(i int) (client, end net.Conn)) []member {
	t.Helper()
	s := NewServer(Settings{})
	s.flushers = 1 << 20 // the test is the flusher
	t.Cleanup(func() { closeServer(t, s) })
	var all []member
	for i := range maxBatch {
		m := member{rec: &recorder{}}
		m.client, m.end = stream(i)
		m.conn = s.NewConn(m.end)
		m.conn.Serve(m.rec)
		all = append(all, m)
	}
	before(all)
	for i, m := range all {
		_ = m.conn.SendMessages(Later, Message{Op: OpText, Data: fmt.Append(nil, i)})
	}
	b := s.pools.batch()
	if n := s.takeDirty(b.conns[:]); n > 0 {
		b.flush(n)
	}
	if b.n == 0 || b.conns != [maxBatch]*Conn{} {
		t.Errorf("%d connections wrote; the batch keeps %v", b.n, b.conns)
	}
	return all
}

func closeServer(t *testing.T, s *Server) {
	t.Helper()
	if err := s.Close(t.Context()); err != nil && t.Context().Err() == nil {
		t.Errorf("Server.Close: %v", err)
	}
}

func (m member) want(t *testing.T, text string) {
	t.Helper()
	_ = m.client.SetDeadline(time.Now().Add(time.Minute))
	if _, got, err := readServerFrame(bufio.NewReader(m.client)); err != nil || string(got) != text {
		t.Errorf("got %q, %v, want %q", got, err, text)
	}
}

// A write that fails ends its own connection and no other one of the batch.
func TestBatchWithFailures(t *testing.T) {
	l := listen(t)
	failing := map[int]bool{0: true, 7: true, maxBatch - 1: true}
	all := batchOf(t, func(all []member) {
		for i := range failing {
			if err := all[i].end.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
		}
		_ = all[3].end.Close() // by somebody who should not
	}, func(int) (client, end net.Conn) { return tcpPair(t, l) })
	for i, m := range all {
		if !failing[i] && i != 3 {
			m.want(t, fmt.Sprint(i))
			continue
		}
		await.Until(t, fmt.Sprint(i, " is closed"), func() bool { n, _ := m.rec.closed(); return n == 1 })
		if _, why := m.rec.closed(); failing[i] && !errors.Is(why, syscall.EPIPE) || !errors.Is(why, net.ErrClosed) {
			t.Errorf("%d: %v", i, why)
		}
	}
}

// The streams of a batch may be of all kinds.
func TestBatchOfAllKinds(t *testing.T) {
	l := listen(t)
	all := batchOf(t, func([]member) {}, func(i int) (client, end net.Conn) {
		switch i % 3 {
		case 0:
			a, b := testnet.Pipe(testnet.Options{})
			return a, b
		case 1:
			a, b := tcpPair(t, l)
			return a, struct{ net.Conn }{b}
		}
		return tcpPair(t, l)
	})
	for i, m := range all {
		m.want(t, fmt.Sprint(i))
	}
}

// crowd are connections to which somebody always writes.
type crowd struct {
	srv  *Server
	mu   sync.Mutex // guards what follows
	open map[*Conn]bool
}

// serve adds a connection.
func (d *crowd) serve(end net.Conn) *Conn {
	c := d.srv.NewConn(end)
	d.mu.Lock()
	d.open[c] = true
	d.mu.Unlock()
	c.Serve(goner{d, c})
	return c
}

// tell sends each of them the address of its client. Those that have some of it
// waiting are left out: on a busy machine their queues would be full before the
// flushers' turn.
func (d *crowd) tell() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := range d.open {
		if _, waiting := c.Buffered(); waiting > 64 {
			continue
		}
		_ = c.SendMessages(Later, Message{Op: OpText, Data: []byte(c.RemoteAddr().String())})
	}
}

// goner leaves the crowd at its end.
type goner struct {
	d *crowd
	c *Conn
}

func (goner) OnMessage(Opcode, []byte) {}
func (g goner) OnClose(error) {
	g.d.mu.Lock()
	defer g.d.mu.Unlock()
	delete(g.d.open, g.c)
}

// While flushers write, thousands of connections are closed, in every way there
// is, and others get their descriptors. None of them gets a byte that is not its own.
func TestNoByteGoesAstray(t *testing.T) {
	const slots, each = 40, 75
	d := &crowd{srv: NewServer(Settings{CloseTimeout: time.Second}), open: map[*Conn]bool{}}
	var over atomic.Bool
	var tellers, lives sync.WaitGroup
	for range 2 {
		tellers.Go(func() {
			for !over.Load() {
				d.tell()
			}
		})
	}
	for range slots {
		l := listen(t)
		lives.Go(func() {
			for range each {
				oneLife(t, d, l)
			}
		})
	}
	lives.Wait()
	over.Store(true)
	tellers.Wait()
	closeServer(t, d.srv)
}

// oneLife is a connection that hears a few messages and is closed.
func oneLife(t *testing.T, d *crowd, l net.Listener) {
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Error(err)
		return
	}
	defer nc.Close()
	_ = nc.SetDeadline(time.Now().Add(time.Minute))
	_ = nc.(*net.TCPConn).SetLinger(0) // no port is to be kept busy
	end, err := l.Accept()
	if err != nil {
		t.Error(err)
		return
	}
	c := d.serve(end)
	r := bufio.NewReader(nc)
	for n, last := 0, 1+rand.IntN(5); ; n++ {
		op, got, err := readServerFrame(r)
		switch {
		case n >= last && err != nil || op == OpClose:
			return
		case err != nil || string(got) != nc.LocalAddr().String():
			t.Errorf("message %d of %v: %q, %v", n, nc.LocalAddr(), got, err)
			return
		case n == last:
			switch rand.IntN(4) {
			case 0:
				return
			case 1:
				_ = c.CloseNow()
			case 2:
				_ = c.Close(CloseNormal, "")
			default:
				_ = end.Close() // by somebody who should not
			}
		}
	}
}
