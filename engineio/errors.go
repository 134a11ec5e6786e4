package engineio

import (
	"errors"
	"net"
	"net/http"
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
type AllowError struct {
	Message string // sent in place of "Forbidden"
}

// Error returns Message.
func (e *AllowError) Error() string { return e.Message }

// ConnectionError is a refused request.
type ConnectionError struct {
	// Request is the refused one.
	Request *http.Request
	// Code is a code of the protocol: [CodeUnknownTransport] and so on.
	Code int
	// Message is what the client is told.
	Message string
	// Context says more, with the keys of the official server.
	Context map[string]any

	status int // of the response; 0 is that of the code
}

// Status is the status of the response.
func (e *ConnectionError) Status() int {
	switch {
	case e.status != 0:
		return e.status
	case e.Code == CodeForbidden && !isUpgrade(e.Request):
		return http.StatusForbidden
	}
	return http.StatusBadRequest
}

// Reason is why a session ended; the strings are the official server's.
type Reason string

// The reasons of Handler.OnClose.
const (
	// TransportClose: the client has closed the connection, or said so.
	TransportClose Reason = "transport close"
	// TransportError: reading or writing failed, or the client broke a rule of
	// the transport.
	TransportError Reason = "transport error"
	// PingTimeout: the client did not answer a heartbeat in time.
	PingTimeout Reason = "ping timeout"
	// ParseError: the client sent what is no packet.
	ParseError Reason = "parse error"
	// ForcedClose: by Session.Close, or the end of the Server.
	ForcedClose Reason = "forced close"
)
