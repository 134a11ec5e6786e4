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
// other kind closes the connection (1003). Write waits for room in the queue,
// whatever OnFull says. The end that the peer announced (1000, 1001 or without a
// code) is io.EOF. Deadlines work as with every net.Conn, those of reading as far
// as the stream has them; a missed one does no harm. Close begins the close
// handshake (1000) and does not wait for its end; who is reading then gets
// net.ErrClosed, on a stream without deadlines at the end of the handshake.
// Nobody else may read the connection. It panics after Serve. RFC 6455 section 6.
func (c *Conn) NetConn(op Opcode) net.Conn {
	c.startPull()
	return &netConn{c: c, op: op, reading: make(chan struct{}, 1), closed: make(chan struct{})}
}

// netConn is a Conn as a net.Conn.
type netConn struct {
	c  *Conn
	op Opcode

	write deadline

	reading chan struct{} // holds one element while somebody reads, who owns r
	r       io.Reader     // of the message that is being read; nil before the first

	mu     sync.Mutex    // guards the deadline of reading and the closing of what follows
	closed chan struct{} // closed by Close
}

// Read implements net.Conn.
func (n *netConn) Read(p []byte) (int, error) {
	select {
	case n.reading <- struct{}{}:
		defer func() { <-n.reading }()
	case <-n.closed:
	}
	if n.isClosed() {
		return 0, net.ErrClosed
	}
	k, err := n.read(p)
	if err != nil && n.isClosed() {
		err = net.ErrClosed
	}
	return k, err
}

func (n *netConn) isClosed() bool {
	select {
	case <-n.closed:
		return true
	default:
		return false
	}
}

// read is Read for the one who may.
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
	for {
		switch err := n.c.waitUntil(passed, func() bool { return n.c.hasRoomFor(len(p)) }); err {
		case nil:
		case errStopped:
			return 0, os.ErrDeadlineExceeded
		default:
			return 0, err
		}
		n.c.mu.Unlock()
		switch err := n.c.SendMessages(ifRoom, Message{Op: n.op, Data: p}); err {
		case nil:
			return len(p), nil
		case ErrQueueFull: // another writer was faster
		default:
			return 0, err
		}
	}
}

// Close implements net.Conn. The rest of what the peer sends is read until the
// connection has ended.
func (n *netConn) Close() error {
	err := n.c.Close(CloseNormal, "")
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.isClosed() {
		return err
	}
	close(n.closed)
	_ = n.moveReadDeadline(time.Unix(1, 0)) // who reads is to stop
	n.c.grp.goFunc(n.discard)
	return err
}

// discard reads to the end of the connection.
func (n *netConn) discard() {
	n.reading <- struct{}{}
	defer func() { <-n.reading }()
	_ = n.moveReadDeadline(time.Time{})
	for {
		if _, _, err := n.c.nextForNetConn(); err != nil && !isTimeout(err) {
			return
		}
	}
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
// stream has none, and net.ErrClosed after Close.
func (n *netConn) SetReadDeadline(t time.Time) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.isClosed() {
		return net.ErrClosed
	}
	return n.moveReadDeadline(t)
}

func (n *netConn) moveReadDeadline(t time.Time) error {
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
