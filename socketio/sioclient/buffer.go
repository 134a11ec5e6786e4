package sioclient

import (
	"errors"
	"slices"
	"time"

	"github.com/hermod-io/hermod/socketio/parser"
)

// outgoing is an event that waits to be sent.
type outgoing struct {
	args  parser.Args
	id    uint64
	hasID bool
	flags flags
}

func (o *outgoing) packet(nsp string) parser.Packet {
	return parser.Packet{Type: parser.Event, Namespace: nsp, ID: o.id, HasID: o.hasID, Args: o.args}
}

// buffer holds events that wait for a connection, in order.
type buffer struct {
	waits []outgoing
	bytes int
}

// add keeps o, unless the bound is reached.
func (b *buffer) add(bound *Buffer, o outgoing) bool {
	size := sizeOf(o.args)
	if len(b.waits) >= bound.Packets || b.bytes+size > bound.Bytes {
		return false
	}
	b.waits = append(b.waits, o)
	b.bytes += size
	return true
}

// find returns the place of the event with that ack id, or -1.
func (b *buffer) find(id uint64) int {
	return slices.IndexFunc(b.waits, func(o outgoing) bool { return o.hasID && o.id == id })
}

// remove forgets the event with that ack id.
func (b *buffer) remove(id uint64) {
	if i := b.find(id); i >= 0 {
		b.bytes -= sizeOf(b.waits[i].args)
		b.waits = slices.Delete(b.waits, i, i+1)
	}
}

// flushPause is how long the rest of a buffer waits for a queue that is full.
const flushPause = 10 * time.Millisecond

// flush sends what waits, as much as the connection's queue takes; the rest
// follows as there is room, or over the next connection. mu is held.
func (s *Socket) flush() {
	b, c := &s.buffer, s.conn
	for i := range b.waits {
		o := &b.waits[i]
		p := o.packet(s.nsp)
		if err := c.link.send(o.flags.engine(), &p); err != nil {
			b.waits = slices.Delete(b.waits, 0, i)
			b.recount()
			if errors.Is(err, ErrQueueFull) {
				c.flush = time.AfterFunc(flushPause, func() { s.flushAgain(c) })
			}
			return
		}
	}
	*b = buffer{}
}

// flushAgain is called by the timer, which ends with the stay c.
func (s *Socket) flushAgain(c *conn) {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	if s.conn == c {
		s.flush()
	}
}

func (b *buffer) recount() {
	b.bytes = 0
	for i := range b.waits {
		b.bytes += sizeOf(b.waits[i].args)
	}
}
