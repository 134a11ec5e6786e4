package cluster

import (
	"bytes"
	"sync"

	"github.com/hermod-io/hermod/adapters/cluster/wire"
	"github.com/hermod-io/hermod/internal/bufpool"
	"github.com/hermod-io/hermod/socketio/parser"
)

// Limits of what a Recent keeps and of what it reads.
const (
	recentShapes = 8
	recentBytes  = 1024 // of a shape
	// recentArgs is less than the bytes of the deepest nesting that is allowed, so
	// that arguments of that size are nested too deeply nowhere.
	recentArgs = 900
)

// Recent knows the last broadcasts that a bus has read. One that differs from
// such a broadcast in its arguments alone has the same meaning but for them, and
// of it nothing else is looked into. The zero value is ready; nil knows nothing.
// Its methods may be called from any goroutine. The targets of the messages it
// lends share their slices, which must not be changed.
type Recent struct {
	loans sync.Pool // of *Loan

	mu     sync.Mutex // guards what follows
	shapes [recentShapes]shape
	next   int // to be replaced
}

// shape is a broadcast without its arguments.
type shape struct {
	d             wire.Dialect
	before, after []byte  // the arguments; empty before: none
	m             Message // without Packet
	nsp           string
}

// Loan is a broadcast in memory that is used for the next one when this one was
// received, see [Receiver].
type Loan struct {
	// Message is a broadcast that wants no answer. It is valid until Done.
	Message Message
	// Namespace is that of ParseEnvelope.
	Namespace string

	packet parser.Packet
	text   []byte
	pool   *sync.Pool
}

// Done gives the loan back. It may be left out; then the memory is garbage like
// any other.
func (l *Loan) Done() {
	if bufpool.Poisoned {
		for i := range l.text[:cap(l.text)] {
			l.text[:cap(l.text)][i] = bufpool.Poison
		}
	}
	l.Message.Packet, l.packet = nil, parser.Packet{} // attachments are not ours
	l.pool.Put(l)
}

// Lend returns what msg says, as [ParseEnvelope] does, without a copy that lasts.
// nil is a message that must be read in whole, and may be malformed.
func (r *Recent) Lend(d wire.Dialect, msg []byte) *Loan {
	if r == nil {
		return nil
	}
	l, _ := r.loans.Get().(*Loan)
	if l == nil {
		l = &Loan{pool: &r.loans}
	}
	args := r.match(d, msg, &l.Message, &l.Namespace)
	if args == nil || !l.read(d, args) {
		r.loans.Put(l)
		return nil
	}
	return l
}

// read reads the arguments; it reports whether they are those of an event.
func (l *Loan) read(d wire.Dialect, raw []byte) bool {
	v, err := d.Decode(raw)
	if err != nil || v.Kind() != wire.List {
		return false
	}
	args, err := v.ArgsIn(l.text[:0])
	if err != nil {
		return false
	}
	name, ok := args.EventName()
	if !ok || parser.Reserved(string(name)) {
		return false
	}
	l.text = args.JSON
	l.packet = parser.Packet{Type: parser.Event, Args: args}
	l.Message.Packet = &l.packet
	return true
}

// match returns the arguments in msg if the rest is known; nil if not.
func (r *Recent) match(d wire.Dialect, msg []byte, m *Message, namespace *string) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.shapes {
		s := &r.shapes[i]
		n := len(msg) - len(s.before) - len(s.after)
		if len(s.before) == 0 || s.d != d || n < 2 || n > recentArgs || !bytes.HasSuffix(msg, s.after) || !bytes.HasPrefix(msg, s.before) {
			continue
		}
		args := msg[len(s.before) : len(s.before)+n]
		if d == wire.JSON && (args[0] != '[' || args[n-1] != ']') {
			continue
		}
		*m, *namespace = s.m, s.nsp
		return args
	}
	return nil
}

// Keep remembers a message that was read in whole: a broadcast that wants no
// answer, with these arguments.
func (r *Recent) Keep(d wire.Dialect, msg []byte, args wire.Value, m *Message, namespace string) {
	raw := args.Raw()
	if r == nil || m.Type != Broadcast || m.RequestID != "" || m.Packet == nil || m.Packet.HasID ||
		len(raw) < 2 || len(raw) > recentArgs || len(msg)-len(raw) > recentBytes {
		return
	}
	from := bytes.Index(msg, raw)
	if from <= 0 || from != bytes.LastIndex(msg, raw) {
		return // it cannot be told which of them are the arguments
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &r.shapes[r.next]
	r.next = (r.next + 1) % recentShapes
	s.d, s.m, s.nsp = d, *m, namespace
	s.m.Packet = nil
	s.before = append(s.before[:0], msg[:from]...)
	s.after = append(s.after[:0], msg[from+len(raw):]...)
}

// ParseEnvelope is the function of that name; what it reads is kept for Lend.
func (r *Recent) ParseEnvelope(d wire.Dialect, msg []byte) (m *Message, namespace string, err error) {
	m, namespace, args, err := parseEnvelope(d, msg)
	if err == nil {
		r.Keep(d, msg, args, m, namespace)
	}
	return m, namespace, err
}

// ParseData is the function of that name; what it reads is kept for Lend, which
// then knows m but for its From.
func (r *Recent) ParseData(d wire.Dialect, msg []byte, m *Message) error {
	args, err := parseData(d, msg, m)
	if err == nil {
		r.Keep(d, msg, args, m, "")
	}
	return err
}
