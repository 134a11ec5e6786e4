package cluster

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/hermod-io/hermod/socketio/parser"
)

const (
	// maxBusy is how many requests of other nodes are answered at once; more are
	// dropped, and time out at whoever sent them.
	maxBusy = 256
	// maxAsk is how long answers of our sockets are awaited for another node,
	// whatever it says.
	maxAsk = 10 * time.Minute
)

// Receive does what another node asks for. Broadcasts and changes of rooms are
// done when it returns; a Fetch, whose cost depends on the number of sockets, is
// done beside it.
func (a *Adapter) Receive(m *Message) {
	if m.From == a.traits.Node && m.From != "" {
		return
	}
	if a.nodes != nil && !a.nodes.heard(m) {
		return
	}
	a.adopt(m)
	ctx := context.Background() // the rooms of this node do not wait
	switch m.Type {
	case Broadcast:
		a.deliver(m)
	case SocketsJoin:
		a.check(a.rooms.SocketsJoin(ctx, m.Target, m.Rooms...))
	case SocketsLeave:
		a.check(a.rooms.SocketsLeave(ctx, m.Target, m.Rooms...))
	case DisconnectSockets:
		a.check(a.rooms.DisconnectSockets(ctx, m.Target, m.Close))
	case FetchSockets:
		a.beside(func() { a.answerFetch(ctx, m) })
	case AllRooms:
		a.beside(func() { a.answerRooms(ctx, m) })
	case ServerSideEmit:
		a.serverSideEvent(m)
	case ReleaseSession, SessionReleased:
		if a.sessions != nil {
			a.sessions(m)
		}
	default:
		if m.Type.Answer() {
			a.answered(m)
		}
	}
}

// adopt makes the packet of m one of our namespace, which a bus need not say.
func (a *Adapter) adopt(m *Message) {
	if p := m.Packet; p != nil && p.Namespace != a.local.Name() {
		p.Namespace = a.local.Name()
	}
}

// check logs the error of an operation; the only one is that we are closed.
func (a *Adapter) check(err error) {
	if err != nil {
		a.log.Debug("request of another node not served", slog.Any("error", err))
	}
}

// deliver hands a broadcast of another node to our members.
func (a *Adapter) deliver(m *Message) {
	if m.Packet == nil {
		return
	}
	if m.RequestID != "" {
		a.deliverAck(m)
		return
	}
	a.check(a.rooms.Broadcast(m.Packet, m.Target))
}

// answered hands an answer to the request it belongs to; late ones are dropped.
func (a *Adapter) answered(m *Message) {
	g := a.find(m.RequestID)
	switch {
	case g == nil:
	case m.Type == BroadcastClientCount:
		g.count(m)
	case g.acks == (m.Type == BroadcastAck):
		g.answer(m.From, m)
	}
}

// beside runs f on a goroutine that Close waits for.
func (a *Adapter) beside(f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ended || a.busy == maxBusy {
		return
	}
	a.busy++
	a.work.Go(func() {
		f()
		a.mu.Lock()
		a.busy--
		a.mu.Unlock()
	})
}

// reply sends an answer to the node of request.
func (a *Adapter) reply(request, m *Message) {
	m.RequestID, m.From = request.RequestID, a.traits.Node
	if a.nodes != nil {
		a.nodes.spoke()
	}
	if err := a.bus.Answer(request, m); err != nil {
		a.log.Warn("answer to another node lost", slog.Any("error", err))
	}
}

func (a *Adapter) answerFetch(ctx context.Context, m *Message) {
	found, err := a.rooms.Fetch(ctx, m.Target)
	a.check(err)
	if a.opts.Redact != nil {
		for i := range found {
			h := &found[i].Handshake
			h.Headers, h.Query = maps.Clone(h.Headers), maps.Clone(h.Query)
			a.opts.Redact(h)
		}
	}
	a.reply(m, &Message{Type: FetchSocketsResponse, Sockets: found})
}

func (a *Adapter) answerRooms(ctx context.Context, m *Message) {
	rooms, err := a.rooms.Rooms(ctx)
	a.check(err)
	a.reply(m, &Message{Type: AllRoomsResponse, Rooms: rooms})
}

func (a *Adapter) serverSideEvent(m *Message) {
	if m.RequestID == "" {
		a.local.ServerSideEvent(m.Args, nil)
		return
	}
	a.local.ServerSideEvent(m.Args, func(args parser.Args) {
		a.reply(m, &Message{Type: ServerSideEmitResponse, Args: args})
	})
}

// ask is a broadcast of another node that asks our sockets for acks, until all
// have answered or its time is over. The count goes before the answers.
type ask struct {
	a       *Adapter
	request *Message

	mu      sync.Mutex // guards what follows
	over    bool
	counted bool          // the count was sent
	left    int           // answers to come, once counted
	early   []parser.Args // answers before the count
	stop    func()
	timer   *time.Timer
}

func (a *Adapter) deliverAck(m *Message) {
	k := &ask{a: a, request: m}
	a.mu.Lock()
	if a.ended {
		a.mu.Unlock()
		return
	}
	a.asks[k] = struct{}{}
	a.mu.Unlock()
	asked, stop := a.rooms.Ask(m.Packet, m.Target, k.answer)
	k.count(asked, stop)
}

// count tells how many sockets were asked, and what they said meanwhile.
func (k *ask) count(asked int, stop func()) {
	k.a.reply(k.request, &Message{Type: BroadcastClientCount, ClientCount: asked})
	k.mu.Lock()
	k.stop, k.left = stop, asked
	for len(k.early) > 0 {
		early := k.early
		k.early = nil
		k.mu.Unlock()
		for _, args := range early {
			k.a.reply(k.request, &Message{Type: BroadcastAck, Args: args})
		}
		k.mu.Lock()
		k.left -= len(early)
	}
	k.counted = true
	done := k.over || k.left <= 0
	if !done {
		d := min(k.request.Target.Flags.Timeout, maxAsk)
		if d <= 0 {
			d = k.a.opts.RequestTimeout
		}
		k.timer = time.AfterFunc(d, k.end)
	}
	k.mu.Unlock()
	if done {
		k.end()
	}
}

// answer takes the answer of a socket.
func (k *ask) answer(args parser.Args) {
	k.mu.Lock()
	if k.over || !k.counted {
		if !k.over {
			k.early = append(k.early, args)
		}
		k.mu.Unlock()
		return
	}
	k.left--
	last := k.left == 0
	k.mu.Unlock()
	k.a.reply(k.request, &Message{Type: BroadcastAck, Args: args})
	if last {
		k.end()
	}
}

// end forgets the answers that are missing.
func (k *ask) end() {
	k.mu.Lock()
	k.over = true
	stop, timer := k.stop, k.timer
	if k.counted {
		k.stop = nil
	} else {
		stop = nil // count does it
	}
	k.mu.Unlock()
	if timer != nil {
		timer.Stop()
	}
	if stop != nil {
		stop()
	}
	k.a.mu.Lock()
	defer k.a.mu.Unlock()
	delete(k.a.asks, k)
}
