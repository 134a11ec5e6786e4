package cluster

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/socketio/parser"
)

// ConnectLog makes the log of a namespace, see [Connect].
type ConnectLog func(namespace string, r Receiver) (Log, error)

// MakeLog makes the adapter of one namespace over a log: a *[Recoverer] if the
// namespace has recovery on, otherwise an *[Adapter] for which the log is a bus.
func MakeLog(connect ConnectLog, opts Options, local adapters.Local) (adapters.Adapter, error) {
	if local.Recovery().On {
		return makeRecoverer(connect, opts, local)
	}
	return Make(func(namespace string, r Receiver) (Bus, error) { return connect(namespace, r) }, opts, local)
}

// Recoverer is an [Adapter] whose broadcasts go through a [Log], so that all
// nodes deliver them in one order, and that restores sessions on any node; see
// [adapters.Recoverer].
//
// A broadcast that asks for no ack is delivered when it comes back from the log,
// on this node as on the others: Broadcast does not wait for that. When it does
// not come back within Options.LogPatience this node's members get it
// nevertheless, with the offset of what came before; a session that is restored
// later may be given it once more, see there. A Join comes after what this node has
// broadcast before it, and waits for that, and so does DisconnectSockets. A Leave
// does not wait: a socket that leaves a room at once does not get what was sent to
// the room just before.
//
// A session is stored when the socket has connected, soon after changes, now and
// then while it lives, and when it was lost: one of a node that was killed can be
// restored on another node as long as one of a socket that was lost. It is
// restored as of the last time it was stored. A node that was only out of reach, and
// comes back, ends its socket: the session is not its own any more. One that is lost
// before its node has ever reached the log is not restored. SessionExpired is called
// by the node that saw the loss, if the store can be asked then.
type Recoverer struct {
	*Adapter
	log    Log
	policy adapters.Recovery
	seq    *sequencer
	ledger *ledger

	background sync.WaitGroup // timers and what they started
	cancel     context.CancelFunc
	ctx        context.Context // ends with Close, for what has no caller
	stored     atomic.Uint64   // how often a session was stored

	mu       sync.Mutex // guards what follows
	ended    bool
	moved    []*record // to be stored soon
	soon     *time.Timer
	lost     []*record // waiting for their clients, the first to expire first
	sweeping *time.Timer
	refresh  *time.Timer
	releases map[string]chan struct{} // by request: closed by the answer
}

var (
	_ adapters.Recoverer = (*Recoverer)(nil)
	_ adapters.Flusher   = (*Recoverer)(nil)
)

const (
	// moveDelay is how long changes of rooms are gathered before a session is
	// stored again.
	moveDelay = 50 * time.Millisecond
	// grace is how much longer than a session its value is kept, so that it is
	// still there when the node that saw the loss looks.
	grace = time.Second
)

