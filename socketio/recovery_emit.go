package socketio

import (
	"sync"
	"sync/atomic"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/socketio/parser"
)

// emitKept is emit when recovery is on: an event is a broadcast to the socket's
// own room, unless it asks for an ack.
func (s *Socket) emitKept(f adapters.Flags, name string, args []any, ack *pendingAck) error {
	if s.state.Load() >= stateLeaving && (ack != nil || !s.lost()) {
		return ErrClosed
	}
	w := getWriter()
	defer putWriter(w)
	if err := w.event(s.ns.srv.cfg.JSON, s.ns.name, name, args); err != nil {
		return err
	}
	if ack != nil {
		return s.emitAsking(w, f, ack)
	}
	if s.state.Load() == statePending {
		if done, err := s.emitEarly(w, f); done {
			return err
		}
	}
	w.rooms = append(w.rooms[:0], s.id)
	return s.ns.broadcast(&w.packet, adapters.Target{Rooms: w.rooms, Flags: f})
}

// lost reports whether the socket left in a way that its client may undo.
func (s *Socket) lost() bool {
	s.client.mu.Lock()
	defer s.client.mu.Unlock()
	return s.cause != nil && s.cause.Reason.recoverable()
}

// emitAsking sends w.packet, which asks for an ack. Such packets are not kept,
// and have no offset.
func (s *Socket) emitAsking(w *writer, f adapters.Flags, ack *pendingAck) error {
	w.packet.ID, w.packet.HasID = ack.id, true
	s.overhearOne(&w.packet)
	if s.state.Load() == statePending && s.holds(&w.packet) {
		return nil
	}
	return s.client.send(w, sendFlags(f))
}

// emitEarly sends w.packet to a socket that is pending, unless it is being
// restored or not pending any more. The packet is not kept: a client that
// misses the reply to CONNECT connects anew. Its offset stands for all that was
// sent before, so that the client never takes an argument for one.
func (s *Socket) emitEarly(w *writer, f adapters.Flags) (done bool, err error) {
	position := s.ns.recoverer.Position()
	plain := w.packet
	c := s.client
	c.mu.Lock()
	if s.state.Load() != statePending || s.rec.holding {
		c.mu.Unlock()
		return false, nil
	}
	w.packet.JSON = adapters.AppendOffset(nil, plain.JSON, position)
	if f.Volatile && !c.session.Writable() {
		s.ns.srv.stats.volatile.Add(1)
	} else {
		err = c.send(w, sendFlags(f))
	}
	c.mu.Unlock()
	s.overhearOne(&w.packet)
	return true, err
}

// overhearOne calls the hooks of outgoing events, if there are any.
func (s *Socket) overhearOne(p *parser.Packet) {
	hooks, own := s.ns.table.Load().onAnyOutgoing, s.own.Load()
	if hooks != nil || own != nil && own.onAnyOutgoing != nil {
		s.overhearAll(hooks, outgoingEvent(s.ns, "", p))
	}
}

// holds keeps a copy of p for a socket that is being restored, until the reply
// to its CONNECT; false means that it does not wait for one.
func (s *Socket) holds(p *parser.Packet) bool {
	c := s.client
	c.mu.Lock()
	defer c.mu.Unlock()
	r := s.rec
	if !r.holding || s.state.Load() != statePending {
		return false
	}
	q := *p
	q.Args = cloneArgs(p.Args)
	r.held = append(r.held, q)
	r.bytes += len(q.JSON)
	for _, b := range q.Attachments {
		r.bytes += len(b)
	}
	packets, bytes := queueBounds(&c.srv.cfg.Engine)
	if len(r.held)+len(r.missed) > packets || r.bytes > bytes {
		r.holding, r.held = false, nil
		c.session.Close(true) // as a queue that is full; what it missed is kept
	}
	return true
}

// hold takes a packet for a socket that was not connected; true means that it
// is connected by now.
func (d *delivery) hold(s *Socket) bool {
	if s.rec == nil || d.question != nil {
		return false
	}
	if !d.flags.Volatile && s.holds(d.packet) {
		if d.overheard(s) {
			d.overhear(s)
		}
		return false
	}
	return s.Connected()
}

// flush queues what waits for the reply to CONNECT and the reply, as one unit: a
// client that got the one without the other before its connection ended would keep
// it, and be given it once more. client.mu is held.
func (r *recoverable) flush(c *client, reply *parser.Packet) {
	var all []engineio.Message
	add := func(p *parser.Packet) {
		message, binary, attachments := c.srv.cfg.Parser.AppendPacket(nil, p)
		all = append(all, engineio.Message{Binary: binary, Data: message})
		for _, b := range attachments {
			all = append(all, engineio.Message{Binary: true, Data: b})
		}
	}
	for _, p := range r.missed {
		add(p)
	}
	for i := range r.held {
		add(&r.held[i])
	}
	add(reply)
	_ = c.session.Send(engineio.Must, all...) // closed: OnClose follows
	r.missed, r.held, r.holding = nil, nil, false
}

// outgoing are events that hooks of outgoing events have not seen yet. With
// recovery they are called outside of the adapter, which delivers under a lock.
type outgoing struct {
	emitters atomic.Int32 // goroutines that look at sent soon
	waiting  atomic.Int32 // length of sent, for a look without the lock

	mu   sync.Mutex // guards what follows
	sent []sentEvent
}

type sentEvent struct {
	socket *Socket
	event  *Event
}

func (o *outgoing) add(s *Socket, e *Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sent = append(o.sent, sentEvent{s, e})
	o.waiting.Store(int32(len(o.sent)))
}

func (o *outgoing) take() []sentEvent {
	o.mu.Lock()
	defer o.mu.Unlock()
	sent := o.sent
	o.sent = nil
	o.waiting.Store(0)
	return sent
}

// broadcast hands p to the adapter, and what was sent to the hooks.
func (n *Namespace) broadcast(p *parser.Packet, t adapters.Target) error {
	if n.recoverer == nil {
		return n.adapter.Broadcast(p, t)
	}
	n.outgoing.emitters.Add(1)
	err := n.adapter.Broadcast(p, t)
	n.outgoing.emitters.Add(-1)
	n.flushOutgoing()
	return err
}

// overheard sees to it that somebody calls the hooks: the goroutine that emits,
// or a new one when the packet is another node's.
func (n *Namespace) overheard() {
	if n.outgoing.waiting.Load() > 0 && n.outgoing.emitters.Load() == 0 {
		n.srv.workers.spawn(n.flushOutgoing)
	}
}

func (n *Namespace) flushOutgoing() {
	if n.outgoing.waiting.Load() == 0 {
		return
	}
	for _, e := range n.outgoing.take() {
		e.socket.overhearApart(n.table.Load().onAnyOutgoing, e.event)
	}
}
