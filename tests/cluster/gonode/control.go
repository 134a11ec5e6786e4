package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/hermod-io/hermod/socketio"
)

// request is the body of a control request.
type request struct {
	Namespace string            `json:"nsp"`
	Emitter   bool              `json:"emitter"`
	Via       string            `json:"via"`
	ID        string            `json:"id"`
	To        []string          `json:"to"`
	Except    []string          `json:"except"`
	Local     bool              `json:"local"`
	Volatile  bool              `json:"volatile"`
	Compress  *bool             `json:"compress"`
	Timeout   int64             `json:"timeout"`
	Event     string            `json:"event"`
	RawArgs   []json.RawMessage `json:"args"`
	Rooms     []string          `json:"rooms"`
	Close     bool              `json:"close"`
	From      int               `json:"from"`
	Until     int               `json:"until"`
	Data      map[string]any    `json:"data"`

	args []any
}

// control serves POST /_app/<operation>.
func (n *node) control(w http.ResponseWriter, r *http.Request) {
	var q request
	var out any
	err := json.NewDecoder(r.Body).Decode(&q)
	if err == nil {
		q.args, err = decode(q.RawArgs)
	}
	if err == nil {
		out, err = n.operate(context.WithoutCancel(r.Context()), strings.TrimPrefix(r.URL.Path, "/_app/"), &q)
	}
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		out = map[string]string{"error": err.Error()}
	}
	_ = json.NewEncoder(w).Encode(out)
}

// namespace is the one that the request names.
func (n *node) namespace(q *request) *socketio.Namespace {
	if q.Namespace == "" {
		return n.srv.Of("/")
	}
	return n.srv.Of(q.Namespace)
}

// socket is the one of this node that the request names.
func (n *node) socket(q *request, id string) (*socketio.Socket, error) {
	if s := n.namespace(q).Socket(id); s != nil {
		return s, nil
	}
	return nil, fmt.Errorf("no socket %s", id)
}

// broadcast says whom a broadcast reaches, and how.
func (n *node) broadcast(q *request) (socketio.Broadcast, error) {
	b := n.namespace(q).To()
	if q.Via != "" {
		s, err := n.socket(q, q.Via)
		if err != nil {
			return b, err
		}
		b = s.Broadcast()
	}
	if q.Local {
		b = b.Local()
	}
	if q.Volatile {
		b = b.Volatile()
	}
	if q.Compress != nil {
		b = b.Compress(*q.Compress)
	}
	if q.Timeout > 0 {
		b = b.Timeout(millis(q.Timeout))
	}
	return b.To(q.To...).Except(q.Except...), nil
}

// operate runs one operation.
func (n *node) operate(ctx context.Context, op string, q *request) (any, error) {
	if q.Emitter {
		return nil, n.emission(ctx, op, q)
	}
	what, _, _ := strings.Cut(op, "-")
	switch what {
	case "socket", "join", "leave", "rooms", "data", "state", "cut":
		return n.one(ctx, op, q)
	case "remote":
		return n.remote(ctx, op, q)
	case "server":
		return n.serverSide(ctx, op, q)
	case "watch":
		return n.watched(op, q)
	case "said":
		n.listen(n.namespace(q))
		return nil, nil
	}
	return n.many(ctx, op, q)
}

// many runs the operations on a namespace.
func (n *node) many(ctx context.Context, op string, q *request) (any, error) {
	b, err := n.broadcast(q)
	if err != nil {
		return nil, err
	}
	switch op {
	case "namespace":
		n.prepare(n.namespace(q))
		return nil, nil
	case "sockets":
		ids := []string{}
		for s := range n.namespace(q).Sockets() {
			ids = append(ids, s.ID())
		}
		return ids, nil
	case "emit":
		return nil, b.Emit(q.Event, q.args...)
	case "burst":
		for i := q.From; i < q.Until; i++ {
			if err := b.Emit(q.Event, append([]any{i}, q.args...)...); err != nil {
				return nil, err
			}
		}
		return nil, nil
	case "emit-ack":
		return replies(b.EmitWithAck(ctx, q.Event, q.args...))
	case "sockets-join":
		return nil, b.SocketsJoin(ctx, q.Rooms...)
	case "sockets-leave":
		return nil, b.SocketsLeave(ctx, q.Rooms...)
	case "sockets-disconnect":
		return nil, b.DisconnectSockets(ctx, q.Close)
	case "fetch":
		return fetch(ctx, b)
	case "fetch-partial":
		return fetchPartial(ctx, b)
	case "all-rooms":
		return n.namespace(q).Rooms(ctx)
	}
	return nil, fmt.Errorf("no operation %s", op)
}

// serverSide runs the operations that concern the other nodes themselves.
func (n *node) serverSide(ctx context.Context, op string, q *request) (any, error) {
	switch op {
	case "server-side-emit":
		return nil, n.namespace(q).ServerSideEmit(ctx, q.Event, q.args...)
	case "server-side-emit-ack":
		if patience := cmp.Or(q.Timeout, n.RequestTimeout); patience > 0 {
			var cancel func()
			ctx, cancel = context.WithTimeout(ctx, millis(patience))
			defer cancel()
		}
		return replies(n.namespace(q).ServerSideEmitWithAck(ctx, q.Event, q.args...))
	case "server-side-log":
		return n.journal.of(n.namespace(q).Name(), q.Event), nil
	}
	return nil, fmt.Errorf("no operation %s", op)
}