func makeRecoverer(connect ConnectLog, opts Options, local adapters.Local) (*Recoverer, error) {
	r := &Recoverer{policy: local.Recovery(), ledger: newLedger(), releases: make(map[string]chan struct{})}
	r.ledger.changed = r.moves
	r.ctx, r.cancel = context.WithCancel(context.Background())
	a := prepare(opts, local)
	a.sessions = r.session
	a.rooms.Keep(r.ledger)
	r.Adapter = a
	err := a.connect(func(namespace string, rc Receiver) (Bus, error) {
		log, err := connect(namespace, rc)
		if err != nil {
			return nil, err
		}
		r.log = log
		return &logBus{log, r.ledger}, nil
	})
	if err != nil {
		r.cancel()
		return nil, err
	}
	r.seq = &sequencer{rooms: a.rooms, ledger: r.ledger, log: r.log, patience: a.opts.LogPatience, most: r.policy.LogBytes}
	ctx, cancel := context.WithTimeout(r.ctx, a.opts.RequestTimeout)
	defer cancel()
	if err := r.log.Follow(ctx, r); err != nil {
		_ = r.Close(context.Background()) // it was never used
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refresh = r.after(r.refreshInterval()/8, r.refreshSome)
	return r, nil
}

// logBus is a log that tells the ledger of rooms.
type logBus struct {
	Log
	ledger *ledger
}

// Room implements Bus.
func (b *logBus) Room(room string, exists bool) {
	b.ledger.room(room, exists)
	b.Log.Room(room, exists)
}

// after calls f later, unless the timer is stopped; stop does that. mu is held.
func (r *Recoverer) after(d time.Duration, f func()) *time.Timer {
	if r.ended {
		return nil
	}
	r.background.Add(1)
	return time.AfterFunc(d, func() {
		defer r.background.Done()
		f()
	})
}

func (r *Recoverer) stop(t *time.Timer) {
	if t != nil && t.Stop() {
		r.background.Done()
	}
}

// Join puts m into rooms, see Adapter.Join; what this node has broadcast before
// goes first, for which it waits.
func (r *Recoverer) Join(ctx context.Context, m adapters.Member, rooms ...string) error {
	r.seq.flush(ctx)
	return r.Adapter.Join(ctx, m, rooms...)
}

// SocketsJoin moves the sockets of t into rooms, see Join.
func (r *Recoverer) SocketsJoin(ctx context.Context, t adapters.Target, rooms ...string) error {
	r.seq.flush(ctx)
	return r.Adapter.SocketsJoin(ctx, t, rooms...)
}

// DisconnectSockets disconnects the sockets of t, which get before what this node
// has broadcast before; for that it waits.
func (r *Recoverer) DisconnectSockets(ctx context.Context, t adapters.Target, closeConn bool) error {
	r.seq.flush(ctx)
	return r.Adapter.DisconnectSockets(ctx, t, closeConn)
}

// Flush implements [adapters.Flusher].
func (r *Recoverer) Flush(ctx context.Context) { r.seq.flush(ctx) }

// Broadcast sends p to t, see [Recoverer].
func (r *Recoverer) Broadcast(p *parser.Packet, t adapters.Target) error {
	switch {
	case p.Type != parser.Event || p.HasID:
		return r.Adapter.Broadcast(p, t)
	case t.Flags.Local:
		r.seq.behind(p, t)
		return nil
	}
	m := Message{Type: Broadcast, From: r.traits.Node, Target: t, Packet: p}
	return r.seq.append(m.clone())
}

// Begin implements LogReceiver.
func (r *Recoverer) Begin(at Offset) { r.seq.Begin(at) }

// Reached implements LogReceiver.
func (r *Recoverer) Reached(at Offset) { r.seq.Reached(at) }

// Own implements LogReceiver.
func (r *Recoverer) Own(at Offset, text string) { r.seq.Own(at, text) }

// Entry implements LogReceiver. An event with an ack id is one that an official
// node sent to a socket of its own.
func (r *Recoverer) Entry(at Offset, m *Message) {
	r.adopt(m)
	if m.Type == Broadcast && m.RequestID == "" && m.Packet != nil && !m.Packet.HasID {
		r.seq.broadcast(at, m)
		return
	}
	r.seq.Reached(at)
	if m.Type != Broadcast || m.RequestID != "" {
		r.Receive(m)
	}
}

// Position returns the offset of the newest packet that was delivered here.
func (r *Recoverer) Position() string { return r.ledger.position().String() }

// Save stores a session, see [adapters.Recoverer].
func (r *Recoverer) Save(m adapters.Member, s adapters.Session) {
	var rec *record
	if m == nil {
		rec = r.ledger.lose(s)
	} else {
		rec = r.ledger.save(m, s)
	}
	if rec == nil {
		return
	}
	r.store(rec)
	if m == nil {
		r.ledger.done(rec)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.lost = append(r.lost, rec)
		r.armSweep()
	}
}

// Forget removes a session, see [adapters.Recoverer].
func (r *Recoverer) Forget(pid string) {
	rec := r.ledger.forget(pid)
	if rec == nil {
		r.check(r.log.DropSession(pid))
		return
	}
	rec.write.Lock() // behind a store that is under way
	defer rec.write.Unlock()
	r.check(r.log.DropSession(pid))
	r.ledger.done(rec)
}

// store stores a session as it is now.
func (r *Recoverer) store(rec *record) {
	rec.write.Lock()
	defer rec.write.Unlock()
	s, ok := r.snapshot(rec)
	if !ok {
		return
	}
	if s.session.Values != nil {
		data, err := s.session.Values.MarshalJSON()
		if err != nil {
			r.Adapter.log.Warn("session stored without its data", slog.Any("err", err))
		}
		s.session.Data = data
	}
	ttl := r.policy.MaxDisconnection + grace
	if s.live {
		ttl = r.policy.Retention + 2*r.refreshInterval()
	}
	value := s.encode()
	if err := r.log.StoreSession(s.session.PID, value, ttl, func() { r.disown(rec) }); err != nil {
		r.Adapter.log.Warn("session not stored", slog.Any("err", err))
		return // what was stored before is still there
	}
	rec.value = value
}

// disown ends the socket of a session that another node has taken because this one
// was out of reach. Nothing of it is stored any more.
func (r *Recoverer) disown(rec *record) {
	m, ours := r.ledger.disown(rec)
	if !ours {
		return
	}
	r.Adapter.log.Warn("a session went to another node while this one was out of reach")
	if m != nil {
		m.Supersede()
	}
}

// snapshot copies a record; ok is false when it is not a session, or one whose
// end is stored already: it may belong to another node by now. So may one that is
// gone.
func (r *Recoverer) snapshot(rec *record) (s *storedSession, ok bool) {
	l := r.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	rec.moved, rec.stored = false, time.Now()
	if l.records[rec.session.PID] != rec || rec.gone || rec.member == nil && !rec.ending {
		return nil, false
	}
	s = &storedSession{session: rec.session, node: r.traits.Node, live: rec.member != nil, track: rec.track.clone()}
	s.serial = r.stored.Add(1)
	if s.live {
		l.settle(&s.track)
	}
	return s, true
}

// Close ends the adapter. Sessions stay in the store.
func (r *Recoverer) Close(ctx context.Context) error {
	r.mu.Lock()
	first := !r.ended
	r.ended = true
	if first {
		r.stop(r.soon)
		r.stop(r.sweeping)
		r.stop(r.refresh)
	}
	moved := r.moved
	r.moved = nil
	r.mu.Unlock()
	if first {
		for _, rec := range moved {
			r.store(rec)
		}
		r.cancel()
		r.background.Wait()
	}
	err := r.Adapter.Close(ctx)
	if first {
		r.seq.close()
	}
	return err
}
