package engineio

import (
	"time"

	"github.com/hermod-io/hermod/engineio/packet"
	"github.com/hermod-io/hermod/wscore"
)

// dialect is what the version of the protocol decides. A session has the one
// that its handshake asked for; nothing else tells the versions apart.
type dialect interface {
	protocol() int
	// framing is how a WebSocket of the session carries packets.
	framing(base64 bool) framing
	// decode decodes a WebSocket message.
	decode(op wscore.Opcode, data []byte) (packet.Packet, error)
	// takesBytes reports whether the body of a POST may be bytes.
	takesBytes() bool
	// take hands the packets of a POST's body to the session, in order, up to
	// the first bad one, which is the error. It may overwrite body.
	take(s *Session, body []byte, binary bool) error
	// payload is the answer to a GET, behind dst. The bytes may be shared: nobody
	// writes there.
	payload(dst pieces, units []unit) (body pieces, contentType string)
	// chunking is how payload carries units. Without ok it makes something else of
	// them.
	chunking(units []unit) (c chunking, ok bool)
	// firstBeat is when beat is due for the first time.
	firstBeat(cfg *Config) time.Duration
	// beat is called when the heartbeat's timer has expired.
	beat(s *Session)
	// heldUp is called when the reading of s is held up, and when it goes on.
	heldUp(s *Session)
	// ping and pong take those packets, and report whether what follows counts.
	ping(s *Session) bool
	pong(s *Session) bool
}

// The content types of polling answers.
const (
	typeText  = "text/plain; charset=UTF-8"
	typeBytes = "application/octet-stream"
)

// protocol is the version that a request asks for.
func (q *query) protocol() int {
	if q.eio == "4" {
		return 4
	}
	return 3
}

// dialect is the one that a handshake asks for.
func (q *query) dialect() dialect {
	jsonp := q.transport == Polling && q.jsonp
	var d dialect = dialect4{}
	if q.protocol() == 3 {
		d = dialect3{base64: q.base64 || jsonp}
	}
	if jsonp {
		return newJSONP(d, q.index)
	}
	return d
}

// dialect4 is protocol 4.
type dialect4 struct{}

func (dialect4) protocol() int { return 4 }

func (dialect4) framing(base64 bool) framing {
	if base64 {
		return frameBase64
	}
	return framePlain
}

func (dialect4) decode(op wscore.Opcode, data []byte) (packet.Packet, error) {
	if op == wscore.OpBinary {
		return packet.DecodeBinary(data), nil
	}
	return packet.DecodeText(data)
}

func (dialect4) takesBytes() bool { return false }

func (dialect4) take(s *Session, body []byte, _ bool) error {
	r := packet.NewPayloadReader(body)
	for r.Next() {
		if !s.receive(packet.ValidText(r.Packet())) {
			return nil
		}
	}
	return r.Err()
}

func (dialect4) payload(dst pieces, units []unit) (body pieces, contentType string) {
	return chunkPlain.join(dst, units), typeText
}

func (dialect4) chunking([]unit) (c chunking, ok bool) { return chunkPlain, true }

func (dialect4) firstBeat(cfg *Config) time.Duration { return cfg.PingInterval }

func (dialect4) beat(s *Session) { s.heartbeat() }

func (dialect4) heldUp(s *Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.excused() > 0 {
		s.pingOn()
	}
}

// ping is the server's alone.
func (dialect4) ping(s *Session) bool {
	s.end(TransportError, errHeartbeat)
	return false
}

func (dialect4) pong(s *Session) bool {
	s.pong()
	return true
}
