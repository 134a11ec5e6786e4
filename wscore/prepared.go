package wscore

import "encoding/binary"

// Prepared is an immutable unit of messages, encoded at most once per wire form
// and shared by all connections it is sent on. It is safe for concurrent use.
type Prepared struct {
	n     int    // messages
	plain []byte // their frames
}

// NewPrepared returns a unit of msgs; their bytes are copied.
func NewPrepared(msgs ...Message) *Prepared {
	return &Prepared{n: len(msgs), plain: encode(make([]byte, 0, encodedLen(msgs, false)), msgs, false)}
}

// frames returns the frames without compression.
func (p *Prepared) frames() []byte { return p.plain }

// masked is frames, which are unmasked ones of ours, as a client sends them.
func masked(frames []byte) []byte {
	out := make([]byte, 0, len(frames)+len(frames)/8+16)
	for len(frames) > 0 {
		b0, payload, rest := splitFrame(frames)
		out = appendFrame(out, b0&^0xf, Opcode(b0&0xf), nil, payload, true)
		frames = rest
	}
	return out
}

// splitFrame takes the first frame off unmasked ones of ours.
func splitFrame(b []byte) (b0 byte, payload, rest []byte) {
	n, head := uint64(b[1]), 2
	switch n {
	case 126:
		n, head = uint64(binary.BigEndian.Uint16(b[2:])), 4
	case 127:
		n, head = binary.BigEndian.Uint64(b[2:]), 10
	}
	end := head + int(n)
	return b[0], b[head:end], b[end:]
}
