package socketio

import (
	"context"
	"slices"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/socketio/event"
	"github.com/hermod-io/hermod/socketio/parser"
)

// Broadcast says whom an emit reaches and how. It is an immutable value; each
// modifier returns a changed copy, so it may be kept and shared.
type Broadcast struct {
	ns      *Namespace
	rooms   names
	excepts names
	flags   adapters.Flags
}

// inlineNames is how many names an operator holds without an allocation.
const inlineNames = 4

// names is an immutable list of names.
type names struct {
	few  [inlineNames]string
	n    int
	more []string
}

func (l names) with(add []string) names {
	for i, name := range add {
		if l.n == inlineNames {
			l.more = append(slices.Clip(l.more), add[i:]...)
			return l
		}
		l.few[l.n] = name
		l.n++
	}
	return l
}

func (l *names) appendTo(dst []string) []string {
	return append(append(dst, l.few[:l.n]...), l.more...)
}

func (l *names) list() []string {
	if l.n == 0 {
		return nil
	}
	return l.appendTo(make([]string, 0, l.n+len(l.more)))
}

// To returns b for the sockets that are in any of the rooms, in addition to
// those b reaches already; without rooms it reaches all.
func (b Broadcast) To(rooms ...string) Broadcast {
	b.rooms = b.rooms.with(rooms)
	return b
}

// In is the same as To.
func (b Broadcast) In(rooms ...string) Broadcast { return b.To(rooms...) }

// Except returns b without the sockets that are in any of the rooms.
func (b Broadcast) Except(rooms ...string) Broadcast {
	b.excepts = b.excepts.with(rooms)
	return b
}

// Local returns b for the sockets of this node only.
func (b Broadcast) Local() Broadcast {
	b.flags.Local = true
	return b
}

// Volatile returns b for the sockets that can take the event now; for others it
// is dropped. It has no effect on EmitWithAck.
func (b Broadcast) Volatile() Broadcast {
	b.flags.Volatile = true
	return b
}

// Compress returns b that says whether the event is worth compressing; it is by
// default.
func (b Broadcast) Compress(on bool) Broadcast {
	b.flags.NoCompress = !on
	return b
}

// Timeout returns b whose EmitWithAck waits for d at most, whatever the deadline
// of its context and Config.AckTimeout; with d ≤ 0 those alone hold.
func (b Broadcast) Timeout(d time.Duration) Broadcast {
	b.flags.Timeout = max(d, 0)
	return b
}

var _ event.Emitter = Broadcast{}

// Emit sends an event. It never blocks and reports nothing about receivers; see
// Socket.Emit for the arguments. Errors: an *EncodeError, one that wraps
// ErrReserved; of an adapter over several nodes adapters.ErrQueueFull, when other
// nodes will not get it, and adapters.ErrClosed.
func (b Broadcast) Emit(event string, args ...any) error {
	if parser.Reserved(event) {
		return reservedError(event)
	}
	w := getWriter()
	defer putWriter(w)
	if err := w.event(b.ns.srv.cfg.JSON, b.ns.name, event, args); err != nil {
		return err
	}
	return b.ns.broadcast(&w.packet, b.target(w))
}

// target is the adapter's form of b, in memory of w.
func (b *Broadcast) target(w *writer) adapters.Target {
	w.rooms = b.rooms.appendTo(w.rooms[:0])
	w.excepts = b.excepts.appendTo(w.excepts[:0])
	return adapters.Target{Rooms: w.rooms, Except: w.excepts, Flags: b.flags}
}

// EmitWithAck sends an event and waits for the ack of each socket that it
// reached, until the deadline of ctx, Timeout or Config.AckTimeout. Then the
// acks that came are returned with an *AckError; a socket that leaves meanwhile
// is missing. It may be called in a handler; pass on the handler's ctx.
func (b Broadcast) EmitWithAck(ctx context.Context, event string, args ...any) (Replies, error) {
	if parser.Reserved(event) {
		return nil, reservedError(event)
	}
	if c, ok := ctx.Value(clientKey{}).(*client); ok && c.srv == b.ns.srv {
		c.asks(true) // that client may be among those who answer
		defer c.asked(true)
	}
	b.flags.Timeout = b.ns.ackDeadline(ctx, b.flags.Timeout)
	w := getWriter()
	defer putWriter(w)
	if err := w.event(b.ns.srv.cfg.JSON, b.ns.name, event, args); err != nil {
		return nil, err
	}
	got := replies{json: b.ns.srv.cfg.JSON}
	err := b.ns.adapter.BroadcastAck(ctx, &w.packet, b.target(w), got.add)
	return got.take(), partial(ctx, err)
}

// FetchSockets returns the sockets that b reaches, on all nodes. When not all
// nodes answered in time, those that did are returned with an *AckError.
func (b Broadcast) FetchSockets(ctx context.Context) ([]*RemoteSocket, error) {
	infos, err := b.ns.adapter.Fetch(ctx, b.ownTarget())
	found := make([]*RemoteSocket, len(infos))
	for i := range infos {
		found[i] = &RemoteSocket{ns: b.ns, info: infos[i]}
	}
	return found, partial(ctx, err)
}

// SocketsJoin puts the sockets that b reaches into rooms. It passes over those
// whose connection middlewares still run, as do SocketsLeave, DisconnectSockets
// and FetchSockets. It waits for no answer of another node. Errors are those of the
// adapter, see [adapters.Adapter].
func (b Broadcast) SocketsJoin(ctx context.Context, rooms ...string) error {
	return partial(ctx, b.ns.adapter.SocketsJoin(ctx, b.ownTarget(), rooms...))
}

// SocketsLeave takes the sockets that b reaches out of rooms; see SocketsJoin.
func (b Broadcast) SocketsLeave(ctx context.Context, rooms ...string) error {
	return partial(ctx, b.ns.adapter.SocketsLeave(ctx, b.ownTarget(), rooms...))
}

// DisconnectSockets disconnects the sockets that b reaches; see SocketsJoin and
// Socket.Disconnect.
func (b Broadcast) DisconnectSockets(ctx context.Context, closeConn bool) error {
	return partial(ctx, b.ns.adapter.DisconnectSockets(ctx, b.ownTarget(), closeConn))
}

func (b *Broadcast) ownTarget() adapters.Target {
	return adapters.Target{Rooms: b.rooms.list(), Except: b.excepts.list(), Flags: b.flags}
}
