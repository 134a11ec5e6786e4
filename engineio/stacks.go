package engineio

import (
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

const (
	// maxIdleStacks is how many goroutines are kept for the next request.
	maxIdleStacks = 64
	// stackSweep: a goroutine that nobody needed for a whole sweep ends, so after
	// at most twice this time.
	stackSweep = 500 * time.Millisecond
)

// stacks lends goroutines to requests over polling, for what takes much stack:
// handling packets, and answering. The goroutine that net/http has for each
// connection then does with 4 KB. A stack that has grown to 8 KB once keeps them
// for as long as the connection lasts, since net/http itself needs a quarter of it,
// and the runtime halves only what is used less. The zero value is ready.
type stacks struct {
	mu      sync.Mutex // guards what follows
	idle    []*lent    // the last one is taken first, its stack is warm
	low     int        // fewest idle ones since the last sweep
	sweeper *time.Timer
	closed  bool
}

// exchange is a request of a session and what is to be done with it.
type exchange struct {
	do   func(exchange)
	s    *Session
	w    http.ResponseWriter
	r    *http.Request
	get  *getRequest // of a GET
	lent bool        // this is a lent goroutine
}

// lent is a goroutine that is lent. It ends when it was idle for too long or its
// pool is closed.
type lent struct {
	x    exchange // of the one it is lent to
	work chan struct{}
	done chan *broken
}

// broken is how an exchange ended that did not return: by a panic or, without a
// value, by the end of its goroutine.
type broken struct{ value any }

// run does x, on a lent goroutine if the session borrows, and returns when that is
// done.
func (x exchange) run() {
	if x.lent = x.borrows(); x.lent {
		x.s.srv.stacks.run(x)
	} else {
		x.do(x)
	}
}

// Between requests that are made on lent goroutines, on average and at once.
const (
	loanInterval = time.Second
	loanBurst    = 32 * loanInterval
)

// borrows reports whether a lent goroutine is worth it. It is not for a session
// that is busy: what it would save is not much beside what goes on, and two
// goroutines for a request cost time. And it is not where net/http has none.
func (x exchange) borrows() bool {
	if x.r.Context().Value(http.ServerContextKey) == nil {
		return false
	}
	s, now := x.s, x.s.srv.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.loans > now+loanBurst {
		return false
	}
	s.needed().loans = max(s.loans, now) + loanInterval
	return true
}

// run does x on a lent goroutine. A panic there is one here, and the end of that
// goroutine the end of this one.
func (p *stacks) run(x exchange) {
	l := p.take()
	l.x = x
	l.work <- struct{}{} // has room for it
	if b := <-l.done; b != nil {
		if b.value == nil {
			runtime.Goexit()
		}
		panic(b.value)
	}
}

// take takes an idle goroutine, or starts one. It belongs to the caller until it
// is done.
func (p *stacks) take() *lent {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.idle)
	if n == 0 {
		l := &lent{work: make(chan struct{}, 1), done: make(chan *broken)}
		go p.serve(l) // see lent for who ends it; run waits for what it does
		return l
	}
	l := p.idle[n-1]
	p.idle[n-1] = nil
	p.idle = p.idle[:n-1]
	p.low = min(p.low, n-1)
	return l
}

// serve does one exchange after the other.
func (p *stacks) serve(l *lent) {
	working := false
	defer func() {
		if working {
			l.done <- &broken{l.x.broken(recover())}
		}
	}()
	for range l.work {
		working = true
		l.x.do(l.x)
		working = false
		l.x = exchange{}
		l.done <- nil // taken before the next can come, who would take it for its own
		if !p.park(l) {
			return
		}
	}
}

// broken logs where a panic came from, which the one that the caller hands on does
// not tell, and returns its value.
func (x exchange) broken(value any) any {
	if log := x.s.srv.cfg.Log; log != nil && value != nil && value != http.ErrAbortHandler {
		log.Error("engineio: panic in a request", slog.Any("panic", value), slog.String("stack", string(debug.Stack())))
	}
	return value
}

// park keeps a goroutine for the next, if there is need for more.
func (p *stacks) park(l *lent) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.idle) == maxIdleStacks {
		return false
	}
	p.idle = append(p.idle, l)
	switch {
	case p.sweeper == nil:
		p.sweeper = time.AfterFunc(stackSweep, p.sweep)
	case len(p.idle) == 1:
		p.sweeper.Reset(stackSweep)
	}
	return true
}

// sweep ends those that nobody needed since the last sweep.
func (p *stacks) sweep() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.idle[:p.low] {
		close(l.work)
	}
	n := copy(p.idle, p.idle[p.low:])
	clear(p.idle[n:])
	p.idle = p.idle[:n]
	p.low = n
	if n > 0 {
		p.sweeper.Reset(stackSweep)
	}
}

// close ends the idle ones; the others end when they are done.
func (p *stacks) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, l := range p.idle {
		close(l.work)
	}
	p.idle, p.low = nil, 0
	if p.sweeper != nil {
		p.sweeper.Stop()
	}
}
