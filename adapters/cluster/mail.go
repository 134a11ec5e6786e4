package cluster

import (
	"context"
	"fmt"
)

// NodeID names a node of a cluster of Routers. It is drawn at random when the
// node starts and never used again.
type NodeID uint32

// String is the id in hexadecimal, eight digits.
func (id NodeID) String() string { return fmt.Sprintf("%08x", uint32(id)) }

// Mail carries the messages of a [Router] from node to node. It is made for one
// Router, which opens and closes it. Messages from one node to another arrive in
// the order in which they were sent, and at most once; that some are lost is
// noticed by the Router. Send and Broadcast are called from many goroutines.
type Mail interface {
	// Open begins to receive: what is sent to self, and what is broadcast, by
	// others and perhaps by this node itself. It returns when that arrives, or
	// with an error or the end of ctx. receive is called by one goroutine at a
	// time; it does not block, and data is lent to it until it returns.
	Open(ctx context.Context, self NodeID, receive func(data []byte)) error
	// Send sends data, which it may keep, to one node. It never blocks and never
	// calls receive. An error says that the message is lost; without one it may
	// be lost still.
	Send(to NodeID, data []byte) error
	// Broadcast is Send to all nodes. Order with regard to Send does not matter.
	Broadcast(data []byte) error
	// Close ends it. What was sent before leaves, until ctx ends. No receive is
	// running, and none follows, when it returned nil.
	Close(ctx context.Context) error
}
