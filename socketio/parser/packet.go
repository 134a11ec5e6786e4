package parser

// Type is the kind of a packet. Whether an event or an ack is written in its
// binary form follows from its attachments, so there is no type for that here.
// Socket.IO protocol v5, "Packet encoding".
type Type uint8

// The packet types, with their numbers on the wire.
const (
	Connect      Type = 0 // the client asks to join a namespace, or the server's consent
	Disconnect   Type = 1 // one side leaves the namespace
	Event        Type = 2 // an event
	Ack          Type = 3 // the answer to one that has an ID
	ConnectError Type = 4 // the server refuses a Connect
)

// Args are the arguments of an event or an ack: the JSON array text, in which
// each binary value is {"_placeholder":true,"num":i}, and the binary values.
// For an event the first element is its name. Args are immutable: whoever
// holds them may read them for ever, and nobody writes to them.
type Args struct {
	// JSON is a JSON array without white space around it, compact unless a
	// peer sent it otherwise; nil means no data at all.
	JSON []byte
	// Attachments are the binary values, by placeholder number.
	Attachments [][]byte
}

// Packet is one Socket.IO packet. It is passed by value or read-only.
type Packet struct {
	// Type is the kind of the packet.
	Type Type
	// Namespace is the name with its slash; "" and "/" are the main one.
	Namespace string
	// ID is the ack id; it counts only when HasID is set (0 is a valid id).
	ID uint64
	// HasID tells that ID counts: an Event asks for an ack, an Ack says which Event it
	// answers.
	HasID bool
	// Args is the payload: an array for Event and Ack; for Connect and
	// ConnectError JSON holds an object or a string instead.
	Args
}
