package wscore

import (
	"io"
	"math"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hermod-io/hermod/internal/bufpool"
	"github.com/hermod-io/hermod/internal/wheel"
)

// state is how far a connection is on its way to the end.
type state uint8

const (
	stateOpen    state = iota
	stateClosing       // our close frame is queued or sent
	stateGone          // the stream is closed
)

// Protocol is what runs on a connection under Serve. Its methods are called
// one at a time on the connection's goroutine; they may block, which stops the
// reading. A panic in one closes that connection (1011).
// mORMot: TWebSocketProtocol.
type Protocol interface {
	// OnMessage is called for each complete message. data is lent until it returns.
	OnMessage(op Opcode, data []byte)
	// OnClose is called once, last, with a *CloseError.
	OnClose(err error)
}

// Conn is one WebSocket connection. All methods but the reading ones may be
// called from any goroutine, and of them only NextWriter may block.
// RFC 6455 section 1.2.
type Conn struct {
	// What reads belongs to the reader's goroutine, the rest to whoever holds mu.

	grp      *group
	rwc      io.ReadWriteCloser
	raw      rawIO
	agreed   *agreed // nil if nothing was negotiated
	proto    Protocol
	readable func(fd uintptr) bool // is readOnce

	parser   parser
	pull     *pull  // of the caller-driven form
	aside    *aside // nil if there is nothing
	buf      *bufpool.Buffer
	moved    uint32 // when the reader last changed goroutines, or was parked, by the wheel's clock, in ms
	n        uint16 // bytes in buf
	wide     uint8  // how many reads may be of much, see readSize
	rest     rest
	next     next
	used     atomic.Uint32
	gone     atomic.Bool // state is stateGone
	more     atomic.Bool // the reader has more of the same read behind the message that is being handled
	reads    uint8       // up to youngReads
	got      bool        // close frame received, or a fault: the rest is discarded
	watching bool        // the timer bounds an unfinished message
	client   bool        // the side that masks

	mu          sync.Mutex // guards what follows
	state       state
	closeQueued bool
	discarding  bool
	parked      bool  // it has had a place in the lot, whose mu guards it
	place       int32 // 1 + that in the group's lot while it is parked; the lot's mu guards it
	out         outgoing
	seldom      *seldom // nil until it is needed
	closeErr    *CloseError
}

// seldom is what the life of a connection may have several times, but not
// always. The connection's mu guards it.
type seldom struct {
	timer     wheel.Timer // bounds an unfinished message, and the end
	discarded int         // bytes, behind the close frame
	owed      []byte      // a pong that waits until the kernel takes bytes again
	spared    spared
	stream    stream
}

// needed is c.seldom, made when it is not there. mu is held.
func (c *Conn) needed() *seldom {
	if c.seldom == nil {
		c.seldom = new(seldom)
	}
	return c.seldom
}

// startTimer has expire called after d, and not at the time that was set before.
// mu is held.
func (c *Conn) startTimer(d time.Duration) { c.grp.wheel.Start(&c.needed().timer, (*connTimer)(c), d) }

// stopTimer ends that. mu is held.
func (c *Conn) stopTimer() {
	if c.seldom != nil {
		c.grp.wheel.Stop(&c.seldom.timer)
	}
}

// aside is what a reader has only for a moment.
type aside struct {
	err      error  // of reading
	early    []byte // read before the handshake was done
	pongs    []byte // frames that answer the pings of this read
	npongs   int    // how many
	lastPong int    // where the last of them begins
}

// agreed is what the handshake negotiated.
type agreed struct {
	subprotocol string
	extensions  string
	z           *compression // nil without permessage-deflate
}

const (
	usedServe = 1
	usedRead  = 2
)

// Serve starts p on the connection and returns. It panics after Serve, and after
// the first call that reads. See Protocol. RFC 6455 section 6.2.
func (c *Conn) Serve(p Protocol) {
	if !c.used.CompareAndSwap(0, usedServe) {
		panic("wscore: connection is in use")
	}
	c.proto = p
	c.readable = c.readOnce
	c.uncork()
	c.grp.goFunc(c.begin)
}

// starter is a Protocol of ours that is told first that its connection runs.
type starter interface{ onStart() }

// controlSeer is a Protocol of ours that sees more than messages.
type controlSeer interface {
	onControl(op Opcode, data []byte)
	onPart() // bytes were read, and a message is unfinished
}

// begin is the first of the reader's goroutines.
func (c *Conn) begin() {
	if s, ok := c.proto.(starter); ok {
		c.guarded(s.onStart)
	}
	if c.canPark() {
		c.awaitSilence(false)
	}
	c.serve()
}

// guarded calls the protocol; a panic there closes the connection.
func (c *Conn) guarded(f func()) {
	returned := false
	defer c.called(&returned)
	f()
	returned = true
}

// called is deferred around what the reader calls. A panic closes the connection,
// and so does who ends the goroutine (runtime.Goexit): another one reads to the
// end.
func (c *Conn) called(returned *bool) {
	switch v := recover(); {
	case v != nil:
		c.panicked(v)
	case !*returned:
		c.panicked("runtime.Goexit")
		c.leaveNext()
		c.grp.goFunc(c.serve)
	}
}

// open reports whether neither side has begun to close.
func (c *Conn) open() bool { return c.sendable() == nil }

// sendable returns why nothing can be sent any more, or nil.
func (c *Conn) sendable() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != stateOpen {
		return c.closedError()
	}
	return nil
}

// uncork lets out the handshake's answer and what was sent since.
func (c *Conn) uncork() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.out.corked {
		c.out.corked = false
		if !c.out.owned && !c.out.empty() && c.state != stateGone {
			c.writeSome()
		}
	}
}

// Ping sends a ping frame with data, of which the first 125 bytes travel. Errors:
// ErrQueueFull, *CloseError. RFC 6455 section 5.5.2.
func (c *Conn) Ping(data []byte) error {
	return c.SendMessages(Must, Message{Op: OpPing, Data: data[:min(len(data), maxControl)]})
}

// Stalled reports whether bytes wait that the kernel has refused.
func (c *Conn) Stalled() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.out.refused
}

// Buffered reports what waits in the queue: bytes of frames with their headers, and
// how many messages they are.
func (c *Conn) Buffered() (bytes, packets int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.out.bytes, int(c.out.packets)
}

// Subprotocol is the negotiated one, or "". RFC 6455 section 1.9.
func (c *Conn) Subprotocol() string {
	if c.agreed == nil {
		return ""
	}
	return c.agreed.subprotocol
}

// Extensions is the negotiated Sec-WebSocket-Extensions, or "".
// RFC 6455 section 9.1.
func (c *Conn) Extensions() string {
	if c.agreed == nil {
		return ""
	}
	return c.agreed.extensions
}

// RemoteAddr is the address of the peer, or nil if the stream has none.
func (c *Conn) RemoteAddr() net.Addr {
	if nc, ok := c.rwc.(net.Conn); ok {
		return nc.RemoteAddr()
	}
	return nil
}

// MaxMessage is the limit of a received message in bytes; 0 is none.
// RFC 6455 section 10.4.
func (c *Conn) MaxMessage() int {
	return int(min(c.grp.settings.maxMessage(), math.MaxInt))
}
