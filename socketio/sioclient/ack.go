package sioclient

import (
	"context"
	"time"

	"github.com/hermod-io/hermod/internal/ctxend"
	"github.com/hermod-io/hermod/socketio/args"
	"github.com/hermod-io/hermod/socketio/parser"
)

// wait is a wait for an ack. It is in the Socket's hands until an answer, the
// end or the waiting goroutine takes it out; who took it out fills done.
type wait struct {
	id    uint64
	done  chan outcome // has room for one
	retry *retry       // the event whose attempt this is; nil without retries
}

type outcome struct {
	args Args
	err  error
}

// ask is EmitWithAck with flags.
func (s *Socket) ask(ctx context.Context, f flags, name string, values []any) (Args, error) {
	if err := ctxend.Err(ctx); err != nil {
		return Args{}, &AckError{Missing: 1, Err: err}
	}
	w := &wait{done: make(chan outcome, 1)}
	s.m.asks(1)
	defer s.m.asks(-1)
	if err := s.emit(f, name, values, w); err != nil {
		return Args{}, err
	}
	var late <-chan time.Time
	if d := s.ackTimeout(ctx, f); d > 0 && s.m.cfg.Retries == 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		late = timer.C
	}
	var err error
	select {
	case o := <-w.done:
		return o.args, o.err
	case <-ctx.Done():
		err = ctxend.Err(ctx)
	case <-late:
		err = context.DeadlineExceeded
	}
	if s.forget(w) {
		return Args{}, &AckError{Missing: 1, Err: err}
	}
	o := <-w.done // the result was there first
	return o.args, o.err
}

// ackTimeout is the time that a wait has if its context says nothing.
func (s *Socket) ackTimeout(ctx context.Context, f flags) time.Duration {
	if f.timeout > 0 {
		return f.timeout
	}
	if _, ok := ctx.Deadline(); ok {
		return 0
	}
	return s.m.cfg.AckTimeout
}

// forget takes a wait out, and its event if that has not left. It reports
// whether it was still there.
func (s *Socket) forget(w *wait) bool {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	if s.m.cfg.Retries > 0 {
		return s.withdraw(w)
	}
	if s.waits[w.id] != w {
		return false
	}
	delete(s.waits, w.id)
	s.buffer.remove(w.id)
	return true
}

// answered takes an ACK. mu is held.
func (s *Socket) answered(p *parser.Packet) {
	w := s.waits[p.ID]
	if w == nil {
		return
	}
	delete(s.waits, p.ID)
	s.settle(w, outcome{args: args.New(p.Args.Clone(), s.m.cfg.JSON, 0)})
}

// settle ends a wait that was taken out. mu is held.
func (s *Socket) settle(w *wait, o outcome) {
	if w.retry != nil {
		s.tried(w.retry, o)
		return
	}
	w.done <- o
}

// failWaits ends the waits for acks of events that have left. mu is held.
func (s *Socket) failWaits(cause error) {
	for id, w := range s.waits {
		if s.buffer.find(id) >= 0 {
			continue
		}
		delete(s.waits, id)
		s.settle(w, outcome{err: cause})
	}
}
