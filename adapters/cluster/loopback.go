package cluster

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"slices"
	"sync"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/socketio/parser"
)

// loopbackQueue is how many messages may wait for a node of a loopback.
const loopbackQueue = 1 << 16

// Loopback connects the nodes of one process: each Connect of the same
// namespace is a node. Nothing is encoded, and messages arrive on a goroutine of
// the node that gets them, which lives only while there are some.
type Loopback struct {
	mu    sync.Mutex                // guards what follows
	nodes map[string][]*loopbackBus // by namespace
}

// NewLoopback returns a Loopback without nodes. Its Connect goes to [New].
func NewLoopback() *Loopback { return &Loopback{nodes: make(map[string][]*loopbackBus)} }

// Connect is a [Connect] that adds a node.
func (l *Loopback) Connect(namespace string, r Receiver) (Bus, error) {
	var id [8]byte
	rand.Read(id[:])
	b := &loopbackBus{l: l, namespace: namespace, node: hex.EncodeToString(id[:]), receiver: r}
	b.idle.L = &b.mu
	l.mu.Lock()
	defer l.mu.Unlock()
	l.nodes[namespace] = append(l.nodes[namespace], b)
	return b, nil
}

// others returns the nodes beside b; those of the name node, if it is not "".
func (l *Loopback) others(b *loopbackBus, node string) []*loopbackBus {
	l.mu.Lock()
	defer l.mu.Unlock()
	var others []*loopbackBus
	for _, o := range l.nodes[b.namespace] {
		if o != b && (node == "" || o.node == node) {
			others = append(others, o)
		}
	}
	return others
}

func (l *Loopback) remove(b *loopbackBus) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.nodes[b.namespace] = slices.DeleteFunc(slices.Clone(l.nodes[b.namespace]), func(o *loopbackBus) bool { return o == b })
}

// loopbackBus is one node's end of a Loopback.
type loopbackBus struct {
	l               *Loopback
	namespace, node string
	receiver        Receiver

	mu      sync.Mutex // guards what follows
	queue   []*Message
	running bool
	closed  bool
	idle    sync.Cond // signalled when running ends
}

// Traits implements Bus.
func (b *loopbackBus) Traits() Traits {
	return Traits{Node: b.node, Heartbeats: true, AllRooms: true}
}

// Publish implements Bus.
func (b *loopbackBus) Publish(m *Message) error { return b.send(m, "") }

// Answer implements Bus.
func (b *loopbackBus) Answer(request, m *Message) error { return b.send(m, request.From) }

func (b *loopbackBus) send(m *Message, node string) error {
	b.mu.Lock()
	closed := b.closed
	b.mu.Unlock()
	if closed {
		return adapters.ErrClosed
	}
	var err error
	for _, o := range b.l.others(b, node) {
		if !o.put(m.clone()) {
			err = adapters.ErrQueueFull
		}
	}
	return err
}

// clone returns a copy that shares nothing with m that is ever changed.
func (m *Message) clone() *Message {
	c := *m
	c.Target.Rooms, c.Target.Except = slices.Clone(m.Target.Rooms), slices.Clone(m.Target.Except)
	c.Rooms = slices.Clone(m.Rooms)
	c.Args = cloneArgs(m.Args)
	if m.Packet != nil {
		p := *m.Packet
		p.Args = cloneArgs(p.Args)
		c.Packet = &p
	}
	return &c
}

func cloneArgs(a parser.Args) parser.Args {
	c := parser.Args{JSON: slices.Clone(a.JSON), Attachments: slices.Clone(a.Attachments)}
	for i, b := range c.Attachments {
		c.Attachments[i] = slices.Clone(b)
	}
	return c
}

// put queues m for this node; it reports whether there was room.
func (b *loopbackBus) put(m *Message) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return true // it is gone, which is no matter of the sender
	}
	if len(b.queue) >= loopbackQueue {
		return false
	}
	b.queue = append(b.queue, m)
	if !b.running {
		b.running = true
		go b.run() // ends when the queue is empty; Close waits
	}
	return true
}

func (b *loopbackBus) run() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.queue) > 0 && !b.closed {
		queue := b.queue
		b.queue = nil
		b.mu.Unlock()
		for _, m := range queue {
			b.receiver.Receive(m)
		}
		b.mu.Lock()
	}
	b.running = false
	b.idle.Broadcast()
}

// Room implements Bus: everything arrives.
func (b *loopbackBus) Room(string, bool) {}

// Confirm implements Bus.
func (b *loopbackBus) Confirm(context.Context, []string) error { return nil }

// Living implements Bus.
func (b *loopbackBus) Living(context.Context, []string) (int, []string, error) {
	return 1 + len(b.l.others(b, "")), nil, nil
}

// Close implements Bus. A message that is just received is finished.
func (b *loopbackBus) Close(context.Context) error {
	b.l.remove(b)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for b.running {
		b.idle.Wait()
	}
	b.queue = nil
	return nil
}
