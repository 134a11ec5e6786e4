package main

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// proxy stands between the clients and a server and treats connections badly.
type proxy struct {
	target  string
	l       net.Listener
	gov     *governor     // a slow machine has fewer cuts
	mean    time.Duration // between the beginning of a connection and what happens to it
	silence time.Duration // how long it is silent before it is cut
	wg      sync.WaitGroup
	ctx     context.Context // until the calm: nothing happens any more
	calm    context.CancelFunc
	counts  [fates]atomic.Int64

	mu    sync.Mutex // guards what follows
	rnd   *rand.Rand
	pipes map[*pipe]struct{}
}

// fate is what happens to a connection.
type fate int

const (
	fateReset   fate = iota // both sides get an RST
	fateSilence             // nothing gets through for some time, then as fateReset
	fateClose               // both sides get a FIN
	fateSlow                // what the server sends gets through slowly, for some time
	fates
)

func (f fate) String() string { return [...]string{"reset", "silent", "closed", "slow"}[f] }

// pipe is a connection through the proxy.
type pipe struct {
	client, server *net.TCPConn
	done           chan struct{} // closed when both directions have ended
	slow           atomic.Bool
	quiet          atomic.Bool
}

func newProxy(target string, seed uint64, mean, silence time.Duration, gov *governor) (*proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{target: target, l: l, gov: gov, mean: mean, silence: silence, rnd: rand.New(rand.NewPCG(seed, 1)), pipes: make(map[*pipe]struct{})}
	p.ctx, p.calm = context.WithCancel(context.Background())
	p.wg.Go(p.accept) // until close
	return p, nil
}

func (p *proxy) addr() string { return p.l.Addr().String() }

func (p *proxy) accept() {
	for {
		c, err := p.l.Accept()
		if err != nil {
			return
		}
		p.wg.Go(func() { p.serve(c.(*net.TCPConn)) })
	}
}

// serve ends with the connection.
func (p *proxy) serve(client *net.TCPConn) {
	c, err := net.Dial("tcp", p.target)
	if err != nil {
		reset(client)
		return
	}
	x := &pipe{client: client, server: c.(*net.TCPConn), done: make(chan struct{})}
	p.mu.Lock()
	p.pipes[x] = struct{}{}
	after := p.gov.stretch(time.Duration(p.rnd.ExpFloat64() * float64(p.mean)))
	f := p.draw()
	p.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { x.copy(x.server, x.client, false) })
	both.Go(func() { x.copy(x.client, x.server, true) })
	ended := make(chan struct{})
	p.wg.Go(func() {
		p.befall(x, f, after)
		close(ended)
	})
	both.Wait()
	close(x.done)
	_ = x.client.Close()
	_ = x.server.Close()
	<-ended
	p.mu.Lock()
	delete(p.pipes, x)
	p.mu.Unlock()
}

// draw needs mu.
func (p *proxy) draw() fate {
	switch n := p.rnd.IntN(100); {
	case n < 45:
		return fateReset
	case n < 65:
		return fateSilence
	case n < 80:
		return fateClose
	}
	return fateSlow
}

// befall does to a connection what its fate is, after some time. It ends with
// the connection, or with the calm.
func (p *proxy) befall(x *pipe, f fate, after time.Duration) {
	if !wait(p.ctx, x.done, after) {
		return
	}
	p.counts[f].Add(1)
	switch f {
	case fateReset:
		x.reset()
	case fateClose:
		x.close()
	case fateSilence:
		x.quiet.Store(true)
		wait(p.ctx, x.done, p.silence)
		x.reset()
	case fateSlow:
		x.slow.Store(true)
		wait(p.ctx, x.done, p.silence/2)
		x.slow.Store(false)
		if wait(p.ctx, x.done, after) {
			x.reset()
		}
	}
}

// wait reports whether the time passed before the calm and the end.
func wait(ctx context.Context, done <-chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-done:
	case <-ctx.Done():
	}
	return false
}

// copy is one direction. It ends with the connection.
func (x *pipe) copy(to, from *net.TCPConn, fromServer bool) {
	b := make([]byte, 8<<10)
	pause := time.NewTicker(50 * time.Millisecond)
	defer pause.Stop()
	for {
		n, err := from.Read(b)
		for x.quiet.Load() && err == nil { // what came is withheld, until it is cut
			_, err = from.Read(b)
			n = 0
		}
		if n > 0 {
			if _, err := to.Write(b[:n]); err != nil {
				x.close()
				return
			}
		}
		if err != nil {
			if err == io.EOF {
				_ = to.CloseWrite() // it hears of the end as it would without us
			} else {
				x.reset()
			}
			return
		}
		if fromServer && x.slow.Load() {
			<-pause.C
		}
	}
}

func (x *pipe) reset() {
	reset(x.client)
	reset(x.server)
}

func (x *pipe) close() {
	_ = x.client.Close()
	_ = x.server.Close()
}

func reset(c *net.TCPConn) {
	_ = c.SetLinger(0) // closed: it has ended anyway
	_ = c.Close()
}

// close ends all connections and waits for them.
func (p *proxy) close() {
	p.calm()
	_ = p.l.Close()
	p.mu.Lock()
	for x := range p.pipes {
		x.reset()
	}
	p.mu.Unlock()
	p.wg.Wait()
}
