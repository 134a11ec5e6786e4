package socketio

import (
	"context"
	"sync"

	"github.com/hermod-io/hermod/socketio/event"
)

// Message describes an event that carries a T and is not answered; see
// event.Message.
type Message[T any] = event.Message[T]

// Request describes an event that carries an In and is answered with an Out; see
// event.Request.
type Request[In, Out any] = event.Request[In, Out]

// Registrar is a Server, a Namespace or a Socket.
type Registrar interface{ On(event string, h Handler) }

// HandleMessage registers a handler by a typed descriptor; see Receive.
func HandleMessage[T any](r Registrar, m event.Message[T], f func(ctx context.Context, s *Socket, v T) error) {
	r.On(m.Name(), Receive(f))
}

// HandleRequest registers a handler by a typed descriptor; see Reply.
func HandleRequest[In, Out any](r Registrar, q event.Request[In, Out], f func(ctx context.Context, s *Socket, in In) (Out, error)) {
	r.On(q.Name(), Reply(f))
}

// Receive makes a Handler of a function of the event's first argument, or of
// several if T is a struct with event.Args. An argument that is missing or of
// the wrong type is an *ArgError, and f is not called; surplus ones are ignored.
func Receive[T any](f func(ctx context.Context, s *Socket, v T) error) Handler {
	in := newDecoding[T]()
	return func(ctx context.Context, s *Socket, e *Event) error {
		v, err := in.decode(e)
		if err != nil {
			return err
		}
		return f(ctx, s, v)
	}
}

// Reply is Receive of a function whose result is the ack. With an error the ack
// is that of the error. If no ack was asked for the result is dropped.
func Reply[In, Out any](f func(ctx context.Context, s *Socket, in In) (Out, error)) Handler {
	in := newDecoding[In]()
	several := takesArgs[Out]()
	return func(ctx context.Context, s *Socket, e *Event) error {
		v, err := in.decode(e)
		if err != nil {
			return err
		}
		out, err := f(ctx, s, v)
		if err != nil || !e.WantsAck() {
			return err
		}
		if several {
			return e.Ack(event.Split(out)...)
		}
		return e.Ack(out)
	}
}

// decoding decodes the arguments of events into a T. The values that it decodes
// into are used again, so that an event does not cost one.
type decoding[T any] struct {
	several bool // T stands for several arguments
	values  sync.Pool
}

func newDecoding[T any]() *decoding[T] {
	d := &decoding[T]{several: takesArgs[T]()}
	d.values.New = func() any { return new(T) }
	return d
}

func (d *decoding[T]) decode(e *Event) (v T, err error) {
	p := d.values.Get().(*T)
	if d.several {
		err = e.Scan(event.Targets(p)...)
	} else {
		err = e.Decode(0, p)
	}
	v = *p
	var zero T
	*p = zero // what was decoded is the handler's
	d.values.Put(p)
	return v, err
}

// takesArgs reports whether T is a struct with event.Args, or a pointer to one.
func takesArgs[T any]() bool {
	p := new(T)
	targets := event.Targets(p)
	return len(targets) != 1 || targets[0] != any(p)
}
