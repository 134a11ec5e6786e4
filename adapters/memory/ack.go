package memory

import (
	"context"
	"sync"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/socketio/parser"
)

// ackWait counts the answers to one packet. It belongs to the goroutine in
// wait; answers come from the goroutines of their connections.
type ackWait struct {
	each     func(parser.Args)
	complete chan struct{}  // closed when all that were asked have answered
	running  sync.WaitGroup // calls of each under way

	mu       sync.Mutex // guards what follows
	asked    int        // -1 until it is known
	answered int        // counted after each returned
	ended    bool       // later answers are dropped
}

func newAckWait(each func(parser.Args)) *ackWait {
	return &ackWait{each: each, complete: make(chan struct{}), asked: -1}
}

// answer takes the answer of a member. No lock is held in each, so that those
// of several members may run at once.
func (w *ackWait) answer(_ adapters.Member, args parser.Args) {
	w.mu.Lock()
	if w.ended {
		w.mu.Unlock()
		return
	}
	w.running.Add(1)
	w.mu.Unlock()
	defer w.running.Done()
	w.each(args)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answered++
	w.check()
}

// check ends the wait when nothing is missing. The caller holds mu.
func (w *ackWait) check() {
	if w.answered == w.asked && !w.ended {
		w.ended = true
		close(w.complete)
	}
}

// wait returns when asked answers came, or with a *PartialError when ctx, the
// timeout (0: none) or the adapter ended before. each does not run any more
// then, and never will.
func (w *ackWait) wait(ctx context.Context, asked int, timeout time.Duration, closed <-chan struct{}) error {
	w.mu.Lock()
	w.asked = asked
	w.check()
	w.mu.Unlock()
	var expired <-chan time.Time
	if timeout > 0 {
		timer := time.NewTimer(timeout)
		defer timer.Stop()
		expired = timer.C
	}
	select {
	case <-w.complete:
		w.running.Wait()
		return nil
	case <-ctx.Done():
		return w.stop(context.Cause(ctx))
	case <-expired:
		return w.stop(context.DeadlineExceeded)
	case <-closed:
		return w.stop(adapters.ErrClosed)
	}
}

// stop ends the wait because of cause. An answer that each is just taking
// still counts; if it was the last one the wait was not in vain.
func (w *ackWait) stop(cause error) error {
	w.mu.Lock()
	w.ended = true
	w.mu.Unlock()
	w.running.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	if missing := w.asked - w.answered; missing > 0 {
		return &adapters.PartialError{Missing: missing, Cause: cause}
	}
	return nil
}
