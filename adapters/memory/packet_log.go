package memory

import (
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/socketio/parser"
)

// entry is a packet that is kept. It does not change once it has its offset.
type entry struct {
	packet        parser.Packet // with its offset
	rooms, except []string      // of its target
	at            time.Time
	size          int
	few           [2]string // the memory of rooms and except, mostly
}

// entryCost is what an entry counts beside its bytes and names: its own memory.
const entryCost = 256

// smallEntry is an entry with the memory of a short text, so that it takes one
// allocation.
type smallEntry struct {
	entry
	text [144]byte
}

// newEntry copies p and its target. The text has room for an offset.
func newEntry(p *parser.Packet, t adapters.Target, room int) *entry {
	var e *entry
	var text []byte
	if n := len(p.JSON) + room; n <= len(smallEntry{}.text) {
		small := new(smallEntry)
		e, text = &small.entry, small.text[:0]
	} else {
		e, text = new(entry), make([]byte, 0, n)
	}
	e.packet, e.at = *p, time.Now()
	e.packet.JSON = append(text, p.JSON...)
	e.size = entryCost + cap(e.packet.JSON)
	if len(p.Attachments) > 0 {
		e.packet.Attachments = make([][]byte, len(p.Attachments))
		for i, b := range p.Attachments {
			e.packet.Attachments[i] = append([]byte{}, b...)
			e.size += 24 + len(b) // with its header
		}
	}
	names := e.few[:0]
	names = append(append(names, t.Rooms...), t.Except...)
	n := len(t.Rooms)
	e.rooms, e.except = names[:n:n], names[n:]
	for _, name := range names {
		e.size += 16 + len(name)
	}
	return e
}

// payload is how many bytes a client is sent.
func (e *entry) payload() int {
	n := len(e.packet.JSON)
	for _, b := range e.packet.Attachments {
		n += len(b)
	}
	return n
}

// packetLog keeps the newest packets by their numbers, which have no gaps, so
// that a number leads to its entry without a search. The first number is 1.
type packetLog struct {
	ring  []*entry // its length is a power of two; the place of a number is its remainder
	first uint64   // the oldest that is kept, head+1 if none is
	head  uint64   // the newest that was given
	bytes int
}

// smallRing is the size that the ring has at least.
const smallRing = 256

// length is how many entries there are.
func (l *packetLog) length() int { return int(l.head + 1 - l.first) }

// at returns the entry with a number from first to head.
func (l *packetLog) at(number uint64) *entry { return l.ring[number&uint64(len(l.ring)-1)] }

// add keeps e under the next number.
func (l *packetLog) add(e *entry) {
	if l.length() == len(l.ring) {
		l.resize(max(smallRing, 2*len(l.ring)))
	}
	l.head++
	l.ring[l.head&uint64(len(l.ring)-1)] = e
	l.bytes += e.size
}

// trim drops the oldest entries until the rest is no larger than limit and no
// older than the moment.
func (l *packetLog) trim(limit int, moment time.Time) {
	for l.length() > 0 {
		e := l.at(l.first)
		if l.bytes <= limit && !e.at.Before(moment) {
			break
		}
		l.ring[l.first&uint64(len(l.ring)-1)] = nil
		l.first++
		l.bytes -= e.size
	}
	if n := len(l.ring); n > smallRing && l.length() < n/8 {
		l.resize(n / 4)
	}
}

// resize moves the entries into a ring of n places, enough for them.
func (l *packetLog) resize(n int) {
	ring := make([]*entry, n)
	for number := l.first; number <= l.head; number++ {
		ring[number&uint64(n-1)] = l.at(number)
	}
	l.ring = ring
}

// copyTo copies entries from a number on into dst and returns how many.
func (l *packetLog) copyTo(dst []*entry, from uint64) int {
	n := min(len(dst), int(l.head+1-from))
	for i := range n {
		dst[i] = l.at(from + uint64(i))
	}
	return n
}
