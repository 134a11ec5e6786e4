package sioclient

import (
	"context"
	"errors"
	"time"

	"github.com/hermod-io/hermod/engineio/eioclient"
	"github.com/hermod-io/hermod/socketio/args"
	"github.com/hermod-io/hermod/socketio/event"
	"github.com/hermod-io/hermod/socketio/parser"
)

// flags modify an emit.
type flags struct {
	volatile   bool
	noCompress bool
	timeout    time.Duration // of an ack
}

func (f flags) engine() (out eioclient.SendFlags) {
	if f.noCompress {
		out |= eioclient.NoCompress
	}
	return out
}

// Emit sends an event to the server. It never blocks: the event leaves at once
// or is queued, and without a connection it is kept until there is one (see the
// package). The arguments are read before it returns; a []byte at any depth
// travels as binary. Errors: ErrClosed after Close, ErrQueueFull, an
// *EncodeError, or one that wraps ErrReserved. JS: emit.
func (s *Socket) Emit(event string, args ...any) error { return s.emit(flags{}, event, args, nil) }

// EmitWithAck sends an event and waits for the ack: until the deadline of ctx,
// or Config.AckTimeout if it has none. After that, and when ctx is cancelled, the
// error is an *AckError that tells which (context.DeadlineExceeded, context.Canceled)
// and wraps the cause of ctx, and an event that has not left is not sent any more. With Config.Retries AckTimeout
// is that of each attempt, and without a deadline the wait for a connection has
// no end. When the connection is lost after the event was sent (with Retries:
// for the last time) the error is a *DisconnectError; others are as of Emit. It
// may be called in a handler. JS: emitWithAck.
func (s *Socket) EmitWithAck(ctx context.Context, event string, args ...any) (Args, error) {
	return s.ask(ctx, flags{}, event, args)
}

// Call is EmitWithAck that decodes the ack into reply, a pointer: its first
// argument, or several if reply points to a struct with event.Args. With nil
// the ack's content does not matter. The error may also be an *ArgError, or the
// *Error that the ack stands for: {"error":{"code","message","data"}} alone, as the
// error of a handler becomes by default (Config.AckError). Its Data is then a
// json.RawMessage, or nil; see [args.ErrorOf].
func (s *Socket) Call(ctx context.Context, name string, reply any, values ...any) error {
	got, err := s.EmitWithAck(ctx, name, values...)
	return args.Answer(got, err, reply)
}

// Emitter emits with modifiers. It is an immutable value; each modifier returns
// a changed copy.
type Emitter struct {
	socket *Socket
	flags  flags
}

var _ interface {
	event.Emitter
	event.Caller
} = Emitter{}

// Volatile returns an emitter whose events are dropped, with a nil error, when
// they cannot leave now. JS: volatile.
func (s *Socket) Volatile() Emitter { return Emitter{socket: s}.Volatile() }

// Compress returns an emitter that says whether its events are worth
// compressing; they are by default. JS: compress.
func (s *Socket) Compress(on bool) Emitter { return Emitter{socket: s}.Compress(on) }

// Timeout returns an emitter whose acks have to come within d, which must be
// positive. JS: timeout.
func (s *Socket) Timeout(d time.Duration) Emitter { return Emitter{socket: s}.Timeout(d) }

// Volatile is Socket.Volatile on top of e's modifiers.
func (e Emitter) Volatile() Emitter {
	e.flags.volatile = true
	return e
}

// Compress is Socket.Compress on top of e's modifiers.
func (e Emitter) Compress(on bool) Emitter {
	e.flags.noCompress = !on
	return e
}

// Timeout is Socket.Timeout on top of e's modifiers.
func (e Emitter) Timeout(d time.Duration) Emitter {
	e.flags.timeout = d
	return e
}

// Emit is Socket.Emit with the modifiers of e.
func (e Emitter) Emit(event string, args ...any) error {
	return e.socket.emit(e.flags, event, args, nil)
}

// EmitWithAck is Socket.EmitWithAck with the modifiers of e, except that the
// event is not volatile: its ack would be waited for in vain.
func (e Emitter) EmitWithAck(ctx context.Context, event string, args ...any) (Args, error) {
	f := e.flags
	f.volatile = false
	return e.socket.ask(ctx, f, event, args)
}

// Call is Socket.Call with the modifiers of e.
func (e Emitter) Call(ctx context.Context, name string, reply any, values ...any) error {
	got, err := e.EmitWithAck(ctx, name, values...)
	return args.Answer(got, err, reply)
}

// emit sends an event; with ack it asks for one.
func (s *Socket) emit(f flags, name string, values []any, ack *wait) error {
	if parser.Reserved(name) {
		return args.Reserved(name)
	}
	w := getWriter()
	defer putWriter(w)
	if err := w.event(s.m.cfg.JSON, s.nsp, name, values); err != nil {
		return err
	}
	if f.volatile && !s.writable() {
		return nil
	}
	if hooks := s.table.Load().onAnyOutgoing; hooks != nil {
		e := &Event{Args: args.New(cloneArgs(w.packet.Args), s.m.cfg.JSON, 1), socket: s, name: name}
		for _, hook := range hooks {
			s.tell(func() { hook.f(s, e) })
		}
	}
	if s.m.cfg.Retries > 0 && !f.volatile {
		return s.enqueue(f, &w.packet, ack)
	}
	if ack != nil {
		ack.id = s.ids.Add(1) - 1
		w.packet.ID, w.packet.HasID = ack.id, true
	}
	msgs := w.unit(s.m.cfg.Parser, &w.packet)
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	return s.deliver(f, &w.packet, msgs, ack)
}

// writable reports whether a volatile event would leave now.
func (s *Socket) writable() bool {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	return s.conn != nil && len(s.buffer.waits) == 0 && s.conn.link.session.Writable()
}

// deliver sends msgs, the messages of p, or keeps p. mu is held.
func (s *Socket) deliver(f flags, p *parser.Packet, msgs []eioclient.Message, ack *wait) error {
	if s.closed {
		return ErrClosed
	}
	if s.conn != nil && len(s.buffer.waits) == 0 { // else it would overtake
		err := s.conn.link.session.Send(f.engine(), msgs...)
		if err == nil && ack != nil {
			s.waits[ack.id] = ack
		}
		if !errors.Is(err, ErrClosed) {
			return err
		}
		// It has just been lost, and we shall hear of it.
	}
	if f.volatile {
		return nil
	}
	if !s.buffer.add(&s.m.cfg.Buffer, outgoing{args: cloneArgs(p.Args), id: p.ID, hasID: p.HasID, flags: f}) {
		return ErrQueueFull
	}
	if ack != nil {
		s.waits[ack.id] = ack
	}
	return nil
}
