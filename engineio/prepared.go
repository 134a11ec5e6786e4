package engineio

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/hermod-io/hermod/engineio/packet"
	"github.com/hermod-io/hermod/wscore"
)

// Prepared is an immutable unit of messages, encoded at most once per wire form.
// It is safe for concurrent use.
type Prepared struct {
	pkts   []packet.Packet
	size   int
	binary bool // there are bytes in it

	ws     form[*wscore.Prepared] // framePlain, and every framing without bytes
	chunks form[[]byte]           // chunkPlain
	rare   atomic.Pointer[rareForms]
}

// rareForms are those that few clients want; made with the first of them.
type rareForms struct {
	ws     [framings]form[*wscore.Prepared]
	chunks [chunkings]form[[]byte]
	zipped [chunkings][encodings]form[[]byte]
}

// form is one encoding, made at first use.
type form[T any] struct {
	once  sync.Once
	value T
}

// NewPrepared returns a unit of msgs; their bytes are copied.
func NewPrepared(msgs ...Message) *Prepared {
	pkts, size := copyPackets(msgs)
	return &Prepared{pkts: pkts, size: size, binary: slices.ContainsFunc(pkts, isBinary)}
}

// copyPackets copies messages into memory of their own.
func copyPackets(msgs []Message) (pkts []packet.Packet, size int) {
	for i := range msgs {
		size += len(msgs[i].Prefix) + len(msgs[i].Data)
	}
	buf := make([]byte, 0, size)
	pkts = make([]packet.Packet, len(msgs))
	for i := range msgs {
		start := len(buf)
		buf = append(append(buf, msgs[i].Prefix...), msgs[i].Data...)
		pkts[i] = packet.Packet{Type: packet.Message, Binary: msgs[i].Binary, Data: buf[start:len(buf):len(buf)]}
	}
	return pkts, size
}

// frames is the WebSocket form.
func (p *Prepared) frames(f framing) *wscore.Prepared {
	to := &p.ws
	if f != framePlain && p.binary {
		to = &p.others().ws[f]
	}
	to.once.Do(func() {
		msgs := make([]wscore.Message, len(p.pkts))
		for i := range p.pkts {
			msgs[i] = f.message(p.pkts[i])
		}
		to.value = wscore.NewPrepared(msgs...)
	})
	return to.value
}

// chunk is the polling form.
func (p *Prepared) chunk(c chunking) []byte {
	to := &p.chunks
	if c != chunkPlain {
		to = &p.others().chunks[c]
	}
	to.once.Do(func() { to.value = c.appendTo(nil, p.pkts) })
	return to.value
}

// zip is the polling form in an encoding, which compress makes of it.
func (p *Prepared) zip(c chunking, e encoding, compress func() []byte) []byte {
	to := &p.others().zipped[c][e]
	to.once.Do(func() { to.value = compress() })
	return to.value
}

func (p *Prepared) others() *rareForms {
	if r := p.rare.Load(); r != nil {
		return r
	}
	p.rare.CompareAndSwap(nil, new(rareForms))
	return p.rare.Load()
}
