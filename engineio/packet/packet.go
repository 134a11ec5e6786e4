package packet

import "unicode/utf8"

// Type is the kind of a packet, as the byte that stands for it on the wire.
// Engine.IO protocol v4, "Packet encoding".
type Type byte

// The packet types.
const (
	Open    Type = '0' // the first packet of the server, with a Handshake
	Close   Type = '1' // the session ends
	Ping    Type = '2' // a heartbeat, or with "probe" the question of an upgrade
	Pong    Type = '3' // its answer, with the same data
	Message Type = '4' // what the application says
	Upgrade Type = '5' // the client goes on over the new transport
	Noop    Type = '6' // ends a waiting GET
)

// String returns the name the protocol gives the type: "open", "close", "ping",
// "pong", "message", "upgrade", "noop", or "unknown".
func (t Type) String() string {
	switch t {
	case Open:
		return "open"
	case Close:
		return "close"
	case Ping:
		return "ping"
	case Pong:
		return "pong"
	case Message:
		return "message"
	case Upgrade:
		return "upgrade"
	case Noop:
		return "noop"
	}
	return "unknown"
}

// Valid reports whether t is one of the seven types.
func (t Type) Valid() bool { return Open <= t && t <= Noop }

// Packet is one Engine.IO packet. Decoders return a Packet whose Data aliases
// their input or scratch memory; each says for how long it is valid.
type Packet struct {
	// Type is the kind of the packet. A binary packet is always a Message.
	Type Type
	// Binary tells that Data is bytes and not text.
	Binary bool
	// Data is what follows the type; empty is valid.
	Data []byte
}

// Error is a malformed packet or payload: the peer broke the protocol, and the
// session ends with the reason "parse error".
type Error struct {
	// Reason says what is wrong, in a few words.
	Reason string
}

// Error implements error.
func (e *Error) Error() string { return "engineio: parse error: " + e.Reason }

// AppendFrame appends to dst the WebSocket message that carries p, and reports
// whether it is a binary one. A binary packet is its bare data; any other is
// its type followed by the data, as text.
func AppendFrame(dst []byte, p Packet) (msg []byte, binary bool) {
	if p.Binary {
		return append(dst, p.Data...), true
	}
	return append(append(dst, byte(p.Type)), p.Data...), false
}

// DecodeText decodes a WebSocket text message. Data aliases msg. A message
// that begins with "b" is a binary packet in base64; its Data is new memory.
// The error is an *Error.
func DecodeText(msg []byte) (Packet, error) {
	if len(msg) == 0 {
		return Packet{}, errEmptyPacket
	}
	if msg[0] == base64Mark {
		return Packet{Type: Message, Binary: true, Data: decodeBase64(nil, msg[1:])}, nil
	}
	return decodeTyped(msg)
}

// DecodeBinary decodes a WebSocket binary message, which is always a message
// packet. Data aliases msg.
func DecodeBinary(msg []byte) Packet {
	return Packet{Type: Message, Binary: true, Data: msg}
}

// ValidText returns p, if it is text with U+FFFD for each byte that is not UTF-8, in
// memory of its own. The official implementation reads a body of long-polling likewise.
func ValidText(p Packet) Packet {
	if p.Binary || utf8.Valid(p.Data) {
		return p
	}
	valid := make([]byte, 0, len(p.Data)+len(p.Data)/8)
	for rest := p.Data; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		valid, rest = utf8.AppendRune(valid, r), rest[n:]
	}
	p.Data = valid
	return p
}

// decodeTyped decodes a non-empty packet that begins with its type.
func decodeTyped(b []byte) (Packet, error) {
	if t := Type(b[0]); t.Valid() {
		return Packet{Type: t, Data: b[1:]}, nil
	}
	return Packet{}, errUnknownType
}

// The errors carry no data of the peer, so that they cost nothing.
var (
	errEmptyPacket  = &Error{Reason: "empty packet"}
	errEmptyPayload = &Error{Reason: "empty payload"}
	errUnknownType  = &Error{Reason: "unknown packet type"}
)
