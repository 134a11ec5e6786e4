package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/adapters/redisadapter"
	"github.com/hermod-io/hermod/socketio"
)

// watch holds what the adapter tells of itself.
type watch struct {
	counters redisadapter.Counters

	mu   sync.Mutex // guards gaps
	gaps map[string][]span
}

// span is a cluster.Gap.
type span struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// gap is the OnGap of the adapter.
func (w *watch) gap(namespace string, g cluster.Gap) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.gaps == nil {
		w.gaps = map[string][]span{}
	}
	w.gaps[namespace] = append(w.gaps[namespace], span{g.From, g.To})
}

// watched runs the operations that tell what the adapter told.
func (n *node) watched(op string, q *request) (any, error) {
	switch op {
	case "watch-gaps":
		n.watch.mu.Lock()
		defer n.watch.mu.Unlock()
		return append([]span{}, n.watch.gaps[n.namespace(q).Name()]...), nil
	case "watch-counters":
		return n.watch.counters.Stats(), nil
	case "watch-said":
		n.said.mu.Lock()
		defer n.said.mu.Unlock()
		return n.said.n, nil
	}
	return nil, fmt.Errorf("no operation %s", op)
}

// fetchPartial is fetch that returns what came, with the error.
func fetchPartial(ctx context.Context, b socketio.Broadcast) (any, error) {
	found, err := b.FetchSockets(ctx)
	list := []any{}
	for _, s := range found {
		list = append(list, s.ID())
	}
	if err != nil {
		return record{"replies": list, "error": err.Error(), "nodes": lost(err)}, nil
	}
	return record{"replies": list}, nil
}

// lost is how many nodes an error says to be missing, -1 if it does not say.
func lost(err error) int {
	if partial, ok := errors.AsType[*socketio.AckError](err); ok {
		return partial.Nodes
	}
	return -1
}

// said numbers what this node broadcasts for its clients.
type said struct {
	mu sync.Mutex // guards n, and keeps the broadcasts in its order
	n  int
}

// listen lets clients of a namespace broadcast: "say" with one argument becomes
// "said" with the node, its number, and that argument, and is acknowledged.
func (n *node) listen(nsp *socketio.Namespace) {
	nsp.On("say", func(_ context.Context, _ *socketio.Socket, e *socketio.Event) error {
		var what string
		if err := e.Decode(0, &what); err != nil {
			return err
		}
		n.said.mu.Lock()
		err := nsp.Emit("said", n.Name, n.said.n, what)
		n.said.n++
		n.said.mu.Unlock()
		if err != nil {
			return err
		}
		return e.Ack(true)
	})
}
