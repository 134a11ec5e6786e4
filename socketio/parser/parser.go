package parser

// Parser turns packets into Engine.IO messages and back. Both ends of a
// connection must use the same one. Its methods are called from many
// goroutines at once.
//
// Who owns what: dst is the caller's scratch and used again after the message has
// been copied, so a Parser keeps neither it nor the packet, and changes nothing of
// the packet. The attachments that it returns are sent as they are and may be
// kept by the connection; they must not change. What a Decoder is given is lent
// to it until the caller is done with the packet that it returns.
//
// A Decoder is what stands between the network and the application: it checks
// everything, names of events too ([Reserved]), and bounds what it keeps.
// Whoever has a packet relies on its JSON text being valid.
type Parser interface {
	// AppendPacket appends the first Engine.IO message of p to dst. It reports
	// whether that message is binary, and the binary messages that follow it
	// (p's own slices, not copies). It does not keep p.
	AppendPacket(dst []byte, p *Packet) (msg []byte, binary bool, attachments [][]byte)
	// NewDecoder returns the decoder of one connection.
	NewDecoder(Limits) Decoder
}

// Decoder reassembles the packets of one connection. It is called by one
// goroutine at a time.
type Decoder interface {
	// Decode takes the next Engine.IO message. ok reports that p is complete;
	// without ok and without an error attachments are due. p.JSON may alias
	// data and is valid until data is; p.Namespace and the attachments are
	// copies that the caller may keep. p.Namespace is "/" if the message names
	// none. An Event or Ack whose JSON is nil, and an Ack without HasID, mean
	// nothing: the official server ignores them, if their namespace is joined.
	// After an error, which is an *Error, the connection is to be closed.
	Decode(binary bool, data []byte) (p Packet, ok bool, err error)
}

// Limits bound what a Decoder keeps.
type Limits struct {
	// Attachments is the largest number of binary values in one packet.
	// 0 means 10, as in the official parser, and 1000 for MsgPack; negative means
	// none.
	Attachments int
}

// JSON converts between Go values and JSON text with placeholders. The default
// is [DefaultJSON]. Its methods are called from many goroutines at once.
type JSON interface {
	// Append appends v as compact JSON to dst. Each []byte (at any depth) is
	// replaced by a placeholder {"_placeholder":true,"num":i}, where i is its
	// index in att, to which it is appended (not copied).
	Append(dst []byte, att [][]byte, v any) ([]byte, [][]byte, error)
	// Decode decodes raw into v, a non-nil pointer; placeholders become the
	// []byte of att (not copied). It must accept any raw that is valid JSON
	// and must not keep raw, whose memory is used again: a raw value or a string
	// stored in v is a copy.
	Decode(raw []byte, att [][]byte, v any) error
}
