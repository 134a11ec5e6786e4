package sioclient

import (
	"errors"
	"sync/atomic"

	"github.com/hermod-io/hermod/socketio/args"
	"github.com/hermod-io/hermod/socketio/parser"
)

// Args are received arguments, of an event or of an ack. They are decoded on
// demand and may be kept; the zero value has none. They are immutable, and safe
// for concurrent use. Their methods, which an [Event] has as well: Len, Decode(i, &v),
// Scan(&v, &w), Values, Raw(i); see [args.Args].
type Args = args.Args

// Event is a received event with its arguments. It may be kept, and used from
// any goroutine.
type Event struct {
	Args

	socket *Socket
	conn   *conn // that brought it
	name   string
	id     uint64 // of the ack
	hasID  bool
	acked  atomic.Bool
}

// newEvent makes an event of a packet whose memory is only lent.
func newEvent(s *Socket, p *parser.Packet) *Event {
	raw := p.Args.Clone()
	name, _ := raw.EventName()
	return &Event{Args: args.New(raw, s.m.cfg.JSON, 1), socket: s, name: string(name), id: p.ID, hasID: p.HasID}
}

// Name returns the name of the event. A name that was sent as a number is its
// digits.
func (e *Event) Name() string { return e.name }

// WantsAck reports whether the server asked for an ack.
func (e *Event) WantsAck() bool { return e.hasID }

// Ack answers the event, once: later calls and calls without a request do
// nothing. It may be called from any goroutine, also after the handler
// returned, and never blocks; the bound of the queue is not for it. After the connection that brought the event was
// lost the answer is dropped, with ErrClosed. values are read before it returns.
// The error may also be an *EncodeError, after which another Ack may be tried.
func (e *Event) Ack(values ...any) error {
	if !e.hasID || e.acked.Load() {
		return nil
	}
	s := e.socket
	w := getWriter()
	defer putWriter(w)
	if err := w.ack(e.Codec(), s.nsp, values); err != nil {
		return &EncodeError{Event: e.name, Err: err}
	}
	if !e.acked.CompareAndSwap(false, true) {
		return nil
	}
	w.packet.ID, w.packet.HasID = e.id, true
	msgs := w.unit(s.m.cfg.Parser, &w.packet)
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	if s.conn == nil || s.conn != e.conn {
		return ErrClosed
	}
	return s.conn.link.session.Send(must, msgs...)
}

// ackOrGone is Ack of one value, for which it is no error that nobody waits for it
// any more.
func (e *Event) ackOrGone(value any) error {
	if err := e.Ack(value); !errors.Is(err, ErrClosed) {
		return err
	}
	return nil
}
