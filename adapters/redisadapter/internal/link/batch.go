package link

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

// A batch is what one command carries of several that waited for the same channel
// or stream, see Config.Batches: a byte that no message begins with, then each of
// their texts behind its length, a uvarint of the shortest form. No text is empty. (What
// a lane sends in one pipeline is another thing: it is never more than commands in a row.)

// batchByte is never used in MessagePack, and JSON does not begin with it.
const batchByte = 0xc1

// The most that a batch holds. More bytes would save Redis next to nothing, keep the
// other nodes waiting for the first of them, and make the entries of a stream, whose
// number is bounded, take more memory.
const (
	maxJoined      = 512 // commands
	maxJoinedBytes = 16 << 10
)

// ErrBatch is what is wrong with a batch that is cut off or malformed.
var ErrBatch = errors.New("link: malformed batch")

// IsBatch reports whether a payload is a batch, and no message.
func IsBatch(payload []byte) bool { return len(payload) > 0 && payload[0] == batchByte }

// Batch is what is left of a batch.
type Batch []byte

// ParseBatch returns the texts of a batch, of which there are n. The error is
// [ErrBatch].
func ParseBatch(payload []byte) (b Batch, n int, err error) {
	if !IsBatch(payload) {
		return nil, 0, ErrBatch
	}
	b = payload[1:]
	for left := b; len(left) > 0; n++ {
		size, used := binary.Uvarint(left)
		if used != uvarint(size) || size == 0 || size > uint64(len(left)-used) {
			return nil, 0, ErrBatch
		}
		left = left[used+int(size):]
	}
	if n == 0 {
		return nil, 0, ErrBatch
	}
	return b, n, nil
}

// Next takes the next text off. It must not be called more often than there are
// texts.
func (b *Batch) Next() []byte {
	size, used := binary.Uvarint(*b)
	end := used + int(size)
	text := (*b)[used:end:end]
	*b = (*b)[end:]
	return text
}

// uvarint is the length of the shortest form of n.
func uvarint(n uint64) int { return (bits.Len64(n|1) + 6) / 7 }

// textBytes is what a text takes in a batch.
func textBytes(text []byte) int64 { return int64(uvarint(uint64(len(text))) + len(text)) }

func appendText(dst, text []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}

// join adds an entry behind this one, which waits, if the two may go as one command:
// only what is consecutive in a queue is joined, so that the order stays. Needs the
// Writer's mutex.
func (e *entry) join(add *entry) bool {
	if !e.like(add) {
		return false
	}
	texts := e.texts
	if e.joined == 0 {
		texts = e.ownTexts()
	}
	texts += add.ownTexts()
	if 1+texts > maxJoinedBytes || e.joined+2 > maxJoined {
		return false
	}
	switch {
	case e.joined > 0:
		e.wire -= bulk(int(1 + e.texts))
		e.last.next = add
	case e.publish:
		e.wire -= bulk(len(e.payload.b))
		e.text, e.next = e.payload.b, add
	default:
		e.wire, e.next = e.form.batchWire, add
		e.cmd, e.spare = e.batchCmd(), e.cmd
	}
	e.last, e.texts = add, texts
	e.joined++
	e.wire += bulk(int(1 + texts))
	return true
}

// like reports whether another entry may be joined to this one.
func (e *entry) like(other *entry) bool {
	if !e.fresh() || !other.fresh() || other.joined > 0 || e.key != other.key {
		return false
	}
	if e.publish {
		return other.publish && e.verb == other.verb && e.channel == other.channel
	}
	return e.form == other.form
}

// fresh reports whether an entry may be joined. What was sent or refused before stays
// as it was then.
func (e *entry) fresh() bool {
	return e.joins && e.ask == "" && e.sent == 0 && e.redirects == 0 && e.refused.IsZero()
}

// ownTexts is what the texts of the entry alone take in a batch.
func (e *entry) ownTexts() (n int64) {
	if e.publish {
		return textBytes(e.payload.b)
	}
	for i := range e.values {
		n += textBytes(e.values[i].b)
	}
	return n
}

// messages is how many commands the entry stands for.
func (e *entry) messages() int { return 1 + e.joined }

// messages is how many commands entries stand for.
func messages(list []*entry) (n int) {
	for _, e := range list {
		n += e.messages()
	}
	return n
}

// appendBatch appends what an entry with others behind it carries.
func (e *entry) appendBatch(dst []byte) []byte {
	dst = append(dst, batchByte)
	if e.publish {
		dst = appendText(dst, e.text)
		for o := e.next; o != nil; o = o.next {
			dst = appendText(dst, o.payload.b)
		}
		return dst
	}
	for o := e; o != nil; o = o.next {
		for i := range o.values {
			dst = appendText(dst, o.values[i].b)
		}
	}
	return dst
}

// maxSealed is what a lane keeps of the memory of batches when it needs much less.
const maxSealed = 128 << 10

// seal writes the batches among what is to be sent, into memory of the lane.
func (l *lane) seal() {
	size := 0
	for _, e := range l.batch {
		if e.joined > 0 {
			size += 1 + int(e.texts)
		}
	}
	if have := cap(l.sealed); have < size || have > maxSealed && have/4 > size {
		l.sealed = make([]byte, 0, max(size, min(2*have, maxSealed)))
	}
	l.sealed = l.sealed[:0]
	for _, e := range l.batch {
		if e.joined > 0 {
			from := len(l.sealed)
			l.sealed = e.appendBatch(l.sealed)
			e.payload.b = l.sealed[from:len(l.sealed):len(l.sealed)]
		}
	}
}

// Each calls h for each message that m stands for: for m, or for those of a batch.
// Of a malformed batch nothing is handed over; the error is [ErrBatch]. A panic of h
// is recovered, counted and logged, as one of a [Handler], and the next message
// follows.
func (s *Subscriber) Each(m Message, h Handler) error {
	if !IsBatch(m.Payload) {
		s.guard(func() { h(m) })
		return nil
	}
	texts, n, err := ParseBatch(m.Payload)
	if err != nil {
		return err
	}
	s.count.messages.Add(int64(n - 1)) // one is counted already
	for range n {
		m.Payload = texts.Next()
		s.guard(func() { h(m) })
	}
	return nil
}
