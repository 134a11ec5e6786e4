package memory

import (
	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/socketio/parser"
)

// Ledger is told who is where, for an adapter that keeps more of it than the
// rooms of the moment. Its methods are called under the adapter's lock, in
// order: they must neither block nor call the adapter.
type Ledger interface {
	// Came tells that m is part of the namespace; its rooms follow.
	Came(m adapters.Member)
	// Joined tells that m got into a room.
	Joined(m adapters.Member, room string)
	// Left tells that m is not in a room any more.
	Left(m adapters.Member, room string)
	// Gone tells that m leaves the namespace with all its rooms; a Left for each
	// of them follows.
	Gone(m adapters.Member)
}

// Keep tells l from now on. It is called once, before the first Join.
func (a *Adapter) Keep(l Ledger) { a.ledger = l }

// BroadcastAt is Broadcast that calls at in the moment for which the members
// are chosen: nobody joins or leaves in between. at must neither block nor call
// the adapter.
func (a *Adapter) BroadcastAt(p *parser.Packet, t adapters.Target, at func()) {
	s := a.scratch.Get().(*selection)
	defer a.release(s)
	a.mu.RLock()
	at()
	a.fill(s, t)
	a.mu.RUnlock()
	if len(s.members) > 0 {
		a.local.Deliver(p, t.Flags, s.all)
	}
}

// Still calls f while nobody joins or leaves; f is as at of BroadcastAt.
func (a *Adapter) Still(f func()) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	f()
}

// keep tells the ledger what happened to m. mu is held.
func (a *Adapter) keep(kind adapters.RoomEventKind, room string, m adapters.Member) {
	switch {
	case a.ledger == nil || m == nil:
	case kind == adapters.RoomJoined:
		a.ledger.Joined(m, room)
	case kind == adapters.RoomLeft:
		a.ledger.Left(m, room)
	}
}
