package redisadapter

import (
	"bytes"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/adapters/redisadapter/internal/link"
)

// streamEntry is an entry of a stream: its id and those of its fields that mean
// something here, as parts of what Redis has sent; nil is none. One of several
// messages has a batch instead of kind and data, see [StreamsOptions].Batches: both
// of each message in turn.
type streamEntry struct{ id, uid, nsp, kind, data, batch []byte }

// set notes a field; the last of a name counts.
func (e *streamEntry) set(name, value []byte) {
	switch string(name) {
	case "uid":
		e.uid = value
	case "nsp":
		e.nsp = value
	case "type":
		e.kind = value
	case "data":
		e.data = value
	case "batch":
		e.batch = value
	}
}

// open returns how many messages an entry holds. Each of them is there after a
// call of next. A malformed batch counts as one, which there is not.
func (e *streamEntry) open() (n int, left link.Batch, err error) {
	if e.kind != nil || e.batch == nil {
		return 1, nil, nil
	}
	left, n, err = link.ParseBatch(e.batch)
	if err == nil && n%2 != 0 {
		err = link.ErrBatch
	}
	if err != nil {
		return 1, nil, err
	}
	return n / 2, left, nil
}

// next makes e the next of its messages.
func (e *streamEntry) next(left *link.Batch) {
	if *left != nil {
		e.kind = left.Next()
		e.data = left.Next()
	}
}

// entryFrom is an entry that go-redis has read.
func entryFrom(m redis.XMessage) streamEntry {
	e := streamEntry{id: []byte(m.ID)}
	for name, value := range m.Values {
		if text, ok := value.(string); ok {
			e.set([]byte(name), []byte(text))
		}
	}
	return e
}

// appendEntries appends the entries in the answer to XREAD of one stream. ok is
// false if it is anything else: an error, or in another form than Redis has.
func appendEntries(dst []streamEntry, answer []byte) (all []streamEntry, ok bool) {
	if string(answer) == "*-1\r\n" || string(answer) == "_\r\n" {
		return dst, true // nothing came in time
	}
	a := respAnswer{left: answer}
	if lead, n := a.head(); n != 1 || lead != '%' && (lead != '*' || !a.array(2)) { // RESP 3 and 2
		return dst, false
	}
	a.bulk() // the name of the stream
	lead, n := a.head()
	all = dst
	for ; n > 0 && !a.bad; n-- {
		all = append(all, a.entry())
	}
	if a.bad || lead != '*' || len(a.left) > 0 {
		return dst, false
	}
	return all, true
}

// respAnswer is what is left of an answer. Once it is bad nothing that it returns
// is of use.
type respAnswer struct {
	left []byte
	bad  bool
}

// entry reads an entry.
func (a *respAnswer) entry() (e streamEntry) {
	a.bad = !a.array(2) || a.bad
	e.id = a.bulk()
	lead, n := a.head()
	a.bad = a.bad || lead != '*' || n%2 != 0
	for ; n > 0 && !a.bad; n -= 2 {
		name := a.bulk()
		e.set(name, a.bulk())
	}
	return e
}

// array takes the head of an array of n elements; it reports whether it was one.
func (a *respAnswer) array(n int) bool {
	lead, got := a.head()
	return lead == '*' && got == n
}

// maxAnswerDigits keeps a length far from what overflows.
const maxAnswerDigits = 9

// head takes a line of a lead byte and a number. RESP, "Arrays", "Maps".
func (a *respAnswer) head() (lead byte, n int) {
	end := bytes.IndexByte(a.left, '\r')
	if a.bad || end < 2 || end > 1+maxAnswerDigits || end+1 == len(a.left) || a.left[end+1] != '\n' {
		a.bad = true
		return 0, 0
	}
	for _, c := range a.left[1:end] {
		if c-'0' > 9 {
			a.bad = true
			return 0, 0
		}
		n = 10*n + int(c-'0')
	}
	lead, a.left = a.left[0], a.left[end+2:]
	return lead, n
}

// bulk takes a bulk string.
func (a *respAnswer) bulk() []byte {
	s, end := link.BulkAt(a.left, 0)
	if a.bad = a.bad || s == nil; a.bad {
		return nil
	}
	a.left = a.left[end:]
	return s
}
