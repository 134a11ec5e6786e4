package cluster

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"strings"
	"time"
)

// Log is a [Bus] that keeps what it carries in one order for a while, and beside
// it a small store: what connection state recovery over several nodes needs.
// Every node reads the whole log, its own entries included.
type Log interface {
	Bus
	// Append queues m, a broadcast without RequestID, for the log, as Publish
	// does for the other nodes. text is what is written; it comes back with
	// LogReceiver.Own. If the log refuses it later refused is called, once, on
	// another goroutine: then it does not come back.
	Append(m *Message, refused func()) (text string, err error)
	// Follow tells r of what is appended from now on. It returns when r knows
	// where that begins, or when ctx ended: then r is told later. It is called
	// once.
	Follow(ctx context.Context, r LogReceiver) error
	// Read returns the broadcasts of the namespace among the next messages after
	// an offset and up to another, and how far it has looked: upTo when there
	// are no more. The error is [ErrTrimmed] when messages after the offset are
	// not kept any more.
	Read(ctx context.Context, after, upTo Offset) (entries []LogEntry, next Offset, err error)
	// Last returns the newest offset that was given.
	Last(ctx context.Context) (Offset, error)

	// StoreSession keeps a value under a pid for as long as ttl. If another node
	// has taken the session from this one, see TakeSession, it does not, and calls
	// lost on another goroutine; lost may be nil. It is queued and never blocks;
	// what one node does to one pid happens in its order.
	StoreSession(pid string, value []byte, ttl time.Duration, lost func()) error
	// DropSession removes the value of a pid, as StoreSession and as little if it
	// was taken.
	DropSession(pid string) error
	// LoadSession returns the value of a pid, nil if there is none.
	LoadSession(ctx context.Context, pid string) ([]byte, error)
	// TakeSession replaces the value of a pid, or removes it if next is nil, if it
	// is this one, and reports whether it was. Of several nodes that take one
	// value one succeeds. from, if not "", is a node that is out of reach: what it
	// stores and drops under this pid is ignored from then on, until it takes a
	// value itself.
	TakeSession(ctx context.Context, pid string, value, next []byte, ttl time.Duration, from string) (bool, error)
}

// LogReceiver takes what is read from a [Log], in the order of the offsets, on
// one goroutine. It does not block for long.
type LogReceiver interface {
	// Begin tells that what is read from now on is later than at. It is called
	// first, and again when the log had to be begun anew.
	Begin(at Offset)
	// Entry is what another node appended or published, lent or kept as by
	// [Receiver].Receive.
	Entry(at Offset, m *Message)
	// Own is what this node wrote.
	Own(at Offset, text string)
	// Reached tells that there is nothing for the namespace up to at any more.
	Reached(at Offset)
}

// LogEntry is a broadcast that is kept in a [Log].
type LogEntry struct {
	Offset  Offset   // its place
	Message *Message // the caller's to keep
}

// ErrTrimmed is returned by Log.Read when what is asked for is not kept any
// more.
var ErrTrimmed = errors.New("cluster: the log does not go back that far")

// Offset is the place of a message in a [Log]. Later messages have larger ones; the
// zero Offset is before all.
type Offset struct {
	Time, Seq uint64 // the id of an entry of a stream of Redis
	Part      uint32 // the place in an entry that holds several messages, from 0 on
}

// forever is after all offsets.
var forever = Offset{^uint64(0), ^uint64(0), ^uint32(0)}

// Compare returns -1, 0 or 1.
func (o Offset) Compare(p Offset) int {
	return cmp.Or(cmp.Compare(o.Time, p.Time), cmp.Compare(o.Seq, p.Seq), cmp.Compare(o.Part, p.Part))
}

// Entry is the offset of the first message in the entry of o.
func (o Offset) Entry() Offset { return Offset{Time: o.Time, Seq: o.Seq} }

// After reports whether o is later than p.
func (o Offset) After(p Offset) bool { return o.Compare(p) > 0 }

// Append appends the text of o.
func (o Offset) Append(dst []byte) []byte {
	dst = append(strconv.AppendUint(dst, o.Time, 10), '-')
	dst = strconv.AppendUint(dst, o.Seq, 10)
	if o.Part == 0 {
		return dst
	}
	return strconv.AppendUint(append(dst, '.'), uint64(o.Part), 10)
}

// String returns the text of o: the id as Redis has it, 1700000000000-0, and, if it
// is not 0, the part, 1700000000000-0.2.
func (o Offset) String() string { return string(o.Append(nil)) }

// maxOffset is the longest text of an offset.
const maxOffset = 20 + 1 + 20 + 1 + 10

// ParseOffset reads the text of an offset. It must be as String writes it.
func ParseOffset(s string) (o Offset, ok bool) {
	if len(s) > maxOffset {
		return Offset{}, false
	}
	id, part, several := strings.Cut(s, ".")
	before, after, _ := strings.Cut(id, "-")
	var err1, err2, err3 error
	o.Time, err1 = strconv.ParseUint(before, 10, 64)
	o.Seq, err2 = strconv.ParseUint(after, 10, 64)
	if several {
		var k uint64
		k, err3 = strconv.ParseUint(part, 10, 32)
		o.Part = uint32(k)
	}
	var room [maxOffset]byte
	if err1 != nil || err2 != nil || err3 != nil || string(o.Append(room[:0])) != s {
		return Offset{}, false
	}
	return o, true
}

func later(o, p Offset) Offset {
	if p.After(o) {
		return p
	}
	return o
}
