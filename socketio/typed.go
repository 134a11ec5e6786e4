package socketio

import (
	"context"

	"github.com/hermod-io/hermod/socketio/args"
	"github.com/hermod-io/hermod/socketio/event"
)

// Message describes an event that carries a T and is not answered; see
// event.Message.
type Message[T any] = event.Message[T]

// Request describes an event that carries an In and is answered with an Out; see
// event.Request.
type Request[In, Out any] = event.Request[In, Out]

// Registrar is a Server, a Namespace or a Socket.
type Registrar interface {
	// On sets the handler of an event, see [Namespace.On] and [Socket.On].
	On(event string, h Handler)
}

// HandleMessage registers a handler by a typed descriptor; see Receive.
func HandleMessage[T any](r Registrar, m event.Message[T], f func(ctx context.Context, s *Socket, v T) error) {
	r.On(m.Name(), Receive(f))
}

// HandleRequest registers a handler by a typed descriptor; see Reply.
func HandleRequest[In, Out any](r Registrar, q event.Request[In, Out], f func(ctx context.Context, s *Socket, in In) (Out, error)) {
	r.On(q.Name(), Reply(f))
}

// Receive makes a Handler of a function of the event's first argument, of several if
// T is a struct with event.Args, or of all if it is an event.Rest. An argument that is
// missing or of the wrong type is an *ArgError, and f is not called; surplus ones are
// ignored. The text that a T is decoded from is used again: an UnmarshalJSON, or a codec
// of the application's, copies what it keeps of it, as json.Unmarshaler says.
func Receive[T any](f func(ctx context.Context, s *Socket, v T) error) Handler {
	decode := args.NewDecoder[T]().Func()
	return noteForgetful(func(ctx context.Context, s *Socket, e *Event) error {
		v, err := decode(&e.Args)
		if err != nil {
			return err
		}
		return f(ctx, s, v)
	})
}

// Reply is Receive of a function whose result is the ack. With an error the ack
// is that of the error. If no ack was asked for the result is dropped.
func Reply[In, Out any](f func(ctx context.Context, s *Socket, in In) (Out, error)) Handler {
	decode := args.NewDecoder[In]().Func()
	several := args.Several[Out]()
	return noteForgetful(func(ctx context.Context, s *Socket, e *Event) error {
		v, err := decode(&e.Args)
		if err != nil {
			return err
		}
		out, err := f(ctx, s, v)
		if err != nil || !e.WantsAck() {
			return err
		}
		if several {
			return e.Ack(args.Split(&out)...)
		}
		return e.Ack(out)
	})
}
