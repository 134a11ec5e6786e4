package sioclient

import (
	"encoding/json"
	"errors"
	"net"

	"github.com/hermod-io/hermod/engineio/eioclient"
	"github.com/hermod-io/hermod/socketio/args"
)

var (
	// ErrClosed is returned by what needs a Socket that was closed, and by
	// Connect if Disconnect was called meanwhile. errors.Is(err, net.ErrClosed)
	// holds.
	ErrClosed = eioclient.ErrClosed
	// ErrQueueFull is returned by an emit that found the queue full: of what
	// waits for the network, or of what waits for a connection.
	ErrQueueFull = eioclient.ErrQueueFull
	// ErrReserved is wrapped by the error of an emit whose event name the
	// protocol keeps for itself, such as "connect".
	ErrReserved = args.ErrReserved
)

// Error is an error whose content the server may see, as the ack of a handler
// that returned it; what Call returns for the ack of such an error. Its fields are Code,
// Message, Data and More; see [args.Error].
type Error = args.Error

// ArgError reports a received argument that is missing or of the wrong type. As
// an ack it has the code bad_request. Its fields are Index and Err; see [args.ArgError].
type ArgError = args.ArgError

// AckError reports that an ack did not come in time; see [args.AckError]. It is a
// net.Error, and errors.Is of it context.DeadlineExceeded; when a context was cancelled
// it is context.Canceled, and the context's cause.
type AckError = args.AckError

// EncodeError reports an argument of an emit or an ack that could not be
// encoded. Nothing was sent. Its fields are Event and Err; see [args.EncodeError].
type EncodeError = args.EncodeError

// Errorf returns an *Error with a formatted message and no data.
func Errorf(code, format string, a ...any) *Error { return args.Errorf(code, format, a...) }

// DisconnectError is the cause of a Socket's context after it left, and what
// ends a wait for an ack. errors.Is(err, net.ErrClosed) holds.
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

// ConnectError is the server's refusal to let a Socket join its namespace.
type ConnectError struct {
	Namespace string          // the one that it asked for
	Message   string          // what the server says
	Data      json.RawMessage // nil if there is none
}

// Error tells the namespace and the message.
func (e *ConnectError) Error() string {
	return "socketio: connect to " + e.Namespace + ": " + e.Message
}

// newConnectError reads the payload of a CONNECT_ERROR: an object, or a string
// from older servers.
func newConnectError(ns string, payload []byte) *ConnectError {
	e := &ConnectError{Namespace: ns}
	var said struct {
		Message string          `json:"message"`
		Data    json.RawMessage `json:"data"`
	}
	if json.Unmarshal(payload, &said) == nil {
		e.Message, e.Data = said.Message, said.Data
	} else if json.Unmarshal(payload, &e.Message) != nil {
		e.Message = "refused"
	}
	return e
}

var (
	errOldServer = errors.New("socketio: the server speaks an older protocol (v2 or before)")
	errAuth      = errors.New("socketio: the result of Auth is no object")
	errAuthBytes = errors.New("socketio: the result of Auth holds bytes")
	errEarly     = errors.New("socketio: too many events before the answer to CONNECT")
	errGaveUp    = errors.New("socketio: no connection after all attempts")
)
