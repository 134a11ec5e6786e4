package socketio

import (
	"context"
	"iter"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/internal/shrink"
	"github.com/hermod-io/hermod/internal/usercode"
	"github.com/hermod-io/hermod/socketio/parser"
)

// Namespace is a Socket.IO namespace: its sockets, their rooms, and what is
// registered for them. All methods may be called from any goroutine, at any
// time; what is registered holds from then on.
type Namespace struct {
	srv       *Server
	name      string
	adapter   adapters.Adapter
	recoverer adapters.Recoverer // the adapter; nil when recovery is off
	outgoing  outgoing
	table     atomic.Pointer[table]
	family    *parent // of a child its parent, of a parent itself; else nil
	ackIDs    atomic.Uint64
	questions questions
	serverBox serverBox

	life

	register sync.Mutex // held while the table is changed

	mu      sync.RWMutex // guards what follows
	sockets shrink.Map[string, *Socket]
}

// bareNamespace returns a namespace without an adapter, see open.
func bareNamespace(srv *Server, name string) *Namespace {
	n := &Namespace{srv: srv, name: name}
	n.ready = make(chan struct{})
	n.table.Store(emptyTable)
	return n
}

var emptyTable = new(table)

// Name is the name, with its slash; that of a parent is its pattern.
func (n *Namespace) Name() string { return n.name }

// change registers something.
func (n *Namespace) change(f func(*table)) {
	n.register.Lock()
	defer n.register.Unlock()
	t := new(table)
	*t = *n.table.Load()
	if n.family != nil && n.family.ns != n {
		t = t.clipped() // the slices may be the parent's
	}
	f(t)
	n.table.Store(t)
}

// settled returns the table for who looks up a name.
func (n *Namespace) settled() *table {
	for {
		t := n.table.Load()
		if t.settled() {
			return t
		}
		n.table.CompareAndSwap(t, t.settle())
	}
}

// Sockets iterates over this node's connected sockets, in no order. It is a
// snapshot. Those of a parent are its children's.
func (n *Namespace) Sockets() iter.Seq[*Socket] {
	return func(yield func(*Socket) bool) {
		for child := range n.Children() {
			for s := range child.Sockets() {
				if !yield(s) {
					return
				}
			}
		}
		n.mu.RLock()
		all := slices.AppendSeq(make([]*Socket, 0, n.sockets.Len()), n.sockets.Values())
		n.mu.RUnlock()
		for _, s := range all {
			if s.Connected() && !yield(s) {
				return
			}
		}
	}
}

// Socket returns the connected socket of this node with that id, or nil.
func (n *Namespace) Socket(id string) *Socket {
	for child := range n.Children() {
		if s := child.Socket(id); s != nil {
			return s
		}
	}
	n.mu.RLock()
	s := n.sockets.Get(id)
	n.mu.RUnlock()
	if s == nil || !s.Connected() {
		return nil
	}
	return s
}

// Rooms returns all rooms that have a member, those of single sockets included,
// in no order, on all nodes. When not all nodes answered in time, the rooms of those
// that did are returned with an *AckError.
func (n *Namespace) Rooms(ctx context.Context) ([]string, error) {
	rooms, err := n.adapter.Rooms(ctx)
	return rooms, partial(ctx, err)
}

func (n *Namespace) add(s *Socket) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sockets.Set(s.id, s)
}

func (n *Namespace) remove(s *Socket) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.sockets.Get(s.id) != s { // a client has joined again, by the same id
		return
	}
	n.sockets.Delete(s.id)
}

// local is a Namespace as adapters see it.
type local Namespace

// Name implements adapters.Local.
func (l *local) Name() string { return l.name }

// delivery is one packet on its way to the members of this node.
type delivery struct {
	ns       *Namespace
	packet   *parser.Packet
	flags    adapters.Flags
	hooks    []*overhearer
	event    *Event // for the hooks; made for the first of them
	hearing  *Socket
	aside    usercode.Runner // calls the hooks: it may be the adapter's goroutine that delivers
	tell     func() error    // overhearAll of hearing
	waiting  *Socket
	prepared *engineio.Prepared
	question *question
	n        int
	one      func(adapters.Member) bool // take; made once, so that a delivery allocates nothing
}

var deliveries = sync.Pool{New: func() any {
	d := new(delivery)
	d.one = d.take
	return d
}}

