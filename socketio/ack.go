package socketio

import (
	"context"
	"sync"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/internal/ctxend"
	"github.com/hermod-io/hermod/socketio/args"
	"github.com/hermod-io/hermod/socketio/event"
	"github.com/hermod-io/hermod/socketio/parser"
)

// pendingAck is one wait for an ack of a Socket. It is in the Socket's hands
// until an answer, the end or the waiting goroutine takes it out; who took it
// out fills done.
type pendingAck struct {
	id    uint64
	done  chan outcome // has room for one
	timer engineio.Timer
}

type outcome struct {
	args Args
	err  error
}

// EmitWithAck sends an event and waits for the ack: until the deadline of ctx,
// or Config.AckTimeout if it has none. After that, and when ctx is cancelled, the error is
// an *AckError that tells which (context.DeadlineExceeded, context.Canceled) and wraps
// the cause of ctx; when the socket disconnects, a *DisconnectError; otherwise as of
// Emit. With a ctx that has ended nothing is sent. An ack that stands for an error is
// returned as it is, see Call. It may be called in a handler, since acks overtake
// events; pass on the handler's ctx, so that it is known who waits.
func (s *Socket) EmitWithAck(ctx context.Context, event string, args ...any) (Args, error) {
	return s.ask1(ctx, adapters.Flags{}, event, args)
}

// Call is EmitWithAck that decodes the ack into reply, a pointer: its first
// argument, or several if reply points to a struct with event.Args. With nil
// the ack's content does not matter. The error may also be an *ArgError, or the
// *Error that the ack stands for: {"error":{"code","message","data"}} alone, as the
// error of a handler becomes by default (Config.AckError). Its Data is then a
// json.RawMessage, or nil; see [args.ErrorOf]. A handler that returns it tells its own
// client what the other one said.
func (s *Socket) Call(ctx context.Context, name string, reply any, values ...any) error {
	got, err := s.EmitWithAck(ctx, name, values...)
	return args.Answer(got, err, reply)
}

// typed is what the descriptors of package event take.
type typed interface {
	event.Emitter
	event.Caller
}

var (
	_ typed = (*Socket)(nil)
	_ typed = Emitter{}
	_ typed = (*RemoteSocket)(nil)
)

// ask1 is EmitWithAck with flags.
func (s *Socket) ask1(ctx context.Context, f adapters.Flags, name string, args []any) (Args, error) {
	if err := ctxend.Err(ctx); err != nil {
		return Args{}, &AckError{Missing: 1, Err: err}
	}
	c, srv := s.client, s.ns.srv
	p := &pendingAck{id: s.ns.nextAck(), done: make(chan outcome, 1)}
	if !s.expect(p) {
		return Args{}, s.closedError()
	}
	inHandler := handlerOf(ctx, c)
	c.asks(inHandler)
	defer c.asked(inHandler)
	if err := s.emit(f, name, args, p); err != nil {
		s.forget(p)
		return Args{}, err
	}
	if d := s.ns.ackDeadline(ctx, f.Timeout); d > 0 {
		srv.engine.After(&p.timer, d, func() {
			if s.forget(p) {
				p.done <- outcome{err: &AckError{Missing: 1, Err: context.DeadlineExceeded}}
			}
		})
		defer p.timer.Stop()
	}
	select {
	case o := <-p.done:
		return o.args, o.err
	case <-ctx.Done():
		if s.forget(p) {
			return Args{}, s.waitError(ctx)
		}
		o := <-p.done // the result was there first
		return o.args, o.err
	}
}

// waitError is why a wait for an ack ended before the answer.
func (s *Socket) waitError(ctx context.Context) error {
	if s.state.Load() >= stateLeaving {
		return s.closedError()
	}
	return &AckError{Missing: 1, Err: ctxend.Err(ctx)}
}

// closedError is the *DisconnectError of a Socket that left.
func (s *Socket) closedError() error {
	s.client.mu.Lock()
	defer s.client.mu.Unlock()
	if s.cause == nil {
		return ErrClosed
	}
	return s.cause
}

