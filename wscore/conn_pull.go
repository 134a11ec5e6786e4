package wscore

import (
	"bytes"
	"context"

	"github.com/hermod-io/hermod/internal/bufpool"
)

// pull is what the caller-driven form keeps between two calls: the bytes of the
// last read that are not parsed yet.
type pull struct {
	buf     *bufpool.Buffer
	rest    []byte
	message *messageReader // the last one that NextReader gave out, until it is read
}

// Read waits for the next message and returns it; the bytes are the caller's.
// Control frames are handled while it waits, so that a connection that nobody
// reads answers no ping. When ctx ends the connection is dropped, and the error
// is ctx's cause; a message that is already there wins. Any other error is a
// *CloseError, and every later call returns it again. One goroutine may read at
// a time. It panics after Serve. RFC 6455 section 6.2.
func (c *Conn) Read(ctx context.Context) (Opcode, []byte, error) {
	if err := c.startMessage(ctx, false); err != nil {
		return 0, nil, err
	}
	for {
		it, err := c.nextItem(ctx)
		if err != nil {
			return 0, nil, err
		}
		if !it.zip {
			return it.op, bytes.Clone(it.data), nil
		}
		data, err := c.inflated(it)
		if err == nil {
			return it.op, data, nil
		}
		c.fault(err) // and on, to the end of the connection
	}
}

// startMessage makes ready for the next message: what is left of the one before
// is read and thrown away.
func (c *Conn) startMessage(ctx context.Context, stream bool) error {
	c.startPull()
	if r := c.pull.message; r != nil {
		err := r.skip(ctx)
		switch {
		case err != nil && c.gone.Load() && ctx.Err() == nil:
			return c.endRead() // err may be of a context before
		case err != nil:
			return err
		}
		c.pull.message = nil
	}
	c.parser.stream = stream
	return nil
}

// nextItem waits for a message, or for a piece of one.
func (c *Conn) nextItem(ctx context.Context) (item, error) {
	for {
		it, err := c.parseRest()
		if err != nil || it.ok {
			return it, err
		}
		if err := c.fill(ctx); err != nil {
			return item{}, err
		}
	}
}

// startPull makes the connection one that its caller drives.
func (c *Conn) startPull() {
	if c.used.Load() == usedRead {
		return
	}
	if !c.used.CompareAndSwap(0, usedRead) {
		panic("wscore: connection is in use")
	}
	c.readable = c.readOnce
	c.pull = &pull{rest: c.takeEarly()}
	c.uncork()
}

// parseRest returns the next message of what was read.
func (c *Conn) parseRest() (it item, err error) {
	p := c.pull
	for len(p.rest) > 0 && !c.over(len(p.rest)) {
		n, it, err := c.parser.next(p.rest)
		p.rest = p.rest[n:]
		switch {
		case err != nil:
			c.fault(err)
		case it.ok && it.op.control():
			c.dispatch(it)
		case it.ok:
			c.replyPongs()
			c.unwatch() // nobody reads before the next call
			return it, nil
		}
	}
	p.rest = nil
	bufpool.Put(p.buf)
	p.buf = nil
	c.replyPongs()
	c.watchProgress()
	if !c.keepDiscarding() {
		return it, c.pullEnded(nil)
	}
	return it, nil
}

// fill waits for bytes.
func (c *Conn) fill(ctx context.Context) error {
	if ctx.Done() != nil {
		stop := context.AfterFunc(ctx, func() { _ = c.CloseNow() })
		defer stop()
	}
	switch err := c.waitRead(); {
	case isTimeout(err) && !c.gone.Load(): // of NetConn: it may be moved
		c.aside = nil
		c.unwatch()
		return err
	case err != nil:
		return c.pullEnded(context.Cause(ctx))
	}
	c.pull.buf, c.pull.rest = c.buf, c.buf.Bytes()[:c.n]
	c.buf = nil
	return nil
}

// pullEnded ends the connection for its reader and returns why: cause, if there
// is one.
func (c *Conn) pullEnded(cause error) error {
	why := c.endRead()
	if cause != nil {
		return cause
	}
	return why
}
