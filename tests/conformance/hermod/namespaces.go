package main

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/hermod-io/hermod/socketio"
)

// namespaces declares every namespace of the application.
func (a *app) namespaces() {
	for _, name := range []string{"/", "/chat", "/constructor", "/__proto__", "/greet", "/guarded", "/outgoing",
		"/refused", "/refused-plain", "/auth", "/slow", "/joins"} {
		n := a.srv.Of(name)
		a.watch(n)
		a.events(n)
	}
	a.watch(a.srv.Of("/any"))
	a.srv.Of("/any").OnAny(func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
		args, err := received(e.Args)
		if err != nil {
			return err
		}
		return s.Emit("any", append([]any{e.Name()}, args...)...)
	})
	a.srv.Of("/greet").OnConnect(greet)
	a.srv.Of("/guarded").UseEvent(guard)
	a.srv.Of("/outgoing").OnAnyOutgoing(func(s *socketio.Socket, e *socketio.Event) {
		a.journal.add(s, record{"type": "out", "name": e.Name(), "args": recorded(e.Args)})
	})
	a.middlewares()
	a.dynamic()
}

func greet(ctx context.Context, s *socketio.Socket) error {
	return errors.Join(
		s.Emit("greeting", 1),
		s.Join(ctx, "greeted"),
		s.Namespace().To("greeted").Emit("greeting", 2),
		s.Emit("greeting", []byte{3}),
	)
}

func guard(next socketio.Handler) socketio.Handler {
	return func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
		if e.Name() == "forbidden" {
			return errors.New("no entry")
		}
		return next(ctx, s, e)
	}
}

// watch records the life of the sockets of a namespace.
func (a *app) watch(n *socketio.Namespace) {
	n.OnConnect(func(ctx context.Context, s *socketio.Socket) error {
		a.journal.add(s, record{"type": "connect", "nsp": n.Name()})
		return nil
	})
	n.OnAny(func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
		a.journal.add(s, record{"type": "event", "name": e.Name(), "args": recorded(e.Args)})
		return nil
	})
	n.OnError(func(s *socketio.Socket, event string, err error) {
		a.journal.add(s, record{"type": "error", "message": err.Error()})
	})
	n.OnDisconnecting(func(s *socketio.Socket, r socketio.Reason) {
		a.journal.add(s, record{"type": "disconnecting", "reason": r, "rooms": list(s.Rooms())})
	})
	n.OnDisconnect(func(s *socketio.Socket, r socketio.Reason) {
		a.journal.add(s, record{"type": "disconnect", "reason": r, "rooms": list(s.Rooms())})
	})
}

// list is s, never null in JSON.
func list(s []string) []string { return append([]string{}, s...) }

// payload is what clients say in CONNECT.
type payload struct {
	Token  string `json:"token"`
	Delay  *int64 `json:"delay"`
	Refuse bool   `json:"refuse"`
}

// wait returns after the delay that the client asked for, or d milliseconds.
func wait(ctx context.Context, s *socketio.Socket, d int64) (payload, error) {
	var p payload
	if err := s.Handshake().DecodeAuth(&p); err != nil {
		return p, err
	}
	if p.Delay != nil {
		d = *p.Delay
	}
	select {
	case <-time.After(millis(d)):
		return p, nil
	case <-ctx.Done():
		return p, ctx.Err()
	}
}

// deny refuses who asks for that in its query.
func deny(_ context.Context, s *socketio.Socket) error {
	q := s.Handshake().URL.Query()
	if !q.Has("deny") {
		return nil
	}
	err := &socketio.Error{Message: q.Get("deny")}
	if q.Has("data") {
		err.Data = json.RawMessage(q.Get("data"))
	}
	return err
}

func (a *app) middlewares() {
	type socket = socketio.Socket
	a.srv.Of("/refused").Use(func(context.Context, *socket) error {
		return &socketio.Error{Message: "not allowed", Data: struct {
			Code int   `json:"code"`
			Why  []any `json:"why"`
		}{42, []any{"x", nil}}}
	})
	a.srv.Of("/refused-plain").Use(func(context.Context, *socket) error { return errors.New("go away") })
	a.srv.Of("/auth").Use(func(ctx context.Context, s *socket) error {
		if p, err := wait(ctx, s, 0); err != nil || p.Token != "secret" {
			return errors.New("bad token")
		}
		return nil
	})
	a.srv.Of("/slow").Use(func(ctx context.Context, s *socket) error {
		_, err := wait(ctx, s, 200)
		return err
	})
	a.srv.Of("/joins").Use(func(ctx context.Context, s *socket) error {
		if err := s.Join(ctx, "early"); err != nil {
			return err
		}
		p, err := wait(ctx, s, 0)
		if err == nil && p.Refuse {
			err = errors.New("refused late")
		}
		return err
	})
}
