package wscore

import (
	"encoding/binary"
	"errors"
	"io"
	"time"
	"unicode/utf8"

	"github.com/hermod-io/hermod/internal/wheel"
)

const (
	// After its close frame the server goes on reading, lest a reset destroy the frame.
	discardTime  = time.Second
	discardBytes = 256 << 10
)

// Close begins the close handshake: what is queued is sent, then a close frame (code
// CloseNoStatus: an empty one). It does not wait; OnClose, or the error of who goes on
// reading, tells the end, at most CloseTimeout and a second later.
// reason is UTF-8 of at most 123 bytes. An error says that code or reason must not be sent, and
// nothing was done; there is none when the connection is closing or closed already. RFC 6455 section 7.1.2.
func (c *Conn) Close(code CloseCode, reason string) error {
	if code != CloseNoStatus && !code.mayTravel() || len(reason) > maxControl-2 || !utf8.ValidString(reason) {
		return errBadClose
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != stateOpen {
		return nil
	}
	c.closeLocked(&CloseError{Code: code, Reason: reason})
	return nil
}

// CloseNow drops the connection without a close frame, and what is queued. It does
// not wait, and returns nil. RFC 6455 section 7.1.7.
func (c *Conn) CloseNow() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end(&CloseError{Code: CloseAbnormal})
	return nil
}

// failWith closes the connection because of err; with CloseAbnormal it is
// dropped.
func (c *Conn) failWith(code CloseCode, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if code == CloseAbnormal {
		c.end(&CloseError{Code: code, Err: err})
		return
	}
	c.failLocked(code, err)
}

// failLocked closes the connection because of err. What is queued is given up
// when it is the queue that is too long.
func (c *Conn) failLocked(code CloseCode, err error) {
	if c.state != stateOpen {
		return
	}
	if errors.Is(err, ErrQueueFull) {
		c.state = stateClosing
		c.closeErr = &CloseError{Code: code, Err: err}
		c.grp.goFunc(func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.end(c.closeErr)
		})
		return
	}
	c.closeLocked(&CloseError{Code: code, Err: err})
}

// closeLocked queues a close frame and starts the wait for the peer's. mu is held.
func (c *Conn) closeLocked(why *CloseError) {
	c.state, c.closeErr = stateClosing, why
	c.tellRoom()
	var b [maxControl]byte
	payload := b[:0]
	if why.Code != CloseNoStatus {
		payload = binary.BigEndian.AppendUint16(payload, uint16(why.Code))
		payload = append(payload, why.Reason...)
	}
	size := frameLen(len(payload), c.client)
	c.out.bytes += size
	c.out.packets++
	c.closeQueued = true
	c.startTimer(c.grp.settings.closeTimeout())
	c.out.append(&c.grp.pools, size, []Message{{Op: OpClose, Data: payload}}, c.client)
	c.depart(0)
}

// flushedClose runs when the close frame was written. mu is held.
func (c *Conn) flushedClose() {
	if c.state != stateClosing || c.discarding || !c.got && c.closeErr.Err == nil && !c.closeErr.Remote {
		return // the peer's answer is awaited
	}
	c.beginDiscard()
}

// beginDiscard ends the connection: the server half-closes, so that what it
// wrote arrives, and leaves the rest to the peer for a short while; the client
// waits for the server.
func (c *Conn) beginDiscard() {
	if c.discarding {
		return
	}
	c.discarding = true
	if c.client { // it is the server who ends the stream: RFC 6455 section 7.1.1
		c.startTimer(min(discardTime, c.grp.settings.closeTimeout()))
		return
	}
	hc, ok := c.rwc.(interface{ CloseWrite() error })
	if !ok {
		c.end(c.closeErr)
		return
	}
	c.startTimer(min(discardTime, c.grp.settings.closeTimeout()))
	if _, ok := c.raw.(plain); !ok {
		c.halfClosed(hc.CloseWrite())
		return
	}
	c.grp.goFunc(func() { // that of TLS writes, and may wait
		err := hc.CloseWrite()
		c.mu.Lock()
		defer c.mu.Unlock()
		c.halfClosed(err)
	})
}

