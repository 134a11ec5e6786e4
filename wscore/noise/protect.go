package noise

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/hermod-io/hermod/wscore"
)

// Protect returns spec with every message encrypted as c says. It serves both
// sides. An unusable c shows when a connection begins: it is closed (1008); see
// Config.Validate.
func Protect(spec wscore.ProtocolSpec, c Config) wscore.ProtocolSpec {
	inner := spec.New
	spec.New = func(p *wscore.Process) wscore.Protocol {
		g := &guard{p: p, c: &c, inner: inner(p), ready: make(chan struct{})}
		if g.inner == nil {
			return nil // refused, as without
		}
		g.coder, _ = g.inner.(wscore.Coder)
		return g
	}
	return spec
}

// guard is the protocol between the connection and the inner one. The session
// belongs to the reader until the handshake is complete.
type guard struct {
	p      *wscore.Process
	c      *Config
	inner  wscore.Protocol
	coder  wscore.Coder // inner, if it is one
	s      *session
	timer  *time.Timer
	ready  chan struct{}
	on     atomic.Bool // ready is closed
	peer   PublicKey   // set before that
	judged bool        // Verify has seen the peer's key
}

// Unwrap is the inner protocol.
func (g *guard) Unwrap() wscore.Protocol { return g.inner }

// Ready implements wscore.Readier.
func (g *guard) Ready() <-chan struct{} { return g.ready }

// OnOpen implements wscore.Opener: it begins the handshake.
func (g *guard) OnOpen() {
	g.timer = time.AfterFunc(g.c.timeout(), func() {
		if !g.on.Load() {
			g.fail(ErrTimeout)
		}
	})
	err := g.c.Validate(g.p.IsClient())
	if err == nil {
		g.s, err = newSession(g.c, g.p.IsClient(), g.p.Upgrade().Subprotocol, nil)
	}
	if err == nil && g.p.IsClient() {
		err = g.write()
	}
	if err != nil {
		g.fail(err)
	}
}

// fail closes the connection. The peer is told no more than that.
func (g *guard) fail(err error) { g.p.Fail(wscore.ClosePolicy, err) }

// Sequential implements wscore.Sequential: the messages are counted.
func (g *guard) Sequential() {}

// write sends our next message of the handshake.
func (g *guard) write() error {
	b, err := g.s.write()
	if err != nil {
		return err
	}
	return g.p.SendRaw(wscore.OpBinary, b)
}

// Decode implements wscore.Coder.
func (g *guard) Decode(op wscore.Opcode, data []byte) (wscore.Opcode, []byte, error) {
	if g.s == nil || op != wscore.OpBinary {
		return 0, nil, closed(ErrHandshake)
	}
	if !g.on.Load() {
		if err := g.handshake(data); err != nil {
			return 0, nil, closed(err)
		}
		return 0, nil, wscore.ErrConsumed
	}
	op, data, err := g.s.open(data)
	switch {
	case err != nil:
		return 0, nil, closed(err)
	case op == wscore.OpText && !utf8.Valid(data): // the connection looks at text alone. RFC 6455 section 8.1
		return 0, nil, &wscore.CloseError{Code: wscore.CloseInvalidPayload, Err: ErrMessage}
	}
	if g.coder != nil {
		return g.coder.Decode(op, data)
	}
	return op, data, nil
}

func closed(err error) error {
	return &wscore.CloseError{Code: wscore.ClosePolicy, Err: err}
}

// handshake takes the peer's message and sends ours, until it is complete.
func (g *guard) handshake(data []byte) error {
	if err := g.s.read(data); err != nil {
		return err
	}
	if err := g.verify(); err != nil {
		return err
	}
	if !g.s.done() {
		if err := g.write(); err != nil {
			return err
		}
	}
	if !g.s.done() {
		return nil
	}
	g.timer.Stop()
	g.on.Store(true)
	close(g.ready)
	if o, ok := g.inner.(wscore.Opener); ok {
		o.OnOpen()
	}
	return nil
}

// verify judges the peer's key as soon as it is known.
func (g *guard) verify() error {
	key := g.s.peer
	if len(key) != len(g.peer) || g.judged {
		return nil
	}
	g.judged = true
	peer := PublicKey(key)
	if patterns[g.c.Pattern].mutual {
		if err := g.c.Verify(g.p, peer); err != nil {
			if errors.Is(err, ErrPeerRefused) {
				return err
			}
			return fmt.Errorf("%w: %w", ErrPeerRefused, err)
		}
	}
	g.peer = peer
	return nil
}

// Encode implements wscore.Coder.
func (g *guard) Encode(op wscore.Opcode, data []byte) (wscore.Opcode, []byte, error) {
	if !g.on.Load() {
		return 0, nil, ErrNotReady
	}
	if g.coder != nil {
		var err error
		if op, data, err = g.coder.Encode(op, data); err != nil {
			return 0, nil, err
		}
	}
	out, err := g.s.seal(op, data)
	return wscore.OpBinary, out, err
}

// Gather implements wscore.Gatherer.
func (g *guard) Gather(msgs []wscore.Message) []wscore.Message {
	if in, ok := g.inner.(wscore.Gatherer); ok {
		return in.Gather(msgs)
	}
	return msgs
}

// OnMessage implements wscore.Protocol.
func (g *guard) OnMessage(op wscore.Opcode, data []byte) { g.inner.OnMessage(op, data) }

// OnControl implements wscore.ControlObserver.
func (g *guard) OnControl(op wscore.Opcode, data []byte) {
	if o, ok := g.inner.(wscore.ControlObserver); ok && g.on.Load() {
		o.OnControl(op, data)
	}
}

// OnClose implements wscore.Protocol. The inner protocol is told in any case.
func (g *guard) OnClose(err error) {
	if g.timer != nil {
		g.timer.Stop()
	}
	g.inner.OnClose(err)
}

// find is the guard of a connection that is ready.
func find(p *wscore.Process) (*guard, bool) {
	g, ok := p.Protocol().(*guard)
	return g, ok && g.on.Load()
}

// PeerKey is the key by which the peer was authenticated: with NK the server's, on
// the client alone. ok is false before the handshake is complete, and for who is
// anonymous.
func PeerKey(p *wscore.Process) (key PublicKey, ok bool) {
	g, ok := find(p)
	if !ok || g.peer == (PublicKey{}) {
		return key, false
	}
	return g.peer, true
}

// HandshakeHash is a value that both ends of this connection share, and no other
// two: by it something outside can be bound to the connection. Nil before
// the handshake is complete.
func HandshakeHash(p *wscore.Process) []byte {
	g, ok := find(p)
	if !ok {
		return nil
	}
	return append([]byte(nil), g.s.hash...)
}
