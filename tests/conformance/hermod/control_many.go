package main

import (
	"context"

	"github.com/hermod-io/hermod/socketio"
)

// broadcastAck emits to many and collects the first argument of each ack.
func broadcastAck(ctx context.Context, b socketio.Broadcast, q *request) record {
	all, err := b.EmitWithAck(ctx, q.Event, q.Args...)
	replies := []any{}
	for _, one := range all {
		replies = append(replies, first(one))
	}
	if err != nil {
		return record{"error": true, "replies": replies}
	}
	return record{"replies": replies}
}

// socketAck emits to one socket and waits for its ack.
func socketAck(ctx context.Context, s *socketio.Socket, q *request) record {
	ctx, cancel := context.WithTimeout(ctx, millis(q.Timeout))
	defer cancel()
	reply, err := s.EmitWithAck(ctx, q.Event, q.Args...)
	if err != nil {
		return record{"error": true}
	}
	return record{"reply": first(reply)}
}

func first(a socketio.Args) any {
	if list := recorded(a); len(list) > 0 {
		return list[0]
	}
	return nil
}

// fetch describes the sockets that a broadcast would reach.
func fetch(ctx context.Context, b socketio.Broadcast) (any, error) {
	found, err := b.FetchSockets(ctx)
	out := []record{}
	for _, s := range found {
		out = append(out, record{"id": s.ID(), "rooms": list(s.Info().Rooms)})
	}
	return out, err
}

// bursts emits the same binary events to several sockets in turn.
func (a *app) bursts(q *request) error {
	for i := range q.N {
		for k := range q.Members {
			s, err := a.member(&q.Members[k])
			if err != nil {
				return err
			}
			if err := s.Emit("burst", i, []byte{byte(i)}, []byte{byte(i), byte(i)}); err != nil {
				return err
			}
		}
	}
	return nil
}
