package wscore

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// NetConn returns the connection as a net.Conn: what is written goes out as
// messages of opcode op (OpText or OpBinary), one for each Write, and what is
// read is the payload of those messages, one after another; a message of the
// other kind closes the connection (1003). Write waits for room in the queue.
// The end that the peer announced (1000, 1001 or without a code) is io.EOF.
// Deadlines work as with every net.Conn, those of reading as far as the stream
// has them; a missed one does no harm. Close begins the close handshake (1000)
// and does not wait for its end. Nobody else may read the connection. It panics
// after Serve. RFC 6455 section 6.
func (c *Conn) NetConn(op Opcode) net.Conn {
	c.startPull()
	return &netConn{c: c, op: op}
}

// netConn is a Conn as a net.Conn. Reading belongs to whoever holds rmu.
type netConn struct {
	c  *Conn
	op Opcode

	write deadline

	rmu sync.Mutex // guards what follows
	r   io.Reader  // of the message that is being read; nil before the first
}

// Read implements net.Conn.
func (n *netConn) Read(p []byte) (int, error) {
	n.rmu.Lock()
	defer n.rmu.Unlock()
	return n.read(p)
}

// read is Read with rmu held, which whoever closes waits for.
func (n *netConn) read(p []byte) (int, error) {
	for {
		if n.r == nil {
			op, r, err := n.c.nextForNetConn()
			switch {
			case err != nil:
				return 0, n.readError(err)
			case op != n.op:
				_ = n.c.Close(CloseUnsupported, "unexpected kind of message")
				return 0, errKind
			}
			n.r = r
		}
		k, err := n.r.Read(p)
		if err == io.EOF {
			n.r = nil
			continue
		}
		if err != nil {
			err = n.readError(err)
		}
		return k, err
	}
}

// nextForNetConn is NextReader, but a deflated message is read whole: a missed
// deadline would break a decoder in the middle of it.
func (c *Conn) nextForNetConn() (Opcode, io.Reader, error) {
	if c.deflates() == nil {
		return c.NextReader(context.Background())
	}
	op, data, err := c.Read(context.Background())
	return op, bytes.NewReader(data), err
}

var errKind = errors.New("wscore: unexpected kind of message")

func (n *netConn) readError(err error) error {
	var ce *CloseError
	if errors.As(err, &ce) && ce.Remote {
		switch ce.Code {
		case CloseNormal, CloseGoingAway, CloseNoStatus:
			return io.EOF
		}
	}
	return err
}

// Write implements net.Conn.
func (n *netConn) Write(p []byte) (int, error) {
	passed := n.write.channel()
	select {
	case <-passed:
		return 0, os.ErrDeadlineExceeded
	default:
	}
	switch err := n.c.waitUntil(passed, n.c.hasRoom); err {
	case nil:
	case errStopped:
		return 0, os.ErrDeadlineExceeded
	default:
		return 0, err
	}
	n.c.mu.Unlock()
	if err := n.c.Send(n.op, p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Close implements net.Conn. The rest of what the peer sends is read until the
// connection has ended.
func (n *netConn) Close() error {
	err := n.c.Close(CloseNormal, "")
	n.c.grp.goFunc(func() {
		_ = n.SetReadDeadline(time.Time{})
		n.rmu.Lock()
		defer n.rmu.Unlock()
		for {
			if _, _, err := n.c.nextForNetConn(); err != nil && !isTimeout(err) {
				return
			}
		}
	})
	return err
}

// LocalAddr implements net.Conn; it is nil if the stream has none.
func (n *netConn) LocalAddr() net.Addr {
	if nc, ok := n.c.rwc.(net.Conn); ok {
		return nc.LocalAddr()
	}
	return nil
}

// RemoteAddr implements net.Conn; it is nil if the stream has none.
func (n *netConn) RemoteAddr() net.Addr { return n.c.RemoteAddr() }

// SetDeadline implements net.Conn.
func (n *netConn) SetDeadline(t time.Time) error {
	_ = n.SetWriteDeadline(t)
	return n.SetReadDeadline(t)
}

// SetReadDeadline implements net.Conn. Its error is os.ErrNoDeadline if the
// stream has none.
func (n *netConn) SetReadDeadline(t time.Time) error {
	if d, ok := n.c.rwc.(interface{ SetReadDeadline(time.Time) error }); ok {
		return d.SetReadDeadline(t)
	}
	return os.ErrNoDeadline
}

// SetWriteDeadline implements net.Conn.
func (n *netConn) SetWriteDeadline(t time.Time) error {
	n.write.set(t)
	return nil
}

// deadline is a point in time that may be moved. The zero value is none.
type deadline struct {
	mu     sync.Mutex // guards what follows
	timer  *time.Timer
	passed chan struct{} // closed at that time
}

func (d *deadline) channel() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.current()
}

// current returns the channel that those who wait now look at. mu is held.
func (d *deadline) current() chan struct{} {
	if d.passed == nil {
		d.passed = make(chan struct{})
	}
	return d.passed
}

func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil && !d.timer.Stop() {
		<-d.passed // it is just being closed
	}
	d.timer = nil
	ch := d.current()
	select {
	case <-ch:
		d.passed = nil
		ch = d.current()
	default:
	}
	switch {
	case t.IsZero():
	case time.Until(t) > 0:
		d.timer = time.AfterFunc(time.Until(t), func() { close(ch) })
	default:
		close(ch)
	}
}

func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }
