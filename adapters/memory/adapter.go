package memory

import (
	"context"
	"sync"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/internal/shrink"
)

// New returns the factory of in-memory adapters. The adapters it makes share
// nothing.
func New() adapters.Factory {
	return func(local adapters.Local) (adapters.Adapter, error) {
		a := Make(local, nil)
		if policy := local.Recovery(); policy.On {
			a.recovery = newRecovery(policy)
		}
		return a, nil
	}
}

// Make makes the rooms of one node for an adapter that spans several: it keeps
// no sessions. onRoom, if not nil, is called when a room gets its first member
// and when it loses its last one, under the adapter's lock: it must neither
// block nor call the adapter. What it was told holds when the call that caused
// it returns.
func Make(local adapters.Local, onRoom func(room string, exists bool)) *Adapter {
	a := &Adapter{
		local:  local,
		onRoom: onRoom,
		closed: make(chan struct{}),
	}
	a.scratch.New = func() any { return newSelection() }
	return a
}

// Adapter keeps the rooms of one namespace in memory; see [adapters.Adapter]
// for what its methods promise. None of them waits, but for BroadcastAck.
type Adapter struct {
	// The rooms belong to whoever holds mu. Local and Members are only called
	// without it.

	local    adapters.Local
	onRoom   func(room string, exists bool) // may be nil; called with mu held
	scratch  sync.Pool                      // of *selection
	closed   chan struct{}                  // closed by Close
	recovery *recovery                      // nil when sessions are not restored
	ledger   Ledger                         // may be nil; called with mu held

	mu       sync.RWMutex // guards what follows
	ended    bool         // Close was called
	everyone room         // all members of the namespace; not in rooms
	rooms    shrink.Map[string, *room]
	members  shrink.Map[adapters.Member, *occupant]
	watch    watch
}

var (
	_ adapters.Recoverer   = (*Adapter)(nil)
	_ adapters.RoomWatcher = (*Adapter)(nil)
	_ adapters.RoomCounter = (*Adapter)(nil)
)

// Join puts m into rooms at once; ctx is not used. The error is
// [adapters.ErrClosed] or nil.
func (a *Adapter) Join(_ context.Context, m adapters.Member, rooms ...string) error {
	a.mu.Lock()
	defer a.unlock()
	if a.ended {
		return adapters.ErrClosed
	}
	a.join(a.admit(m), rooms)
	return nil
}

// Leave takes m out of rooms; those it is not in are passed over.
func (a *Adapter) Leave(m adapters.Member, rooms ...string) {
	a.mu.Lock()
	defer a.unlock()
	if o := a.members.Get(m); o != nil {
		a.leave(o, rooms)
	}
}

// LeaveAll takes m out of all its rooms and of the namespace. Its cost depends
// on the rooms of m alone.
func (a *Adapter) LeaveAll(m adapters.Member) {
	a.mu.Lock()
	defer a.unlock()
	o := a.members.Get(m)
	if o == nil {
		return
	}
	if a.recovery != nil {
		a.recovery.gone(m, o)
	}
	if a.ledger != nil {
		a.ledger.Gone(m)
	}
	for i := len(o.seats) - 1; i >= 0; i-- {
		a.vacate(o.seats[i])
	}
	o.seats, o.index = nil, nil
	a.members.Delete(m)
}

// RoomsOf returns the rooms of m, in no order; nil if it is not in the
// namespace.
func (a *Adapter) RoomsOf(m adapters.Member) []string {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if o := a.members.Get(m); o != nil {
		return o.names()
	}
	return nil
}

// Rooms returns all rooms that have a member, in no order; ctx is not used and
// the error is nil.
func (a *Adapter) Rooms(context.Context) ([]string, error) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	names := make([]string, 0, a.rooms.Len())
	for name := range a.rooms.Keys() {
		names = append(names, name)
	}
	return names, nil
}

// LocalRooms implements adapters.RoomCounter: it is how many Rooms returns.
func (a *Adapter) LocalRooms() int {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.rooms.Len()
}

// Close empties all rooms and ends the calls of BroadcastAck and Restore that
// still wait. Sessions and packets are gone, too. It returns nil.
func (a *Adapter) Close(context.Context) error {
	if a.recovery != nil {
		defer a.recovery.sweeps.Wait()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ended {
		return nil
	}
	a.ended = true
	if a.recovery != nil {
		a.recovery.close()
	}
	a.everyone = room{}
	a.rooms.Clear()
	a.members.Clear()
	close(a.closed)
	return nil
}
