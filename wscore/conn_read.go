package wscore

import (
	"runtime/debug"

	"github.com/hermod-io/hermod/internal/bufpool"
)

// readOnce is one read without waiting; the buffer is held only if there is
// something in it.
func (c *Conn) readOnce(fd uintptr) bool {
	buf := bufpool.Get(c.readSize())
	n, again, err := c.raw.tryRead(fd, buf.Bytes())
	if n == 0 {
		bufpool.Put(buf)
		c.failRead(err)
		return !again
	}
	c.buf = buf
	c.hasRead(n)
	return true
}

// readSize is how much is read at once. Where reading holds the buffer while it
// waits that is little, unless one of the last two reads was of so much or more.
func (c *Conn) readSize() int {
	if _, holds := c.raw.(plain); holds && c.wide == 0 {
		return bufpool.Tiny
	}
	return bufpool.Medium
}

// hasRead notes how much was read.
func (c *Conn) hasRead(n int) {
	c.n = uint16(n)
	if n >= bufpool.Tiny {
		c.wide = 2
	} else if c.wide > 0 {
		c.wide--
	}
}

// waitRead waits for bytes, or an error, which it returns and keeps.
func (c *Conn) waitRead() error {
	err := c.raw.waitRead(c.readable)
	if err != nil && c.readErr() == nil {
		c.failRead(err)
	}
	return c.readErr()
}

// failRead keeps the error of reading, after which nothing else is of use.
func (c *Conn) failRead(err error) {
	if err != nil {
		c.aside = &aside{err: err}
	}
}

// readErr is the error of reading that was kept, or nil.
func (c *Conn) readErr() error {
	if c.aside == nil {
		return nil
	}
	return c.aside.err
}

// serve is the connection's goroutine.
func (c *Conn) serve() {
	if early := c.takeEarly(); len(early) > 0 {
		if !c.handle(early) {
			c.finish()
			return
		}
	}
	c.goOn()
}

// goOn reads to the end, or until another goroutine does.
func (c *Conn) goOn() {
	for {
		if c.buf == nil && c.waitRead() != nil { // else readNow has read
			switch {
			case !c.interrupted():
				c.finish()
				return
			case c.park():
				return
			}
			continue
		}
		buf := c.buf
		c.buf = nil
		if c.stays() {
			c.next.begin()
		}
		ok := c.handle(buf.Bytes()[:c.n])
		bufpool.Put(buf)
		if !ok {
			c.leaveNext()
			c.finish()
			return
		}
		c.stir()
		if !c.runNext() {
			return
		}
		moves := c.shouldMove()
		if c.parkAgain() {
			return
		}
		if moves {
			c.grp.goFunc(c.serve)
			return
		}
	}
}

// stays reports whether the reader is likely to be the one of the next message too.
// One that is about to move would leave the stack that grew behind.
func (c *Conn) stays() bool { return c.reads >= nextFrom }

// youngReads is how many reads a connection counts as young for.
const youngReads = 16

// shouldMove reports whether the reader should go on in a fresh goroutine. A
// stack that grew while a message was handled is never given back, so an idle
// connection would keep it: a young connection, which often says a few words
// and then falls silent, moves after each read, an older one once a second.
func (c *Conn) shouldMove() bool {
	if c.reads < youngReads {
		c.reads++
		return true
	}
	now := c.now()
	if now-c.moved < 1000 {
		return false
	}
	c.moved = now
	return true
}

// handle parses what was read and hands on what is complete; then the library's
// own replies leave. It reports whether reading goes on.
func (c *Conn) handle(b []byte) bool {
	for len(b) > 0 && !c.gone.Load() {
		if c.over(len(b)) {
			return c.keepDiscarding()
		}
		n, it, err := c.parser.next(b)
		b = b[n:]
		if err != nil {
			c.fault(err)
			return c.keepDiscarding()
		}
		if it.ok {
			c.expect(len(b) > 0)
			c.dispatch(it)
		}
	}
	c.expect(false)
	c.replyPongs()
	c.watchProgress()
	if s, ok := c.proto.(controlSeer); ok && c.parser.busy() {
		s.onPart()
	}
	return c.keepDiscarding()
}

// expect notes whether another message is likely to be handled at once: then what
// is sent meanwhile is left to a flusher, and goes out in one write with what
// follows. The flusher does not wait for a handler.
func (c *Conn) expect(more bool) {
	if c.more.Load() != more {
		c.more.Store(more)
	}
}

func (c *Conn) dispatch(it item) {
	if it.op == OpPing {
		c.addPong(it.data)
	}
	if s, ok := c.proto.(controlSeer); ok && it.op.control() {
		c.replyPongs() // whoever hears of a ping may close the connection
		c.guarded(func() { s.onControl(it.op, it.data) })
	}
	switch it.op {
	case OpPing, OpPong:
	case OpClose:
		c.replyPongs()
		c.peerClosed(it.data)
	default:
		c.deliver(it)
	}
}

// deliver hands a message to the protocol; a panic there closes the connection.
func (c *Conn) deliver(it item) {
	c.replyPongs()    // what answers the message comes after what answers the pings within it
	c.watchProgress() // the message is finished: however long it is handled, the peer is not late
	if it.zip {
		buf, err := c.inflateItem(&it)
		defer bufpool.Put(buf)
		if err != nil {
			c.fault(err)
			return
		}
	}
	returned := false
	defer c.called(&returned)
	c.proto.OnMessage(it.op, it.data)
	returned = true
}

func (c *Conn) panicked(v any) {
	if log := c.grp.settings.Log; log != nil {
		log.Error("wscore: panic in a protocol", "panic", v, "stack", string(debug.Stack()))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got = true // nothing more is handed to a protocol that panicked
	c.failLocked(CloseInternal, errPanic)
}

// maxPongs is how many pings of one read are answered; of more, the latest.
const maxPongs = 32

// addPong notes the answer to a ping.
func (c *Conn) addPong(data []byte) {
	if c.aside == nil {
		c.aside = new(aside)
	}
	a := c.aside
	if a.npongs == maxPongs {
		a.pongs, a.npongs = a.pongs[:0], 0
	}
	a.lastPong = len(a.pongs)
	a.pongs = appendFrame(a.pongs, bitFin, OpPong, nil, data, c.client)
	a.npongs++
}

// replyPongs answers the pings of a read in one write. A peer that does not
// read gets one answer when it does, to its latest ping. RFC 6455 section 5.5.3.
func (c *Conn) replyPongs() {
	if c.aside == nil {
		return
	}
	a := c.aside
	c.aside = nil
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.out.refused {
		c.needed().owed = a.pongs[a.lastPong:]
		return
	}
	c.pushPongs(a.pongs, a.npongs)
}

// takeEarly returns what was read before the handshake was done.
func (c *Conn) takeEarly() []byte {
	if c.aside == nil {
		return nil
	}
	early := c.aside.early
	c.aside = nil
	return early
}

// pushPongs sends n pong frames, which the queue keeps. mu is held.
func (c *Conn) pushPongs(frames []byte, n int) {
	if c.admit(len(frames), n, Must) == nil {
		c.out.push(&c.grp.pools, segment{b: frames, n: n})
		c.depart(0)
	}
}
