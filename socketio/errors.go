package socketio

import (
	"context"
	"errors"
	"net"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/internal/ctxend"
	"github.com/hermod-io/hermod/socketio/args"
)

var (
	// ErrClosed is returned by what needs a connected socket when it has left.
	// errors.Is(err, net.ErrClosed) holds.
	ErrClosed = engineio.ErrClosed
	// ErrQueueFull is returned by an emit that found the queue of its client
	// full, if engineio.Queue.OnFull says that the newest is dropped.
	ErrQueueFull = engineio.ErrQueueFull
	// ErrReserved is wrapped by the error of an emit whose event name the
	// protocol keeps for itself, such as "connect".
	ErrReserved = args.ErrReserved
	// ErrParent is returned by what a parent of namespaces cannot do for all of
	// them, see Server.OfPattern.
	ErrParent = errors.New("socketio: not supported on the parent of namespaces")
)

// Error is an error whose content the client may see: as the ack of a handler
// that returned it, or as CONNECT_ERROR (without Code) of a middleware. Its fields are
// Code, Message, Data and More; see [args.Error].
type Error = args.Error

// ArgError reports a received argument that is missing or of the wrong type. As
// an ack it has the code bad_request. Its fields are Index and Err; see [args.ArgError].
type ArgError = args.ArgError

// AckError reports that acks, or answers of other nodes, are missing; those that came
// stand. Its fields are Missing, Nodes and Err; see [args.AckError]. A timeout makes it
// a net.Error that says so, and errors.Is of it context.DeadlineExceeded; the end of a
// context makes errors.Is of it context.Canceled or context.DeadlineExceeded, and the
// context's cause.
type AckError = args.AckError

// EncodeError reports an argument of an emit or an ack that could not be
// encoded. Nothing was sent. Its fields are Event and Err; see [args.EncodeError].
type EncodeError = args.EncodeError

// Errorf returns an *Error with a formatted message and no data.
func Errorf(code, format string, a ...any) *Error { return args.Errorf(code, format, a...) }

// DisconnectError is the cause of a socket's context after it left, and what
// ends a wait for its ack. errors.Is(err, ErrClosed) and
// errors.Is(err, net.ErrClosed) hold.
type DisconnectError struct {
	Reason Reason // what OnDisconnect is given
	Err    error  // says more than Reason; may be nil
}

// Error tells the reason.
func (e *DisconnectError) Error() string {
	if e.Err == nil {
		return "socketio: disconnected: " + string(e.Reason)
	}
	return "socketio: disconnected: " + string(e.Reason) + ": " + e.Err.Error()
}

// Unwrap returns Err.
func (e *DisconnectError) Unwrap() error { return e.Err }

// Is makes a DisconnectError count as ErrClosed and net.ErrClosed.
func (e *DisconnectError) Is(target error) bool {
	return target == ErrClosed || target == net.ErrClosed
}

// partial turns the adapter's error about missing answers into ours. If they are
// missing since ctx has ended, it tells all of that.
func partial(ctx context.Context, err error) error {
	var p *adapters.PartialError
	if !errors.As(err, &p) {
		return err
	}
	why := p.Cause
	if ended := ctxend.Err(ctx); ended != nil && errors.Is(why, context.Cause(ctx)) {
		why = ended
	}
	return &AckError{Missing: p.Missing, Nodes: p.Nodes, Err: why}
}

func reservedError(name string) error { return args.Reserved(name) }
