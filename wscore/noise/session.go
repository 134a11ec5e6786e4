package noise

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/flynn/noise"

	"github.com/hermod-io/hermod/wscore"
)

const (
	maxHandshake = 256        // bytes of a handshake message; the patterns need less
	maxPiece     = 65535 - 16 // plain bytes of one transport message
	rekeyEvery   = 1 << 16    // transport messages in one direction
	protocolName = "hermod noise 1"
)

// session is the cryptography of one connection: bytes in, bytes out. The
// sending and the receiving half may be used at the same time.
type session struct {
	hs         *noise.HandshakeState // nil once it is complete
	client     bool
	peer       []byte // static key of the peer, as soon as it is known
	hash       []byte // of the handshake
	send, recv *noise.CipherState
	sent, got  uint64 // transport messages since the start
	padding    int
	broken     bool // a message could not be opened
	sealed     []byte
	opened     []byte
}

// newSession begins a handshake. ephemeral is for tests, nil in life.
func newSession(c *Config, client bool, subprotocol string, ephemeral *Key) (*session, error) {
	p := patterns[c.Pattern]
	nc := noise.Config{
		CipherSuite: suites[c.Suite], Pattern: p.handshake, Initiator: client,
		Prologue: prologue(c.Prologue, subprotocol),
	}
	if c.Key != (Key{}) {
		nc.StaticKeypair = noise.DHKey{Private: c.Key.Private[:], Public: c.Key.Public[:]}
	}
	if client && !p.mutual {
		nc.PeerStatic = c.PeerKey[:]
	}
	if p.psk >= 0 {
		nc.PresharedKey, nc.PresharedKeyPlacement = c.PSK, p.psk
	}
	if ephemeral != nil {
		nc.Prologue, nc.Random = c.Prologue, bytes.NewReader(ephemeral.Private[:])
	}
	hs, err := noise.NewHandshakeState(nc)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrHandshake, err)
	}
	return &session{hs: hs, client: client, padding: c.Padding}, nil
}

// prologue is what both sides must have in common, each part with its length.
func prologue(own []byte, subprotocol string) []byte {
	b := append([]byte(protocolName), 0)
	b = append(binary.AppendUvarint(b, uint64(len(subprotocol))), subprotocol...)
	return append(b, own...)
}

// write is the next handshake message.
func (s *session) write() ([]byte, error) {
	out, a, b, err := s.hs.WriteMessage(nil, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrHandshake, err)
	}
	s.split(a, b)
	return out, nil
}

// read takes the peer's next handshake message.
func (s *session) read(msg []byte) error {
	if len(msg) > maxHandshake {
		return ErrHandshake
	}
	payload, a, b, err := s.hs.ReadMessage(nil, msg)
	if err != nil || len(payload) > 0 {
		return ErrHandshake
	}
	s.split(a, b)
	return nil
}

// split takes the keys at the end of the handshake, the first for what the client
// sends. What made them is forgotten. Noise protocol section 5.3.
func (s *session) split(a, b *noise.CipherState) {
	s.peer = s.hs.PeerStatic()
	if a == nil {
		return
	}
	if s.send, s.recv = a, b; !s.client {
		s.send, s.recv = b, a
	}
	s.hash = append(s.hash, s.hs.ChannelBinding()...)
	s.hs = nil
}

// done reports whether the handshake is complete.
func (s *session) done() bool { return s.send != nil }

// seal encrypts a message: its kind, its length, its bytes, padding; cut into
// transport messages, each with its length before it. The result is valid until the
// next call.
func (s *session) seal(op wscore.Opcode, data []byte) ([]byte, error) {
	plain := append(binary.AppendUvarint([]byte{byte(op)}, uint64(len(data))), data...)
	if s.padding > 1 {
		if over := len(plain) % s.padding; over > 0 {
			plain = append(plain, make([]byte, s.padding-over)...)
		}
	}
	out := s.sealed[:0]
	for len(plain) > 0 {
		piece := plain[:min(len(plain), maxPiece)]
		plain = plain[len(piece):]
		var err error
		out = binary.BigEndian.AppendUint16(out, uint16(len(piece)+16))
		if out, err = s.send.Encrypt(out, nil, piece); err != nil {
			return nil, err
		}
		if s.sent++; s.sent%rekeyEvery == 0 {
			s.send.Rekey()
		}
	}
	if s.sealed = out; cap(out) > maxKept {
		s.sealed = nil
	}
	return out, nil
}

// maxKept is the largest buffer that a connection keeps between messages.
const maxKept = 4 << 10

// open undoes seal. The result is valid until the next call. After an error
// nothing is opened any more.
func (s *session) open(msg []byte) (op wscore.Opcode, data []byte, err error) {
	if s.broken {
		return 0, nil, ErrMessage
	}
	defer func() { s.broken = err != nil }()
	plain := s.opened[:0]
	for len(msg) > 0 {
		if len(msg) < 2 {
			return 0, nil, ErrMessage
		}
		n := int(binary.BigEndian.Uint16(msg))
		if msg = msg[2:]; n > len(msg) {
			return 0, nil, ErrMessage
		}
		if plain, err = s.recv.Decrypt(plain, nil, msg[:n]); err != nil {
			return 0, nil, ErrMessage
		}
		msg = msg[n:]
		if s.got++; s.got%rekeyEvery == 0 {
			s.recv.Rekey()
		}
	}
	if s.opened = plain; cap(plain) > maxKept {
		s.opened = nil
	}
	return unwrap(plain)
}

// unwrap takes kind, length and padding off.
func unwrap(plain []byte) (op wscore.Opcode, data []byte, err error) {
	if len(plain) == 0 {
		return 0, nil, ErrMessage
	}
	op = wscore.Opcode(plain[0])
	n, k := binary.Uvarint(plain[1:])
	if k <= 0 || n > uint64(len(plain)-1-k) || op != wscore.OpText && op != wscore.OpBinary {
		return 0, nil, ErrMessage
	}
	return op, plain[1+k : 1+k+int(n)], nil
}
