package wscore

import (
	"context"
	"errors"
	"io"
)

// maxPiece is the payload of the frames that a streamed message is cut into.
const maxPiece = 16 << 10

// stream is what a connection keeps while messages are sent in pieces. The
// connection's mu guards it.
type stream struct {
	busy    bool          // a message is begun and not ended
	behind  []segment     // other messages, which wait for its end
	bytes   int           // of them
	packets int           // of them
	room    chan struct{} // closed when there is room again, or the end; nil if nobody waits
}

// wait puts messages behind the one that is being streamed. The queue's counts
// include them.
func (s *stream) wait(seg segment) {
	s.behind = append(s.behind, seg)
	s.bytes += len(seg.b)
	s.packets += seg.n
}

// streaming reports whether a message is being sent in pieces. mu is held.
func (c *Conn) streaming() bool { return c.seldom != nil && c.seldom.stream.busy }

// recount makes the counts of an empty queue right again: what waits behind a
// streamed message is in no queue yet, but counts. mu is held.
func (c *Conn) recount() {
	if c.seldom != nil {
		c.out.bytes, c.out.packets = c.seldom.stream.bytes, int32(c.seldom.stream.packets)
		c.tellRoom()
	}
}

// tellRoom wakes those who wait for room in the queue. mu is held.
func (c *Conn) tellRoom() {
	if c.seldom == nil {
		return
	}
	s := &c.seldom.stream
	if s.room != nil && (c.state != stateOpen || c.hasRoomForPiece()) {
		close(s.room)
		s.room = nil
	}
}

// hasRoom reports whether half of the queue is free. mu is held.
func (c *Conn) hasRoom() bool {
	q := &c.grp.settings.Queue
	return c.out.bytes <= q.bytes()/2 && int(c.out.packets) <= q.packets()/2
}

// hasRoomFor reports whether hasRoom and a message of n bytes would be taken, as
// it always is by an empty queue. mu is held.
func (c *Conn) hasRoomFor(n int) bool {
	o := &c.out
	return o.packets == 0 || c.hasRoom() && o.bytes+frameLen(n, c.client) <= c.grp.settings.Queue.bytes()
}

// errStopped says that done was closed.
var errStopped = errors.New("wscore: no more waiting")

// waitUntil returns with mu held as soon as ready, which is called with it
// held, says so; on an error mu is free. It stops waiting when done is closed.
func (c *Conn) waitUntil(done <-chan struct{}, ready func() bool) error {
	for {
		c.mu.Lock()
		if c.state != stateOpen {
			defer c.mu.Unlock()
			return c.closedError()
		}
		if ready() {
			return nil
		}
		s := &c.needed().stream
		if s.room == nil {
			s.room = make(chan struct{})
		}
		room := s.room
		c.mu.Unlock()
		select {
		case <-room:
		case <-done:
			return errStopped
		}
	}
}

// waitFor is waitUntil for those who have a context.
func (c *Conn) waitFor(ctx context.Context, ready func() bool) error {
	err := c.waitUntil(ctx.Done(), ready)
	if err == errStopped {
		return context.Cause(ctx)
	}
	return err
}

// NextWriter begins a message (OpText or OpBinary) that is sent in pieces while
// it is written; Close ends it. Other messages that are sent meanwhile wait
// behind it, in order; pings, pongs and a close frame pass. It waits for the end
// of another such message, and Write waits for room in the queue, until ctx ends
// or the connection does. A writer that is given up without Close leaves its
// message unfinished: close the connection then. One goroutine may use the
// writer at a time. RFC 6455 section 5.4.
func (c *Conn) NextWriter(ctx context.Context, op Opcode) (io.WriteCloser, error) {
	if op != OpText && op != OpBinary {
		return nil, errStreamOp
	}
	c.uncork() // who never reads may stream
	if err := c.waitFor(ctx, func() bool { return !c.streaming() }); err != nil {
		return nil, err
	}
	defer c.mu.Unlock()
	c.needed().stream.busy = true
	w := &messageWriter{pieces: pieceWriter{c: c, ctx: ctx, op: op}}
	w.dst = &w.pieces
	if z := c.deflates(); z != nil && z.stateless() { // with takeover those behind would depend on it
		w.zip = z.newWriter(&w.pieces)
		w.dst, w.pieces.bits = w.zip, bitRSV1
	}
	return w, nil
}

var (
	errStreamOp     = errors.New("wscore: only text and binary messages are streamed")
	errWriterClosed = errors.New("wscore: message is ended")
)

// messageWriter sends one message in pieces.
type messageWriter struct {
	pieces pieceWriter
	zip    *deflateWriter // before pieces; nil without compression
	dst    io.Writer
	err    error
}

// Write implements io.Writer.
func (w *messageWriter) Write(p []byte) (n int, err error) {
	if w.err != nil {
		return 0, w.err
	}
	n, w.err = w.dst.Write(p)
	return n, w.err
}

// Close sends the last piece, and then what waited behind the message.
func (w *messageWriter) Close() error {
	if w.err == nil && w.zip != nil {
		w.err = w.zip.Close()
	}
	if w.err == nil {
		w.err = w.pieces.flush(bitFin)
	}
	if w.err != nil {
		return w.err
	}
	w.err = errWriterClosed
	return nil
}

// pieceWriter cuts a message into frames.
type pieceWriter struct {
	c     *Conn
	ctx   context.Context // of NextWriter: the writer lives as long as that call's purpose
	op    Opcode          // of the next frame
	bits  byte            // of the next frame
	piece []byte
}

// Write implements io.Writer.
func (w *pieceWriter) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		if w.piece == nil {
			w.piece = make([]byte, 0, maxPiece)
		}
		if len(w.piece) == cap(w.piece) {
			if err := w.flush(0); err != nil {
				return n, err
			}
		}
		k := copy(w.piece[len(w.piece):cap(w.piece)], p)
		w.piece = w.piece[:len(w.piece)+k]
		n, p = n+k, p[k:]
	}
	return n, nil
}

// flush sends a frame.
func (w *pieceWriter) flush(fin byte) error {
	c := w.c
	if err := c.waitFor(w.ctx, c.hasRoomForPiece); err != nil {
		return err
	}
	defer c.mu.Unlock()
	size := frameLen(len(w.piece), c.client)
	frame := appendFrame(make([]byte, 0, size), fin|w.bits, w.op, nil, w.piece, c.client)
	c.out.bytes += size
	c.out.packets++
	c.out.push(&c.grp.pools, segment{b: frame, n: 1})
	w.op, w.bits, w.piece = OpContinuation, 0, w.piece[:0]
	if fin != 0 {
		c.endStream()
	}
	c.depart(0)
	return nil
}

// hasRoomForPiece is hasRoom, not counting what can only leave after the piece.
func (c *Conn) hasRoomForPiece() bool {
	q, s := &c.grp.settings.Queue, &c.seldom.stream
	return c.out.bytes-s.bytes <= q.bytes()/2 && int(c.out.packets)-s.packets <= q.packets()/2
}

// endStream queues what waited behind the streamed message. mu is held.
func (c *Conn) endStream() {
	s := &c.seldom.stream
	for _, seg := range s.behind {
		c.out.push(&c.grp.pools, seg)
	}
	s.busy, s.behind, s.bytes, s.packets = false, nil, 0, 0
	if s.room != nil { // another writer may begin
		close(s.room)
		s.room = nil
	}
}

func allControl(msgs []Message) bool {
	for i := range msgs {
		if !msgs[i].Op.control() {
			return false
		}
	}
	return true
}
