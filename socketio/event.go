package socketio

import (
	"errors"
	"sync/atomic"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/socketio/args"
	"github.com/hermod-io/hermod/socketio/parser"
)

// Event is a received event with its arguments. It may be kept, and used from
// any goroutine.
type Event struct {
	Args

	socket *Socket           // nil for an event of another node
	reply  func(parser.Args) // how an event of another node is answered
	name   string            // "" until it is looked up or asked for
	id     uint64            // of the ack
	acked  atomic.Bool
	hasID  bool
	limit  limit  // what it exceeds, found by the reader
	next   *Event // in the mailbox, under client.mu
}

// newEvent makes an event of a packet whose memory is only lent.
func newEvent(s *Socket, p *parser.Packet) *Event {
	e, text := eventFor(len(p.JSON))
	copy(text, p.JSON)
	e.Args = args.New(parser.Args{JSON: text, Attachments: p.Attachments}, s.ns.srv.cfg.JSON, 1)
	e.socket, e.id, e.hasID = s, p.ID, p.HasID
	return e
}

// bytes is the length of the text and the attachments.
func (e *Event) bytes() int {
	raw := e.Encoded()
	n := len(raw.JSON)
	for _, b := range raw.Attachments {
		n += len(b)
	}
	return n
}

// size is what an event counts in the mailbox.
func (e *Event) size() int { return 128 + e.bytes() }

// Name returns the name of the event. A name that was sent as a number is its
// digits.
func (e *Event) Name() string {
	if e.name != "" {
		return e.name
	}
	name, _ := e.Encoded().EventName()
	return string(name)
}

// WantsAck reports whether the sender asked for an ack.
func (e *Event) WantsAck() bool { return e.hasID }

// Ack answers the event, once: later calls and calls without a request do
// nothing. It may be called from any goroutine, also after the handler
// returned, and never blocks. After the socket has left its namespace the
// answer is dropped, with ErrClosed. values are read before it returns. The error
// may also be an *EncodeError, after which another Ack may be tried.
func (e *Event) Ack(values ...any) error {
	if !e.hasID || e.acked.Load() {
		return nil
	}
	w := getWriter()
	defer putWriter(w)
	if err := w.ack(e.Codec(), values); err != nil {
		return e.notEncoded(err)
	}
	return e.answer(w)
}

// ackOrGone is Ack of one value, for which it is no error that nobody waits for it
// any more.
func (e *Event) ackOrGone(value any) error {
	if err := e.Ack(value); !errors.Is(err, ErrClosed) {
		return err
	}
	return nil
}

// notEncoded and answerNode are apart so that the frame of Ack stays small: the
// application's values are encoded on top of it.
func (e *Event) notEncoded(err error) error { return &EncodeError{Event: e.Name(), Err: err} }

// answer sends the ack in w, if there was none before.
func (e *Event) answer(w *writer) error {
	if !e.acked.CompareAndSwap(false, true) {
		return nil
	}
	s := e.socket
	if s == nil {
		e.answerNode(w)
		return nil
	}
	if s.state.Load() != stateLive {
		return ErrClosed
	}
	w.packet.Namespace, w.packet.ID, w.packet.HasID = s.ns.name, e.id, true
	return s.client.send(w, engineio.Must)
}

func (e *Event) answerNode(w *writer) { e.reply(w.packet.Args.Clone()) }
