package testnet

import (
	"io"
	"net"
	"os"
	"time"
)

// DefaultCapacity is the size of the buffer of each direction unless Options
// say otherwise.
const DefaultCapacity = 64 << 10

// Options say how the connections of a Pipe or Listener behave. The zero value
// is ready to use.
type Options struct {
	// Capacity is how many bytes may be under way in each direction before a
	// write has to wait; 0 means DefaultCapacity.
	Capacity int

	// Latency is the time from a write until its bytes can be read, 0 for none.
	Latency time.Duration

	// Plain makes Listener.Accept return connections that have the methods of
	// net.Conn and CloseWrite alone, as one of TLS has: nothing non-blocking.
	Plain bool
}

// Stats are the counters of one end of a connection.
type Stats struct {
	Writes       int   // calls that wrote at least one byte, of whatever method
	Refused      int   // non-blocking writes that would have had to wait
	BytesWritten int64 // bytes taken by the network
	BytesRead    int64 // bytes given to the reader
}

// Conn is one end of a connection. It is a net.Conn whose methods may be called
// from any goroutine.
type Conn struct {
	link          *link
	in, out       *half
	local, remote net.Addr
	writing       chan struct{} // holds a token while a Write runs

	// guarded by link.mu
	closed                      bool
	stats                       Stats
	raw                         int // WaitRead and WaitWrite calls that run
	rawDone                     gate
	readDeadline, writeDeadline deadline
}

var _ net.Conn = (*Conn)(nil)

// Pipe returns the two ends of a new connection, by the names of who would
// dial and who would accept it.
func Pipe(o Options) (client, server *Conn) {
	return newPipe(o, address(49152), address(80))
}

func newPipe(o Options, clientAddr, serverAddr net.Addr) (client, server *Conn) {
	if o.Capacity <= 0 {
		o.Capacity = DefaultCapacity
	}
	l := new(link)
	for _, h := range []*half{&l.ab, &l.ba} {
		h.size, h.latency = o.Capacity, o.Latency
		h.readable.cond.L, h.writable.cond.L = &l.mu, &l.mu
	}
	end := func(in, out *half, local, remote net.Addr) *Conn {
		c := &Conn{
			link: l, in: in, out: out, local: local, remote: remote,
			writing: make(chan struct{}, 1),
		}
		c.rawDone.cond.L = &l.mu
		return c
	}
	return end(&l.ba, &l.ab, clientAddr, serverAddr), end(&l.ab, &l.ba, serverAddr, clientAddr)
}

func address(port int) net.Addr {
	return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}
}

// LocalAddr returns a *net.TCPAddr that is unique within the Listener.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr returns the LocalAddr of the other end.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// Stats returns the counters of this end.
func (c *Conn) Stats() Stats {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	return c.stats
}

// Writes returns how many calls of Write, TryWrite and TryWritev on this end
// wrote at least one byte: the system calls of a real connection.
func (c *Conn) Writes() int { return c.Stats().Writes }

// Unread returns how many bytes are under way to this end or wait to be read
// there.
func (c *Conn) Unread() int {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	return c.in.pending()
}

// Read waits for bytes, the end, a reset, Close or the deadline.
func (c *Conn) Read(p []byte) (int, error) {
	l := c.link
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		if c.readDeadline.over() && !c.closed {
			return 0, c.opError("read", os.ErrDeadlineExceeded)
		}
		n, again, err := c.tryRead(p)
		if !again || len(p) == 0 {
			return n, c.opError("read", err)
		}
		c.in.readable.wait(c.in.readable.seq)
	}
}

// Write returns when the network has taken all of p, which may mean to wait for
// the reader, or at a reset, Close or the deadline. Concurrent calls do not
// mix their bytes.
func (c *Conn) Write(p []byte) (int, error) {
	c.writing <- struct{}{}
	defer func() { <-c.writing }()
	l := c.link
	l.mu.Lock()
	defer l.mu.Unlock()
	for done := 0; ; {
		if c.writeDeadline.over() && !c.closed {
			return done, c.opError("write", os.ErrDeadlineExceeded)
		}
		n, _, err := c.tryWrite([][]byte{p[done:]})
		if n > 0 && done == 0 {
			c.stats.Writes++
		}
		done += n
		if err != nil || done == len(p) {
			return done, c.opError("write", err)
		}
		c.out.writable.wait(c.out.writable.seq)
	}
}

// opError dresses an error as package net does.
func (c *Conn) opError(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &net.OpError{Op: op, Net: "tcp", Source: c.local, Addr: c.remote, Err: err}
}

// CloseWrite ends the output: the peer reads what was written, then io.EOF.
// Reading goes on.
func (c *Conn) CloseWrite() error {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	if c.closed {
		return c.opError("close", net.ErrClosed)
	}
	c.finish()
	return nil
}

// finish sends the end of the output once. Needs link.mu.
func (c *Conn) finish() {
	if c.out.ended || c.link.reset {
		return
	}
	c.out.ended = true
	c.out.writable.open()
	c.link.send(c.out, nil, true)
}

// Close ends the connection. Everyone who waits in a method of this end is
// woken; what was written still reaches the peer, unless input was left unread
// or comes in later: then the peer sees a reset. As with a real connection,
// Close returns when no WaitRead or WaitWrite runs, so calling it from their
// callback waits for ever.
func (c *Conn) Close() error { return c.shut(false) }

// Abort ends the connection with a reset: neither side reads what was under
// way, and the peer's next calls fail with ECONNRESET or EPIPE.
func (c *Conn) Abort() error { return c.shut(true) }

// Stall stops the network of this connection, in both directions: what is
// written from now on, the end and a reset included, does not arrive before
// Resume. Writes fill the buffers meanwhile, then they wait. Neither end is told.
func (c *Conn) Stall() {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	c.link.stalled = true
}

// Resume ends a Stall: everything arrives whose time has come. It may be called
// at either end, also when there was no Stall and after Close.
func (c *Conn) Resume() {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	c.link.resume()
}

func (c *Conn) shut(abort bool) error {
	l := c.link
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.closed {
		return c.opError("close", net.ErrClosed)
	}
	if abort || c.in.pending() > 0 {
		l.kill()
	}
	c.finish()
	c.closed = true
	c.in.dead = true
	c.readDeadline.stop()
	c.writeDeadline.stop()
	c.in.readable.open()
	c.out.writable.open()
	for c.raw > 0 {
		c.rawDone.wait(c.rawDone.seq)
	}
	return nil
}