func (c *Conn) halfClosed(err error) {
	if err != nil {
		c.end(c.closeErr)
	}
}

// peerClosed handles the peer's close frame. RFC 6455 section 5.5.1.
func (c *Conn) peerClosed(payload []byte) {
	code, reason, err := parseClose(payload)
	if err != nil {
		c.fault(err)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got = true
	if c.state == stateOpen {
		c.closeLocked(&CloseError{Code: code, Reason: "", Remote: true})
		c.closeErr.Reason = reason
		return
	}
	if c.state == stateClosing && c.out.empty() {
		c.beginDiscard()
	}
}

// fault fails the connection because the peer broke the protocol.
func (c *Conn) fault(err error) {
	var f *fault
	code := CloseProtocolError
	if errors.As(err, &f) {
		code = f.code
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got = true // nothing it sends counts any more
	switch c.state {
	case stateOpen:
		c.closeLocked(&CloseError{Code: code, Reason: err.Error(), Err: err})
	case stateClosing:
		if c.out.empty() {
			c.beginDiscard() // else when our close frame is written
		}
	}
}

// over reports whether what arrives is only to be discarded, and counts it.
func (c *Conn) over(n int) bool {
	if !c.got {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.needed()
	if s.discarded += n; s.discarded > discardBytes {
		c.end(c.closeErr)
	}
	return true
}

// keepDiscarding reports whether the stream is still open.
func (c *Conn) keepDiscarding() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state != stateGone
}

// watchProgress bounds the time that an unfinished message may take.
func (c *Conn) watchProgress() {
	busy := c.parser.busy()
	if !busy && !c.watching {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != stateOpen {
		return
	}
	c.watching = busy
	if d := c.grp.settings.progressTimeout(); busy && d > 0 {
		c.startTimer(d)
	} else {
		c.stopTimer()
	}
}

// unwatch suspends that while nobody reads.
func (c *Conn) unwatch() {
	if !c.watching {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watching = false
	if c.state == stateOpen {
		c.stopTimer()
	}
}

// connTimer is a Conn as its timer sees it.
type connTimer Conn

// Expire implements wheel.Expirer.
func (c *connTimer) Expire(*wheel.Timer) { (*Conn)(c).expire() }

// expire ends a connection whose peer has not done in time what it owes.
func (c *Conn) expire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch c.state {
	case stateOpen:
		c.failLocked(ClosePolicy, errNoProgress)
	case stateClosing:
		c.end(c.closeErr)
	}
}

var (
	errNoProgress = errors.New("wscore: message not finished in time")
	errPanic      = errors.New("wscore: panic in the protocol")
)

// end closes the stream; the reader notices and calls OnClose. mu is held.
func (c *Conn) end(why *CloseError) {
	if c.state == stateGone {
		return
	}
	c.state = stateGone
	c.gone.Store(true)
	if c.closeErr == nil {
		c.closeErr = why
	}
	c.stopTimer()
	c.tellRoom()
	if !c.out.owned {
		c.out.drop(&c.grp.pools)
	}
	if c.used.Load() != usedServe {
		c.grp.forget(c) // nobody may ever read again to do it
	}
	if _, ok := c.raw.(plain); ok {
		c.grp.goFunc(func() { _ = c.rwc.Close() }) // that of TLS writes, and may wait
		return
	}
	_ = c.rwc.Close()
	c.grp.unpark(c)
}

// endRead runs at the end of reading and returns why that is.
func (c *Conn) endRead() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.readErr()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	c.end(&CloseError{Code: CloseAbnormal, Remote: true, Err: err})
	c.grp.forget(c)
	return c.closeErr
}

// finish runs at the end of the reader's goroutine: it tells the protocol.
func (c *Conn) finish() {
	why := c.endRead()
	defer func() {
		if v := recover(); v != nil {
			c.panicked(v)
		}
	}()
	c.proto.OnClose(why)
}

func (c *Conn) closedError() error {
	if c.closeErr == nil {
		return &CloseError{Code: CloseAbnormal}
	}
	return c.closeErr
}
