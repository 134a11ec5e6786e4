package packet

// The codec of protocol 3, as old clients speak it. Text travels as in protocol
// 4; bytes are preceded by the type, and so is their base64 form.
// Engine.IO protocol v3, "Encoding".

// binaryType stands before the bytes of a binary message.
const binaryType = byte(Message - '0')

// AppendFrameEIO3 appends to dst the WebSocket message that carries p, and
// reports whether it is a binary one: the type as a byte and the data.
func AppendFrameEIO3(dst []byte, p Packet) (msg []byte, binary bool) {
	if p.Binary {
		return append(append(dst, binaryType), p.Data...), true
	}
	return append(append(dst, byte(p.Type)), p.Data...), false
}

// AppendBase64EIO3 appends to dst the packet as text, whatever it holds: bytes
// are "b4" and their base64.
func AppendBase64EIO3(dst []byte, p Packet) []byte {
	if p.Binary {
		return appendBase64(append(dst, base64Mark, byte(Message)), p.Data)
	}
	return append(append(dst, byte(p.Type)), p.Data...)
}

// DecodeTextEIO3 decodes a WebSocket text message. Data aliases msg, but for
// base64: then it is new memory. The error is an *Error.
func DecodeTextEIO3(msg []byte) (Packet, error) {
	if len(msg) == 0 {
		return Packet{}, errEmptyPacket
	}
	if msg[0] == base64Mark {
		return decodeBase64EIO3(nil, msg[1:])
	}
	return decodeTyped(msg)
}

// DecodeBinaryEIO3 decodes a WebSocket binary message: a byte from 0 to 6 for
// the type, and data. Data aliases msg. The error is an *Error.
func DecodeBinaryEIO3(msg []byte) (Packet, error) {
	if len(msg) == 0 {
		return Packet{}, errEmptyPacket
	}
	t := Type(msg[0]) + '0'
	if msg[0] > 6 {
		return Packet{}, errUnknownType
	}
	return Packet{Type: t, Binary: t == Message, Data: msg[1:]}, nil
}

// decodeBase64EIO3 decodes what follows the "b": a type and base64, whose bytes
// are appended to dst. As in the official server a packet of another type than
// message has its meaning this way too.
func decodeBase64EIO3(dst, b []byte) (Packet, error) {
	if len(b) == 0 {
		return Packet{}, errEmptyPacket
	}
	t := Type(b[0])
	if !t.Valid() {
		return Packet{}, errUnknownType
	}
	return Packet{Type: t, Binary: t == Message, Data: decodeBase64(dst, b[1:])}, nil
}
