package wscore

import (
	"bytes"
	"sync"
	"sync/atomic"

	"github.com/hermod-io/hermod/internal/bufpool"
)

// compression is what a connection keeps that has agreed on permessage-deflate:
// with takeover a window in each direction, without it nothing else.
type compression struct {
	*deflater

	mu sync.Mutex // with takeover of ours: held from deflating until the frames are queued

	savedIn, savedOut atomic.Int64 // payload bytes that did not have to travel
}

// deflates is the compression of the connection, or nil.
func (c *Conn) deflates() *compression {
	if c.agreed == nil {
		return nil
	}
	return c.agreed.z
}

// negotiate keeps what the handshake agreed on.
func (c *Conn) negotiate(subprotocol, extensions string, p deflateParams) {
	if subprotocol == "" && extensions == "" {
		return
	}
	c.agreed = &agreed{subprotocol: subprotocol, extensions: extensions}
	if extensions != "" {
		c.agreed.z = &compression{deflater: newDeflater(c.grp.settings.Deflate, p, c.client)}
		c.parser.deflate = true
	}
}

// lock takes the right to deflate, if messages depend on each other.
func (z *compression) lock() (unlock func()) {
	if z.stateless() {
		return func() {}
	}
	z.mu.Lock()
	return z.mu.Unlock
}

// forget makes the next message independent of those before.
func (z *compression) forget() {
	if z.sent != nil {
		z.sent.buf = z.sent.buf[:0]
	}
}

// toDeflate reports whether a message is long enough, and may be deflated.
func (m *Message) toDeflate(least int) bool {
	return !m.Plain && !m.Op.control() && len(m.Prefix)+len(m.Data) >= least
}

// compressing reports whether a unit has a message that is to be deflated.
func (c *Conn) compressing(msgs []Message) bool {
	if c.deflates() == nil {
		return false
	}
	least := c.grp.settings.Deflate.threshold()
	for i := range msgs {
		if msgs[i].toDeflate(least) {
			return true
		}
	}
	return false
}

// sendDeflated is SendMessages for a unit with messages to be deflated, which
// is done before the connection's mu is taken.
func (c *Conn) sendDeflated(f SendFlags, msgs []Message) error {
	z := c.agreed.z
	defer z.lock()()
	buf := bufpool.Get(bufpool.Small)
	defer bufpool.Put(buf)
	frames, saved := encodeDeflated(buf.Bytes()[:0], msgs, z.deflater, c.grp.settings.Deflate.threshold(), c.client)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.admit(len(frames), len(msgs), f); err != nil {
		z.forget() // what was deflated is not sent
		return err
	}
	z.savedOut.Add(int64(saved))
	if c.streaming() {
		c.seldom.stream.wait(segment{b: append([]byte(nil), frames...), n: len(msgs)})
		return nil
	}
	c.out.appendFrames(&c.grp.pools, frames, len(msgs))
	c.depart(f)
	return nil
}

// encodeDeflated appends the frames of msgs, deflated where that is worth it,
// and tells how many bytes of payload that saved.
func encodeDeflated(dst []byte, msgs []Message, z *deflater, least int, masked bool) (frames []byte, saved int) {
	buf := bufpool.Get(bufpool.Small)
	defer bufpool.Put(buf)
	for i := range msgs {
		m := &msgs[i]
		if m.toDeflate(least) {
			if b, ok := z.compress(buf.Bytes()[:0], m.Prefix, m.Data); ok {
				dst = appendFrame(dst, bitFin|bitRSV1, m.Op, nil, b, masked)
				saved += len(m.Prefix) + len(m.Data) - len(b)
				continue
			}
		}
		dst = appendFrame(dst, bitFin, m.Op, m.Prefix, m.Data, masked)
	}
	return dst, saved
}

// inflateItem gives a deflated message its payload. buf is to be given back when
// that is no longer used.
func (c *Conn) inflateItem(it *item) (buf *bufpool.Buffer, err error) {
	buf = bufpool.Get(bufpool.Medium)
	z := c.agreed.z
	b, err := z.inflate(buf.Bytes()[:0], it.data, c.grp.settings.maxMessage())
	if err != nil {
		return buf, err
	}
	z.savedIn.Add(int64(len(b) - len(it.data)))
	if it.op == OpText {
		var u utf8Check
		if !u.add(b) || !u.done() {
			return buf, errUTF8
		}
	}
	it.data = b
	return buf, nil
}

// inflated copies the payload of a deflated message.
func (c *Conn) inflated(it item) ([]byte, error) {
	buf, err := c.inflateItem(&it)
	defer bufpool.Put(buf)
	if err != nil {
		return nil, err
	}
	return bytes.Clone(it.data), nil
}
