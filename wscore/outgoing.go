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
	queue   []segment
	packets int
	bytes   int
	owned   bool // the connection's drain goroutine writes
	dirty   bool // on the server's list
	refused bool // the kernel has refused bytes that still wait
	corked  bool // nothing is written before Serve or Read
}

// append queues the frames of msgs, size bytes in all.
func (o *outgoing) append(p *pools, size int, msgs []Message, masked bool) {
	if size > maxCopied {
		o.push(p, segment{b: encode(make([]byte, 0, size), msgs, masked), n: len(msgs)})
		return
	}
	if last := len(o.queue) - 1; last >= 0 {
		if s := &o.queue[last]; s.arena != nil && cap(s.b)-len(s.b) >= size {
			s.b = encode(s.b, msgs, masked)
			s.n += len(msgs)
			return
		}
	}
	buf := bufpool.Get(bufpool.Small)
	o.push(p, segment{encode(buf.Bytes()[:0], msgs, masked), buf, len(msgs)})
}

// appendFrames is append for what is encoded already; frames are copied.
func (o *outgoing) appendFrames(p *pools, frames []byte, n int) {
	if len(frames) > maxCopied {
		o.push(p, segment{b: append([]byte(nil), frames...), n: n})
		return
	}
	if last := len(o.queue) - 1; last >= 0 {
		if s := &o.queue[last]; s.arena != nil && cap(s.b)-len(s.b) >= len(frames) {
			s.b = append(s.b, frames...)
			s.n += n
			return
		}
	}
	buf := bufpool.Get(bufpool.Small)
	o.push(p, segment{append(buf.Bytes()[:0], frames...), buf, n})
}

// push queues s.
func (o *outgoing) push(p *pools, s segment) {
	if o.queue == nil {
		o.queue = p.segments()
	}
	o.queue = append(o.queue, s)
}

// vec returns the bytes of the queue, as many pieces as one writev takes.
func (o *outgoing) vec(scratch *vector) [][]byte {
	v := scratch.bufs[:0]
	for i := range min(len(o.queue), cap(v)) {
		v = append(v, o.queue[i].b)
	}
	scratch.used = max(scratch.used, len(v))
	return v
}

// wrote takes n bytes off the front.
func (o *outgoing) wrote(n int) {
	o.bytes -= n
	i := 0
	for ; i < len(o.queue) && n >= len(o.queue[i].b); i++ {
		n -= len(o.queue[i].b)
		o.packets -= o.queue[i].n
		bufpool.Put(o.queue[i].arena)
	}
	if i < len(o.queue) {
		o.queue[i].b = o.queue[i].b[n:]
	}
	if i > 0 {
		rest := copy(o.queue, o.queue[i:])
		clear(o.queue[rest:])
		o.queue = o.queue[:rest]
	}
}

// drop gives up what waits, and the memory of the queue.
func (o *outgoing) drop(p *pools) {
	for i := range o.queue {
		bufpool.Put(o.queue[i].arena)
	}
	clear(o.queue)
	p.putSegments(o.queue)
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
	vectors, queues, writes sync.Pool
}

// vector is room for the pieces of one writev.
type vector struct {
	bufs [maxPieces][]byte
	used int
}

// room is room for a queue.
type room [16]segment

// maxPieces is how many pieces one write takes.
const maxPieces = 64

func (p *pools) vec() *vector {
	if v, ok := p.vectors.Get().(*vector); ok {
		return v
	}
	return new(vector)
}

func (p *pools) putVec(v *vector) {
	clear(v.bufs[:v.used])
	v.used = 0
	p.vectors.Put(v)
}

func (p *pools) segments() []segment {
	if r, ok := p.queues.Get().(*room); ok {
		return r[:0]
	}
	return new(room)[:0]
}

func (p *pools) putSegments(s []segment) {
	if cap(s) == len(room{}) {
		p.queues.Put((*room)(s[:cap(s)]))
	}
}
