package cluster

import (
	"context"
	"time"
)

// Bus carries the messages of one namespace between its nodes. Its methods are
// called from any goroutine. Messages of one node to another arrive in the order
// in which they were handed over, and once, or are lost: what a bus promises
// beyond that, its own documentation says.
type Bus interface {
	// Traits tells what the bus can. They never change.
	Traits() Traits
	// Publish queues m for all other nodes. It never blocks. m and all that it
	// refers to are the caller's again when it returned. The error is [adapters.ErrQueueFull] or [adapters.ErrClosed].
	Publish(m *Message) error
	// Answer queues m, an answer, for the node that sent request. It never
	// blocks; the errors are those of Publish.
	Answer(request, m *Message) error
	// Room says that this node has members in room from now on, or has none any
	// more: then a bus that subscribes per room need not hear of it. It is
	// called in order, under a lock: it must not block, nor call the adapter.
	Room(room string, exists bool)
	// Confirm waits until what other nodes broadcast to rooms, of which Room was
	// told before, arrives here, or until ctx ends. It returns nil at once where
	// everything arrives anyway and for rooms that have no members here (any
	// more), and an error at once while there is no link.
	Confirm(ctx context.Context, rooms []string) error
	// Living returns how many nodes there are, this one included, and which of
	// known are not among them.
	Living(ctx context.Context, known []string) (nodes int, gone []string, err error)
	// Close ends the bus. No Receive is under way, and none follows, when it
	// returned; what was published before is sent, until ctx ends.
	Close(ctx context.Context) error
}

// Traits is what a bus can, and what it needs of the adapter.
type Traits struct {
	// Node is the name of this node in the namespace; messages From it are its
	// own, which came back and are ignored.
	Node string
	// Heartbeats: the bus does not know which nodes there are. The adapters find
	// out by heartbeats, and Living is never called.
	Heartbeats bool
	// AllRooms: the nodes understand the request of that type. Otherwise all
	// sockets are fetched to find the rooms.
	AllRooms bool
	// NewRequestID names a request, unlike all others of the cluster; nil makes
	// 16 random hex digits, as the official ClusterAdapter does.
	NewRequestID func() string
}

// Receiver takes what comes from other nodes. It is implemented by [Adapter].
type Receiver interface {
	// Receive takes a message, which the receiver keeps; but a Broadcast without
	// RequestID is lent, with all that it refers to, until Receive returns. It is
	// called in the order of arrival; it does not block for long.
	Receive(m *Message)
	// Gap tells that messages may have been lost.
	Gap(g Gap)
}

// Gap is a time in which a node may not have heard other nodes, by its own clock.
// What Redis was given before From has arrived, and what it is given after To will.
// Redis may be given a message some time after it was emitted: while a node has no
// link, what it sends waits in its queue.
type Gap struct {
	// From is when this node last asked Redis something that was answered: some
	// seconds before the outage, since it does not ask all the time. To is when the
	// link worked again. On a Cluster From may be too late: a server that has left it,
	// is cut off from it, or does not know yet that it has lost a slot goes on
	// answering.
	From, To time.Time
}

// Connect makes the bus of a namespace. What arrives before Connect returned is
// kept until then, or lost.
type Connect func(namespace string, r Receiver) (Bus, error)
