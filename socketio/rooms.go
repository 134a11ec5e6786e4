package socketio

import "github.com/hermod-io/hermod/adapters"

// RoomEvent is something that happened to a room on this node; see OnRoom.
type RoomEvent = adapters.RoomEvent

// The kinds of RoomEvent. A room exists while it has a member; each socket is in
// one named by its id as well.
const (
	RoomCreated = adapters.RoomCreated // the room got its first member; RoomJoined follows
	RoomJoined  = adapters.RoomJoined  // a socket joined it
	RoomLeft    = adapters.RoomLeft    // a socket left it
	RoomDeleted = adapters.RoomDeleted // its last member has left, after RoomLeft
)

// OnRoom adds a function that is called for each change of a room, one at a
// time, in their order. It must not block: who joins and leaves waits for it.
// Until the first call nothing of this costs anything. An adapter that is no
// adapters.RoomWatcher tells nothing. JS: the adapter's events create-room,
// join-room, leave-room, delete-room.
func (n *Namespace) OnRoom(f func(e RoomEvent)) {
	n.change(func(t *table) { t.onRoom = append(t.onRoom, f) })
	n.watchRooms()
}

// OnRoom is Namespace.OnRoom of the main namespace.
func (srv *Server) OnRoom(f func(e RoomEvent)) { srv.main.OnRoom(f) }

// LocalRooms is how many rooms have a member on this node, those of single sockets
// included; no other node is asked, as Rooms does. It is 0 for a parent, and for an
// adapter that is no adapters.RoomCounter.
func (n *Namespace) LocalRooms() int {
	if c, ok := n.adapter.(adapters.RoomCounter); ok {
		return c.LocalRooms()
	}
	return 0
}

// watchRooms has the adapter tell of its rooms, if somebody wants to know.
func (n *Namespace) watchRooms() {
	if n.table.Load().onRoom == nil {
		return
	}
	if w, ok := n.adapter.(adapters.RoomWatcher); ok {
		w.WatchRooms(n.roomChanged)
	}
}

func (n *Namespace) roomChanged(e RoomEvent) {
	for _, f := range n.table.Load().onRoom {
		if err := n.srv.apart(func() error { f(e); return nil }); err != nil {
			n.logHook("room hook failed", err)
		}
	}
}
