package wscore

import (
	"encoding/binary"
	"sync"
)

// Prepared is an immutable unit of messages, encoded at most once per wire form
// (plain, and deflated without takeover) and shared by all connections it is
// sent on. It is safe for concurrent use. RFC 6455 section 5.6.
type Prepared struct {
	n       int    // messages
	frames  int    // of them that are no control frames
	payload int    // bytes of the payloads of those
	plain   []byte // their frames
	never   []bool // which of them are not to be deflated; nil: none
	invalid bool   // they must not be sent; then there is nothing else

	once     sync.Once // guards what follows
	deflated []byte    // their frames, deflated where that is worth it
}

// NewPrepared returns a unit of msgs; their bytes are copied. What is wrong with
// them is told by the send.
func NewPrepared(msgs ...Message) *Prepared {
	if !allValid(msgs) {
		return &Prepared{invalid: true}
	}
	p := &Prepared{n: len(msgs), plain: encode(make([]byte, 0, encodedLen(msgs, false)), msgs, false)}
	for i := range msgs {
		if !msgs[i].Op.control() {
			p.frames++
			p.payload += len(msgs[i].Prefix) + len(msgs[i].Data)
		}
		if msgs[i].Plain {
			if p.never == nil {
				p.never = make([]bool, len(msgs))
			}
			p.never[i] = true
		}
	}
	return p
}

// framesFor returns the frames for connections that agreed with z; nil is no
// compression. ok is false if such a connection has to encode them by itself.
func (p *Prepared) framesFor(z *compression, d *Deflate) (frames []byte, ok bool) {
	if z == nil {
		return p.plain, true
	}
	if !z.stateless() || z.bits != maxWindowBits {
		return nil, false
	}
	p.once.Do(func() {
		if !p.worthDeflating(d.threshold()) {
			p.deflated = p.plain
			return
		}
		p.deflated, _ = encodeDeflated(nil, p.messages(), z.deflater, d.threshold(), false)
	})
	return p.deflated, true
}

func (p *Prepared) worthDeflating(least int) bool {
	msgs := p.messages()
	for i := range msgs {
		if msgs[i].toDeflate(least) {
			return true
		}
	}
	return false
}

// messages returns the messages of the unit, whose bytes are shared.
func (p *Prepared) messages() []Message {
	msgs := make([]Message, 0, p.n)
	for rest := p.plain; len(rest) > 0; {
		var b0 byte
		var payload []byte
		b0, payload, rest = splitFrame(rest)
		msgs = append(msgs, Message{Op: Opcode(b0 & 0xf), Data: payload, Plain: p.never != nil && p.never[len(msgs)]})
	}
	return msgs
}

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
