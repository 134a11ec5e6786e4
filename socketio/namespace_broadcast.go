package socketio

import (
	"context"
	"time"
)

func (n *Namespace) all() Broadcast { return Broadcast{ns: n} }

// To returns a broadcast to the sockets that are in any of the rooms.
func (n *Namespace) To(rooms ...string) Broadcast { return n.all().To(rooms...) }

// In is the same as To.
func (n *Namespace) In(rooms ...string) Broadcast { return n.To(rooms...) }

// Except returns a broadcast to the sockets that are in none of the rooms.
func (n *Namespace) Except(rooms ...string) Broadcast { return n.all().Except(rooms...) }

// Local returns a broadcast to the sockets of this node.
func (n *Namespace) Local() Broadcast { return n.all().Local() }

// Volatile returns a broadcast to the sockets that can take it now.
func (n *Namespace) Volatile() Broadcast { return n.all().Volatile() }

// Compress returns a broadcast that says whether it is worth compressing.
func (n *Namespace) Compress(on bool) Broadcast { return n.all().Compress(on) }

// Timeout returns a broadcast whose EmitWithAck waits for d at most.
func (n *Namespace) Timeout(d time.Duration) Broadcast { return n.all().Timeout(d) }

// Emit sends an event to all sockets; see Broadcast.Emit.
func (n *Namespace) Emit(event string, args ...any) error { return n.all().Emit(event, args...) }

// Send emits the event "message" to all sockets. JS: send, write.
func (n *Namespace) Send(args ...any) error { return n.Emit(eventMessage, args...) }

// EmitWithAck sends an event to all sockets and waits for their acks; see
// Broadcast.EmitWithAck.
func (n *Namespace) EmitWithAck(ctx context.Context, event string, args ...any) (Replies, error) {
	return n.all().EmitWithAck(ctx, event, args...)
}

// FetchSockets returns all sockets, on all nodes; see Broadcast.FetchSockets.
func (n *Namespace) FetchSockets(ctx context.Context) ([]*RemoteSocket, error) {
	return n.all().FetchSockets(ctx)
}

// SocketsJoin puts all sockets into rooms.
func (n *Namespace) SocketsJoin(ctx context.Context, rooms ...string) error {
	return n.all().SocketsJoin(ctx, rooms...)
}

// SocketsLeave takes all sockets out of rooms.
func (n *Namespace) SocketsLeave(ctx context.Context, rooms ...string) error {
	return n.all().SocketsLeave(ctx, rooms...)
}

// DisconnectSockets disconnects all sockets; see Socket.Disconnect.
func (n *Namespace) DisconnectSockets(ctx context.Context, closeConn bool) error {
	return n.all().DisconnectSockets(ctx, closeConn)
}
