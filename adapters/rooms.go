package adapters

// RoomEventKind says what happened to a room; the strings are the names of the
// official adapter's events.
type RoomEventKind string

// The kinds of RoomEvent. A room exists while it has a member.
const (
	RoomCreated RoomEventKind = "create-room"
	RoomJoined  RoomEventKind = "join-room"
	RoomLeft    RoomEventKind = "leave-room"
	RoomDeleted RoomEventKind = "delete-room"
)

// RoomEvent is something that happened to a room on this node.
type RoomEvent struct {
	Kind RoomEventKind
	Room string
	// Socket is who joined or left; "" for RoomCreated and RoomDeleted.
	Socket string
}

// RoomWatcher is what an adapter implements that can tell of its rooms. It is
// optional.
type RoomWatcher interface {
	// WatchRooms makes the adapter call f for each change of a room from now on,
	// one at a time, in their order, without a lock held: mostly before the call
	// that caused it returns, but when several happen at once another one's
	// goroutine may be the one that calls. f must neither block nor panic; it
	// may call the adapter. A later call replaces f.
	WatchRooms(f func(RoomEvent))
}
