package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hermod-io/hermod/socketio"
)

// single runs an operation on one socket.
func single(ctx context.Context, name string, q *request, s *socketio.Socket) (any, error) {
	switch name {
	case "socket-emit":
		return nil, s.Emit(q.Event, q.Args...)
	case "socket-emit-ack":
		return socketAck(ctx, s, q), nil
	case "disconnect":
		s.Disconnect(q.Close)
		return nil, nil
	case "engine-close":
		s.Session().Close(q.Discard)
		return nil, nil
	case "emit-close":
		for _, name := range q.Events {
			if err := s.Emit(name); err != nil {
				return nil, err
			}
		}
		s.Session().Close(false)
		return nil, nil
	case "state":
		return state(s, q), nil
	case "transport":
		return s.Session().Transport(), nil
	case "burst":
		for i := q.From; i < q.Until; i++ {
			if err := s.Emit("burst", append([]any{i}, q.Args...)...); err != nil {
				return nil, err
			}
		}
		return nil, nil
	case "volatile-burst":
		for i := range q.N {
			if err := s.Volatile().Emit("volatile", append([]any{i}, q.Args...)...); err != nil {
				return nil, err
			}
		}
		return nil, nil
	case "handshake":
		return handshake(s)
	}
	return nil, fmt.Errorf("no operation %s", name)
}

// state sets data of a socket and tells what recovery has to do with.
func state(s *socketio.Socket, q *request) any {
	for k, v := range q.Data {
		s.Data().Set(k, v)
	}
	rooms := s.Rooms()
	slices.Sort(rooms)
	data := s.Data().All()
	if data == nil {
		data = map[string]any{}
	}
	return record{"recovered": s.Recovered(), "rooms": rooms, "data": data}
}

// handshake is what the application knows of how a socket connected.
func handshake(s *socketio.Socket) (any, error) {
	h := s.Handshake()
	auth := map[string]any{}
	if err := h.DecodeAuth(&auth); err != nil {
		return nil, err
	}
	query := map[string]string{}
	for k, vs := range h.Query() {
		query[k] = vs[len(vs)-1]
	}
	headers := map[string]string{}
	for k, vs := range h.Header {
		headers[strings.ToLower(k)] = strings.Join(vs, ", ")
	}
	host, _, _ := strings.Cut(h.RemoteAddr, ":")
	return record{
		"query": query, "auth": auth, "address": host, "secure": h.Secure,
		"url": h.URL.RequestURI(), "headers": headers,
	}, nil
}
