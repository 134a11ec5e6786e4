package engineio

import (
	"errors"
	"net"
)

// ErrQueueFull is returned by a send that found the queue of its client full.
var ErrQueueFull = errors.New("engineio: send queue full")

// ErrClosed is returned by a send on a session that has ended. It satisfies
// errors.Is(err, net.ErrClosed).
var ErrClosed error = closedError{}

type closedError struct{}

func (closedError) Error() string { return "engineio: session closed" }

func (closedError) Is(target error) bool { return target == net.ErrClosed }

// AllowError is the error of an AllowRequest whose text the client may see.
type AllowError struct{ Message string }

func (e *AllowError) Error() string { return e.Message }
