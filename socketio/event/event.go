package event

import "context"

// Message describes an event that carries a T and is not answered. Its value is
// the name of the event; declare it as a constant.
type Message[T any] string

// Request describes an event that carries an In and is answered with an Out.
// Its value is the name of the event; declare it as a constant.
type Request[In, Out any] string

// Emitter sends events: a server, a namespace, a socket, a broadcast, a client.
type Emitter interface {
	// Emit sends an event with its arguments. What it does when the event
	// cannot be sent is the emitter's to say.
	Emit(event string, args ...any) error
}

// Caller sends events that are answered.
type Caller interface {
	// Call sends an event and waits for the answer, for the end of ctx, or for
	// a limit of its own. It decodes the arguments of the answer into what
	// [Targets] makes of reply: a pointer, or nil for an answer that does not
	// matter. An answer that stands for an error is returned as one.
	Call(ctx context.Context, event string, reply any, args ...any) error
}

// Name returns the name of the event.
func (m Message[T]) Name() string { return string(m) }

// Emit sends the event by e. The error is that of e.
func (m Message[T]) Emit(e Emitter, v T) error {
	if isArgs(v) {
		return e.Emit(string(m), Split(v)...)
	}
	return e.Emit(string(m), v)
}

// Name returns the name of the event.
func (r Request[In, Out]) Name() string { return string(r) }

// Call sends the request by c and returns its answer. It blocks as c does. The
// error is that of c; the answer is then what was decoded of it, if anything.
func (r Request[In, Out]) Call(ctx context.Context, c Caller, in In) (Out, error) {
	var out Out
	var err error
	if isArgs(in) {
		err = c.Call(ctx, string(r), &out, Split(in)...)
	} else {
		err = c.Call(ctx, string(r), &out, in)
	}
	return out, err
}
