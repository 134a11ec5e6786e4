package main

import (
	"context"
	"time"

	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/tests/internal/tagged"
)

// events sets the handlers that clients may call.
func (a *app) events(n *socketio.Namespace) {
	n.On("echo", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
		args, err := received(e.Args)
		if err != nil {
			return err
		}
		return s.Emit("echo", args...)
	})
	for _, name := range []string{"__proto__", "constructor", "toString", "hasOwnProperty", "7"} {
		n.On(name, func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
			args, err := received(e.Args)
			if err != nil {
				return err
			}
			return s.Emit("named", append([]any{e.Name()}, args...)...)
		})
	}
	n.On("mark", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
		var v any
		if e.Len() > 0 {
			if err := e.Decode(0, &v); err != nil {
				return err
			}
		}
		a.journal.add(s, record{"type": "mark", "v": tagged.Encode(v)})
		return nil
	})
	acks(n)
	membership(n)
	broadcasts(n)
	endings(n)
}

func acks(n *socketio.Namespace) {
	n.On("ack", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
		args, err := received(e.Args)
		if err != nil {
			return err
		}
		return e.Ack(args...)
	})
	n.On("ack-twice", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
		if err := e.Ack("first"); err != nil {
			return err
		}
		return e.Ack("second")
	})
	n.On("ack-late", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
		var ms int64
		var v any
		if err := e.Scan(&ms, &v); err != nil {
			return err
		}
		time.AfterFunc(millis(ms), func() { e.Ack(v) })
		return nil
	})
	n.On("ack-never", func(context.Context, *socketio.Socket, *socketio.Event) error { return nil })
	n.On("ask", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
		var args []any
		if err := e.Scan(&args); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		reply, err := s.EmitWithAck(ctx, "question", args...)
		if err != nil {
			return e.Ack(err.Error())
		}
		back, err := received(reply)
		if err != nil {
			return err
		}
		return e.Ack(append([]any{nil}, back...)...)
	})
}

func membership(n *socketio.Namespace) {
	n.On("join", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
		var rooms names
		if err := e.Scan(&rooms); err != nil {
			return err
		}
		if err := s.Join(ctx, rooms...); err != nil {
			return err
		}
		return e.Ack()
	})
	n.On("leave", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
		var room string
		if err := e.Scan(&room); err != nil {
			return err
		}
		s.Leave(room)
		return e.Ack()
	})
	n.On("rooms", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
		return e.Ack(list(s.Rooms()))
	})
}

func endings(n *socketio.Namespace) {
	n.On("disconnect-me", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
		var closeConn bool
		if err := e.Scan(&closeConn); err != nil {
			return err
		}
		s.Disconnect(closeConn)
		return nil
	})
	n.On("bye", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
		var closeConn bool
		if err := e.Scan(&closeConn); err != nil {
			return err
		}
		err := s.Emit("bye", "last words")
		s.Disconnect(closeConn)
		return err
	})
	n.On("engine-bye", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
		err := s.Emit("bye", "last words")
		s.Session().Close(false)
		return err
	})
}
