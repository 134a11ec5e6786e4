package adapters

import (
	"context"
	"iter"
	"time"

	"github.com/hermod-io/hermod/socketio/parser"
)

// Factory makes the adapter of one namespace. It is called once per namespace,
// before its first socket.
type Factory func(Local) (Adapter, error)

// Target says whom an operation reaches: the members of any of Rooms (all
// members when it is empty) that are in none of the Except rooms. Each socket
// is in a room named by its id, so both may name sockets.
type Target struct {
	Rooms  []string // nil is all
	Except []string // nil is none
	Flags  Flags    // how they are reached
}

// Flags are the modifiers of a broadcast. The zero value is the default.
type Flags struct {
	// Volatile: the packet may be dropped for a receiver that cannot take it now.
	Volatile bool
	// Local: this node only.
	Local bool
	// NoCompress: the packet is not worth compressing (compress(false)).
	NoCompress bool
	// Single: the target is one socket, whichever node has it
	// (expectSingleResponse). Its answer ends the wait, though other nodes be silent.
	Single bool
	// Timeout bounds the wait for acks and answers, beside the context of the
	// call; 0 means that the context alone does (a namespace puts its default
	// there).
	Timeout time.Duration
}

// SocketInfo describes a socket of any node of the cluster.
type SocketInfo struct {
	// ID is the socket's id; a [Member] that is not connected (any more, or
	// yet) leaves it empty, and is not part of a Fetch.
	ID string
	// Handshake is how it connected.
	Handshake Handshake
	// Rooms are the rooms it is in, in no order.
	Rooms []string
	// Data is the JSON text of what the application attached to the socket; nil is none.
	Data []byte
}

// Handshake is the part of a socket's handshake that travels between nodes.
// The JSON names are those of the official server.
type Handshake struct {
	Headers map[string]string `json:"headers"` // names in lower case, several values joined by ", "
	Time    string            `json:"time"`    // of the handshake, as JavaScript's Date.toString writes it
	Address string            `json:"address"` // of the client, without the port
	XDomain bool              `json:"xdomain"` // there is an Origin
	Secure  bool              `json:"secure"`  // over TLS
	Issued  int64             `json:"issued"`  // the same as Time, in Unix milliseconds
	URL     string            `json:"url"`     // path and query
	Query   map[string]string `json:"query"`   // of a name that is there twice the last value
	// Auth is the JSON text of the CONNECT payload; nil is none.
	Auth []byte `json:"-"`
}

// Member is a socket as adapters see it. It must be usable as a map key
// (adapters compare Members by identity). Its methods are called from any
// goroutine, never while the adapter holds a lock; but for Pending, which says more.
type Member interface {
	// ID is the socket's public id; it never changes.
	ID() string
	// Info describes the socket; the adapter fills in Rooms. It does not block.
	Info() SocketInfo
	// Pending reports whether the socket is not connected yet: it may be in rooms,
	// but SocketsJoin, SocketsLeave and DisconnectSockets pass it over. It neither
	// blocks nor calls anything, so it may be called under a lock.
	Pending() bool
	// Disconnect makes the socket leave its namespace, or closes the whole
	// connection. It does not block and never calls back into the adapter
	// before it returns.
	Disconnect(closeConn bool)
	// Supersede ends the connection of a socket whose session another
	// connection asks for, see [Recoverer]. It neither blocks nor calls back
	// into the adapter before it returns; the last Save or Forget of the
	// session follows when the socket's handlers have returned. For a socket
	// that has left already it does nothing.
	Supersede()
}

