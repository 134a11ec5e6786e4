package redistest

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// Proxy hands TCP connections on to a server and does to them what a bad network
// does. Its methods may be called from any goroutine.
type Proxy struct {
	target string
	l      net.Listener
	wg     sync.WaitGroup

	mu     sync.Mutex // guards what follows
	pairs  map[*pair]struct{}
	down   bool
	closed bool
	delay  time.Duration
	open   chan struct{} // closed unless silent
}

// pair is the two connections of a client.
type pair struct {
	client, server *net.TCPConn
	gone           chan struct{} // closed when they were cut
	once           sync.Once
}

// cut ends both with an RST.
func (x *pair) cut() {
	x.once.Do(func() { close(x.gone) })
	for _, c := range []*net.TCPConn{x.client, x.server} {
		_ = c.SetLinger(0)
		_ = c.Close()
	}
}

// NewProxy returns a proxy in front of an address; it ends with the test.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("redistest: %v", err)
	}
	p := &Proxy{target: target, l: l, pairs: make(map[*pair]struct{}), open: make(chan struct{})}
	close(p.open)
	p.wg.Go(p.accept) // until close
	t.Cleanup(p.close)
	return p
}

// Addr returns the address to connect to.
func (p *Proxy) Addr() string { return p.l.Addr().String() }

// Cut ends all connections with an RST on both sides.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut()
}

// cut needs mu.
func (p *Proxy) cut() {
	for x := range p.pairs {
		x.cut()
	}
}

// Down cuts all connections and those that come, until Up.
func (p *Proxy) Down() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = true
	p.cut()
}

// Up ends Down.
func (p *Proxy) Up() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = false
}

// Silence lets nothing through any more, and tells nobody, until Speak: then
// what was held is delivered.
func (p *Proxy) Silence() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.open:
		p.open = make(chan struct{})
	default:
	}
}

// Speak ends Silence.
func (p *Proxy) Speak() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.open:
	default:
		close(p.open)
	}
}

// Delay makes each piece of data wait, in both directions. 0 means none.
func (p *Proxy) Delay(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

func (p *Proxy) close() {
	_ = p.l.Close()
	p.mu.Lock()
	p.closed = true
	p.cut()
	p.mu.Unlock()
	p.Speak()
	p.wg.Wait()
}

func (p *Proxy) accept() {
	for {
		c, err := p.l.Accept()
		if err != nil {
			return
		}
		p.wg.Go(func() { p.serve(c.(*net.TCPConn)) })
	}
}

// serve ends with the connection.
func (p *Proxy) serve(client *net.TCPConn) {
	defer func() { _ = client.Close() }()
	c, err := net.Dial("tcp", p.target)
	if err != nil {
		_ = client.SetLinger(0)
		return
	}
	x := &pair{client: client, server: c.(*net.TCPConn), gone: make(chan struct{})}
	p.mu.Lock()
	refuse := p.down || p.closed
	p.pairs[x] = struct{}{}
	p.mu.Unlock()
	if refuse {
		x.cut()
	}
	var both sync.WaitGroup
	both.Go(func() { p.copy(x, x.server, x.client) })
	both.Go(func() { p.copy(x, x.client, x.server) })
	both.Wait()
	_ = x.server.Close()
	p.mu.Lock()
	delete(p.pairs, x)
	p.mu.Unlock()
}

// copy hands on what comes from one side until one of the two is closed.
func (p *Proxy) copy(x *pair, to, from *net.TCPConn) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		p.mu.Lock()
		open, delay := p.open, p.delay
		p.mu.Unlock()
		select {
		case <-open:
		case <-x.gone:
			return
		}
		if delay > 0 {
			<-time.After(delay)
		}
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				x.cut()
				return
			}
		}
		if err == io.EOF {
			_ = to.CloseWrite()
			return
		}
		if err != nil {
			x.cut()
			return
		}
	}
}
