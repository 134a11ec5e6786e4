package socketio

import (
	"context"

	"github.com/hermod-io/hermod/socketio/args"
	"github.com/hermod-io/hermod/socketio/event"
)

// Gatherer is who asks many at once: a Server, a Namespace, a Broadcast, or the other
// nodes, see ServerSide.
type Gatherer interface {
	// EmitWithAck sends an event and waits for all answers; with an error it returns
	// those that came.
	EmitWithAck(ctx context.Context, event string, args ...any) (Replies, error)
}

var (
	_ Gatherer = (*Server)(nil)
	_ Gatherer = (*Namespace)(nil)
	_ Gatherer = Broadcast{}
	_ Gatherer = ServerSide{}
)

// Answer is what one of many has answered.
type Answer[Out any] struct {
	// Value is what was answered, as far as it could be decoded.
	Value Out
	// Err is nil, an *ArgError of what could not, or the *Error that the ack stands for.
	Err error
}

// Gather is EmitWithAck of g by a typed descriptor: it sends a request and waits for
// the answers of all that g reaches. They come in the order of their arrival. The
// error is that of g; where it is an *AckError the answers of some are missing.
func Gather[In, Out any](ctx context.Context, g Gatherer, q event.Request[In, Out], in In) ([]Answer[Out], error) {
	replies, err := g.EmitWithAck(ctx, q.Name(), event.Split(in)...)
	answers := make([]Answer[Out], len(replies))
	for i, reply := range replies {
		answers[i].Err = args.Answer(reply, nil, &answers[i].Value)
	}
	return answers, err
}

// ServerSide stands for the other nodes where a typed descriptor is told to whom to
// go: ServerSideEmit and ServerSideEmitWithAck of a namespace under other names.
type ServerSide struct{ ns *Namespace }

var _ event.Emitter = ServerSide{}

// ServerSide returns the namespace's other nodes.
func (n *Namespace) ServerSide() ServerSide { return ServerSide{n} }

// Emit is Namespace.ServerSideEmit that ends with the server.
func (s ServerSide) Emit(event string, args ...any) error {
	return s.ns.ServerSideEmit(s.ns.srv.ctx, event, args...)
}

// EmitWithAck is Namespace.ServerSideEmitWithAck.
func (s ServerSide) EmitWithAck(ctx context.Context, event string, args ...any) (Replies, error) {
	return s.ns.ServerSideEmitWithAck(ctx, event, args...)
}

// ServerSideRegistrar is a Server or a Namespace.
type ServerSideRegistrar interface {
	// OnServerSide sets the handler of an event of other nodes, see
	// [Namespace.OnServerSide].
	OnServerSide(event string, f func(ctx context.Context, e *Event) error)
}

// HandleServerSideMessage is OnServerSide by a typed descriptor. Arguments are decoded
// as Receive does.
func HandleServerSideMessage[T any](r ServerSideRegistrar, m event.Message[T], f func(ctx context.Context, v T) error) {
	h := Receive(func(ctx context.Context, _ *Socket, v T) error { return f(ctx, v) })
	r.OnServerSide(m.Name(), func(ctx context.Context, e *Event) error { return h(ctx, nil, e) })
}

// HandleServerSideRequest is OnServerSide by a typed descriptor, whose answer is the
// result of f; see Reply.
func HandleServerSideRequest[In, Out any](r ServerSideRegistrar, q event.Request[In, Out], f func(ctx context.Context, in In) (Out, error)) {
	h := Reply(func(ctx context.Context, _ *Socket, in In) (Out, error) { return f(ctx, in) })
	r.OnServerSide(q.Name(), func(ctx context.Context, e *Event) error { return h(ctx, nil, e) })
}
