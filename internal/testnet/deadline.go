package testnet

import (
	"net"
	"time"
)

// deadline is one of the two deadlines of a Conn, guarded by link.mu. Its timer
// does nothing but wake those who wait, who then look at the time themselves.
type deadline struct {
	at    time.Time // zero for none
	timer *time.Timer
}

func (d *deadline) over() bool {
	return !d.at.IsZero() && !time.Now().Before(d.at)
}

func (d *deadline) stop() {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}

// setDeadline sets d and wakes those at g, now and when the time has come.
// Needs link.mu.
func (c *Conn) setDeadline(d *deadline, g *gate, at time.Time) {
	d.stop()
	d.at = at
	g.open()
	if wait := time.Until(at); !at.IsZero() && wait > 0 {
		d.timer = time.AfterFunc(wait, func() {
			c.link.mu.Lock()
			defer c.link.mu.Unlock()
			g.open()
		})
	}
}

// SetDeadline sets both deadlines; see net.Conn.
func (c *Conn) SetDeadline(t time.Time) error { return c.setDeadlines(t, true, true) }

// SetReadDeadline makes reads that wait, now or later, fail with
// os.ErrDeadlineExceeded at t; the zero time means never.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.setDeadlines(t, true, false) }

// SetWriteDeadline makes writes that wait, now or later, fail with
// os.ErrDeadlineExceeded at t; the zero time means never.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.setDeadlines(t, false, true) }

func (c *Conn) setDeadlines(t time.Time, read, write bool) error {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	if c.closed {
		return c.opError("set", net.ErrClosed)
	}
	if read {
		c.setDeadline(&c.readDeadline, &c.in.readable, t)
	}
	if write {
		c.setDeadline(&c.writeDeadline, &c.out.writable, t)
	}
	return nil
}
