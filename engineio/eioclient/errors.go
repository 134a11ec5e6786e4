package eioclient

import (
	"errors"
	"fmt"
	"net"
	"net/http"
)

// ErrQueueFull is returned by a send that found the queue full.
var ErrQueueFull = errors.New("engineio: send queue full")

// ErrClosed is returned by a send on a session that has ended, and by Dial
// after Dialer.Close. It satisfies errors.Is(err, net.ErrClosed).
var ErrClosed error = closedError{}

type closedError struct{}

func (closedError) Error() string { return "engineio: session closed" }

func (closedError) Is(target error) bool { return target == net.ErrClosed }

// Reason is why a session ended; the strings are the official client's.
type Reason string

// The reasons of Handler.OnClose.
const (
	// TransportClose: the server has closed the connection, or it was cut.
	TransportClose Reason = "transport close"
	// TransportError: reading or writing failed, or a request was refused.
	TransportError Reason = "transport error"
	// PingTimeout: no ping of the server came in time.
	PingTimeout Reason = "ping timeout"
	// ParseError: the server sent what is no packet.
	ParseError Reason = "parse error"
	// ForcedClose: by Session.Close or Dialer.Close.
	ForcedClose Reason = "forced close"
)

// DialError is a connection that could not be made, and a request that was
// refused later.
type DialError struct {
	// Transport is the one that was tried.
	Transport string
	// Status is that of the HTTP response; 0 without one.
	Status int
	// Code is what an Engine.IO server says of a refused request, if there is a
	// Message: 0 transport unknown, 1 session unknown, 2 bad method, 3 bad request,
	// 4 forbidden, 5 unsupported protocol. Over WebSocket it says the Message alone,
	// which the Code follows from: 4 for any text of the application's own.
	Code int
	// Message is its text for that; "" if it said nothing.
	Message string
	// Err is the cause if there was no response that says more; may be nil.
	Err error
}

// Error returns the transport and what is known of Status, Message, Code and Err.
func (e *DialError) Error() string {
	text := "engineio: " + e.Transport
	switch {
	case e.Message != "":
		return fmt.Sprintf("%s: refused with status %d: %s (code %d)", text, e.Status, e.Message, e.Code)
	case e.Status != 0 && e.Err != nil:
		return fmt.Sprintf("%s: status %d: %v", text, e.Status, e.Err)
	case e.Status != 0:
		return fmt.Sprintf("%s: status %d %s", text, e.Status, http.StatusText(e.Status))
	}
	return fmt.Sprintf("%s: %v", text, e.Err)
}

// Unwrap returns Err.
func (e *DialError) Unwrap() error { return e.Err }

// Timeout reports whether the time for the connection was over, as net.Error has it.
func (e *DialError) Timeout() bool {
	var t interface{ Timeout() bool }
	return errors.As(e.Err, &t) && t.Timeout()
}

// Temporary is part of net.Error; it is the same as Timeout.
func (e *DialError) Temporary() bool { return e.Timeout() }

var _ net.Error = (*DialError)(nil)
