package socketio

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/internal/usercode"
	"github.com/hermod-io/hermod/socketio/parser"
)

// work runs what waits for a Socket, in order: CONNECT, events, the end. A
// worker calls it when working has been set, and returns when nothing waits. If
// user code ends the worker another one goes on.
func (s *Socket) work() {
	c, ended := s.client, false
	defer func() {
		if !ended {
			c.srv.workers.run(s)
		}
	}()
	var e *Event // that is being handled
	defer func() {
		if e != nil {
			s.finish(e, usercode.Exited)
		}
	}()
	for {
		c.mu.Lock()
		leaving := s.state.Load() >= stateLeaving
		switch {
		case s.phase == phaseNew && !leaving:
			s.phase = phaseConnected
			c.mu.Unlock()
			s.connect()
		case s.phase == phaseNew:
			s.phase = phaseEnded
			s.drop()
			c.mu.Unlock()
			s.letGo()
		case s.head != nil:
			e = s.take()
			c.mu.Unlock()
			s.handle(e)
			e = nil
		case leaving && s.phase == phaseConnected:
			s.phase = phaseEnded
			c.mu.Unlock()
			s.end()
		case s.departing && !leaving:
			c.mu.Unlock()
			s.leave(&DisconnectError{Reason: ClientNamespaceDisconnect}, leaveQuietly)
		default:
			s.working = false
			c.mu.Unlock()
			ended = true
			return
		}
	}
}

// connect joins the namespace and calls OnConnect.
func (s *Socket) connect() {
	joined, err := false, usercode.Exited
	defer func() {
		switch {
		case err == nil:
		case joined:
			defer s.Disconnect(false) // also if OnError ends the goroutine
			s.failed(nil, err)
		default:
			s.refuse(err)
		}
	}()
	var t *table
	if t, err = s.enter(); err != nil {
		return
	}
	s.logLife("connected", "")
	joined, err = true, usercode.Exited
	for _, f := range t.onConnect {
		if failed := s.guard(f); failed != nil {
			err = failed
			return
		}
	}
	err = nil
}

// enter finds the namespace, runs the middlewares and joins it. The table is that
// of the middlewares. An error is what the client is told.
func (s *Socket) enter() (*table, error) {
	if err := s.settle(); err != nil {
		return nil, err
	}
	t := s.ns.table.Load()
	middlewares := t.middlewares
	if s.ns.recoverer != nil && s.client.rules().recovers() {
		s.rec = &recoverable{pid: newID()}
		if s.restore() && !s.ns.srv.cfg.Recovery.NoSkipMiddlewares {
			middlewares = nil
		}
	}
	for _, f := range middlewares {
		if err := s.guard(f); err != nil {
			return nil, err
		}
	}
	if s.state.Load() != statePending {
		return nil, errDismissed
	}
	// An error is about other nodes, unless we are not in the room.
	if err := s.ns.adapter.Join(s.Context(), (*member)(s), s.id); err != nil && !slices.Contains(s.Rooms(), s.id) {
		s.report("", err)
		return nil, &Error{Message: internalError}
	}
	s.ns.add(s)
	s.saveFirst()
	if !s.join() {
		return nil, errDismissed
	}
	return t, nil
}

// guard runs a middleware or an OnConnect function; a panic becomes an error.
func (s *Socket) guard(f func(context.Context, *Socket) error) (err error) {
	defer s.ns.srv.recovered(&err)
	return f(s.Context(), s)
}

// join queues the CONNECT reply and makes the Socket live, under one lock: who
// finds it pending does not send, who finds it live sends after the reply.
func (s *Socket) join() bool {
	c := s.client
	w := getWriter()
	defer putWriter(w)
	w.json = c.rules().welcome(w.json[:0], s)
	w.packet = parser.Packet{Type: parser.Connect, Namespace: s.ns.name, Args: parser.Args{JSON: w.json}}
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.state.Load() != statePending {
		return false
	}
	c.stopConnectTimer()
	s.state.Store(stateJoining)
	if s.rec != nil && s.rec.holding {
		s.rec.flush(c, &w.packet)
	} else {
		_ = c.send(w, engineio.Must) // closed: OnClose follows
	}
	s.state.Store(stateLive)
	return true
}

// refuse answers a CONNECT with the error of a middleware, if the answer is still
// owed, after every trace of the Socket is gone.
func (s *Socket) refuse(err error) {
	c := s.client
	c.mu.Lock()
	owed := s.state.Load() == statePending || s.dismissed
	s.dismissed = false
	s.abandon(&DisconnectError{Reason: ServerNamespaceDisconnect, Err: err})
	if !owed {
		c.remove(s)
	}
	c.mu.Unlock()
	s.vanish()
	if owed {
		err = c.refuse(s.ns.name, err, s)
	}
	var p *usercode.Panic
	asked := s.ns.srv.guarded(func() error { _ = errors.As(err, &p); return nil })
	if asked != nil || p != nil {
		s.report("", err)
	}
}

// abandon ends a Socket that never was live. It needs mu.
func (s *Socket) abandon(cause *DisconnectError) {
	if s.cause == nil {
		s.cause = cause
	}
	s.phase = phaseEnded
	s.drop()
	s.state.Store(stateLeaving)
}

