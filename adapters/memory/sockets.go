package memory

import (
	"context"

	"github.com/hermod-io/hermod/adapters"
)

// SocketsJoin puts the sockets of t that are not pending into rooms; ctx is not
// used. Whom it reaches and their joining are one step, so a socket that leaves the
// namespace meanwhile is not brought back. The error is [adapters.ErrClosed]
// or nil.
func (a *Adapter) SocketsJoin(_ context.Context, t adapters.Target, rooms ...string) error {
	return a.move(t, rooms, a.join)
}

// SocketsLeave takes the sockets of t out of rooms, see SocketsJoin.
func (a *Adapter) SocketsLeave(_ context.Context, t adapters.Target, rooms ...string) error {
	return a.move(t, rooms, a.leave)
}

func (a *Adapter) move(t adapters.Target, rooms []string, f func(*occupant, []string)) error {
	s := a.scratch.Get().(*selection)
	defer a.release(s)
	a.mu.Lock()
	defer a.unlock()
	if a.ended {
		return adapters.ErrClosed
	}
	a.fill(s, t)
	for _, m := range s.members {
		if !m.Pending() {
			f(a.members.Get(m), rooms)
		}
	}
	return nil
}

// DisconnectSockets disconnects the sockets of t that are not pending, without a
// lock held; ctx is not used and the error is nil.
func (a *Adapter) DisconnectSockets(_ context.Context, t adapters.Target, closeConn bool) error {
	s := a.pick(t)
	defer a.release(s)
	for _, m := range s.members {
		if !m.Pending() {
			m.Disconnect(closeConn)
		}
	}
	return nil
}

// Fetch describes the sockets of t, with the rooms they were in at one moment;
// ctx is not used and the error is nil.
func (a *Adapter) Fetch(_ context.Context, t adapters.Target) ([]adapters.SocketInfo, error) {
	s := a.scratch.Get().(*selection)
	defer a.release(s)
	a.mu.RLock()
	a.fill(s, t)
	rooms := make([][]string, len(s.members))
	for i, m := range s.members {
		rooms[i] = a.members.Get(m).names()
	}
	a.mu.RUnlock()
	found := make([]adapters.SocketInfo, 0, len(s.members))
	for i, m := range s.members {
		info := m.Info()
		if info.ID == "" {
			continue // not connected
		}
		info.Rooms = rooms[i]
		found = append(found, info)
	}
	return found, nil
}
