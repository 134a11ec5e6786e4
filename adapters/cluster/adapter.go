package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/memory"
	"github.com/hermod-io/hermod/socketio/parser"
)

// New returns the factory of adapters whose messages go over the buses that
// connect makes.
func New(connect Connect, opts Options) adapters.Factory {
	return func(local adapters.Local) (adapters.Adapter, error) { return Make(connect, opts, local) }
}

// Make makes the adapter of one namespace. The error is that of connect.
func Make(connect Connect, opts Options, local adapters.Local) (*Adapter, error) {
	a := prepare(opts, local)
	if err := a.connect(connect); err != nil {
		return nil, err
	}
	return a, nil
}

// prepare makes an adapter that is not connected.
func prepare(opts Options, local adapters.Local) *Adapter {
	a := &Adapter{
		local:   local,
		opts:    opts.withDefaults(),
		closed:  make(chan struct{}),
		pending: make(map[string]*gathering),
		asks:    make(map[*ask]struct{}),
	}
	a.log = a.opts.Logger.With(slog.String("namespace", local.Name()))
	a.rooms = memory.Make(local, func(room string, exists bool) { a.bus.Room(room, exists) })
	return a
}

func (a *Adapter) connect(connect Connect) error {
	early := &antechamber{next: a}
	bus, err := connect(a.local.Name(), early)
	if err != nil {
		return fmt.Errorf("cluster: namespace %q: %w", a.local.Name(), err)
	}
	a.bus, a.traits = bus, bus.Traits()
	if a.traits.Heartbeats {
		a.nodes = newNodes(a)
	}
	early.open()
	if a.nodes != nil {
		a.nodes.start()
	}
	a.countFirst()
	return nil
}

// Adapter is the part of a cluster that one node has of a namespace; see
// [adapters.Adapter] for what its methods promise. This node's members are
// served first and never wait for the bus.
type Adapter struct {
	// The rooms are those of an in-memory adapter. Requests to other nodes are in
	// pending while they wait, asks of other nodes in asks; both belong to mu.

	local    adapters.Local
	rooms    *memory.Adapter
	bus      Bus
	traits   Traits
	opts     Options
	log      *slog.Logger
	nodes    *nodes         // nil unless the bus needs heartbeats
	sessions func(*Message) // takes what is said about sessions; nil without recovery
	closed   chan struct{}
	work     sync.WaitGroup // goroutines that answer other nodes

	counted atomic.Int64 // other nodes, when they were last counted

	mu      sync.Mutex // guards what follows
	ended   bool
	pending map[string]*gathering
	asks    map[*ask]struct{}
	busy    int // goroutines in work
}

var (
	_ adapters.Adapter     = (*Adapter)(nil)
	_ adapters.RoomWatcher = (*Adapter)(nil)
	_ adapters.RoomCounter = (*Adapter)(nil)
	_ Receiver             = (*Adapter)(nil)
)

// Join puts m into rooms at once, then waits until what other nodes broadcast to
// them arrives here, ctx ends, or Options.JoinTimeout: then the error is a
// *[adapters.SubscriptionPending].
func (a *Adapter) Join(ctx context.Context, m adapters.Member, rooms ...string) error {
	if err := a.rooms.Join(ctx, m, rooms...); err != nil {
		return err
	}
	return a.confirm(ctx, rooms)
}

func (a *Adapter) confirm(ctx context.Context, rooms []string) error {
	if len(rooms) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, a.opts.JoinTimeout)
	defer cancel()
	if err := a.bus.Confirm(ctx, rooms); err != nil {
		return &adapters.SubscriptionPending{Rooms: slices.Clone(rooms), Cause: err}
	}
	return nil
}

// Leave takes m out of rooms.
func (a *Adapter) Leave(m adapters.Member, rooms ...string) { a.rooms.Leave(m, rooms...) }

// LeaveAll takes m out of all its rooms and of the namespace.
func (a *Adapter) LeaveAll(m adapters.Member) { a.rooms.LeaveAll(m) }

// RoomsOf returns the rooms of m, in no order.
func (a *Adapter) RoomsOf(m adapters.Member) []string { return a.rooms.RoomsOf(m) }

// WatchRooms implements [adapters.RoomWatcher], for this node's rooms.
func (a *Adapter) WatchRooms(f func(adapters.RoomEvent)) { a.rooms.WatchRooms(f) }

// LocalRooms implements [adapters.RoomCounter].
func (a *Adapter) LocalRooms() int { return a.rooms.LocalRooms() }

