package wscore

import (
	"github.com/hermod-io/hermod/internal/bufpool"
)

// maxCopied is the size up to which a frame is copied behind the one before it
// instead of being a write of its own.
const maxCopied = 1 << 10

// segment is a piece of the send queue: one long or prepared unit, or
// the frames in an arena.
type segment struct {
	b     []byte
	arena *bufpool.Buffer // b is in it; given back when b is written
}

// outgoing is the send queue. Its connection's mu guards it, but for out, which
// belongs to the owner of the write side.
type outgoing struct {
	queue   []segment
	packets int  // in queue and in out
	bytes   int  // likewise
	owned   bool // a flusher or the connection's own goroutine writes
	dirty   bool // on the server's list
	refused bool // the kernel has refused bytes that still wait
	corked  bool // nothing is written before Serve

	out     []segment // what the owner is writing
	outPkts int
	iov     [][]byte
}

// SendMessages queues msgs as one unit: no other message gets between them,
// and either all are taken or none.
func (c *Conn) SendMessages(f SendFlags, msgs ...Message) error {
	size := 0
	for i := range msgs {
		n := len(msgs[i].Prefix) + len(msgs[i].Data)
		size += headerLen(n) + n
	}
	c.mu.Lock()
	if err := c.admit(size, len(msgs), f); err != nil {
		c.mu.Unlock()
		return err
	}
	if size <= maxCopied {
		c.appendCopied(size, msgs)
	} else {
		c.out.queue = append(c.out.queue, segment{b: encode(make([]byte, 0, size), msgs)})
	}
	c.depart(f)
	c.mu.Unlock()
	return nil
}

// SendPrepared is SendMessages for messages encoded before.
func (c *Conn) SendPrepared(p *Prepared, f SendFlags) error {
	frames := p.frames()
	c.mu.Lock()
	if err := c.admit(len(frames), p.n, f); err != nil {
		c.mu.Unlock()
		return err
	}
	c.out.queue = append(c.out.queue, segment{b: frames})
	c.depart(f)
	c.mu.Unlock()
	return nil
}

// Send queues one message and, if nothing else waits, writes it at once.
func (c *Conn) Send(op Opcode, data []byte) error {
	return c.SendMessages(0, Message{Op: op, Data: data})
}

// admit decides whether a unit may join the queue, and counts it.
func (c *Conn) admit(size, n int, f SendFlags) error {
	if c.state != stateOpen {
		return c.closedError()
	}
	o := &c.out
	limitB, limitP := c.srv.settings.Queue.bytes(), c.srv.settings.Queue.packets()
	if f&Must != 0 {
		limitB, limitP = limitB+limitB/4, limitP+limitP/4
	}
	if o.packets > 0 && (o.bytes+size > limitB || o.packets+n > limitP) {
		if f&Must != 0 || c.srv.settings.Queue.OnFull == Disconnect {
			c.failLocked(ClosePolicy, ErrQueueFull)
		}
		return ErrQueueFull
	}
	o.bytes += size
	o.packets += n
	return nil
}

// appendCopied puts small frames behind one another.
func (c *Conn) appendCopied(size int, msgs []Message) {
	q := c.out.queue
	if n := len(q); n > 0 && q[n-1].arena != nil && cap(q[n-1].b)-len(q[n-1].b) >= size {
		q[n-1].b = encode(q[n-1].b, msgs)
		return
	}
	buf := bufpool.Get(bufpool.Small)
	c.out.queue = append(q, segment{encode(buf.Bytes()[:0], msgs), buf})
}

// encode appends the frames of msgs.
func encode(dst []byte, msgs []Message) []byte {
	for i := range msgs {
		m := &msgs[i]
		dst = appendHeader(dst, m.Op, len(m.Prefix)+len(m.Data))
		dst = append(append(dst, m.Prefix...), m.Data...)
	}
	return dst
}

// depart sees to it that the queue is written. mu is held.
func (c *Conn) depart(f SendFlags) {
	o := &c.out
	switch {
	case o.owned || o.dirty || o.corked:
	case f&Later != 0:
		o.dirty = true
		c.srv.flushLater(c)
	default:
		c.writeSome()
	}
}

// writeSome writes what is queued without waiting. mu is held, and nobody owns
// the write side. What the kernel refuses is left to a goroutine of this
// connection.
func (c *Conn) writeSome() {
	o := &c.out
	o.take()
	for len(o.out) > 0 {
		n, again, err := c.raw.TryWritev(o.vec())
		if err != nil {
			c.writeFailed(err)
			return
		}
		o.wrote(n)
		if again {
			o.owned, o.refused = true, true
			c.srv.goFunc(c.drain)
			return
		}
		if len(o.out) == 0 {
			o.settle()
			o.take()
		}
	}
	c.drained()
}

// take moves the queue to the owner.
func (o *outgoing) take() {
	if len(o.out) == 0 {
		o.out, o.queue = o.queue, o.out[:0]
		o.outPkts = o.packets
	}
}

// vec returns the bytes of out.
func (o *outgoing) vec() [][]byte {
	o.iov = o.iov[:0]
	for _, s := range o.out {
		o.iov = append(o.iov, s.b)
	}
	return o.iov
}

// wrote takes n bytes off the front of out.
func (o *outgoing) wrote(n int) {
	o.bytes -= n
	i := 0
	for ; i < len(o.out) && n >= len(o.out[i].b); i++ {
		n -= len(o.out[i].b)
		bufpool.Put(o.out[i].arena)
		o.out[i] = segment{}
	}
	if i < len(o.out) {
		o.out[i].b = o.out[i].b[n:]
	}
	rest := copy(o.out, o.out[i:])
	clear(o.out[rest:])
	o.out = o.out[:rest]
	clear(o.iov)
}

// settle counts out as gone.
func (o *outgoing) settle() {
	o.packets -= o.outPkts
	o.outPkts = 0
}

// drained is called when nothing is left to write. mu is held.
func (c *Conn) drained() {
	o := &c.out
	o.settle()
	o.owned, o.refused = false, false
	if cap(o.queue) > 64 {
		o.queue = nil
	}
	o.out, o.iov = nil, nil
	if c.state >= stateClosing && c.closeQueued {
		c.flushedClose()
	}
}

// drain waits for the kernel to take what it refused, and ends with the queue.
// It owns the write side.
func (c *Conn) drain() {
	if p, ok := c.raw.(plain); ok {
		c.drainPlain(p)
		return
	}
	for {
		c.mu.Lock()
		vec := c.out.vec()
		c.mu.Unlock()
		var n int
		var err error
		werr := c.raw.WaitWrite(func() bool {
			var again bool
			n, again, err = c.raw.TryWritev(vec)
			return !again
		})
		if err == nil {
			err = werr
		}
		if c.progress(n, err) {
			return
		}
	}
}

func (c *Conn) drainPlain(p plain) {
	for {
		c.mu.Lock()
		vec := append([][]byte(nil), c.out.vec()...)
		c.mu.Unlock()
		n, err := p.writeAll(vec)
		if c.progress(n, err) {
			return
		}
	}
}

// progress accounts for a write of the owner and reports whether it is done.
func (c *Conn) progress(n int, err error) (done bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.out.owned = false
		c.writeFailed(err)
		return true
	}
	o := &c.out
	o.wrote(n)
	if len(o.out) == 0 {
		o.settle()
		o.take()
	}
	if len(o.out) > 0 {
		return false
	}
	c.drained()
	return true
}

// flush writes what is queued, for a flusher.
func (c *Conn) flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out.dirty = false
	if !c.out.owned && !c.out.corked {
		c.writeSome()
	}
}