// Local is the namespace as adapters see it. Its methods are called from any
// goroutine, never while the adapter holds a lock; but for the Deliver of a
// [Recoverer], which says more.
type Local interface {
	// Name is the namespace's name, with its slash.
	Name() string
	// Deliver encodes p once and queues it for each member of to. It never
	// blocks and never calls the adapter. Members that are closed or not yet
	// connected are passed over. n is how many took it. p is not changed; to
	// yields each member once, may be run more than once and stopped early,
	// and is not to be used after Deliver returned.
	Deliver(p *parser.Packet, f Flags, to iter.Seq[Member]) (n int)
	// DeliverAck is Deliver for a packet that asks for an ack: it gives p an
	// ack id of the namespace (p itself is not changed) and calls each once
	// for every answer, on the connection's goroutine (each must not block),
	// perhaps before DeliverAck has returned. n is how many members were
	// asked; stop forgets the answers still missing and must be called.
	DeliverAck(p *parser.Packet, f Flags, to iter.Seq[Member], each func(Member, parser.Args)) (n int, stop func())
	// ServerSideEvent hands an event of another node to the namespace. reply is
	// nil when no answer is wanted, else it is called at most once.
	ServerSideEvent(args parser.Args, reply func(parser.Args))
	// Recovery is the policy of connection state recovery. It never changes.
	Recovery() Recovery
	// SessionExpired tells of a session that is gone for good though its client
	// could have come back; see [Recoverer]. It does not block.
	SessionExpired(s Session)
}

// Adapter keeps the rooms of one namespace and spreads its packets. What has
// no context is local and never waits; what has one may wait for other nodes.
// All methods may be called from any goroutine.
type Adapter interface {
	// Join puts m into rooms; being in one already is no error. With the first
	// call m becomes part of the namespace, even if rooms is empty. Local
	// membership is immediate and stands whatever the error; the wait is for
	// the confirmation by other nodes. A closed adapter returns [ErrClosed]
	// and does nothing.
	Join(ctx context.Context, m Member, rooms ...string) error
	// Leave takes m out of rooms; those it is not in are passed over.
	Leave(m Member, rooms ...string)
	// LeaveAll takes m out of all rooms, its own included, and out of the
	// namespace. A Join after it would let m in again: whoever ends a socket
	// orders the two.
	LeaveAll(m Member)
	// RoomsOf returns the rooms m is in, in no order.
	RoomsOf(m Member) []string
	// Rooms returns all rooms of the namespace that have a member, in no order.
	Rooms(ctx context.Context) ([]string, error)
	// Broadcast sends p to t. It never blocks. When it returns each member of
	// this node has been handed to [Local], in the order of the caller's
	// calls, and p, its bytes and the slices of t are the caller's again: who
	// keeps any of it copies it. The error is nil, [ErrQueueFull] or [ErrClosed].
	Broadcast(p *parser.Packet, t Target) error
	// BroadcastAck sends p to t and calls each for every answer, possibly
	// from several goroutines, never after it returned. It returns when all
	// asked have answered, or ctx or t.Flags.Timeout ended: then with a
	// *PartialError. The number asked is fixed when p is sent. Of the answer of
	// another node's socket only the first argument comes.
	BroadcastAck(ctx context.Context, p *parser.Packet, t Target, each func(parser.Args)) error
	// SocketsJoin moves the sockets of t into rooms, but for those that are
	// pending, see [Member]. It waits for no answer of another node.
	SocketsJoin(ctx context.Context, t Target, rooms ...string) error
	// SocketsLeave moves the sockets of t out of rooms, see SocketsJoin.
	SocketsLeave(ctx context.Context, t Target, rooms ...string) error
	// DisconnectSockets disconnects the sockets of t that are not pending, see
	// [Member].
	DisconnectSockets(ctx context.Context, t Target, closeConn bool) error
	// Fetch describes the sockets of t; with a *PartialError the result is
	// what could be had.
	Fetch(ctx context.Context, t Target) ([]SocketInfo, error)
	// ServerSideEmit sends args to the other nodes. With each != nil it waits
	// for their answers as BroadcastAck does; partial results come with a
	// *PartialError. Where there is no other node it returns nil at once.
	ServerSideEmit(ctx context.Context, args parser.Args, each func(parser.Args)) error
	// Close ends the adapter; its members are gone by then. Calls that wait
	// return with [ErrClosed] as cause. Closing twice is no error.
	Close(ctx context.Context) error
}
