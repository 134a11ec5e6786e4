package memory

import (
	"context"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/socketio/parser"
)

// Broadcast hands p and the members of t to the namespace. The error is nil.
// With recovery broadcasts follow one another: each waits until those before it
// were handed over.
func (a *Adapter) Broadcast(p *parser.Packet, t adapters.Target) error {
	if a.recovery != nil && p.Type == parser.Event && !p.HasID {
		a.publish(p, t)
		return nil
	}
	s := a.pick(t)
	if len(s.members) > 0 {
		a.local.Deliver(p, t.Flags, s.all)
	}
	a.release(s)
	return nil
}

// BroadcastAck is Broadcast for a packet that asks for an ack. It waits until
// all that were asked have answered (nil; at once if nobody was asked), or
// until ctx or t.Flags.Timeout ended, or Close: then the error is an
// *[adapters.PartialError]. A member that leaves meanwhile stays counted.
func (a *Adapter) BroadcastAck(ctx context.Context, p *parser.Packet, t adapters.Target, each func(parser.Args)) error {
	s := a.pick(t)
	if len(s.members) == 0 {
		a.release(s)
		return nil
	}
	w := newAckWait(each)
	asked, stop := a.local.DeliverAck(p, t.Flags, s.all, w.answer)
	a.release(s)
	defer stop()
	return w.wait(ctx, asked, t.Flags.Timeout, a.closed)
}

// Ask is BroadcastAck without the wait, for an adapter that counts the answers
// of several nodes: asked is how many members of this node were asked; stop
// forgets the answers still missing and must be called. each is called as by
// [adapters.Local].DeliverAck.
func (a *Adapter) Ask(p *parser.Packet, t adapters.Target, each func(parser.Args)) (asked int, stop func()) {
	s := a.pick(t)
	defer a.release(s)
	if len(s.members) == 0 {
		return 0, func() {}
	}
	return a.local.DeliverAck(p, t.Flags, s.all, func(_ adapters.Member, args parser.Args) { each(args) })
}

// ServerSideEmit reaches nobody: there is no other node. each is not called and
// the error is nil.
func (a *Adapter) ServerSideEmit(context.Context, parser.Args, func(parser.Args)) error {
	return nil
}
