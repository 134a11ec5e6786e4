package socketio

import (
	"context"
	"errors"
	"runtime/debug"
	"slices"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/internal/usercode"
	"github.com/hermod-io/hermod/socketio/args"
)

// Handler handles an event of a socket. ctx ends when the socket disconnects,
// with the *DisconnectError as cause. Handlers of one socket run one at a time,
// in the order of the events. They may block: it may be the goroutine that reads
// from the client which runs them, but then another one goes on reading after 10 ms
// at most. An error becomes the error ack, if one was asked for and none was sent
// (Config.AckError), and goes to OnError; so does a panic, or the end of the
// goroutine (runtime.Goexit, as a test's FailNow has it), after which the socket
// lives on.
type Handler func(ctx context.Context, s *Socket, e *Event) error

// Concurrent makes a Handler that runs on a goroutine of its own: events may
// overtake one another, and the socket's OnDisconnect does not wait for it. How
// many run at once is bounded by Config.Mailbox.
func Concurrent(h Handler) Handler {
	return func(ctx context.Context, s *Socket, e *Event) error {
		release := s.client.hold(e)
		s.ns.srv.workers.spawn(func() {
			defer release()
			usercode.Tell(func() error { return s.run(h, e) }, func(err error) { s.finish(e, err) })
		})
		return nil
	}
}

// registered is a handler under the name of its event.
type registered struct {
	name      string
	h         Handler
	full      Handler // with the middlewares around it
	forgetful bool    // h is, see isForgetful
}

// table is what was registered on a namespace. It is immutable; registering
// makes a new one, whose slices may go on in the memory of the old ones, behind their
// ends. What is registered by name can be looked up when the table is settled.
type table struct {
	middlewares     []func(context.Context, *Socket) error
	onConnect       []func(context.Context, *Socket) error
	handlers        registry[*registered]
	onAny           []*catchAll
	onAnyOutgoing   []*overhearer
	around          []func(Handler) Handler
	nobody          Handler // what the middlewares are around when there is no handler; nil without middlewares
	onDisconnecting []func(*Socket, Reason)
	onDisconnect    []func(*Socket, Reason)
	onError         []func(*Socket, string, error)
	onExpired       []func(adapters.Session)
	serverSide      registry[func(context.Context, *Event) error]
	onRoom          []func(RoomEvent)
}

// settled reports whether what is registered by name can be looked up.
func (t *table) settled() bool { return t.handlers.latest == nil && t.serverSide.latest == nil }

// settle returns a table of which that is true.
func (t *table) settle() *table {
	c := *t
	c.handlers, c.serverSide = t.handlers.folded(), t.serverSide.folded()
	return &c
}

// clipped returns a copy whose slices do not go on in the memory of t's.
func (t *table) clipped() *table {
	c := *t
	c.middlewares = slices.Clip(t.middlewares)
	c.onConnect = slices.Clip(t.onConnect)
	c.onAny = slices.Clip(t.onAny)
	c.onAnyOutgoing = slices.Clip(t.onAnyOutgoing)
	c.around = slices.Clip(t.around)
	c.onDisconnecting = slices.Clip(t.onDisconnecting)
	c.onDisconnect = slices.Clip(t.onDisconnect)
	c.onError = slices.Clip(t.onError)
	c.onExpired = slices.Clip(t.onExpired)
	c.onRoom = slices.Clip(t.onRoom)
	return &c
}

// wrap puts the event middlewares around h, the first one outermost.
func (t *table) wrap(h Handler) Handler {
	for _, mw := range slices.Backward(t.around) {
		h = mw(h)
	}
	return h
}

// wrapped returns all with wrap around the handlers anew.
func wrapped(all map[string]*registered, wrap func(Handler) Handler) map[string]*registered {
	made := make(map[string]*registered, len(all))
	for name, r := range all {
		made[name] = &registered{name, r.h, wrap(r.h), r.forgetful}
	}
	return made
}

// setAround adds a middleware around all handlers.
func (t *table) setAround(mw func(Handler) Handler) {
	t.around = append(t.around, mw)
	t.handlers = registry[*registered]{all: wrapped(t.handlers.folded().all, t.wrap)}
	t.nobody = t.wrap(ignore)
}

// setHandler sets the handler of an event; nil removes it.
func (t *table) setHandler(event string, h Handler) {
	if h == nil {
		t.handlers = t.handlers.set(event, nil, true)
		return
	}
	t.handlers = t.handlers.set(event, &registered{event, h, t.wrap(h), isForgetful(h)}, false)
}

