package adapters

import (
	"errors"
	"fmt"
	"net"
)

// ErrNoSession is returned by a [Recoverer] that has no such session.
var ErrNoSession = errors.New("adapters: no such session")

// ErrNodeLost is the cause of a [PartialError] when nothing is awaited any more
// because a node that was asked is gone.
var ErrNodeLost = errors.New("adapters: node lost")

// ErrQueueFull is returned by a Broadcast that the other nodes will not get,
// since too much waits to be sent to them. This node's members get it.
var ErrQueueFull = errors.New("adapters: queue to other nodes full")

// SubscriptionPending is the error of a Join whose membership stands on this
// node, while it is not confirmed that broadcasts of other nodes to these rooms
// arrive here. It is retried until it is, or the rooms are left.
type SubscriptionPending struct {
	// Rooms are those that were to be joined.
	Rooms []string
	// Cause is why the wait ended: context.DeadlineExceeded after the join
	// timeout of the adapter, the context's cause, or the loss of the link.
	Cause error
}

// Error names the rooms.
func (e *SubscriptionPending) Error() string {
	return fmt.Sprintf("adapters: subscription to %q pending: %v", e.Rooms, e.Cause)
}

// Unwrap returns the cause.
func (e *SubscriptionPending) Unwrap() error { return e.Cause }

// ErrClosed is returned by an [Adapter] that was closed; it satisfies
// errors.Is(err, net.ErrClosed).
var ErrClosed error = closedError{}

type closedError struct{}

func (closedError) Error() string { return "adapters: closed" }

// Is makes ErrClosed count as net.ErrClosed.
func (closedError) Is(target error) bool { return target == net.ErrClosed }

// PartialError reports that some of those asked have not answered in time. The
// answers that came stand.
type PartialError struct {
	// Missing is how many answers did not come: those of sockets that were
	// asked, and one for each node that did not tell whom it asked.
	Missing int
	// Nodes is how many other nodes did not answer, or not for all their
	// sockets before they were lost; 0 when every node is heard.
	Nodes int
	// Cause is why the wait ended: context.DeadlineExceeded after
	// Flags.Timeout, the context's cause, [ErrNodeLost] or [ErrClosed].
	Cause error
}

// Error tells how many answers are missing, and why.
func (e *PartialError) Error() string {
	if e.Nodes > 0 {
		return fmt.Sprintf("adapters: %d answers missing, %d nodes silent: %v", e.Missing, e.Nodes, e.Cause)
	}
	return fmt.Sprintf("adapters: %d answers missing: %v", e.Missing, e.Cause)
}

// Unwrap returns the cause.
func (e *PartialError) Unwrap() error { return e.Cause }
