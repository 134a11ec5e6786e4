package adapters

import (
	"context"
	"encoding/json"
	"iter"
	"time"

	"github.com/hermod-io/hermod/socketio/parser"
)

// Recovery is the policy of connection state recovery in one namespace. The
// zero value is off: then an adapter keeps no packets and no sessions.
type Recovery struct {
	// On tells whether sessions are kept at all; the rest counts only then.
	On bool
	// MaxDisconnection is how long a session is kept after its socket was lost.
	MaxDisconnection time.Duration
	// Retention is how long a packet is kept: MaxDisconnection, and the time
	// that passes before a dead client is noticed.
	Retention time.Duration
	// LogBytes bounds the packets that are kept; the oldest go first.
	LogBytes int
	// BacklogPackets and BacklogBytes bound what one session may have missed:
	// what the queue of a client takes. A session that missed more is not
	// restored.
	BacklogPackets, BacklogBytes int
}

// Session is what recovery keeps of a socket.
type Session struct {
	// ID is the socket's public id, PID the private one that its client shows
	// when it comes back.
	ID, PID string
	// Rooms are the rooms of the socket, its own included, in no order.
	Rooms []string
	// Data is the JSON text of what the application attached to the socket; nil
	// is none. Who stores sessions outside of the process fills it from Values.
	Data []byte
	// Values is the same as a living value, nil if there is none. An adapter
	// within the process gives it back in place of Data; another one calls
	// MarshalJSON when it saves the session (a value that cannot be encoded is
	// an error that the session survives, without its data).
	Values json.Marshaler
}

// Recoverer is an [Adapter] that can restore sessions (connection state
// recovery). It is optional; without it a namespace refuses the option.
//
// When Local.Recovery says On, each event without an ack id that is broadcast
// gets an offset appended as its last argument ([AppendOffset]), volatile ones
// too. All but the volatile ones are kept for a later Restore. The adapter hands
// them to Local.Deliver in the order of their offsets, one at a time, so that an
// offset stands for all packets before it; it may hold a lock of its own
// meanwhile, since such a Deliver neither blocks, nor calls back, nor runs code
// of the application. An adapter over a log that several nodes share may do so a
// little after Broadcast returned, when the log has given the offset ([Flusher]); a
// Join that follows comes after it, a Leave that follows at once may come before
// it. Packets that ask for an ack are as without recovery.
//
// The life of a session: the namespace calls Save when a socket has joined its
// first rooms, before the reply to CONNECT is queued (so that the session of a
// node that is killed later can be restored), and again within 100 ms of a
// change of the socket's data, several changes at once; the adapter itself
// notes changes of rooms, which all pass through it. When the socket has left,
// after LeaveAll and after all hooks, comes exactly one Save with a nil Member
// (the connection was lost) or Forget (one side left the namespace on purpose).
// A session that is not restored within MaxDisconnection from then on is
// removed and handed to Local.SessionExpired, once; so is one that Restore could
// not restore. A closed adapter reports nothing.
type Recoverer interface {
	Adapter
	// Position returns the offset of the newest packet that was handed to
	// Deliver, or one before all packets. It is for what is sent to a socket
	// before it is connected and is not kept: whoever shows it as its offset is
	// given what was broadcast later.
	Position() string
	// Save keeps s as the session of m. A session of that PID is replaced, but
	// for what the adapter itself knows of it. A nil m means that the socket is
	// gone, and MaxDisconnection begins. It does not block.
	Save(m Member, s Session)
	// Forget removes the session of pid; none is no error. It does not block.
	Forget(pid string)
	// Restore consumes the session of pid: from now on there is none of that
	// name until the next Save, so of several calls one has it. If its socket
	// still lives, on whatever node, that one is superseded first
	// (Member.Supersede) and its last Save awaited, until ctx ends. A ctx that
	// has ended by then consumes nothing.
	//
	// offset is that of the last packet the client has; "" means that it has
	// none since its CONNECT, and so does an offset from before that CONNECT.
	// admit is called with the session, once, without a lock; the Member it
	// returns takes part in all rooms of the session from then on, and is the
	// living socket of the session. What the socket missed is yielded in
	// order, with its offsets: each packet after offset that was sent to it or
	// would have been, by the rooms and exceptions of its target and the rooms
	// that the socket was in at that time. Each packet is either yielded or
	// handed to Deliver for the Member, never both; what is yielded is the
	// older. The packets may be kept, and the sequence run once.
	//
	// The error is [ErrNoSession] when there is no such session (any more), when
	// offset is not one of this adapter's, when a packet that the client missed
	// is not kept any more, or when it missed more than the policy's backlog;
	// the cause of ctx, or [ErrClosed]. Then the Member, if admit was called at
	// all, takes part in nothing.
	Restore(ctx context.Context, pid, offset string, admit func(Session) Member) (iter.Seq[*parser.Packet], error)
}

// Flusher is a [Recoverer] whose Broadcast may return before this node's members
// were handed the packet.
type Flusher interface {
	// Flush waits until what this node has broadcast before was handed to
	// Local.Deliver, or ctx ends.
	Flush(ctx context.Context)
}

// AppendOffset appends to dst the text of an event's arguments with an offset
// as one more argument. The offset must need no escaping in JSON.
func AppendOffset(dst, event []byte, offset string) []byte {
	dst = append(dst, event[:len(event)-1]...)
	dst = append(append(dst, `,"`...), offset...)
	return append(dst, `"]`...)
}
