package main

import (
	"context"

	"github.com/hermod-io/hermod/socketio"
)

// modifiers say whom a broadcast reaches and how.
type modifiers struct {
	Via       string `json:"via"`
	Broadcast bool   `json:"broadcast"`
	Local     bool   `json:"local"`
	Volatile  bool   `json:"volatile"`
	Compress  *bool  `json:"compress"`
	Timeout   int64  `json:"timeout"`
	To        names  `json:"to"`
	Except    names  `json:"except"`
}

// apply returns the broadcast with every modifier that was asked for.
func (m modifiers) apply(b socketio.Broadcast) socketio.Broadcast {
	if m.Local {
		b = b.Local()
	}
	if m.Volatile {
		b = b.Volatile()
	}
	if m.Compress != nil {
		b = b.Compress(*m.Compress)
	}
	if m.Timeout > 0 {
		b = b.Timeout(millis(m.Timeout))
	}
	if m.To != nil {
		b = b.To(m.To...)
	}
	if m.Except != nil {
		b = b.Except(m.Except...)
	}
	return b
}

func broadcasts(n *socketio.Namespace) {
	n.On("broadcast", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
		var how modifiers
		var name string
		var args []any
		if err := e.Scan(&how, &name, &args); err != nil {
			return err
		}
		b := s.Broadcast()
		if how.Via == "server" {
			b = n.To()
		}
		if err := how.apply(b).Emit(name, args...); err != nil {
			return err
		}
		return e.Ack()
	})
}