// Broadcast hands p to this node's members of t, then to the bus. The error is
// that of Bus.Publish.
func (a *Adapter) Broadcast(p *parser.Packet, t adapters.Target) error {
	if err := a.rooms.Broadcast(p, t); err != nil || t.Flags.Local {
		return err
	}
	return a.publish(&Message{Type: Broadcast, Target: t, Packet: p})
}

// publish hands m to the bus, and so proves to the others that we live.
func (a *Adapter) publish(m *Message) error {
	m.From = a.traits.Node
	if a.nodes != nil {
		a.nodes.spoke()
	}
	return a.bus.Publish(m)
}

// SocketsJoin moves this node's sockets of t into rooms, tells the other nodes
// to do the same, and waits for this node's subscriptions as Join does.
func (a *Adapter) SocketsJoin(ctx context.Context, t adapters.Target, rooms ...string) error {
	if err := a.rooms.SocketsJoin(ctx, t, rooms...); err != nil {
		return err
	}
	if err := a.tell(&Message{Type: SocketsJoin, Target: t, Rooms: rooms}); err != nil {
		return err
	}
	return a.confirm(ctx, rooms)
}

// SocketsLeave moves the sockets of t out of rooms; it does not wait.
func (a *Adapter) SocketsLeave(ctx context.Context, t adapters.Target, rooms ...string) error {
	if err := a.rooms.SocketsLeave(ctx, t, rooms...); err != nil {
		return err
	}
	return a.tell(&Message{Type: SocketsLeave, Target: t, Rooms: rooms})
}

// DisconnectSockets disconnects the sockets of t; it does not wait.
func (a *Adapter) DisconnectSockets(ctx context.Context, t adapters.Target, closeConn bool) error {
	if err := a.rooms.DisconnectSockets(ctx, t, closeConn); err != nil {
		return err
	}
	return a.tell(&Message{Type: DisconnectSockets, Target: t, Close: closeConn})
}

// tell publishes what the sockets of other nodes are to do.
func (a *Adapter) tell(m *Message) error {
	if m.Target.Flags.Local {
		return nil
	}
	return a.publish(m)
}

// ServerCount returns how many nodes have the namespace, this one included.
func (a *Adapter) ServerCount(ctx context.Context) (int, error) {
	if a.nodes != nil {
		return 1 + a.nodes.count(), nil
	}
	n, _, err := a.bus.Living(ctx, nil)
	n = max(n, 1)
	if err == nil {
		a.counted.Store(int64(n - 1))
	}
	return n, err
}

// Gap passes on that messages may have been lost.
func (a *Adapter) Gap(g Gap) {
	a.log.Warn("messages of other nodes may have been lost", slog.Time("from", g.From), slog.Time("to", g.To))
	if a.opts.OnGap != nil {
		a.opts.OnGap(a.local.Name(), g)
	}
}

// Close tells the other nodes that this one is gone, ends the calls that wait
// and the bus, and empties the rooms.
func (a *Adapter) Close(ctx context.Context) error {
	a.mu.Lock()
	first := !a.ended
	a.ended = true
	asks := a.asks
	a.asks = nil
	a.mu.Unlock()
	if !first {
		return nil
	}
	close(a.closed)
	for k := range asks {
		k.end()
	}
	if a.nodes != nil {
		a.nodes.close()
	}
	a.work.Wait()
	return errors.Join(a.bus.Close(ctx), a.rooms.Close(ctx))
}

// antechamber keeps what a bus delivers before Connect returned.
type antechamber struct {
	next   Receiver
	opened atomic.Bool

	mu   sync.Mutex // guards kept; held while kept messages are passed on
	kept []func()
}

func (c *antechamber) open() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range c.kept {
		f()
	}
	c.kept = nil
	c.opened.Store(true)
}

func (c *antechamber) pass(f func()) {
	c.mu.Lock()
	late := c.opened.Load()
	if !late {
		c.kept = append(c.kept, f)
	}
	c.mu.Unlock()
	if late {
		f()
	}
}

// Receive implements Receiver.
func (c *antechamber) Receive(m *Message) {
	if c.opened.Load() {
		c.next.Receive(m)
		return
	}
	if m.Type == Broadcast && m.RequestID == "" {
		m = m.clone() // it is only lent
	}
	c.pass(func() { c.next.Receive(m) })
}

// Gap implements Receiver.
func (c *antechamber) Gap(g Gap) { c.pass(func() { c.next.Gap(g) }) }
