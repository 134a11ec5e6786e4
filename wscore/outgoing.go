package wscore

import (
	"sync"

	"github.com/hermod-io/hermod/internal/bufpool"
)

// maxCopied is the size up to which a unit is copied behind the one before it
// instead of being a slice of its own.
const maxCopied = bufpool.Small

// segment is a piece of the send queue: a long unit, a prepared one, or the
// frames of several units in an arena.
type segment struct {
	b     []byte
	arena *bufpool.Buffer // b is in it; given back when b is written
	n     int             // messages in b
}

// outgoing is the send queue of a connection, whose mu guards it.
type outgoing struct {
	queue   *queue // lent; nil if nothing waits
	bytes   int
	packets int32
	owned   bool // the connection's drain goroutine writes
	dirty   bool // on the server's list
	refused bool // the kernel has refused bytes that still wait
	corked  bool // nothing is written before Serve or Read
}

// empty reports whether nothing waits.
func (o *outgoing) empty() bool { return o.queue == nil || len(o.queue.segments) == 0 }

// room returns the arena behind the last unit that takes size bytes more, or nil.
func (o *outgoing) room(size int) *segment {
	if o.empty() {
		return nil
	}
	s := &o.queue.segments[len(o.queue.segments)-1]
	if s.arena == nil || cap(s.b)-len(s.b) < size {
		return nil
	}
	return s
}

// arena borrows room for size bytes, and for units behind them. All connections of
// a server may have a few short ones waiting at a time, so the first arena of a
// queue is no larger than it must be.
func (o *outgoing) arena(size int) *bufpool.Buffer {
	if o.empty() {
		return bufpool.Get(size)
	}
	return bufpool.Get(bufpool.Small)
}

// append queues the frames of msgs, size bytes in all.
func (o *outgoing) append(p *pools, size int, msgs []Message, masked bool) {
	if size > maxCopied {
		o.push(p, segment{b: encode(make([]byte, 0, size), msgs, masked), n: len(msgs)})
		return
	}
	if s := o.room(size); s != nil {
		s.b = encode(s.b, msgs, masked)
		s.n += len(msgs)
		return
	}
	buf := o.arena(size)
	o.push(p, segment{encode(buf.Bytes()[:0], msgs, masked), buf, len(msgs)})
}

// appendFrames is append for what is encoded already; frames are copied.
func (o *outgoing) appendFrames(p *pools, frames []byte, n int) {
	if len(frames) > maxCopied {
		o.push(p, segment{b: append([]byte(nil), frames...), n: n})
		return
	}
	if s := o.room(len(frames)); s != nil {
		s.b = append(s.b, frames...)
		s.n += n
		return
	}
	buf := o.arena(len(frames))
	o.push(p, segment{append(buf.Bytes()[:0], frames...), buf, n})
}

// push queues s.
func (o *outgoing) push(p *pools, s segment) {
	if o.queue == nil {
		o.queue = p.queue()
	}
	if q := o.queue; len(q.segments) == len(q.room) && q.more == nil {
		q.more = p.more()
		q.segments = append(q.more[:0], q.segments...)
		clear(q.room[:])
	}
	o.queue.segments = append(o.queue.segments, s)
}

// vec fills v with the bytes of the queue, as many pieces as one write takes.
func (o *outgoing) vec(v *vector) *vector {
	v.pieces = v.room(len(o.queue.segments))
	for i := range v.pieces {
		v.pieces[i] = o.queue.segments[i].b
	}
	return v
}

// wrote takes n bytes off the front.
func (o *outgoing) wrote(n int) {
	o.bytes -= n
	q := o.queue.segments
	i := 0
	for ; i < len(q) && n >= len(q[i].b); i++ {
		n -= len(q[i].b)
		o.packets -= int32(q[i].n)
		bufpool.Put(q[i].arena)
	}
	if i < len(q) {
		q[i].b = q[i].b[n:]
	}
	if i > 0 {
		rest := copy(q, q[i:])
		clear(q[rest:])
		o.queue.segments = q[:rest]
	}
}

// drop gives up what waits, and the memory of the queue.
func (o *outgoing) drop(p *pools) {
	if q := o.queue; q != nil {
		for i := range q.segments {
			bufpool.Put(q.segments[i].arena)
		}
		p.putQueue(q)
	}
	o.queue, o.bytes, o.packets = nil, 0, 0
}

// encode appends the frames of msgs.
func encode(dst []byte, msgs []Message, masked bool) []byte {
	for i := range msgs {
		m := &msgs[i]
		dst = appendFrame(dst, bitFin, m.Op, m.Prefix, m.Data, masked)
	}
	return dst
}

// encodedLen is the length of what encode appends.
func encodedLen(msgs []Message, masked bool) (size int) {
	for i := range msgs {
		size += frameLen(len(msgs[i].Prefix)+len(msgs[i].Data), masked)
	}
	return size
}

// pools lend what a connection needs only while it writes.
type pools struct {
	vectors, queues, mores, batches sync.Pool
}

// vector is what one write needs: the pieces to be written, and the call itself.
type vector struct {
	pieces [][]byte // one of them, or the first of many
	one    [1][]byte
	many   *many // nil until there is more than one
	call   write
	n      int // how the write went: see rawIO
	again  bool
	err    error
}

// many is what a write of more than one piece needs.
type many struct {
	bufs [maxPieces][]byte
	iovecs
}

// room returns room for n pieces, or for as many as one write takes.
func (v *vector) room(n int) [][]byte {
	if n == 1 {
		return v.one[:]
	}
	if v.many == nil {
		v.many = new(many)
	}
	return v.many.bufs[:min(n, maxPieces)]
}

// forget lets go of the pieces.
func (v *vector) forget() {
	clear(v.pieces)
	v.pieces, v.err = nil, nil
}

// queue is what waits. It is lent as long as something does: to all connections of
// a server at a time, when each is sent a ping or the same broadcast. So there is
// little room in it, and more only for those that need it.
type queue struct {
	segments []segment // in room, then in more, then on the heap
	room     [2]segment
	more     *[16]segment
}

// maxPieces is how many pieces one write takes.
const maxPieces = 64

func (p *pools) vec() *vector {
	if v, ok := p.vectors.Get().(*vector); ok {
		return v
	}
	return new(vector)
}

func (p *pools) putVec(v *vector) {
	v.forget()
	p.vectors.Put(v)
}

func (p *pools) queue() *queue {
	q, ok := p.queues.Get().(*queue)
	if !ok {
		q = new(queue)
	}
	q.segments = q.room[:0]
	return q
}

func (p *pools) more() *[16]segment {
	if m, ok := p.mores.Get().(*[16]segment); ok {
		return m
	}
	return new([16]segment)
}

func (p *pools) putQueue(q *queue) {
	clear(q.segments)
	if q.more != nil {
		if cap(q.segments) > len(q.more) { // the first ones are still there
			clear(q.more[:])
		}
		p.mores.Put(q.more)
	}
	q.segments, q.more = nil, nil
	p.queues.Put(q)
}
