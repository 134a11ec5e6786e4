package testnet

import (
	"io"
	"net"
	"sync"
	"syscall"
	"time"
)

// link is what the two ends of a connection share. Its mutex guards
// everything in it and in both Conns; nobody waits while holding it.
type link struct {
	mu        sync.Mutex
	reset     bool // by either side; nothing is read or written any more
	stalled   bool // nothing arrives, see Conn.Stall
	heldReset bool // a reset that is to arrive after the stall
	ab        half
	ba        half
}

// half is one direction: bytes in flight, then bytes to be read.
type half struct {
	size    int           // most bytes in flight and buf together
	latency time.Duration // from a write until the bytes can be read

	flight []segment
	flying int    // bytes in flight
	buf    []byte // arrived
	read   int    // bytes at the front of buf that were read
	fin    bool   // the end has arrived
	ended  bool   // the writer has closed its side
	dead   bool   // the reader has closed the connection

	readable gate
	writable gate
}

// segment is what one write put on the way.
type segment struct {
	due  time.Time
	data []byte
	fin  bool
}

// gate wakes all who wait for one kind of change. It is guarded by link.mu.
type gate struct {
	cond sync.Cond // its L is link.mu
	seq  uint64    // number of changes
}

// wait returns when there was a change after the one with number seq. It gives
// link.mu back while it waits.
func (g *gate) wait(seq uint64) {
	for g.seq == seq {
		g.cond.Wait()
	}
}

// open tells all who wait.
func (g *gate) open() {
	g.seq++
	g.cond.Broadcast()
}

// kill resets the connection, after the stall if there is one. Needs mu.
func (l *link) kill() {
	if l.stalled {
		l.heldReset = true
		return
	}
	l.reset = true
	for _, h := range []*half{&l.ab, &l.ba} {
		h.flight, h.flying, h.buf, h.read = nil, 0, nil, 0
		h.readable.open()
		h.writable.open()
	}
}

// put sends as many bytes of p as there is room for. Needs mu.
func (l *link) put(h *half, p []byte) int {
	n := min(len(p), h.size-h.pending())
	if n <= 0 {
		return 0
	}
	l.send(h, p[:n], false)
	return n
}

// send puts data or the end of data on the way. Needs mu.
func (l *link) send(h *half, data []byte, fin bool) {
	if h.latency <= 0 && !l.stalled {
		h.arrive(data, fin)
		return
	}
	h.flying += len(data)
	h.flight = append(h.flight, segment{
		due:  time.Now().Add(h.latency),
		data: append([]byte(nil), data...),
		fin:  fin,
	})
	if h.latency > 0 {
		// A goroutine that ends by itself.
		time.AfterFunc(h.latency, func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.land(h)
		})
	}
}

// land lets everything arrive whose time has come. What reaches a reader that
// has closed resets the connection. Needs mu.
func (l *link) land(h *half) {
	if l.stalled {
		return
	}
	now := time.Now()
	for len(h.flight) > 0 && !h.flight[0].due.After(now) {
		s := h.flight[0]
		h.flight = h.flight[1:]
		h.flying -= len(s.data)
		if h.dead && len(s.data) > 0 {
			l.kill()
			return
		}
		h.arrive(s.data, s.fin)
	}
}

// resume ends a stall. Needs mu.
func (l *link) resume() {
	l.stalled = false
	if l.heldReset {
		l.kill()
		return
	}
	l.land(&l.ab)
	l.land(&l.ba)
}

// pending returns how many bytes are in flight or wait to be read. Needs link.mu.
func (h *half) pending() int { return h.flying + len(h.buf) - h.read }

// arrive makes bytes readable. Needs link.mu.
func (h *half) arrive(data []byte, fin bool) {
	if h.read > 0 && len(h.buf)+len(data) > cap(h.buf) {
		h.buf = h.buf[:copy(h.buf, h.buf[h.read:])]
		h.read = 0
	}
	h.buf = append(h.buf, data...)
	h.fin = h.fin || fin
	h.readable.open()
}

// take reads from buf. Needs link.mu.
func (h *half) take(p []byte) int {
	n := copy(p, h.buf[h.read:])
	h.read += n
	if h.read == len(h.buf) {
		h.buf, h.read = h.buf[:0], 0
	}
	if n > 0 {
		h.writable.open()
	}
	return n
}

// tryRead is TryRead. Needs link.mu.
func (c *Conn) tryRead(p []byte) (n int, again bool, err error) {
	switch {
	case c.closed:
		return 0, false, net.ErrClosed
	case c.link.reset:
		return 0, false, syscall.ECONNRESET
	case len(c.in.buf) > c.in.read:
		n = c.in.take(p)
		c.stats.BytesRead += int64(n)
		return n, false, nil
	case c.in.fin:
		return 0, false, io.EOF
	}
	return 0, true, nil
}

// tryWrite is TryWritev. Needs link.mu.
func (c *Conn) tryWrite(bufs [][]byte) (n int, again bool, err error) {
	switch {
	case c.closed:
		return 0, false, net.ErrClosed
	case c.link.reset, c.out.ended:
		return 0, false, syscall.EPIPE
	}
	total := 0
	for _, b := range bufs {
		total += len(b)
	}
	if c.out.dead && !c.link.stalled { // as the kernel does: this write is taken, then the reset comes
		c.link.kill()
		return total, false, nil
	}
	for _, b := range bufs {
		m := c.link.put(c.out, b)
		n += m
		if m < len(b) {
			break
		}
	}
	c.stats.BytesWritten += int64(n)
	return n, n == 0 && total > 0, nil
}
