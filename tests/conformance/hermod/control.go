package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/tests/internal/tagged"
)

// request is the body of a control request.
type request struct {
	modifiers
	Namespace string   `json:"nsp"`
	ID        string   `json:"id"`
	Tag       string   `json:"tag"`
	Event     string   `json:"event"`
	Events    []string `json:"events"`
	Args      []any    `json:"args"`
	Rooms     names    `json:"rooms"`
	Close     bool     `json:"close"`
	Discard   bool     `json:"discard"`
	From      int      `json:"from"`
	Until     int      `json:"until"`
	N         int      `json:"n"`

	Data map[string]any `json:"data"`

	Members []request `json:"members"`
}

// namespace is the one that the request names.
func (a *app) namespace(q *request) *socketio.Namespace {
	if q.Namespace == "" {
		return a.srv.Of("/")
	}
	return a.srv.Of(q.Namespace)
}

// member is the socket that the request names.
func (a *app) member(q *request) (*socketio.Socket, error) {
	if s := a.namespace(q).Socket(q.ID); s != nil {
		return s, nil
	}
	return nil, fmt.Errorf("no socket %s", q.ID)
}

// control serves POST /_app/<operation>.
func (a *app) control(w http.ResponseWriter, r *http.Request) {
	var q request
	var out any
	err := json.NewDecoder(r.Body).Decode(&q)
	if err == nil {
		tagged.Decode(q.Args)
		out, err = a.operate(strings.TrimPrefix(r.URL.Path, "/_app/"), &q, r)
	}
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		out = map[string]string{"error": err.Error()}
	}
	json.NewEncoder(w).Encode(out)
}

// operate runs one operation.
func (a *app) operate(name string, q *request, r *http.Request) (any, error) {
	ctx := r.Context()
	b := q.apply(a.namespace(q).To())
	switch name {
	case "clients":
		return a.srv.Engine().Clients(), nil
	case "relayed":
		return a.relays.served(), nil
	case "log":
		return append([]record{}, a.journal.of(q.ID)...), nil
	case "errors":
		return a.journal.tagged(&a.journal.errors, q.Tag), nil
	case "headers":
		return a.journal.tagged(&a.journal.headers, q.Tag), nil
	case "rooms":
		rooms, err := a.namespace(q).Rooms(ctx)
		return list(rooms), err
	case "sockets":
		ids := []string{}
		for s := range a.namespace(q).Sockets() {
			ids = append(ids, s.ID())
		}
		return ids, nil
	case "children":
		names := []string{}
		for n := range a.parents[q.Tag].Children() {
			names = append(names, n.Name())
		}
		return names, nil
	case "parent-emit":
		return nil, q.apply(a.parents[q.Tag].To()).Emit(q.Event, q.Args...)
	case "emit":
		return nil, b.Emit(q.Event, q.Args...)
	case "emit-ack":
		return broadcastAck(ctx, b, q), nil
	case "sockets-join":
		return nil, b.SocketsJoin(ctx, q.Rooms...)
	case "sockets-leave":
		return nil, b.SocketsLeave(ctx, q.Rooms...)
	case "sockets-disconnect":
		return nil, b.DisconnectSockets(ctx, q.Close)
	case "fetch":
		return fetch(ctx, b)
	case "bursts":
		return nil, a.bursts(q)
	}
	s, err := a.member(q)
	if err != nil {
		return nil, err
	}
	return single(ctx, name, q, s)
}
