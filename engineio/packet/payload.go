package packet

import "bytes"

// Separator stands between the packets of a polling payload.
// Engine.IO protocol v4, "HTTP long-polling".
const Separator = 0x1E

// base64Mark begins a binary packet where only text can travel.
const base64Mark = 'b'

// ChunkSize reports the length of what AppendChunk appends for p.
func ChunkSize(p Packet) int {
	if p.Binary {
		return 1 + encodedLen(len(p.Data))
	}
	return 1 + len(p.Data)
}

// AppendChunk appends to dst one packet as it stands in a payload, without a
// separator: its type and text, or "b" and its bytes in base64.
func AppendChunk(dst []byte, p Packet) []byte {
	if p.Binary {
		return appendBase64(append(dst, base64Mark), p.Data)
	}
	return append(append(dst, byte(p.Type)), p.Data...)
}

// payloadSize reports the length of what AppendPayload appends for pkts.
func payloadSize(pkts ...Packet) int {
	if len(pkts) == 0 {
		return 0
	}
	n := len(pkts) - 1
	for i := range pkts {
		n += ChunkSize(pkts[i])
	}
	return n
}

// AppendPayload appends to dst the payload of pkts. It grows dst at most once,
// to the exact size. Without packets it appends nothing, which is not a valid
// payload.
func AppendPayload(dst []byte, pkts ...Packet) []byte {
	dst = grow(dst, payloadSize(pkts...))
	for i := range pkts {
		if i > 0 {
			dst = append(dst, Separator)
		}
		dst = AppendChunk(dst, pkts[i])
	}
	return dst
}

// grow returns b with room for n more bytes, allocating no more than needed.
func grow(b []byte, n int) []byte {
	if cap(b)-len(b) >= n {
		return b
	}
	return append(make([]byte, 0, len(b)+n), b...)
}

// PayloadReader iterates over the packets of a payload. It allocates nothing:
// binary packets are decoded in place, so it overwrites the payload, and the
// Data of every packet aliases it. The zero value reads an empty payload, which
// is an error. It is used by one goroutine at a time.
type PayloadReader struct {
	rest []byte
	pkt  Packet
	err  error
	done bool
}

// NewPayloadReader returns a reader of payload, which it will overwrite.
func NewPayloadReader(payload []byte) PayloadReader {
	return PayloadReader{rest: payload}
}

// Next advances to the next packet and reports whether there is one. It stops
// at the end and at the first malformed packet; Err tells which.
func (r *PayloadReader) Next() bool {
	if r.done {
		return false
	}
	chunk := r.rest
	if i := bytes.IndexByte(chunk, Separator); i >= 0 {
		chunk, r.rest = chunk[:i], chunk[i+1:]
	} else {
		r.done = true
	}
	if len(chunk) == 0 {
		r.err = errEmptyPacket
		if r.done && r.pkt.Type == 0 {
			r.err = errEmptyPayload
		}
		r.done = true
		return false
	}
	if chunk[0] == base64Mark {
		data := chunk[1:]
		r.pkt = Packet{Type: Message, Binary: true, Data: decodeBase64(data[:0:len(data)], data)}
		return true
	}
	if r.pkt, r.err = decodeTyped(chunk); r.err != nil {
		r.done = true
		return false
	}
	return true
}

// Packet returns the packet Next advanced to. Its Data is valid as long as the
// payload is.
func (r *PayloadReader) Packet() Packet { return r.pkt }

// Err returns nil after the end of a well-formed payload, else an *Error.
func (r *PayloadReader) Err() error { return r.err }
