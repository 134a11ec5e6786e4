// Package event holds typed descriptors of events: the name and the types of
// an event, written once for server, client and tests. They are usable as
// constants and cost nothing.
//
//	const (
//		Join   event.Request[JoinReq, JoinRes] = "join"   // asks for an ack
//		Typing event.Message[string]           = "typing" // does not
//	)
package event

import "context"

// Message describes an event without an ack whose argument is a T.
type Message[T any] string

// Request describes an event with an argument In whose ack is an Out.
type Request[In, Out any] string

// Emitter is what can send an event: a server, a namespace, a socket, a broadcast.
type Emitter interface {
	Emit(event string, args ...any) error
}

// Caller is what can send an event and wait for its ack, whose first argument
// it decodes into reply.
type Caller interface {
	Call(ctx context.Context, event string, reply any, args ...any) error
}
