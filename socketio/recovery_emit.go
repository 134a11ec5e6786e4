package socketio

import (
	"sync"
	"sync/atomic"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/internal/usercode"
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
	s.queueOutgoing(&w.packet)
	s.ns.flushOutgoing()
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
	s.queueOutgoing(&w.packet) // in the order of sending
	c.mu.Unlock()
	s.ns.flushOutgoing()
	return true, err
}

// queueOutgoing leaves p to the hooks of outgoing events, if there are any: they are
// called by flushOutgoing, once they were called for what was sent before.
func (s *Socket) queueOutgoing(p *parser.Packet) {
	hooks, own := s.ns.table.Load().onAnyOutgoing, s.own.Load()
	if hooks != nil || own != nil && own.onAnyOutgoing != nil {
		e := outgoingEvent(s.ns, "", p)
		s.ns.outgoing.add(s, e, e.size())
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
// recovery they are called outside of the adapter, which delivers under a lock, and by
// one goroutine at a time, in the order of delivery.
type outgoing struct {
	emitters atomic.Int32 // goroutines that look at sent soon
	waiting  atomic.Int32 // length of sent, for a look without the lock

	mu      sync.Mutex // guards what follows
	sent    []sentEvent
	bytes   int // of the events in it, each counted once for all sockets
	tellers int // goroutines that call the hooks, and look at sent when they have
}

// Above these bounds whoever emits calls the hooks as well: hooks that are too slow
// hold up who emits, and may hear of things in another order, but memory is bounded. What
// other nodes send is bounded so only if the hooks return at all.
const (
	maxOutgoing      = 1 << 16
	maxOutgoingBytes = 16 << 20
)

type sentEvent struct {
	socket *Socket
	event  *Event
}

// add puts e at the end; size is what e takes, 0 if it was told before.
func (o *outgoing) add(s *Socket, e *Event, size int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sent = append(o.sent, sentEvent{s, e})
	o.bytes += size
	o.waiting.Store(int32(len(o.sent)))
}

// begin makes the caller one who calls the hooks, if there is need for one.
func (o *outgoing) begin() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.tellers > 0 && len(o.sent) <= maxOutgoing && o.bytes <= maxOutgoingBytes {
		return false
	}
	o.tellers++
	return true
}

// take returns what is to be told. When there is nothing, or with last, the caller
// calls the hooks no more.
func (o *outgoing) take(last bool) []sentEvent {
	o.mu.Lock()
	defer o.mu.Unlock()
	if last || len(o.sent) == 0 {
		o.tellers--
		return nil
	}
	sent := o.sent
	o.sent, o.bytes = nil, 0
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

// flushRounds is how often an emit looks whether there is more for the hooks: what
// they emit themselves, and others meanwhile. The rest is left to a new goroutine.
const flushRounds = 8

func (n *Namespace) flushOutgoing() {
	if n.outgoing.waiting.Load() == 0 || !n.outgoing.begin() {
		return
	}
	var aside usercode.Runner
	defer aside.Stop()
	for round := 1; ; round++ {
		sent := n.outgoing.take(round > flushRounds)
		for _, e := range sent {
			hooks := n.table.Load().onAnyOutgoing
			if err := aside.Run(func() error { e.socket.overhearAll(hooks, e.event); return nil }); err != nil {
				e.socket.report(e.event.Name(), err)
			}
		}
		if sent == nil {
			break
		}
	}
	n.overheard()
}
