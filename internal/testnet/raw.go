package testnet

import (
	"net"
	"os"
)

// TryRead reads what is there without waiting. It returns n > 0, or again if it
// would have to wait (a real connection: EAGAIN), or an error: io.EOF at the
// end of the input, ECONNRESET, or net.ErrClosed after Close.
func (c *Conn) TryRead(p []byte) (n int, again bool, err error) {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	return c.tryRead(p)
}

// TryWrite writes what there is room for without waiting. It returns how many
// bytes the network took, which may be less than len(p), or again if it took
// none; an error is EPIPE or net.ErrClosed.
func (c *Conn) TryWrite(p []byte) (n int, again bool, err error) {
	return c.TryWritev([][]byte{p})
}

// TryWritev is TryWrite for the bytes of all bufs one behind the other, as one
// write. It does not change bufs.
func (c *Conn) TryWritev(bufs [][]byte) (n int, again bool, err error) {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	n, again, err = c.tryWrite(bufs)
	if n > 0 {
		c.stats.Writes++
	}
	if again {
		c.stats.Refused++
	}
	return n, again, err
}

// WaitRead calls f at once and again whenever something has changed for a
// reader (bytes, the end, a reset), until f returns true. It is
// syscall.RawConn.Read, with an fd of 0: f is called without a lock and must not call Close, and
// the call ends with an error that is net.ErrClosed after Close, or
// os.ErrDeadlineExceeded.
func (c *Conn) WaitRead(f func(fd uintptr) (done bool)) error {
	return c.waitRaw("raw-read", &c.in.readable, &c.readDeadline, f)
}

// WaitWrite is WaitRead for a writer: f is called again when there is room, and
// when the connection was reset.
func (c *Conn) WaitWrite(f func(fd uintptr) (done bool)) error {
	return c.waitRaw("raw-write", &c.out.writable, &c.writeDeadline, f)
}

func (c *Conn) waitRaw(op string, g *gate, d *deadline, f func(fd uintptr) bool) error {
	l := c.link
	l.mu.Lock()
	defer l.mu.Unlock()
	c.raw++
	defer func() {
		c.raw--
		c.rawDone.open()
	}()
	for {
		if c.closed {
			return c.opError(op, net.ErrClosed)
		}
		if d.over() {
			return c.opError(op, os.ErrDeadlineExceeded)
		}
		seq := g.seq // before f, so that no change is missed
		if c.call(f) {
			return nil
		}
		g.wait(seq)
	}
}

// call runs f without link.mu, which it gives back before and takes after, also
// when f panics.
func (c *Conn) call(f func(fd uintptr) bool) bool {
	c.link.mu.Unlock()
	defer c.link.mu.Lock()
	return f(0)
}
