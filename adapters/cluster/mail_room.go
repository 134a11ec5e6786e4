package cluster

import (
	"context"
	"errors"
	"net"
	"sync"
)

// MailRoom is the [Mail] of nodes in one process: for tests, and for programs
// that run several servers. The zero value is ready to use. Nothing is lost, but
// for what is sent to a node that is not there.
type MailRoom struct {
	mu    sync.Mutex // guards what follows
	nodes map[NodeID]*mailBox
}

// Join returns the Mail of one more node.
func (m *MailRoom) Join() Mail { return &mailBox{room: m, done: make(chan struct{})} }

// mailBox is a node's. One goroutine empties it, started by Open and stopped by
// Close, which waits for it.
type mailBox struct {
	room *MailRoom
	self NodeID // written by Open
	done chan struct{}

	mu     sync.Mutex // guards what follows
	cond   sync.Cond
	queue  [][]byte
	open   bool
	closed bool
}

var errMailOpen = errors.New("cluster: this Mail was opened before")

// Open implements Mail.
func (b *mailBox) Open(_ context.Context, self NodeID, receive func([]byte)) error {
	b.mu.Lock()
	if b.open || b.closed {
		b.mu.Unlock()
		return errMailOpen
	}
	b.open, b.self, b.cond.L = true, self, &b.mu
	b.mu.Unlock()
	b.room.mu.Lock()
	defer b.room.mu.Unlock()
	if b.room.nodes == nil {
		b.room.nodes = map[NodeID]*mailBox{}
	}
	b.room.nodes[self] = b
	go b.deliver(receive)
	return nil
}

// deliver hands on what arrives.
func (b *mailBox) deliver(receive func([]byte)) {
	defer close(b.done)
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		for len(b.queue) == 0 && !b.closed {
			b.cond.Wait()
		}
		if b.closed {
			return
		}
		list := b.queue
		b.queue = nil
		b.mu.Unlock()
		for _, data := range list {
			receive(data)
		}
		b.mu.Lock()
	}
}

func (b *mailBox) put(data []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		b.queue = append(b.queue, data)
		b.cond.Signal()
	}
}

// Send implements Mail.
func (b *mailBox) Send(to NodeID, data []byte) error {
	b.room.mu.Lock()
	defer b.room.mu.Unlock()
	if b.room.nodes[b.self] != b {
		return net.ErrClosed
	}
	if n := b.room.nodes[to]; n != nil {
		n.put(data)
	}
	return nil
}

// Broadcast implements Mail.
func (b *mailBox) Broadcast(data []byte) error {
	b.room.mu.Lock()
	defer b.room.mu.Unlock()
	if b.room.nodes[b.self] != b {
		return net.ErrClosed
	}
	for _, n := range b.room.nodes {
		n.put(data)
	}
	return nil
}

// Close implements Mail.
func (b *mailBox) Close(ctx context.Context) error {
	b.room.mu.Lock()
	if b.room.nodes[b.self] == b {
		delete(b.room.nodes, b.self)
	}
	b.room.mu.Unlock()
	b.mu.Lock()
	open := b.open
	b.closed = true
	if open {
		b.cond.Signal()
	}
	b.mu.Unlock()
	if !open {
		return nil
	}
	select {
	case <-b.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
