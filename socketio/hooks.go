package socketio

import (
	"context"

	"github.com/hermod-io/hermod/adapters"
)

// Use adds a connection middleware. Middlewares run in order for each CONNECT,
// before the socket is part of the namespace; they may block. The first error
// refuses the client: an *Error with {message, data}, an *ArgError, as DecodeAuth
// returns, with "invalid auth", any other with its text, a panic, or the end of the
// goroutine, with "internal error".
func (n *Namespace) Use(f func(ctx context.Context, s *Socket) error) {
	n.change(func(t *table) { t.middlewares = append(t.middlewares, f) })
}

// OnConnect adds a function that is called when a socket has joined, before its
// first event is handled. An error disconnects it.
func (n *Namespace) OnConnect(f func(ctx context.Context, s *Socket) error) {
	n.change(func(t *table) { t.onConnect = append(t.onConnect, f) })
}

// On sets the handler of an event, in place of an earlier one; nil removes it.
// An event without a handler is ignored, also if it asks for an ack.
func (n *Namespace) On(event string, h Handler) {
	n.change(func(t *table) { t.setHandler(event, h) })
}

// OnAny adds a catch-all, called for each event before the middlewares of
// UseEvent and the handler, which run whatever it returns. Its error is dealt
// with as theirs, once all have run. off removes it.
func (n *Namespace) OnAny(h Handler) (off func()) {
	c := &catchAll{h}
	n.change(func(t *table) { t.onAny = append(t.onAny, c) })
	return func() { n.change(func(t *table) { t.onAny = without(t.onAny, c) }) }
}

// PrependAny is OnAny in front of the catch-alls there are.
func (n *Namespace) PrependAny(h Handler) (off func()) {
	c := &catchAll{h}
	n.change(func(t *table) { t.onAny = append([]*catchAll{c}, t.onAny...) })
	return func() { n.change(func(t *table) { t.onAny = without(t.onAny, c) }) }
}

// OnAnyOutgoing adds a function that is called for each emit and broadcast to a
// socket of this node (not for acks), before it is sent, also if it is then
// dropped. Who emits waits for it, so it must not block; it is called on another
// goroutine by a broadcast, and with Config.Recovery by an emit, too. There it is
// called right after the event was queued, and sees the offset as the last argument;
// while it runs, also for another socket, who else emits does not wait, but leaves it
// what is to be told. It hears of what is sent to one socket in that order, but for
// what asks for an ack while another goroutine emits.
// Event.Ack does nothing. off removes it.
func (n *Namespace) OnAnyOutgoing(f func(s *Socket, e *Event)) (off func()) {
	o := &overhearer{f}
	n.change(func(t *table) { t.onAnyOutgoing = append(t.onAnyOutgoing, o) })
	return func() { n.change(func(t *table) { t.onAnyOutgoing = without(t.onAnyOutgoing, o) }) }
}

// PrependAnyOutgoing is OnAnyOutgoing in front of the functions there are.
func (n *Namespace) PrependAnyOutgoing(f func(s *Socket, e *Event)) (off func()) {
	o := &overhearer{f}
	n.change(func(t *table) { t.onAnyOutgoing = append([]*overhearer{o}, t.onAnyOutgoing...) })
	return func() { n.change(func(t *table) { t.onAnyOutgoing = without(t.onAnyOutgoing, o) }) }
}

// UseEvent adds a middleware around all handlers, the first one outermost. It
// also sees events without a handler. One that returns an error without calling
// next drops the event; the error is dealt with as a handler's.
func (n *Namespace) UseEvent(mw func(next Handler) Handler) {
	n.change(func(t *table) { t.setAround(mw) })
}

// OnDisconnecting adds a function that is called when a socket has left, after
// its last handler, while its rooms can still be read. Nothing can be sent to
// it any more.
func (n *Namespace) OnDisconnecting(f func(s *Socket, r Reason)) {
	n.change(func(t *table) { t.onDisconnecting = append(t.onDisconnecting, f) })
}

// OnDisconnect adds a function that is called last, once for each socket that
// OnConnect was called for. When the client joins again over the same connection, that
// waits until these functions have returned, but for 10 s at most.
func (n *Namespace) OnDisconnect(f func(s *Socket, r Reason)) {
	n.change(func(t *table) { t.onDisconnect = append(t.onDisconnect, f) })
}

// OnSessionExpired adds a function that is called with each session that could
// have been recovered and was not: its time ran out, or its client came back
// when packets that it missed were gone, or too many. Data is the JSON text of
// what was attached to the socket. It runs on a goroutine of its own. Without
// Config.Recovery it is never called.
func (n *Namespace) OnSessionExpired(f func(s adapters.Session)) {
	n.change(func(t *table) { t.onExpired = append(t.onExpired, f) })
}

// OnError adds a function that hears errors and panics of handlers and hooks
// (event is "" when there was none), that a client broke the protocol (the
// error is then a *parser.Error), and that it exceeded a limit (*LimitError). It
// must not block for long: the socket's next event waits. It is called for several
// sockets at once.
func (n *Namespace) OnError(f func(s *Socket, event string, err error)) {
	n.change(func(t *table) { t.onError = append(t.onError, f) })
}

// OnServerSide sets the handler of an event that another node sent with
// ServerSideEmit, in place of an earlier one. Such events are handled one at a
// time, in order. Event.Ack answers, to a node that asked by ServerSideEmitWithAck; an
// error becomes the answer, as a handler's would. Without either, or without f, that
// node waits until its deadline. While 4096 events wait further ones are dropped,
// which is logged.
func (n *Namespace) OnServerSide(event string, f func(ctx context.Context, e *Event) error) {
	n.change(func(t *table) {
		t.serverSide = t.serverSide.set(event, f, f == nil)
	})
}
