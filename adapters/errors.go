package adapters

import (
	"errors"
	"fmt"
	"net"
)

// ErrNoSession is returned by a [Recoverer] that has no such session.
var ErrNoSession = errors.New("adapters: no such session")

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
	// Missing is how many answers did not come.
	Missing int
	// Cause is why the wait ended: context.DeadlineExceeded after
	// Flags.Timeout, the context's cause, or [ErrClosed].
	Cause error
}

// Error tells how many answers are missing, and why.
func (e *PartialError) Error() string {
	return fmt.Sprintf("adapters: %d answers missing: %v", e.Missing, e.Cause)
}

// Unwrap returns the cause.
func (e *PartialError) Unwrap() error { return e.Cause }
