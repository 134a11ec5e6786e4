package args

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
)

// ErrReserved is wrapped by the error of an emit whose event name the protocol
// keeps for itself, such as "connect".
var ErrReserved = errors.New("reserved event name")

var errMissing = errors.New("missing")

// Reserved returns an error about the name of an event that wraps ErrReserved.
func Reserved(name string) error { return fmt.Errorf("socketio: %q: %w", name, ErrReserved) }

// Error is an error whose content the peer may see: as the ack of a handler
// that returned it, or as CONNECT_ERROR (without Code) of a middleware.
type Error struct {
	Code    string // for programs
	Message string // for people
	Data    any    // any more; nil is left out

	// More are further members of the error object of an ack, as servers of others
	// have them; nil is none. A code, a message or data in it does not count. It is no
	// part of a CONNECT_ERROR.
	More map[string]any
}

// Errorf returns an *Error with a formatted message and no data.
func Errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Error returns the code and the message.
func (e *Error) Error() string {
	if e.Code == "" {
		return "socketio: " + e.Message
	}
	return "socketio: " + e.Code + ": " + e.Message
}

// ArgError reports a received argument that is missing or of the wrong type. As
// an ack it has the code bad_request.
type ArgError struct {
	Index int   // of the argument, from 0
	Err   error // that it is missing, or what the codec says
}

// Error tells which argument is wrong, and why.
func (e *ArgError) Error() string {
	return "socketio: argument " + strconv.Itoa(e.Index) + ": " + e.Err.Error()
}

// Unwrap returns Err.
func (e *ArgError) Unwrap() error { return e.Err }

// brief is what the peer may see of it: nothing of our types.
func (e *ArgError) brief() string {
	if e.Err == errMissing {
		return "argument " + strconv.Itoa(e.Index) + ": missing"
	}
	return "argument " + strconv.Itoa(e.Index) + ": invalid"
}

// AckError reports that acks, or answers of other nodes, are missing; those that came
// stand.
type AckError struct {
	Missing int   // how many did not come
	Nodes   int   // how many other nodes of the cluster did not answer, or not for all their sockets
	Err     error // why the wait ended
}

// Error tells how many answers are missing, and why.
func (e *AckError) Error() string {
	silent := ""
	if e.Nodes > 0 {
		silent = ", " + count(e.Nodes, "node") + " silent"
	}
	return fmt.Sprintf("socketio: %s missing%s: %v", count(e.Missing, "answer"), silent, e.Err)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// Unwrap returns Err: context.DeadlineExceeded after a timeout, else what ended
// the wait.
func (e *AckError) Unwrap() error { return e.Err }

// Timeout reports whether a deadline passed, as net.Error has it.
func (e *AckError) Timeout() bool { return errors.Is(e.Err, context.DeadlineExceeded) }

// Temporary is part of net.Error; it is the same as Timeout.
func (e *AckError) Temporary() bool { return e.Timeout() }

var _ net.Error = (*AckError)(nil)

// EncodeError reports an argument of an emit or an ack that could not be
// encoded. Nothing was sent.
type EncodeError struct {
	Event string // its name
	Err   error  // what the codec says; a *parser.ArgError tells which argument
}

// Error tells the event and what is wrong.
func (e *EncodeError) Error() string {
	return "socketio: encode " + strconv.Quote(e.Event) + ": " + e.Err.Error()
}

// Unwrap returns Err.
func (e *EncodeError) Unwrap() error { return e.Err }
