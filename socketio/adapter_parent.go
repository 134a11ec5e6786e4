package socketio

import (
	"context"
	"errors"
	"sync"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/socketio/parser"
)

// parentAdapter is the adapter of a parent: what it is asked to do, the adapter
// of each child does.
type parentAdapter struct {
	srv    *Server
	parent *parent
}

// each calls f for each child that this node has.
func (a *parentAdapter) each(f func(*Namespace) error) (err error) {
	for _, n := range a.srv.children(a.parent) {
		n.open()
		err = errors.Join(err, a.unlessGone(n, f(n)))
	}
	return err
}

// unlessGone is err, but nil if it comes of n having been removed meanwhile:
// then there is nobody to act on.
func (a *parentAdapter) unlessGone(n *Namespace, err error) error {
	if errors.Is(err, adapters.ErrClosed) && a.srv.stageOf(n) == stageRemoved {
		return nil
	}
	return err
}

// addressed is p for the children's namespace.
func addressed(p *parser.Packet, n *Namespace) *parser.Packet {
	q := *p
	q.Namespace = n.name
	return &q
}

// Join is not called: no Socket is in a parent.
func (a *parentAdapter) Join(context.Context, adapters.Member, ...string) error { return ErrParent }

// Leave is not called.
func (*parentAdapter) Leave(adapters.Member, ...string) {}

// LeaveAll is not called.
func (*parentAdapter) LeaveAll(adapters.Member) {}

// RoomsOf is not called.
func (*parentAdapter) RoomsOf(adapters.Member) []string { return nil }

// Rooms implements adapters.Adapter.
func (*parentAdapter) Rooms(context.Context) ([]string, error) { return nil, ErrParent }

// Broadcast implements adapters.Adapter.
func (a *parentAdapter) Broadcast(p *parser.Packet, t adapters.Target) error {
	return a.each(func(n *Namespace) error { return n.broadcast(addressed(p, n), t) })
}

// BroadcastAck implements adapters.Adapter. The children are asked at once.
func (a *parentAdapter) BroadcastAck(ctx context.Context, p *parser.Packet, t adapters.Target, each func(parser.Args)) error {
	var (
		wg      sync.WaitGroup
		mu      sync.Mutex // guards what follows
		missing adapters.PartialError
		other   error
	)
	for _, n := range a.srv.children(a.parent) {
		wg.Go(func() {
			n.open()
			err := a.unlessGone(n, n.adapter.BroadcastAck(ctx, addressed(p, n), t, each))
			mu.Lock()
			defer mu.Unlock()
			var part *adapters.PartialError
			if errors.As(err, &part) {
				missing.Missing += part.Missing
				missing.Nodes = max(missing.Nodes, part.Nodes) // children have the same nodes
				missing.Cause = part.Cause
			} else {
				other = errors.Join(other, err)
			}
		})
	}
	wg.Wait()
	if missing.Cause != nil && other == nil {
		return &missing
	}
	return other
}

// SocketsJoin implements adapters.Adapter.
func (a *parentAdapter) SocketsJoin(ctx context.Context, t adapters.Target, rooms ...string) error {
	return a.each(func(n *Namespace) error { return n.adapter.SocketsJoin(ctx, t, rooms...) })
}

// SocketsLeave implements adapters.Adapter.
func (a *parentAdapter) SocketsLeave(ctx context.Context, t adapters.Target, rooms ...string) error {
	return a.each(func(n *Namespace) error { return n.adapter.SocketsLeave(ctx, t, rooms...) })
}

// DisconnectSockets implements adapters.Adapter.
func (a *parentAdapter) DisconnectSockets(ctx context.Context, t adapters.Target, closeConn bool) error {
	return a.each(func(n *Namespace) error { return n.adapter.DisconnectSockets(ctx, t, closeConn) })
}

// Fetch implements adapters.Adapter. JS: throws.
func (*parentAdapter) Fetch(context.Context, adapters.Target) ([]adapters.SocketInfo, error) {
	return nil, ErrParent
}

// ServerSideEmit implements adapters.Adapter.
func (*parentAdapter) ServerSideEmit(context.Context, parser.Args, func(parser.Args)) error {
	return ErrParent
}

// Close implements adapters.Adapter; the children's are closed with them.
func (*parentAdapter) Close(context.Context) error { return nil }
