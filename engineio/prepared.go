package engineio

import (
	"sync"

	"github.com/hermod-io/hermod/engineio/packet"
	"github.com/hermod-io/hermod/wscore"
)

// Prepared is an immutable unit of messages, encoded at most once per wire form.
// It is safe for concurrent use.
type Prepared struct {
	pkts []packet.Packet
	size int

	wsOnce    sync.Once
	ws        *wscore.Prepared
	chunkOnce sync.Once
	chunks    []byte
}

// NewPrepared returns a unit of msgs; their bytes are copied.
func NewPrepared(msgs ...Message) *Prepared {
	pkts, size := copyPackets(msgs)
	return &Prepared{pkts: pkts, size: size}
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
func (p *Prepared) frames() *wscore.Prepared {
	p.wsOnce.Do(func() {
		msgs := make([]wscore.Message, len(p.pkts))
		for i, pkt := range p.pkts {
			msgs[i] = wsMessage(pkt)
		}
		p.ws = wscore.NewPrepared(msgs...)
	})
	return p.ws
}

// chunk is the polling form.
func (p *Prepared) chunk() []byte {
	p.chunkOnce.Do(func() { p.chunks = packet.AppendPayload(nil, p.pkts...) })
	return p.chunks
}

var typeBytes = [...]byte{'0', '1', '2', '3', '4', '5', '6'}

// wsMessage is the WebSocket message of a packet.
func wsMessage(p packet.Packet) wscore.Message {
	if p.Binary {
		return wscore.Message{Op: wscore.OpBinary, Data: p.Data}
	}
	i := p.Type - '0'
	return wscore.Message{Op: wscore.OpText, Prefix: typeBytes[i : i+1], Data: p.Data}
}