// vanish removes what a Socket that never was live has left behind.
func (s *Socket) vanish() {
	c := s.client
	c.mu.Lock()
	s.phase = phaseEnded
	s.drop()
	acks := s.takeAcks()
	s.state.Store(stateGone)
	cause := s.cause
	c.mu.Unlock()
	if s.settled {
		rooms := s.lastRooms()
		s.ns.adapter.LeaveAll((*member)(s))
		s.ns.remove(s)
		s.saveLast(cause, rooms, false)
	}
	s.cancelContext()
	acks.fail(cause)
	s.letGo()
}

// errDismissed is what the client of a Socket is told that was disconnected while
// its middlewares ran, if they have no error of their own.
var errDismissed = &Error{Message: "disconnected"}

// dismiss ends a Socket whose middlewares still run, if they do: its CONNECT is
// refused once they have returned, or now, because the connection will be gone by
// then.
func (s *Socket) dismiss(now bool) {
	c := s.client
	c.mu.Lock()
	if s.state.Load() != statePending && !s.dismissed {
		c.mu.Unlock()
		return
	}
	s.dismissed = !now
	if s.cause == nil {
		s.cause = &DisconnectError{Reason: ServerNamespaceDisconnect}
	}
	cause := s.cause
	s.state.Store(stateLeaving)
	s.drop()
	acks := s.takeAcks()
	c.mu.Unlock()
	s.cancelContext()
	acks.fail(cause)
	if !now {
		return
	}
	if err := c.refuse(s.ns.name, errDismissed, nil); err != error(errDismissed) {
		s.report("", err)
	}
}

// depart takes the client's DISCONNECT. Behind a CONNECT that is not answered
// yet it waits as events do.
func (s *Socket) depart() {
	s.client.mu.Lock()
	if state := s.state.Load(); state < stateLive {
		s.departing = true
		s.client.mu.Unlock()
		return
	}
	s.client.mu.Unlock()
	s.leave(&DisconnectError{Reason: ClientNamespaceDisconnect}, leaveQuietly)
}

// The ways of leaving.
const (
	leaveQuietly = false
	leaveNotify  = true // with a DISCONNECT packet, and without what waits
)

// leave makes a Socket leave its namespace, once. The worker calls the hooks.
func (s *Socket) leave(cause *DisconnectError, notify bool) {
	c := s.client
	c.mu.Lock()
	state := s.state.Load()
	if state >= stateLeaving {
		c.mu.Unlock()
		return
	}
	s.cause = cause
	s.state.Store(stateLeaving) // first: who is told that it left must not find it connected
	if notify && state == stateLive {
		w := getWriter()
		w.packet = parser.Packet{Type: parser.Disconnect, Namespace: s.ns.name}
		_ = c.send(w, engineio.Must) // closed: then it knows
		putWriter(w)
	}
	c.remove(s)
	c.remember(s.ns)
	if state == stateLive {
		c.leaving(s)
	}
	if notify {
		s.drop()
	}
	acks := s.takeAcks()
	start := !s.working
	s.working = true
	c.mu.Unlock()
	s.cancelContext()
	acks.fail(cause)
	if start {
		c.srv.workers.run(s)
	}
}

// end calls the hooks of the end; the rooms are left between them.
func (s *Socket) end() {
	t := s.ns.table.Load()
	s.client.mu.Lock()
	cause := s.cause
	s.client.mu.Unlock()
	s.logLife("disconnected", cause.Reason)
	defer s.endLast(t, cause)
	defer s.farewell(t.onDisconnecting, cause.Reason)
	var (
		broken *parser.Error
		over   *LimitError
	)
	if errors.As(cause.Err, &broken) || errors.As(cause.Err, &over) {
		s.report("", cause.Err)
	}
}

// endLast is end after the rooms could be read for the last time.
func (s *Socket) endLast(t *table, cause *DisconnectError) {
	rooms := s.lastRooms()
	s.state.Store(stateGone)
	s.ns.adapter.LeaveAll((*member)(s))
	s.ns.remove(s)
	defer func() {
		s.saveLast(cause, rooms, true)
		s.letGo()
		s.client.left(s)
	}()
	s.farewell(t.onDisconnect, cause.Reason)
}

// farewell calls all of the hooks, whatever one of them does.
func (s *Socket) farewell(hooks []func(*Socket, Reason), r Reason) {
	usercode.Each(hooks, func(f func(*Socket, Reason)) {
		s.ns.srv.call(func() error { f(s, r); return nil }, func(err error) { s.report("", err) })
	})
}

// explain is what a client is told of the error of a middleware.
func explain(err error) (message string, data any) {
	var (
		e *Error
		a *ArgError
		k *usercode.Panic
		l *LimitError
	)
	if errors.As(err, &l) {
		err = l.refusal()
	}
	switch {
	case errors.As(err, &e):
		return e.Message, e.Data
	case errors.As(err, &a):
		return "invalid auth", nil // nothing of our types
	case errors.As(err, &k):
		return internalError, nil
	}
	return err.Error(), nil
}

// connectError is the payload of a CONNECT_ERROR.
func (srv *Server) connectError(message string, data any) json.RawMessage {
	type payload struct {
		Message string `json:"message"`
		Data    any    `json:"data,omitzero"`
	}
	text, attachments, err := srv.cfg.JSON.Append(nil, nil, payload{message, data})
	if err != nil || len(attachments) > 0 { // data that CONNECT_ERROR cannot carry
		text, _, _ = srv.cfg.JSON.Append(nil, nil, payload{Message: message})
	}
	return text
}
