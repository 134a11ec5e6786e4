package sioclient

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/hermod-io/hermod/internal/usercode"
	"github.com/hermod-io/hermod/socketio/args"
)

// Handler handles an event of a Socket. ctx ends when the connection that
// brought the event ends, with the *DisconnectError as cause. Handlers of one
// Socket run one at a time, in the order of the events; they may block. An error
// becomes the error ack, if one was asked for and none was sent
// (Config.AckError), and goes to OnError; so does a panic, or the end of the
// goroutine (runtime.Goexit, as a test's FailNow has it), after which the Socket
// lives on.
type Handler func(ctx context.Context, s *Socket, e *Event) error

// table is what was registered on a Socket. It is immutable; registering makes
// a new one.
type table struct {
	handlers       map[string]Handler
	onAny          []*catchAll
	onAnyOutgoing  []*overhearer
	onConnect      []func(context.Context, *Socket) error
	onDisconnect   []func(*Socket, Reason)
	onConnectError []func(*Socket, error)
	onError        []func(*Socket, string, error)
}

// change registers something.
func (s *Socket) change(f func(t *table)) {
	for {
		old := s.table.Load()
		t := *old
		t.handlers = maps.Clone(old.handlers)
		t.onAny = slices.Clip(old.onAny)
		t.onAnyOutgoing = slices.Clip(old.onAnyOutgoing)
		t.onConnect = slices.Clip(old.onConnect)
		t.onDisconnect = slices.Clip(old.onDisconnect)
		t.onConnectError = slices.Clip(old.onConnectError)
		t.onError = slices.Clip(old.onError)
		f(&t)
		if s.table.CompareAndSwap(old, &t) {
			return
		}
	}
}

// On sets the handler of an event; nil removes it. It holds for events that
// have not begun to be handled.
func (s *Socket) On(event string, h Handler) {
	s.change(func(t *table) {
		if h == nil {
			delete(t.handlers, event)
			return
		}
		if t.handlers == nil {
			t.handlers = make(map[string]Handler)
		}
		t.handlers[event] = h
	})
}

// Once sets the handler of the next such event; then it is removed.
func (s *Socket) Once(event string, h Handler) {
	s.On(event, func(ctx context.Context, s *Socket, e *Event) error {
		s.Off(event)
		return h(ctx, s, e)
	})
}

// Off removes the handler of an event. JS: off.
func (s *Socket) Off(event string) { s.On(event, nil) }

// OnConnect adds a function that is called when the Socket has joined its
// namespace, each time, as a handler is. An error goes to OnError. JS: event
// connect.
func (s *Socket) OnConnect(f func(ctx context.Context, s *Socket) error) {
	s.change(func(t *table) { t.onConnect = append(t.onConnect, f) })
}

// OnDisconnect adds a function that is called when the Socket has left its
// namespace, after the handlers of all events that came before, except that
// after Disconnect waiting events are dropped. JS: event disconnect.
func (s *Socket) OnDisconnect(f func(s *Socket, reason Reason)) {
	s.change(func(t *table) { t.onDisconnect = append(t.onDisconnect, f) })
}

// OnConnectError adds a function that is called when a connection could not be
// made, with an *eioclient.DialError, and when the server has refused the
// Socket, with a *ConnectError. After a refusal it does not try again by itself.
// JS: event connect_error.
func (s *Socket) OnConnectError(f func(s *Socket, err error)) {
	s.change(func(t *table) { t.onConnectError = append(t.onConnectError, f) })
}

// OnError adds a function that is told of the errors and panics of handlers,
// with the name of the event ("" for OnConnect).
func (s *Socket) OnError(f func(s *Socket, event string, err error)) {
	s.change(func(t *table) { t.onError = append(t.onError, f) })
}

// handle runs the handlers of an event, and deals with their error.
func (s *Socket) handle(e *Event) {
	usercode.Tell(func() error { return s.runAll(e) }, func(err error) { s.failed(e, err) })
}

// runAll runs the handlers of an event.
func (s *Socket) runAll(e *Event) error {
	t := s.table.Load()
	var all []error
	for _, c := range t.onAny {
		if err := s.run(c.h, e); err != nil {
			all = append(all, err)
		}
	}
	if h := t.handlers[e.name]; h != nil {
		if err := s.run(h, e); err != nil {
			all = append([]error{err}, all...)
		}
	}
	if len(all) == 1 {
		return all[0]
	}
	return errors.Join(all...) // nil if there is none
}

// run calls a handler; a panic becomes an error.
func (s *Socket) run(h Handler, e *Event) (err error) {
	defer usercode.Recovered(&err)
	return h(e.conn.ctx, s, e)
}

// failed deals with the error of a handler.
func (s *Socket) failed(e *Event, err error) {
	s.report(e.name, s.answerError(e, err))
}

// answerError acks an event, if that is still to be done, with what the error of
// its handler becomes, and returns that error.
func (s *Socket) answerError(e *Event, err error) error {
	if !e.hasID || e.acked.Load() {
		return err
	}
	return args.AnswerError(err, s.m.cfg.AckError, e.ackOrGone, usercode.Guarded)
}

// report logs an error of user code and hands it to OnError, apart: a function that
// ends its goroutine on being told of an error is not told of that.
func (s *Socket) report(event string, err error) {
	_ = usercode.Apart(func() error {
		// Deferred, because err is the application's and may panic when it is looked at.
		defer usercode.Each(s.table.Load().onError, func(f func(*Socket, string, error)) {
			s.m.guard(func() { f(s, event, err) })
		})
		s.m.logFailure(s, event, err)
		return nil
	})
}

// connected calls the functions of OnConnect.
func (s *Socket) connected(c *conn) {
	usercode.Each(s.table.Load().onConnect, func(f func(context.Context, *Socket) error) {
		s.call(func() error { return f(c.ctx, s) })
	})
}

// tell calls a function whose panic is reported.
func (s *Socket) tell(f func()) { s.call(func() error { f(); return nil }) }

// call calls a function whose error is reported.
func (s *Socket) call(f func() error) {
	usercode.Tell(func() error { return usercode.Guarded(f) }, func(err error) { s.report("", err) })
}

// guard calls a function whose panic is only logged.
func (m *Manager) guard(f func()) {
	usercode.Tell(func() error { return usercode.Guarded(func() error { f(); return nil }) }, m.logPanic)
}
