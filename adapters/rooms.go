package adapters

// RoomEventKind says what happened to a room; the strings are the names of the
// official adapter's events.
type RoomEventKind string

// The kinds of RoomEvent. A room exists while it has a member.
const (
	RoomCreated RoomEventKind = "create-room" // it got its first member; RoomJoined follows
	RoomJoined  RoomEventKind = "join-room"   // a socket joined it
	RoomLeft    RoomEventKind = "leave-room"  // a socket left it
	RoomDeleted RoomEventKind = "delete-room" // its last member has left, after RoomLeft
)

// RoomEvent is something that happened to a room on this node.
type RoomEvent struct {
	// Kind says what happened.
	Kind RoomEventKind
	// Room is the name of the room.
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

// RoomCounter is what an adapter implements that knows how many rooms there are on its
// node. It is optional.
type RoomCounter interface {
	// LocalRooms is how many rooms have a member on this node, those of single
	// sockets included. It asks no other node and does not block.
	LocalRooms() int
}