// find returns what handles an event, nil if nothing does, and gives the event
// its name; forgetful tells of the innermost handler. t is settled; own is the
// socket's for t, or nil.
func (t *table) find(own *overrides, e *Event) (h Handler, forgetful bool) {
	name, _ := e.Encoded().EventName()
	if own != nil {
		if r := own.handlers.all[string(name)]; r != nil {
			e.name = r.name
			return r.full, r.forgetful
		}
		if own.around != nil {
			if r := own.inherited[string(name)]; r != nil {
				e.name = r.name
				return r.full, r.forgetful
			}
			return own.nobody, false
		}
	}
	if r := t.handlers.all[string(name)]; r != nil {
		e.name = r.name
		return r.full, r.forgetful
	}
	return t.nobody, false
}

// alone reports whether a handler is the only one to see its event.
func (t *table) alone(own *overrides) bool {
	return t.onAny == nil && t.around == nil && (own == nil || own.onAny == nil && own.around == nil)
}

// handle runs the handlers of an event.
func (s *Socket) handle(e *Event) {
	t := s.ns.settled()
	own := s.overrides(t)
	s.logEvent(e)
	if err := s.bounded(e); err != nil {
		s.finish(e, err)
		return
	}
	h, forgetful := t.find(own, e)
	first := s.hear(t.onAny, e, nil)
	if own != nil {
		first = s.hear(own.onAny, e, first)
	}
	if h != nil {
		if err := s.run(h, e); err != nil {
			first = errors.Join(err, first)
		}
	}
	s.finish(e, first)
	if forgetful && first == nil && t.alone(own) {
		e.reuse()
	}
}

// hear calls catch-alls; the first error of all stands.
func (s *Socket) hear(all []*catchAll, e *Event, first error) error {
	for _, c := range all {
		if err := s.run(c.h, e); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// run calls a handler; a panic becomes an error.
func (s *Socket) run(h Handler, e *Event) (err error) {
	defer s.ns.srv.recovered(&err)
	return h(s.Context(), s, e)
}

// finish deals with the error of a handler.
func (s *Socket) finish(e *Event, err error) {
	if err == nil {
		return
	}
	s.failed(e, s.ns.srv.answerError(e, err))
}

// answerError acks an event, if that is still to be done, with what the error of
// its handler becomes, and returns that error.
func (srv *Server) answerError(e *Event, err error) error {
	if !e.hasID || e.acked.Load() {
		return err
	}
	answer := srv.cfg.AckError
	if answer == nil {
		answer = defaultAckError
	}
	return args.AnswerError(err, answer, e.ackOrGone, srv.guarded)
}

// failed reports the error of a handler (of OnConnect if e is nil).
func (s *Socket) failed(e *Event, err error) {
	name := ""
	if e != nil {
		name = e.Name()
	}
	s.report(name, err)
}

// report logs an error of user code and hands it to OnError, apart: whoever panics,
// or ends its goroutine, on being told of an error is not told of that.
func (s *Socket) report(event string, err error) {
	srv, hooks := s.ns.srv, s.ns.table.Load().onError
	if hooks == nil && srv.cfg.Log == nil {
		return // nobody is told
	}
	_ = srv.apart(func() error {
		// Deferred, because err is the application's and may do so when it is looked at.
		defer usercode.Each(hooks, func(f func(*Socket, string, error)) {
			_ = srv.guarded(func() error { f(s, event, err); return nil })
		})
		s.logFailure(event, err)
		return nil
	})
}

// recovered is deferred around user code: it turns a panic into an error.
func (srv *Server) recovered(err *error) {
	if v := recover(); v != nil {
		srv.stats.panics.Add(1)
		*err = &usercode.Panic{Value: v, Stack: debug.Stack()}
	}
}

// guarded calls user code; a panic becomes an error.
func (srv *Server) guarded(f func() error) (err error) {
	defer srv.recovered(&err)
	return f()
}

// apart calls user code on a goroutine of its own, and waits for it; see usercode.Apart.
func (srv *Server) apart(f func() error) error {
	return usercode.Apart(func() error { return srv.guarded(f) })
}

// call calls user code; tell is told of its error, of its panic, and that it has ended
// the goroutine.
func (srv *Server) call(f func() error, tell func(error)) {
	usercode.Tell(func() error { return srv.guarded(f) }, tell)
}

const internalError = args.InternalError

// defaultAckError is Config.AckError unless another is set.
func defaultAckError(err error) any {
	var over *LimitError
	if errors.As(err, &over) {
		err = over.answer()
	}
	return args.ErrorAck(err)
}

// ignore is what middlewares are around when there is no handler.
func ignore(context.Context, *Socket, *Event) error { return nil }
