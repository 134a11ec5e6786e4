package cluster

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"slices"
	"sync"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/socketio/parser"
)

// newRequestID returns the name of a request, which no other has.
func (a *Adapter) newRequestID() string {
	if a.traits.NewRequestID != nil {
		return a.traits.NewRequestID()
	}
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// open makes g known to the answers; after the returned function none gets to it.
func (a *Adapter) open(g *gathering) (id string, done func(), err error) {
	id = a.newRequestID()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ended {
		return "", nil, adapters.ErrClosed
	}
	a.pending[id] = g
	return id, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.pending, id)
	}, nil
}

// find returns the request of that id, or nil.
func (a *Adapter) find(id string) *gathering {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.pending[id]
}

// others returns how many other nodes there are.
func (a *Adapter) others(ctx context.Context) (int, error) {
	n, err := a.ServerCount(ctx)
	return n - 1, err
}

// BroadcastAck sends p to the sockets of t on all nodes; see
// [adapters.Adapter]. An answer of another node's socket is its first argument.
func (a *Adapter) BroadcastAck(ctx context.Context, p *parser.Packet, t adapters.Target, each func(parser.Args)) error {
	if t.Flags.Local {
		return a.rooms.BroadcastAck(ctx, p, t, each)
	}
	ctx, cancel := within(ctx, t.Flags.Timeout)
	defer cancel()
	g := newGathering(true, func(m *Message) { each(m.Args) })
	g.single = t.Flags.Single
	id, done, err := a.open(g)
	if err != nil {
		return err
	}
	defer done()
	asked, stop := a.rooms.Ask(p, t, func(args parser.Args) { g.answer(self, &Message{Args: args}) })
	defer stop()
	g.own(asked)
	m := &Message{Type: Broadcast, RequestID: id, Target: t, Packet: p}
	if m.Target.Flags.Timeout == 0 {
		m.Target.Flags.Timeout = remaining(ctx, a.opts.RequestTimeout)
	}
	if err := a.publish(m); err != nil {
		g.expect(1)
		return g.end(err)
	}
	if err := a.expect(ctx, g); err != nil {
		return g.end(err)
	}
	return a.wait(ctx, g)
}

// within returns ctx with a timeout; 0 is none.
func within(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, timeout)
}

// remaining returns how long ctx lasts, for the nodes that answer; without a
// deadline it is otherwise.
func remaining(ctx context.Context, otherwise time.Duration) time.Duration {
	if at, ok := ctx.Deadline(); ok {
		return max(time.Until(at), time.Millisecond)
	}
	return otherwise
}

// expect finds out how many nodes have to answer g. When ctx ends before that is
// known, it is as many as there were last time; when nobody can tell, at least
// one.
func (a *Adapter) expect(ctx context.Context, g *gathering) error {
	bounded, cancel := context.WithTimeout(ctx, a.opts.RequestTimeout)
	defer cancel()
	n, err := a.others(bounded)
	if err == nil {
		g.expect(n)
		return nil
	}
	n = int(a.counted.Load())
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	} else {
		n = max(n, 1)
	}
	g.expect(n)
	return err
}

// countFirst counts the other nodes once, so that expect has something to go by.
func (a *Adapter) countFirst() {
	ctx, cancel := context.WithTimeout(context.Background(), a.opts.JoinTimeout)
	defer cancel()
	if _, err := a.others(ctx); err != nil {
		a.counted.Store(1)
	}
}

// ask sends a request to the other nodes and waits for the answer of each. The
// error is a *PartialError, or why nobody could be asked.
func (a *Adapter) ask(ctx context.Context, m *Message, take func(*Message)) error {
	g := newGathering(false, take)
	id, done, err := a.open(g)
	if err != nil {
		return err
	}
	defer done()
	timeout := m.Target.Flags.Timeout
	if _, bounded := ctx.Deadline(); timeout <= 0 && !bounded {
		timeout = a.opts.RequestTimeout
	}
	ctx, cancel := within(ctx, timeout)
	defer cancel()
	if err := a.expect(ctx, g); err != nil {
		return g.end(err)
	}
	select {
	case <-g.complete:
		return nil // nobody else is there
	default:
	}
	m.RequestID = id
	if err := a.publish(m); err != nil {
		return g.end(err)
	}
	return a.wait(ctx, g)
}

// Fetch describes the sockets of t on all nodes; with a *PartialError those of
// the nodes that did not answer are missing.
func (a *Adapter) Fetch(ctx context.Context, t adapters.Target) ([]adapters.SocketInfo, error) {
	found, err := a.rooms.Fetch(ctx, t)
	if err != nil || t.Flags.Local {
		return found, err
	}
	var mu sync.Mutex // guards found while answers come
	err = a.ask(ctx, &Message{Type: FetchSockets, Target: t}, func(m *Message) {
		mu.Lock()
		defer mu.Unlock()
		found = append(found, m.Sockets...)
	})
	return found, err
}

// Rooms returns the rooms of all nodes; with a *PartialError those of the nodes
// that did not answer may be missing.
func (a *Adapter) Rooms(ctx context.Context) ([]string, error) {
	rooms, err := a.rooms.Rooms(ctx)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex // guards rooms while answers come
	take := func(m *Message) {
		mu.Lock()
		defer mu.Unlock()
		rooms = append(rooms, m.Rooms...)
		for _, s := range m.Sockets {
			rooms = append(rooms, s.Rooms...)
		}
	}
	kind := FetchSockets
	if a.traits.AllRooms {
		kind = AllRooms
	}
	err = a.ask(ctx, &Message{Type: kind}, take)
	slices.Sort(rooms)
	return slices.Compact(rooms), err
}

// ServerSideEmit sends args to the other nodes; with each it waits for the
// answer of every one of them.
func (a *Adapter) ServerSideEmit(ctx context.Context, args parser.Args, each func(parser.Args)) error {
	m := &Message{Type: ServerSideEmit, Args: args}
	if each == nil {
		return a.publish(m)
	}
	return a.ask(ctx, m, func(m *Message) { each(m.Args) })
}
