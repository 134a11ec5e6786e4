package wscore

import (
	"errors"
	"fmt"
	"net"
)

// ErrQueueFull is returned by a send that found the queue full.
var ErrQueueFull = errors.New("wscore: send queue full")

// Error returns which side closed, the code, and the reason and cause if there are any.
func (e *CloseError) Error() string {
	who := "local"
	if e.Remote {
		who = "remote"
	}
	s := fmt.Sprintf("wscore: closed (%s): %d", who, e.Code)
	if e.Reason != "" {
		s += " " + e.Reason
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Is reports that every closed connection is net.ErrClosed.
func (e *CloseError) Is(target error) bool { return target == net.ErrClosed }

// Unwrap returns Err.
func (e *CloseError) Unwrap() error { return e.Err }
