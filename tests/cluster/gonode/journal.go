package main

import (
	"context"
	"sync"

	"github.com/hermod-io/hermod/socketio"
)

// told is an event that another node has sent to a namespace.
type told struct {
	Namespace string `json:"nsp"`
	Event     string `json:"event"`
	Args      []any  `json:"args"`
}

// journal holds what other nodes told. Its methods may be called from any
// goroutine.
type journal struct {
	mu       sync.Mutex // guards what follows
	prepared map[string]bool
	all      []told
}

func (j *journal) add(e told) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.all = append(j.all, e)
}

// of returns what was told to a namespace; event "" means all of it.
func (j *journal) of(nsp, event string) []told {
	j.mu.Lock()
	defer j.mu.Unlock()
	out := []told{}
	for _, e := range j.all {
		if e.Namespace == nsp && (event == "" || e.Event == event) {
			out = append(out, e)
		}
	}
	return out
}

// prepare declares a namespace: other nodes tell it things.
func (n *node) prepare(nsp *socketio.Namespace) {
	n.journal.mu.Lock()
	defer n.journal.mu.Unlock()
	if n.journal.prepared[nsp.Name()] {
		return
	}
	if n.journal.prepared == nil {
		n.journal.prepared = map[string]bool{}
	}
	n.journal.prepared[nsp.Name()] = true
	for _, event := range []string{"note", "ask", "silent"} {
		nsp.OnServerSide(event, func(_ context.Context, e *socketio.Event) error {
			args := values(e.Args)
			n.journal.add(told{nsp.Name(), event, args})
			if event != "ask" {
				return nil
			}
			var back []any
			for i := range args {
				var v any
				if err := e.Decode(i, &v); err != nil {
					return err
				}
				back = append(back, v)
			}
			return e.Ack(map[string]any{"node": n.Name, "args": append([]any{}, back...)})
		})
	}
}
