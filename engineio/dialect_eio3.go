package engineio

import (
	"time"

	"github.com/hermod-io/hermod/engineio/packet"
	"github.com/hermod-io/hermod/wscore"
)

// dialect3 is protocol 3: payloads with lengths, bytes behind their type, and
// pings that are the client's. Engine.IO protocol v3.
type dialect3 struct {
	base64 bool // polling answers are always text
}

func (dialect3) protocol() int { return 3 }

func (dialect3) framing(base64 bool) framing {
	if base64 {
		return frameBase64EIO3
	}
	return framePlainEIO3
}

func (dialect3) decode(op wscore.Opcode, data []byte) (packet.Packet, error) {
	if op == wscore.OpBinary {
		return packet.DecodeBinaryEIO3(data)
	}
	return packet.DecodeTextEIO3(data)
}

func (dialect3) takesBytes() bool { return true }

func (dialect3) take(s *Session, body []byte, binary bool) error {
	r := packet.NewTextReaderEIO3(body)
	if binary {
		r = packet.NewBinaryReaderEIO3(body)
	}
	for r.Next() {
		if !s.receive(packet.ValidText(r.Packet())) {
			return nil
		}
	}
	return r.Err()
}

// payload is binary if there are bytes in it and the client takes them.
func (d dialect3) payload(dst pieces, units []unit) (body pieces, contentType string) {
	contentType = typeText
	form, _ := d.chunking(units)
	if form == chunkBinaryEIO3 {
		contentType = typeBytes
	}
	return form.join(dst, units), contentType
}

func (d dialect3) chunking(units []unit) (c chunking, ok bool) {
	if !d.base64 && anyBinary(units) {
		return chunkBinaryEIO3, true
	}
	return chunkTextEIO3, true
}

func anyBinary(units []unit) bool {
	for i := range units {
		if units[i].binary() {
			return true
		}
	}
	return false
}

func (dialect3) firstBeat(cfg *Config) time.Duration { return cfg.PingInterval + cfg.PingTimeout }

// beat ends a session whose client has not sent a ping in time.
func (dialect3) beat(s *Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.excused() > 0 {
		s.rearm(s.srv.cfg.PingTimeout)
		return
	}
	s.srv.goFunc(func() { s.end(PingTimeout, nil) })
}

// heldUp has nothing to do: the pings are the client's.
func (dialect3) heldUp(*Session) {}

func (d dialect3) ping(s *Session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rearm(d.firstBeat(&s.srv.cfg))
	_ = s.sendLocked(Must, packet.Packet{Type: packet.Pong}) // closed: nobody waits for it
	return true
}

// pong is the server's alone.
func (dialect3) pong(s *Session) bool {
	s.end(TransportError, errHeartbeat)
	return false
}

// The other forms of a chunk.

func appendTextEIO3(dst []byte, pkts []packet.Packet) []byte {
	for i := range pkts {
		dst = packet.AppendTextEIO3(dst, pkts[i])
	}
	return dst
}

func appendBinaryEIO3(dst []byte, pkts []packet.Packet) []byte {
	for i := range pkts {
		dst = packet.AppendBinaryEIO3(dst, pkts[i])
	}
	return dst
}

// And those of a WebSocket message.

var typePrefixEIO3 = []byte{byte(packet.Message - '0')}

func messageEIO3(p packet.Packet) wscore.Message {
	if p.Binary {
		return wscore.Message{Op: wscore.OpBinary, Prefix: typePrefixEIO3, Data: p.Data}
	}
	return textMessage(p)
}

func messageBase64EIO3(p packet.Packet) wscore.Message {
	if p.Binary {
		return wscore.Message{Op: wscore.OpText, Data: packet.AppendBase64EIO3(nil, p)}
	}
	return textMessage(p)
}
