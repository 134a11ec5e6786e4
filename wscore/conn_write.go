package wscore

import "errors"

var errBadMessage = errors.New("wscore: message of an opcode or length that must not be sent")

// allValid reports whether msgs may be sent.
func allValid(msgs []Message) bool {
	for i := range msgs {
		switch m := &msgs[i]; m.Op {
		case OpText, OpBinary:
		case OpPing, OpPong:
			if len(m.Prefix)+len(m.Data) > maxControl {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// SendMessages queues msgs as one unit: no other message gets between them,
// and either all are taken or none. Without the flag Later they are written at
// once if nothing else waits. The bytes are read before it returns. It never
// blocks. Errors: ErrQueueFull, *CloseError, and another one for what is no
// [Message]. RFC 6455 section 6.1.
func (c *Conn) SendMessages(f SendFlags, msgs ...Message) error {
	if !allValid(msgs) {
		return errBadMessage
	}
	if f&Plain == 0 && c.compressing(msgs) {
		return c.sendDeflated(f, msgs)
	}
	size := encodedLen(msgs, c.client)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.admit(size, len(msgs), f); err != nil {
		return err
	}
	if c.streaming() && !allControl(msgs) {
		c.seldom.stream.wait(segment{b: encode(make([]byte, 0, size), msgs, c.client), n: len(msgs)})
		return nil
	}
	c.out.append(&c.grp.pools, size, msgs, c.client)
	c.depart(f)
	return nil
}

// SendPrepared is SendMessages for messages encoded before: on a server they
// are queued by reference, a client masks a copy. With takeover, or a window of
// less than 32 KiB, the connection deflates for itself. RFC 6455 section 6.1.
func (c *Conn) SendPrepared(p *Prepared, f SendFlags) error {
	if p.invalid {
		return errBadMessage
	}
	z := c.deflates()
	if f&Plain != 0 {
		z = nil
	}
	frames, ok := p.framesFor(z, c.grp.settings.Deflate)
	if !ok {
		return c.sendDeflated(f, p.messages())
	}
	if c.client {
		frames = masked(frames)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.admit(len(frames), p.n, f); err != nil {
		return err
	}
	if z != nil {
		z.savedOut.Add(int64(len(p.plain) - len(p.deflated)))
	}
	if c.streaming() {
		c.seldom.stream.wait(segment{b: frames, n: p.n})
		return nil
	}
	c.out.push(&c.grp.pools, segment{b: frames, n: p.n})
	c.depart(f)
	return nil
}

// Send sends one message, see [Conn.SendMessages]. RFC 6455 section 6.1.
func (c *Conn) Send(op Opcode, data []byte) error {
	return c.SendMessages(0, Message{Op: op, Data: data})
}

// admit decides whether a unit may join the queue, and counts it. mu is held.
func (c *Conn) admit(size, n int, f SendFlags) error {
	if c.state != stateOpen {
		return c.closedError()
	}
	if err := c.fits(size, n, f); err != nil {
		return err
	}
	c.out.bytes += size
	c.out.packets += int32(n)
	return nil
}

// room reports whether a message of that size would be taken now.
func (c *Conn) room(size int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != stateOpen {
		return c.closedError()
	}
	return c.fits(size, 1, 0)
}

// fits is nil if a unit has room in the queue; else its policy is carried out. mu
// is held.
func (c *Conn) fits(size, n int, f SendFlags) error {
	if f&Moved != 0 {
		return nil
	}
	o, q := &c.out, &c.grp.settings.Queue
	limitB, limitP := q.bytes(), q.packets()
	if f&Must != 0 {
		limitB, limitP = limitB+limitB/4, limitP+limitP/4
	}
	if c.seldom != nil {
		limitB, limitP = limitB+c.seldom.spared.bytes, limitP+c.seldom.spared.packets
	}
	if o.packets > 0 && (o.bytes+size > limitB || int(o.packets)+n > limitP) {
		if f&ifRoom == 0 && (f&Must != 0 || q.OnFull == Disconnect) {
			c.failLocked(ClosePolicy, ErrQueueFull)
		}
		return ErrQueueFull
	}
	return nil
}

// spared is by how much the queue may be over its bound.
type spared struct{ bytes, packets int }

// CountAs has what waits in the queue count as no more than bytes and packets until
// the queue is empty: for what was [Moved] here from a queue that counts otherwise, so
// that the next message finds the room that it would have found there.
func (c *Conn) CountAs(bytes, packets int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	over := spared{max(0, c.out.bytes-bytes), max(0, int(c.out.packets)-packets)}
	if over != (spared{}) && !c.out.empty() {
		c.needed().spared = over
	}
}

// depart sees to it that the queue is written. mu is held.
func (c *Conn) depart(f SendFlags) {
	o := &c.out
	switch {
	case o.owned || o.dirty || o.corked:
	case f&Later != 0 || c.more.Load() && c.state == stateOpen:
		o.dirty = true
		c.grp.flushLater(c)
	default:
		c.writeSome()
	}
}

// writeSome writes what is queued without waiting. mu is held, and nobody owns
// the write side. What the kernel refuses is left to a goroutine of this
// connection. The write(2) under mu does not block.
func (c *Conn) writeSome() {
	o := &c.out
	scratch := c.grp.pools.vec()
	defer c.grp.pools.putVec(scratch)
	for !o.empty() {
		n, again, err := c.raw.tryWritev(o.vec(scratch))
		if err != nil {
			c.writeFailed(err)
			return
		}
		o.wrote(n)
		if again {
			o.owned, o.refused = true, true
			c.grp.goFunc(c.drain)
			return
		}
	}
	c.drained()
}

// claim takes the write side for a flusher, with what is queued, and reports
// whether there is anything. The flusher does not hold mu while it writes: those
// that broadcast would go at the pace of the writes.
func (c *Conn) claim(v *vector) bool {
	o := &c.out
	c.mu.Lock()
	defer c.mu.Unlock()
	o.dirty = false
	if o.owned || o.corked || c.state == stateGone || o.empty() {
		return false
	}
	o.owned = true
	o.vec(v)
	return true
}

// settle accounts for what the flusher wrote. What was queued behind it is left
// to the dirty list.
func (c *Conn) settle(v *vector) {
	o := &c.out
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.state == stateGone:
		o.owned = false
		o.drop(&c.grp.pools)
		return
	case v.err != nil:
		c.writeFailed(v.err)
		return
	}
	o.wrote(v.n)
	switch {
	case v.again:
		o.refused = true
		c.grp.goFunc(c.drain)
	case o.empty():
		c.drained()
	default:
		o.owned, o.dirty = false, true
		c.grp.flushLater(c)
	}
}

// drain waits for the kernel to take what it refused, and ends with the queue.
// It owns the write side: others only append to the queue meanwhile.
func (c *Conn) drain() {
	scratch := c.grp.pools.vec()
	defer c.grp.pools.putVec(scratch)
	for {
		c.mu.Lock()
		c.out.vec(scratch)
		c.mu.Unlock()
		if n, err := c.raw.waitWritev(scratch); c.progress(n, err) {
			return
		}
	}
}

// progress accounts for a write of the owner and reports whether it is done.
func (c *Conn) progress(n int, err error) (done bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.state == stateGone:
		c.out.owned = false
		c.out.drop(&c.grp.pools)
		return true
	case err != nil:
		c.writeFailed(err)
		return true
	}
	c.out.wrote(n)
	c.tellRoom()
	if !c.out.empty() {
		return false
	}
	c.drained()
	return true
}

// drained is called when nothing is left to write. mu is held.
func (c *Conn) drained() {
	c.out.owned, c.out.refused = false, false
	c.out.drop(&c.grp.pools)
	if c.seldom != nil {
		c.seldom.spared = spared{}
	}
	c.recount()
	switch {
	case c.state == stateClosing && c.closeQueued:
		c.flushedClose()
	case c.state == stateOpen && c.seldom != nil && c.seldom.owed != nil:
		pong := c.seldom.owed
		c.seldom.owed = nil
		c.pushPongs(pong, 1)
	}
}

// writeFailed ends the connection after a failed write. mu is held.
func (c *Conn) writeFailed(err error) {
	c.out.owned = false
	c.end(&CloseError{Code: CloseAbnormal, Err: err})
}
