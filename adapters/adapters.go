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
	Rooms, Except []string
	Flags         Flags
}

// Flags are the modifiers of a broadcast. The zero value is the default.
type Flags struct {
	// Volatile: the packet may be dropped for a receiver that cannot take it now.
	Volatile bool
	// Local: this node only.
	Local bool
	// NoCompress: the packet is not worth compressing (compress(false)).
	NoCompress bool
	// Timeout bounds the wait for acks and answers; 0 means the namespace's default.
	Timeout time.Duration
}

// SocketInfo describes a socket of any node of the cluster.
type SocketInfo struct {
	ID        string
	Handshake Handshake
	Rooms     []string
	// Data is the JSON text of what the application attached to the socket; nil is none.
	Data []byte
}

// Handshake is the part of a socket's handshake that travels between nodes.
// The JSON names are those of the official server.
type Handshake struct {
	Headers map[string]string `json:"headers"`
	Time    string            `json:"time"`
	Address string            `json:"address"`
	XDomain bool              `json:"xdomain"`
	Secure  bool              `json:"secure"`
	Issued  int64             `json:"issued"` // Unix milliseconds
	URL     string            `json:"url"`
	Query   map[string]string `json:"query"`
	// Auth is the JSON text of the CONNECT payload; nil is none.
	Auth []byte `json:"-"`
}

// Member is a socket as adapters see it. It must be usable as a map key
// (adapters compare Members by identity).
type Member interface {
	// ID is the socket's public id; it never changes.
	ID() string
	// Info describes the socket; the adapter fills in Rooms.
	Info() SocketInfo
	// Disconnect makes the socket leave its namespace, or closes the whole
	// connection. It does not block and never calls back into the adapter
	// before it returns.
	Disconnect(closeConn bool)
}

// Local is the namespace as adapters see it.
type Local interface {
	// Name is the namespace's name, with its slash.
	Name() string
	// Deliver encodes p once and queues it for each member of to. It never
	// blocks and never calls the adapter. Members that are closed or not yet
	// connected are passed over. n is how many took it.
	Deliver(p *parser.Packet, f Flags, to iter.Seq[Member]) (n int)
	// DeliverAck is Deliver for a packet that asks for an ack: it gives p an
	// ack id of the namespace and calls each once for every answer, on the
	// connection's goroutine (each must not block). n is how many members were
	// asked; stop forgets the answers still missing and must be called.
	DeliverAck(p *parser.Packet, f Flags, to iter.Seq[Member], each func(Member, parser.Args)) (n int, stop func())
	// ServerSideEvent hands an event of another node to the namespace. reply is
	// nil when no answer is wanted, else it is called at most once.
	ServerSideEvent(args parser.Args, reply func(parser.Args))
}

// Adapter keeps the rooms of one namespace and spreads its packets. What has
// no context is local and never waits; what has one may wait for other nodes.
// All methods may be called from any goroutine.
type Adapter interface {
	// Join puts m into rooms; being in one already is no error. Local
	// membership is immediate and stands whatever the error; the wait is for
	// the confirmation by other nodes.
	Join(ctx context.Context, m Member, rooms ...string) error
	// Leave takes m out of rooms; LeaveAll out of all, its own included.
	Leave(m Member, rooms ...string)
	LeaveAll(m Member)
	// RoomsOf returns the rooms m is in, in no order.
	RoomsOf(m Member) []string
	// Rooms returns all rooms of the namespace that have a member, in no order.
	Rooms(ctx context.Context) ([]string, error)
	// Broadcast sends p to t. It never blocks.
	Broadcast(p *parser.Packet, t Target) error
	// BroadcastAck sends p to t and calls each for every answer, possibly
	// from several goroutines, never after it returned. It returns when all
	// asked have answered, or ctx or t.Flags.Timeout ended: then with a
	// *PartialError. The number asked is fixed when p is sent.
	BroadcastAck(ctx context.Context, p *parser.Packet, t Target, each func(parser.Args)) error
	// SocketsJoin and SocketsLeave move the sockets of t into or out of rooms.
	SocketsJoin(ctx context.Context, t Target, rooms ...string) error
	SocketsLeave(ctx context.Context, t Target, rooms ...string) error
	// DisconnectSockets disconnects the sockets of t, see [Member].
	DisconnectSockets(ctx context.Context, t Target, closeConn bool) error
	// Fetch describes the sockets of t; with a *PartialError the result is
	// what could be had.
	Fetch(ctx context.Context, t Target) ([]SocketInfo, error)
	// ServerSideEmit sends args to the other nodes. With each != nil it waits
	// for their answers; partial results come with a *PartialError.
	ServerSideEmit(ctx context.Context, args parser.Args, each func(parser.Args)) error
	// Close ends the adapter; its members are gone by then.
	Close(ctx context.Context) error
}

// Recoverer is what an adapter implements that can restore sessions (connection
// state recovery). It is optional: a namespace without it starts new sessions.
type Recoverer interface {
	// Save keeps s for a later Restore.
	Save(s Session)
	// Restore returns the session of pid and the packets it missed after
	// offset; the error is [ErrNoSession] when there is none (any more).
	Restore(ctx context.Context, pid, offset string) (Session, iter.Seq[*parser.Packet], error)
}

// Session is what recovery keeps of a socket.
type Session struct {
	ID, PID string
	Rooms   []string
	Data    []byte // JSON text
}
