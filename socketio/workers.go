package socketio

import (
	"context"
	"sync"
	"time"

	"github.com/hermod-io/hermod/internal/ctxend"
)

const (
	// maxIdleWorkers is how many goroutines are kept for the next mail.
	maxIdleWorkers = 64
	// idleWorkerSweep: a worker that was idle for a whole sweep ends, so after
	// at most twice this time.
	idleWorkerSweep = 500 * time.Millisecond
)

// workers are the goroutines that run user code where the one that received the
// event cannot (see runNext): one per Socket that has mail, taken last in, first
// out, since the last one's stack has grown already and is warm. Their number is
// bounded by that of Sockets with mail, which the mailboxes bound. A worker ends when
// it was idle for too long or its pool is closed; wait waits for those that work.
type workers struct {
	mu      sync.Mutex // guards what follows
	idle    []chan *Socket
	low     int // fewest idle workers since the last sweep
	sweeper *time.Timer
	busy    int           // goroutines that run user code, or are about to
	rest    chan struct{} // closed when busy is 0, if somebody waits
	closed  bool
}

// run hands s, which has mail, to a worker. It does not block.
func (p *workers) run(s *Socket) {
	p.mu.Lock()
	p.busy++
	p.hand(s)
}

// runNext has the receiving goroutine itself take the mail of s when it has handed
// on all of its read, if it can be spared; else it is run. Handlers that take long
// are in the way of the reading for 10 ms at most. It does not block.
func (p *workers) runNext(s *Socket) {
	p.mu.Lock()
	p.busy++
	p.mu.Unlock()
	if !s.client.session.RunNext((*mail)(s)) {
		p.mu.Lock()
		p.hand(s)
	}
}

// mail is a Socket that has mail.
type mail Socket

// Run implements engineio.Runner.
func (m *mail) Run() {
	s := (*Socket)(m)
	defer s.client.srv.workers.done()
	s.work()
}

// hand needs mu, and gives it back.
func (p *workers) hand(s *Socket) {
	n := len(p.idle)
	if n == 0 {
		p.mu.Unlock()
		go p.work(s)
		return
	}
	ch := p.idle[n-1]
	p.idle[n-1] = nil
	p.idle = p.idle[:n-1]
	p.low = min(p.low, n-1)
	p.mu.Unlock()
	ch <- s // has room for one
}

// spawn runs f on a goroutine of its own, which wait waits for.
func (p *workers) spawn(f func()) {
	p.mu.Lock()
	p.busy++
	p.mu.Unlock()
	go func() {
		defer p.done()
		f()
	}()
}

func (p *workers) work(s *Socket) {
	ch, working := make(chan *Socket, 1), true
	defer func() {
		if working { // user code ends the goroutine
			p.done()
		}
	}()
	for ok := true; ok; {
		s.work()
		working = false
		if !p.park(ch) {
			return
		}
		s, ok = <-ch
		working = ok
	}
}

// park counts a worker out and keeps it, if there is need for more.
func (p *workers) park(ch chan *Socket) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.finish()
	if p.closed || len(p.idle) == maxIdleWorkers {
		return false
	}
	p.idle = append(p.idle, ch)
	switch {
	case p.sweeper == nil:
		p.sweeper = time.AfterFunc(idleWorkerSweep, p.sweep)
	case len(p.idle) == 1:
		p.sweeper.Reset(idleWorkerSweep)
	}
	return true
}

func (p *workers) done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.finish()
}

// finish needs mu.
func (p *workers) finish() {
	if p.busy--; p.busy == 0 && p.rest != nil {
		close(p.rest)
		p.rest = nil
	}
}

// sweep ends those that nobody needed since the last sweep.
func (p *workers) sweep() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, ch := range p.idle[:p.low] {
		close(ch)
	}
	n := copy(p.idle, p.idle[p.low:])
	clear(p.idle[n:])
	p.idle = p.idle[:n]
	p.low = n
	if n > 0 {
		p.sweeper.Reset(idleWorkerSweep)
	}
}

// close ends the idle workers; those that work end when they are done.
func (p *workers) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, ch := range p.idle {
		close(ch)
	}
	p.idle, p.low = nil, 0
	if p.sweeper != nil {
		p.sweeper.Stop()
	}
}

// wait waits until nobody works, or ctx ends.
func (p *workers) wait(ctx context.Context) error {
	p.mu.Lock()
	if p.busy == 0 {
		p.mu.Unlock()
		return nil
	}
	if p.rest == nil {
		p.rest = make(chan struct{})
	}
	rest := p.rest
	p.mu.Unlock()
	select {
	case <-rest:
		return nil
	case <-ctx.Done():
		return ctxend.Err(ctx)
	}
}
