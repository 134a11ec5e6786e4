package cluster

import (
	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/socketio/parser"
)

// Type is the kind of a message. The numbers up to AdapterClose are those that
// the official ClusterAdapter writes.
type Type uint8

// The types of messages. Those that end in Response, and BroadcastClientCount
// and BroadcastAck, are answers: they go to the node that asked.
const (
	InitialHeartbeat       Type = 1   // a node has begun; the others answer with a Heartbeat
	Heartbeat              Type = 2   // a node lives
	Broadcast              Type = 3   // Packet for Target; with RequestID it asks for acks
	SocketsJoin            Type = 4   // the sockets of Target join Rooms
	SocketsLeave           Type = 5   // the sockets of Target leave Rooms
	DisconnectSockets      Type = 6   // the sockets of Target are disconnected, see Close
	FetchSockets           Type = 7   // asks for the sockets of Target
	FetchSocketsResponse   Type = 8   // Sockets
	ServerSideEmit         Type = 9   // Args for the nodes; with RequestID it asks for answers
	ServerSideEmitResponse Type = 10  // the answer of a node, in Args
	BroadcastClientCount   Type = 11  // of how many sockets acks will come
	BroadcastAck           Type = 12  // the ack of a socket, in Args
	AdapterClose           Type = 13  // a node ends
	AllRooms               Type = 101 // asks for the rooms; not of the official ClusterAdapter, see Traits.AllRooms
	AllRoomsResponse       Type = 102 // Rooms
	ReleaseSession         Type = 103 // asks a node to give up PID; not of the official ClusterAdapter, see Log
	SessionReleased        Type = 104 // it has, and stored it
)

// Answer reports whether messages of this type answer a request.
func (t Type) Answer() bool {
	switch t {
	case FetchSocketsResponse, ServerSideEmitResponse, BroadcastClientCount, BroadcastAck, AllRoomsResponse:
		return true
	}
	return false
}

// Message is what one node says to others within a namespace. Which fields
// count depends on Type.
type Message struct {
	// Type is the kind of the message.
	Type Type
	// From is the node that sent it, "" when the bus cannot tell.
	From string
	// RequestID correlates a request and its answers; "" means that no answer
	// is wanted.
	RequestID string
	// Target says whom Broadcast, SocketsJoin, SocketsLeave, DisconnectSockets
	// and FetchSockets reach.
	Target adapters.Target
	// Packet is what Broadcast sends. It is of the bus' namespace, whatever its
	// Namespace says.
	Packet *parser.Packet
	// Rooms are those of SocketsJoin, SocketsLeave and AllRoomsResponse.
	Rooms []string
	// Close is the argument of DisconnectSockets.
	Close bool
	// Args are those of ServerSideEmit. In ServerSideEmitResponse and
	// BroadcastAck they are the answer, of which only the first argument
	// travels.
	Args parser.Args
	// ClientCount is how many sockets BroadcastClientCount was asked.
	ClientCount int
	// Sockets are those of FetchSocketsResponse.
	Sockets []adapters.SocketInfo
	// Note is for the bus that a request came from, which finds it in Answer.
	Note any
	// PID is the session of ReleaseSession and SessionReleased.
	PID string
}

// Emitter is the name under which programs publish that serve no sockets. They
// are not counted as nodes.
const Emitter = "emitter"