// deliver delivers p to each member.
func (n *Namespace) deliver(p *parser.Packet, f adapters.Flags, q *question, to iter.Seq[adapters.Member]) int {
	d := deliveries.Get().(*delivery)
	d.ns, d.packet, d.flags, d.question = n, p, f, q
	count := d.run(to)
	*d = delivery{one: d.one}
	deliveries.Put(d)
	return count
}

// Deliver implements adapters.Local.
func (l *local) Deliver(p *parser.Packet, f adapters.Flags, to iter.Seq[adapters.Member]) int {
	return (*Namespace)(l).deliver(p, f, nil, to)
}

// DeliverAck implements adapters.Local.
func (l *local) DeliverAck(p *parser.Packet, f adapters.Flags, to iter.Seq[adapters.Member], each func(adapters.Member, parser.Args)) (int, func()) {
	n := (*Namespace)(l)
	q := *p
	q.ID, q.HasID = n.nextAck(), true
	f.Volatile = false // who is not asked does not answer
	asking := &question{each: each, asked: make(map[*Socket]struct{})}
	n.questions.add(q.ID, asking)
	return n.deliver(&q, f, asking, to), func() { n.questions.remove(q.ID) }
}

// run delivers to each member. A single one gets the packet as an emit would;
// for several it is encoded once, and queued, to leave when the flushers come
// to it.
func (d *delivery) run(to iter.Seq[adapters.Member]) int {
	defer d.aside.Stop() // also if the Parser panics
	d.hooks = d.ns.table.Load().onAnyOutgoing
	to(d.one)
	if d.waiting != nil && d.prepared == nil {
		d.now(d.waiting)
	}
	switch {
	case d.ns.recoverer == nil:
	case d.question == nil:
		d.ns.overheard()
	default:
		d.ns.flushOutgoing()
	}
	return d.n
}

// take takes the next member.
func (d *delivery) take(m adapters.Member) bool {
	s := (*Socket)(m.(*member))
	if !s.Connected() && !d.hold(s) {
		return true
	}
	if d.overheard(s) {
		d.overhear(s)
	}
	if d.flags.Volatile && !s.client.session.Writable() {
		d.ns.srv.stats.volatile.Add(1)
		return true
	}
	switch {
	case d.prepared != nil:
		d.later(s)
	case d.waiting == nil:
		d.waiting = s
	default:
		d.prepare()
		d.later(d.waiting)
		d.later(s)
	}
	return true
}

func (d *delivery) prepare() {
	w := getWriter()
	defer putWriter(w)
	d.prepared = engineio.NewPrepared(w.unit(d.ns.srv.cfg.Parser, d.packet)...)
}

// later queues the packet for one of several.
func (d *delivery) later(s *Socket) {
	d.count(s, func() error {
		return s.client.session.SendPrepared(d.prepared, sendFlags(d.flags)|engineio.Later)
	})
}

// now sends the packet to the only one.
func (d *delivery) now(s *Socket) {
	w := getWriter()
	defer putWriter(w)
	f := sendFlags(d.flags)
	if s.client.waiting.Load() > 0 {
		f |= engineio.Later
	}
	d.count(s, func() error { return s.client.session.Send(f, w.unit(d.ns.srv.cfg.Parser, d.packet)...) })
}

// count sends to s, who is expected to answer before it could.
func (d *delivery) count(s *Socket, send func() error) {
	if d.question != nil {
		d.ns.questions.expect(d.question, s)
	}
	if send() == nil {
		d.n++
	} else if d.question != nil {
		d.ns.questions.undo(d.question, s)
	}
}

// overheard reports whether hooks of outgoing events are to hear of it.
func (d *delivery) overheard(s *Socket) bool {
	own := s.own.Load()
	return d.hooks != nil || own != nil && own.onAnyOutgoing != nil
}

func (d *delivery) overhear(s *Socket) {
	size := 0
	if d.event == nil {
		d.event = outgoingEvent(d.ns, "", d.packet)
		size = d.event.size()
		d.tell = func() error { d.hearing.overhearAll(d.hooks, d.event); return nil }
	}
	if d.ns.recoverer != nil {
		d.ns.outgoing.add(s, d.event, size) // the adapter may hold a lock
		return
	}
	d.hearing = s
	if err := d.aside.Run(d.tell); err != nil {
		s.report(d.event.Name(), err)
	}
}

// ServerSideEvent implements adapters.Local.
func (l *local) ServerSideEvent(args parser.Args, reply func(parser.Args)) {
	(*Namespace)(l).takeServerSide(args, reply)
}
