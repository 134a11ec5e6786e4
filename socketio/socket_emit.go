package socketio

import (
	"context"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/internal/usercode"
	"github.com/hermod-io/hermod/socketio/args"
	"github.com/hermod-io/hermod/socketio/parser"
)

// Emit sends an event to the socket. It never blocks: the event leaves at once
// or is queued. The arguments are read before it returns; a []byte at any depth
// travels as binary. Errors: ErrClosed, ErrQueueFull, an *EncodeError, or one
// that wraps ErrReserved. In a middleware the event leaves before the client
// knows that it is connected.
func (s *Socket) Emit(event string, args ...any) error {
	return s.emit(adapters.Flags{}, event, args, nil)
}

// eventMessage is the event of Send.
const eventMessage = "message"

// Send emits the event "message". JS: send, write.
func (s *Socket) Send(args ...any) error { return s.Emit(eventMessage, args...) }

// emit sends an event; with ack it asks for one.
func (s *Socket) emit(f adapters.Flags, name string, args []any, ack *pendingAck) error {
	if parser.Reserved(name) {
		return reservedError(name)
	}
	if s.rec != nil {
		return s.emitKept(f, name, args, ack)
	}
	if s.state.Load() >= stateLeaving {
		return ErrClosed
	}
	outgoing, own := s.ns.table.Load().onAnyOutgoing, s.own.Load()
	overheard := outgoing != nil || own != nil && own.onAnyOutgoing != nil
	if f.Volatile && !overheard && !s.client.session.Writable() {
		s.ns.srv.stats.volatile.Add(1)
		return nil
	}
	w := getWriter()
	defer putWriter(w)
	if err := w.event(s.ns.srv.cfg.JSON, s.ns.name, name, args); err != nil {
		return err
	}
	if ack != nil {
		w.packet.ID, w.packet.HasID = ack.id, true
	}
	if overheard {
		s.overhearAll(outgoing, outgoingEvent(s.ns, name, &w.packet))
	}
	if f.Volatile && !s.client.session.Writable() {
		s.ns.srv.stats.volatile.Add(1)
		return nil
	}
	return s.client.send(w, sendFlags(f))
}

func sendFlags(f adapters.Flags) (out engineio.SendFlags) {
	if f.NoCompress {
		out |= engineio.NoCompress
	}
	return out
}

// outgoingEvent is what the hooks of outgoing events are given.
func outgoingEvent(n *Namespace, name string, p *parser.Packet) *Event {
	return &Event{Args: args.New(cloneArgs(p.Args), n.srv.cfg.JSON, 1), name: name}
}

// cloneArgs copies arguments whose memory is only lent.
func cloneArgs(a parser.Args) parser.Args {
	out := a.Clone()
	if len(a.Attachments) > 0 {
		out.Attachments = make([][]byte, len(a.Attachments))
		for i, b := range a.Attachments {
			out.Attachments[i] = append([]byte{}, b...)
		}
	}
	return out
}

// overhearAll calls the hooks of the namespace, then those of the socket, whatever one
// of them does.
func (s *Socket) overhearAll(hooks []*overhearer, e *Event) {
	defer func() {
		if own := s.own.Load(); own != nil {
			s.overhear(own.onAnyOutgoing, e)
		}
	}()
	s.overhear(hooks, e)
}

// overhear calls hooks of outgoing events.
func (s *Socket) overhear(hooks []*overhearer, e *Event) {
	usercode.Each(hooks, func(o *overhearer) {
		if err := s.ns.srv.guarded(func() error { o.f(s, e); return nil }); err != nil {
			s.report(e.Name(), err)
		}
	})
}

// Emitter emits to one socket, with modifiers. It is an immutable value; each
// modifier returns a changed copy.
type Emitter struct {
	socket *Socket
	flags  adapters.Flags
}

// Volatile returns an emitter whose events are dropped, with a nil error, when
// the client cannot take them now: while bytes that the network refused wait,
// or while no polling request does.
func (s *Socket) Volatile() Emitter { return Emitter{socket: s}.Volatile() }

// Compress returns an emitter that says whether its events are worth
// compressing; they are by default.
func (s *Socket) Compress(on bool) Emitter { return Emitter{socket: s}.Compress(on) }

// Timeout returns an emitter whose EmitWithAck waits for d at most, whatever the
// deadline of its context and Config.AckTimeout; with d ≤ 0 those alone hold.
func (s *Socket) Timeout(d time.Duration) Emitter { return Emitter{socket: s}.Timeout(d) }

// Volatile is Socket.Volatile on top of e's modifiers.
func (e Emitter) Volatile() Emitter {
	e.flags.Volatile = true
	return e
}

// Compress is Socket.Compress on top of e's modifiers.
func (e Emitter) Compress(on bool) Emitter {
	e.flags.NoCompress = !on
	return e
}

// Timeout is Socket.Timeout on top of e's modifiers.
func (e Emitter) Timeout(d time.Duration) Emitter {
	e.flags.Timeout = max(d, 0)
	return e
}

// Send is Socket.Send with the modifiers of e.
func (e Emitter) Send(args ...any) error { return e.Emit(eventMessage, args...) }

// Emit is Socket.Emit with the modifiers of e.
func (e Emitter) Emit(event string, args ...any) error {
	return e.socket.emit(e.flags, event, args, nil)
}

// EmitWithAck is Socket.EmitWithAck with the modifiers of e, except that the
// event is not volatile: its ack would be waited for in vain.
func (e Emitter) EmitWithAck(ctx context.Context, event string, args ...any) (Args, error) {
	f := e.flags
	f.Volatile = false
	return e.socket.ask1(ctx, f, event, args)
}

// Call is Socket.Call with the modifiers of e, as EmitWithAck has them.
func (e Emitter) Call(ctx context.Context, name string, reply any, values ...any) error {
	got, err := e.EmitWithAck(ctx, name, values...)
	return args.Answer(got, err, reply)
}

// To returns a broadcast to the rooms, without the socket itself. A socket's id
// is the name of a room as well.
func (s *Socket) To(rooms ...string) Broadcast { return s.Broadcast().To(rooms...) }

// In is the same as To.
func (s *Socket) In(rooms ...string) Broadcast { return s.To(rooms...) }

// Except returns a broadcast to all but those in the rooms and the socket itself.
func (s *Socket) Except(rooms ...string) Broadcast { return s.Broadcast().Except(rooms...) }

// Broadcast returns a broadcast to all others of the namespace.
func (s *Socket) Broadcast() Broadcast { return Broadcast{ns: s.ns}.Except(s.id) }

// Local returns a broadcast to all others on this node.
func (s *Socket) Local() Broadcast { return s.Broadcast().Local() }
