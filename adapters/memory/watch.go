package memory

import "github.com/hermod-io/hermod/adapters"

// watch is who is told of rooms, and what is still to be told. It is guarded by
// Adapter.mu.
type watch struct {
	f       func(adapters.RoomEvent) // nil: nobody
	events  []roomEvent
	telling bool // somebody calls f
}

// roomEvent is an adapters.RoomEvent that does not know the socket's id yet,
// which a Member is not asked for under the lock.
type roomEvent struct {
	kind   adapters.RoomEventKind
	room   string
	member adapters.Member
}

// WatchRooms implements adapters.RoomWatcher. Close tells of nothing.
func (a *Adapter) WatchRooms(f func(adapters.RoomEvent)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.watch.f = f
}

// note puts an event behind those to be told. mu is held.
func (a *Adapter) note(kind adapters.RoomEventKind, room string, m adapters.Member) {
	if a.onRoom != nil && m == nil {
		a.onRoom(room, kind == adapters.RoomCreated)
	}
	a.keep(kind, room, m)
	if a.watch.f != nil {
		a.watch.events = append(a.watch.events, roomEvent{kind, room, m})
	}
}

// unlock unlocks mu, which was held for writing, and tells what happened.
func (a *Adapter) unlock() {
	tell := len(a.watch.events) > 0 && !a.watch.telling
	if tell {
		a.watch.telling = true
	}
	a.mu.Unlock()
	if tell {
		a.tellAll()
	}
}

// tellAll tells until there is nothing more to tell, also if f ends the goroutine
// (runtime.Goexit).
func (a *Adapter) tellAll() {
	ended := false
	defer func() {
		if !ended {
			a.tellAll()
		}
	}()
	for a.tell() {
	}
	ended = true
}

// tell tells what there is to tell, and reports whether there may be more.
func (a *Adapter) tell() bool {
	a.mu.Lock()
	events, f := a.watch.events, a.watch.f
	a.watch.events = nil
	if len(events) == 0 {
		a.watch.telling = false
	}
	a.mu.Unlock()
	begun := 0
	defer func() {
		if begun < len(events) { // f has ended the goroutine
			a.mu.Lock()
			defer a.mu.Unlock()
			a.watch.events = append(events[begun:], a.watch.events...)
		}
	}()
	for _, e := range events {
		begun++
		told := adapters.RoomEvent{Kind: e.kind, Room: e.room}
		if e.member != nil {
			told.Socket = e.member.ID()
		}
		f(told)
	}
	return len(events) > 0
}
