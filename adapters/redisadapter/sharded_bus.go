package redisadapter

import (
	"bytes"
	"context"
	"strings"

	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/adapters/cluster/wire"
	"github.com/hermod-io/hermod/adapters/redisadapter/internal/link"
)

// shardedBus is the bus of a namespace over sharded pub/sub. It belongs to its
// adapter; messages arrive on the goroutines of the link that read, of which a
// Cluster has several.
type shardedBus struct {
	factory  *shardedFactory
	link     *lease
	mode     SubscriptionMode
	nsp, uid string
	main     string // the channel of all nodes; others begin with it
	mine     string // the channel of this node's answers
	recent   cluster.Recent
	sharp    bool      // # in the namespace's name
	ends     [2][]byte // how our own messages end, by dialect
	moved    moved

	// rooms have members here and a channel; the factory's mu guards it.
	rooms map[string]struct{}
}

func newShardedBus(s *shardedFactory, l *lease, nsp string) *shardedBus {
	b := &shardedBus{
		factory: s, link: l, nsp: nsp,
		mode: s.opts.SubscriptionMode, sharp: strings.Contains(nsp, "#"), rooms: make(map[string]struct{}),
	}
	b.uid = s.opts.ids.name(nsp, randomHex)
	b.main = s.prefix + nsp + "#"
	b.mine = b.channel(b.uid)
	m := cluster.Message{Type: cluster.AdapterClose, From: b.uid} // has nothing but an end
	for i, d := range [...]wire.Dialect{wire.JSON, wire.Notepack} {
		whole := cluster.AppendEnvelope(nil, d, nsp, &m)
		b.ends[i] = whole[bytes.Index(whole, []byte("uid"))-1:]
	}
	return b
}

// channel is that of a room, and that of a node's answers. (A room with the name
// of this node shares the channel of its answers, which does no harm.)
func (b *shardedBus) channel(room string) string { return b.main + room + "#" }

// Traits implements [cluster.Bus].
func (b *shardedBus) Traits() cluster.Traits {
	return cluster.Traits{Node: b.uid, NewRequestID: b.factory.opts.ids.request}
}

// Publish implements [cluster.Bus].
func (b *shardedBus) Publish(m *cluster.Message) error {
	b.moved.note(m)
	return b.send(b.channelOf(m), m)
}

// channelOf returns the channel on which a message for all nodes is published.
func (b *shardedBus) channelOf(m *cluster.Message) string {
	if m.Type == cluster.Broadcast && m.RequestID == "" && len(m.Target.Rooms) == 1 {
		if room := m.Target.Rooms[0]; b.mode.own(room) && !b.moved.has(room) {
			return b.channel(room)
		}
	}
	return b.main
}

// Answer implements [cluster.Bus].
func (b *shardedBus) Answer(request, m *cluster.Message) error {
	return b.send(b.channel(request.From), m)
}

func (b *shardedBus) send(channel string, m *cluster.Message) error {
	if err := b.link.closed(); err != nil {
		return err
	}
	return busError(b.link.SPublish(channel, b.encode(m)))
}

// encode returns a message as it is published.
func (b *shardedBus) encode(m *cluster.Message) []byte {
	d := wire.JSON
	if m.Binary() {
		d = wire.Notepack
	}
	return cluster.AppendEnvelope(make([]byte, 0, envelopeSize(m)), d, b.nsp, m)
}

// envelopeSize guesses how long the envelope of a message is, a little too much.
func envelopeSize(m *cluster.Message) int {
	n := 192 + len(m.Args.JSON)
	args := m.Args
	if m.Packet != nil {
		args = m.Packet.Args
		n += len(args.JSON)
	}
	for _, a := range args.Attachments {
		n += len(a)
	}
	for _, list := range [...][]string{m.Target.Rooms, m.Target.Except, m.Rooms} {
		for _, name := range list {
			n += len(name) + 4
		}
	}
	return n
}

// receive takes what came from Redis. The error is what is wrong with it, if it was
// dropped because of that.
func (b *shardedBus) receive(m link.Message) error {
	for _, end := range b.ends {
		if bytes.HasSuffix(m.Payload, end) {
			return nil // our own
		}
	}
	d := cluster.DialectOf(m.Payload, wire.Notepack)
	if l := b.recent.Lend(d, m.Payload); l != nil {
		defer l.Done()
		return b.hand(&l.Message, l.Namespace)
	}
	message, nsp, err := b.recent.ParseEnvelope(d, m.Payload)
	if err != nil {
		return err
	}
	return b.hand(message, nsp)
}

// hand hands a message on, unless it is of another namespace.
func (b *shardedBus) hand(m *cluster.Message, nsp string) error {
	if nsp != b.nsp {
		return errNamespace
	}
	b.moved.note(m)
	b.link.receive(m)
	return nil
}

// wants reports whether messages on a channel are for this bus. The caller holds
// the factory's mu.
func (b *shardedBus) wants(channel string) bool {
	if channel == b.main || channel == b.mine {
		return true
	}
	room, ok := strings.CutPrefix(channel, b.main)
	if !ok || !strings.HasSuffix(room, "#") {
		return false
	}
	_, ok = b.rooms[room[:len(room)-1]]
	return ok
}

// Room implements [cluster.Bus].
func (b *shardedBus) Room(room string, exists bool) {
	if !b.mode.own(room) {
		return
	}
	channel := b.channel(room)
	b.factory.mu.Lock()
	defer b.factory.mu.Unlock()
	if exists {
		b.rooms[room] = struct{}{}
		_ = b.link.Want(link.Sharded, b.factory.receive, channel) // an error is that all is closed
		return
	}
	delete(b.rooms, room)
	if channel != b.mine {
		b.link.Unsubscribe(link.Sharded, b.factory.unwanted([]string{channel})...)
	}
}

// Confirm implements [cluster.Bus].
func (b *shardedBus) Confirm(ctx context.Context, rooms []string) error {
	channels := append(make([]string, 0, 1+len(rooms)), b.main)
	for _, room := range rooms {
		if b.mode.own(room) {
			channels = append(channels, b.channel(room))
		}
	}
	return busError(b.link.Wait(ctx, link.Sharded, channels...))
}

// Living implements [cluster.Bus]: it counts who hears the channel of all nodes,
// and of the known ones who hears their answers.
func (b *shardedBus) Living(ctx context.Context, known []string) (nodes int, gone []string, err error) {
	return b.link.living(ctx, link.Sharded, b.main, known, b.channel)
}

// Close implements [cluster.Bus].
func (b *shardedBus) Close(ctx context.Context) error {
	b.link.end()
	b.factory.remove(b)
	return busError(b.link.release(ctx))
}
