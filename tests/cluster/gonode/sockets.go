package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/tests/internal/tagged"
)

type record map[string]any

// replies is the answer to what collects acks.
func replies(all socketio.Replies, err error) (any, error) {
	list := []any{}
	for _, one := range all {
		list = append(list, first(one))
	}
	if err != nil {
		return record{"replies": list, "error": err.Error(), "nodes": lost(err)}, nil
	}
	return record{"replies": list}, nil
}

// reply is the answer to what waits for one ack.
func reply(one socketio.Args, err error) (any, error) {
	if err != nil {
		return replies(nil, err)
	}
	return replies(socketio.Replies{one}, nil)
}

// one runs the operations on a socket of this node.
func (n *node) one(ctx context.Context, op string, q *request) (any, error) {
	s, err := n.socket(q, q.ID)
	if err != nil {
		return nil, err
	}
	switch op {
	case "socket-emit":
		return nil, s.Emit(q.Event, q.args...)
	case "socket-emit-ack":
		return reply(s.Timeout(millis(q.Timeout)).EmitWithAck(ctx, q.Event, q.args...))
	case "join":
		return nil, s.Join(ctx, q.Rooms...)
	case "leave":
		s.Leave(q.Rooms...)
		return nil, nil
	case "rooms":
		return s.Rooms(), nil
	case "data":
		for k, v := range q.Data {
			s.Data().Set(k, tagged.Decode(v))
		}
		return nil, nil
	case "state":
		return record{"recovered": s.Recovered(), "rooms": s.Rooms(), "data": s.Data()}, nil
	case "cut":
		s.Session().Close(false)
		return nil, nil
	}
	return nil, fmt.Errorf("no operation %s", op)
}

// remote runs the operations on a socket of any node.
func (n *node) remote(ctx context.Context, op string, q *request) (any, error) {
	found, err := n.namespace(q).In(q.ID).FetchSockets(ctx)
	if err != nil {
		return nil, err
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("%d sockets %s", len(found), q.ID)
	}
	r := found[0]
	if q.Timeout > 0 {
		r = r.Timeout(millis(q.Timeout))
	}
	switch op {
	case "remote-emit":
		return nil, r.Emit(q.Event, q.args...)
	case "remote-emit-ack":
		return reply(r.EmitWithAck(ctx, q.Event, q.args...))
	case "remote-join":
		return nil, r.Join(ctx, q.Rooms...)
	case "remote-leave":
		return nil, r.Leave(ctx, q.Rooms...)
	case "remote-disconnect":
		return nil, r.Disconnect(ctx, q.Close)
	}
	return nil, fmt.Errorf("no operation %s", op)
}

// fetch describes the sockets that a broadcast would reach.
func fetch(ctx context.Context, b socketio.Broadcast) (any, error) {
	found, err := b.FetchSockets(ctx)
	if err != nil {
		return nil, err
	}
	out := []record{}
	for _, s := range found {
		info := s.Info()
		h := info.Handshake
		out = append(out, record{"id": s.ID(), "rooms": s.Rooms(), "data": json.RawMessage(info.Data), "handshake": record{
			"headers": h.Headers, "time": h.Time, "address": h.Address, "xdomain": h.XDomain, "secure": h.Secure,
			"issued": h.Issued, "url": h.URL, "query": h.Query, "auth": json.RawMessage(h.Auth),
		}})
	}
	return out, nil
}
