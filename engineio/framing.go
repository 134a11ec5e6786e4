package engineio

import (
	"github.com/hermod-io/hermod/engineio/packet"
	"github.com/hermod-io/hermod/wscore"
)

// framing is how a WebSocket carries packets. Only bytes differ.
type framing uint8

const (
	framePlain      framing = iota // bytes as they are
	frameBase64                    // bytes as text, for who asked for that (b64)
	framePlainEIO3                 // bytes behind their type
	frameBase64EIO3                // bytes as text
	framings
)

var framers = [framings]func(packet.Packet) wscore.Message{
	framePlain:      plainMessage,
	frameBase64:     base64Message,
	framePlainEIO3:  messageEIO3,
	frameBase64EIO3: messageBase64EIO3,
}

// message is the WebSocket message of a packet.
func (f framing) message(p packet.Packet) wscore.Message {
	if !p.Binary {
		return textMessage(p)
	}
	return framers[f](p)
}

// own is the WebSocket message of m. Without a prefix, or as bytes that travel
// as they are, it costs nothing.
func (f framing) own(m Message) wscore.Message {
	switch {
	case m.Binary && f == framePlain:
		return wscore.Message{Op: wscore.OpBinary, Prefix: m.Prefix, Data: m.Data}
	case m.Binary && len(m.Prefix) == 0:
		return f.message(packet.Packet{Type: packet.Message, Binary: true, Data: m.Data})
	case m.Binary:
		data := append(append([]byte(nil), m.Prefix...), m.Data...)
		return f.message(packet.Packet{Type: packet.Message, Binary: true, Data: data})
	case len(m.Prefix) == 0:
		return textMessage(packet.Packet{Type: packet.Message, Data: m.Data})
	}
	prefix := append([]byte{byte(packet.Message)}, m.Prefix...)
	return wscore.Message{Op: wscore.OpText, Prefix: prefix, Data: m.Data}
}

var typeDigits = [...]byte{'0', '1', '2', '3', '4', '5', '6'}

// textMessage is the WebSocket message of a packet without bytes, the same in
// every framing.
func textMessage(p packet.Packet) wscore.Message {
	i := p.Type - '0'
	return wscore.Message{Op: wscore.OpText, Prefix: typeDigits[i : i+1], Data: p.Data}
}

func plainMessage(p packet.Packet) wscore.Message {
	return wscore.Message{Op: wscore.OpBinary, Data: p.Data}
}

func base64Message(p packet.Packet) wscore.Message {
	return wscore.Message{Op: wscore.OpText, Data: packet.AppendChunk(nil, p)}
}

// chunking is how a polling payload carries packets.
type chunking uint8

const (
	chunkPlain      chunking = iota // joined by 0x1E, bytes in base64
	chunkTextEIO3                   // behind their lengths, bytes in base64
	chunkBinaryEIO3                 // behind their lengths, bytes as they are
	chunkings
)

var chunkers = [chunkings]func([]byte, []packet.Packet) []byte{
	chunkPlain:      func(dst []byte, pkts []packet.Packet) []byte { return packet.AppendPayload(dst, pkts...) },
	chunkTextEIO3:   appendTextEIO3,
	chunkBinaryEIO3: appendBinaryEIO3,
}

func (c chunking) appendTo(dst []byte, pkts []packet.Packet) []byte { return chunkers[c](dst, pkts) }

// pieces are a payload, one behind the other.
type pieces [][]byte

// size is how many bytes they are.
func (p pieces) size() (n int) {
	for _, b := range p {
		n += len(b)
	}
	return n
}

// sharedFrom is the length from which a Prepared is a piece of its own.
const sharedFrom = 4 << 10

// join appends the payload of units. What is short is put together; a long Prepared is
// not copied: many clients may be slow to take the same broadcast.
func (c chunking) join(body pieces, units []unit) pieces {
	var short []byte
	for i := range units {
		if i > 0 && c == chunkPlain {
			short = append(short, packet.Separator)
		}
		p := units[i].prepared
		if p == nil {
			short = c.appendTo(short, units[i].pkts)
			continue
		}
		b := p.chunk(c)
		if len(units) > 1 && len(b) < sharedFrom {
			short = append(short, b...)
			continue
		}
		if len(short) > 0 {
			body, short = append(body, short), nil
		}
		body = append(body, b)
	}
	if len(short) > 0 {
		body = append(body, short)
	}
	return body
}