// expect puts p among the Socket's waits, unless it left.
func (s *Socket) expect(p *pendingAck) bool {
	s.client.mu.Lock()
	defer s.client.mu.Unlock()
	switch {
	case s.state.Load() >= stateLeaving:
		return false
	case s.ask == nil:
		s.ask = p
		return true
	case s.asks == nil:
		s.asks = make(map[uint64]*pendingAck)
	}
	s.asks[p.id] = p
	return true
}

// claim takes the wait with that id out. It needs mu.
func (s *Socket) claim(id uint64) *pendingAck {
	if p := s.ask; p != nil && p.id == id {
		s.ask = nil
		return p
	}
	p := s.asks[id]
	if p != nil {
		if delete(s.asks, id); len(s.asks) == 0 {
			s.asks = nil
		}
	}
	return p
}

// forget takes p out and reports whether it was there.
func (s *Socket) forget(p *pendingAck) bool {
	s.client.mu.Lock()
	defer s.client.mu.Unlock()
	return s.claim(p.id) == p
}

// answered takes an ACK packet, on the receiving goroutine. One that nobody
// waits for (any more) is ignored.
func (s *Socket) answered(pkt *parser.Packet) {
	s.client.mu.Lock()
	p := s.claim(pkt.ID)
	s.client.mu.Unlock()
	if p == nil {
		s.ns.answered(s, pkt)
		return
	}
	p.done <- outcome{args: args.New(pkt.Args.Clone(), s.ns.srv.cfg.JSON, 0)}
}

// pendingAcks are waits that were taken out.
type pendingAcks struct {
	one  *pendingAck
	more map[uint64]*pendingAck
}

// takeAcks takes all waits out. It needs mu.
func (s *Socket) takeAcks() pendingAcks {
	all := pendingAcks{s.ask, s.asks}
	s.ask, s.asks = nil, nil
	return all
}

// fail ends the waits.
func (a pendingAcks) fail(cause *DisconnectError) {
	err := ErrClosed
	if cause != nil {
		err = cause
	}
	if a.one != nil {
		a.one.done <- outcome{err: err}
	}
	for _, p := range a.more {
		p.done <- outcome{err: err}
	}
}

// question is a broadcast that waits for acks.
type question struct {
	each  func(adapters.Member, parser.Args)
	asked map[*Socket]struct{} // those that have not answered
}

// questions are those of a namespace, by ack id.
type questions struct {
	mu   sync.Mutex // guards what follows
	byID map[uint64]*question
}

func (q *questions) add(id uint64, one *question) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.byID == nil {
		q.byID = make(map[uint64]*question)
	}
	q.byID[id] = one
}

func (q *questions) remove(id uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.byID, id)
}

// expect notes that s is asked; undo takes it back.
func (q *questions) expect(one *question, s *Socket) {
	q.mu.Lock()
	defer q.mu.Unlock()
	one.asked[s] = struct{}{}
}

func (q *questions) undo(one *question, s *Socket) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(one.asked, s)
}

// claim returns the question that s answers, once.
func (q *questions) claim(id uint64, s *Socket) *question {
	q.mu.Lock()
	defer q.mu.Unlock()
	one := q.byID[id]
	if one == nil {
		return nil
	}
	if _, ok := one.asked[s]; !ok {
		return nil
	}
	delete(one.asked, s)
	return one
}

// answered takes an ACK packet that no Socket's own wait was for.
func (n *Namespace) answered(s *Socket, pkt *parser.Packet) {
	if one := n.questions.claim(pkt.ID, s); one != nil {
		one.each((*member)(s), pkt.Args.Clone())
	}
}

// nextAck returns an id that no other packet of the namespace has.
func (n *Namespace) nextAck() uint64 { return n.ackIDs.Add(1) - 1 }

// ackDeadline is the time that a wait without a deadline of its own has.
func (n *Namespace) ackDeadline(ctx context.Context, d time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	if _, ok := ctx.Deadline(); ok {
		return 0
	}
	return max(n.srv.cfg.AckTimeout, 0)
}
