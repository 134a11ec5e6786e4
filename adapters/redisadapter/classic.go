package redisadapter

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/adapters/redisadapter/internal/link"
)

// New returns the factory of classic adapters, over PUBLISH and SUBSCRIBE: those
// of createAdapter in npm @socket.io/redis-adapter 8. The client stays the
// caller's; see the package documentation.
func New(client redis.UniversalClient, opts Options) adapters.Factory {
	shared := newLinks(client, opts.Options, opts.Counters, opts.Batches)
	return cluster.New(func(nsp string, r cluster.Receiver) (cluster.Bus, error) {
		return newClassicBus(shared, &opts, nsp, r)
	}, opts.Options)
}

// classicBus is the bus of a namespace over classic pub/sub. It belongs to its
// adapter; messages arrive on the goroutine of the link that reads.
type classicBus struct {
	opts     *Options
	link     *lease
	nsp, uid string
	own      []byte // how our own broadcasts begin
	names    classicNames
	pattern  bool
	recent   cluster.Recent
	handler  link.Handler // hear

	moved moved
	count atomic.Uint64 // requests, see newRequestID

	mu    sync.RWMutex // guards rooms, and is held while they are subscribed
	rooms map[string]struct{}
}

// classicNames are the channels of a namespace.
type classicNames struct {
	all      string // of broadcasts; one to a single room has the room behind it
	pattern  string // that matches all of those
	request  string
	response string
	mine     string // answers for this node
}

func newClassicNames(key, nsp, uid string) classicNames {
	n := classicNames{
		all:      key + "#" + nsp + "#",
		request:  key + "-request#" + nsp + "#",
		response: key + "-response#" + nsp + "#",
	}
	n.mine = n.answersOf(uid)
	n.pattern = globEscaper.Replace(n.all) + "*"
	return n
}

// globEscaper makes a pattern that matches only itself.
var globEscaper = strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`, "]", `\]`)

// room is the channel of broadcasts to that room alone.
func (n *classicNames) room(room string) string { return n.all + room + "#" }

// of is the channel of broadcasts to t: that of all, unless t is one room.
func (n *classicNames) of(t *adapters.Target, m *moved) string {
	if len(t.Rooms) != 1 || m.has(t.Rooms[0]) {
		return n.all
	}
	return n.room(t.Rooms[0])
}

// answersOf is the channel of answers for the node uid.
func (n *classicNames) answersOf(uid string) string { return n.response + uid + "#" }

// roomOf returns the room that a channel of broadcasts is for, "" for all.
func (n *classicNames) roomOf(channel string) string {
	room, _ := strings.CutPrefix(channel, n.all)
	return strings.TrimSuffix(room, "#")
}

// newUID names a node, as the official adapter does but with 48 bits.
func newUID() string {
	var b [6]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func newClassicBus(shared *links, opts *Options, nsp string, r cluster.Receiver) (*classicBus, error) {
	b := &classicBus{opts: opts, nsp: nsp, rooms: make(map[string]struct{})}
	b.uid = opts.ids.name(nsp, newUID)
	b.own = appendClassicHead(nil, b.uid)
	b.names = newClassicNames(opts.key(), nsp, b.uid)
	// The channels of /a#b would be those of the room b in /a.
	b.pattern = opts.PatternSubscription || strings.Contains(nsp, "#")
	var err error
	if b.link, err = shared.open(nsp, r); err != nil {
		return nil, err
	}
	b.handler = b.hear
	b.subscribe()
	return b, nil
}

// subscribe begins to listen. There is no error: the link is open, no name is of
// another kind, and every Redis knows these kinds.
func (b *classicBus) subscribe() {
	kind, all := b.broadcasts()
	_ = b.link.Want(kind, b.handler, all)
	_ = b.link.Want(link.Plain, b.link.split(b.onRequest), b.names.request)
	_ = b.link.Want(link.Plain, b.link.split(b.onResponse), b.names.response, b.names.mine)
	if heard, _ := b.link.await(kind, all); heard {
		_, _ = b.link.await(link.Plain, b.names.request, b.names.response, b.names.mine)
	}
}

// broadcasts is what is subscribed for broadcasts to all.
func (b *classicBus) broadcasts() (link.Kind, string) {
	if b.pattern {
		return link.Pattern, b.names.pattern
	}
	return link.Plain, b.names.all
}

// Traits implements [cluster.Bus].
func (b *classicBus) Traits() cluster.Traits {
	return cluster.Traits{Node: b.uid, AllRooms: true, NewRequestID: b.newRequestID}
}

// newRequestID names a request. It holds the name of the node, by which answers
// for others are told before they are decoded.
func (b *classicBus) newRequestID() string {
	if b.opts.ids.request != nil {
		return b.opts.ids.request()
	}
	return b.uid + strconv.FormatUint(b.count.Add(1), 36)
}

// Room implements [cluster.Bus].
func (b *classicBus) Room(room string, exists bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !exists {
		delete(b.rooms, room)
		if !b.pattern {
			b.link.Unsubscribe(link.Plain, b.names.room(room))
		}
		return
	}
	b.rooms[room] = struct{}{}
	if !b.pattern {
		_ = b.link.Want(link.Plain, b.handler, b.names.room(room)) // an error is that all is closed
	}
}

// has reports whether a room has members here.
func (b *classicBus) has(room string) bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	_, ok := b.rooms[room]
	return ok
}

// Confirm implements [cluster.Bus].
func (b *classicBus) Confirm(ctx context.Context, rooms []string) error {
	kind, all := b.broadcasts()
	channels := append(make([]string, 0, 1+len(rooms)), all)
	if !b.pattern {
		for _, room := range rooms {
			channels = append(channels, b.names.room(room))
		}
	}
	return busError(b.link.Wait(ctx, kind, channels...))
}

// Living implements [cluster.Bus]: it counts who hears requests. Answers do not
// say whose they are, so nobody is known to be gone.
func (b *classicBus) Living(ctx context.Context, _ []string) (nodes int, gone []string, err error) {
	return b.link.living(ctx, link.Plain, b.names.request, nil, nil)
}

// Close implements [cluster.Bus].
func (b *classicBus) Close(ctx context.Context) error {
	b.link.end()
	b.mu.Lock()
	kind, all := b.broadcasts()
	b.link.Drop(kind, all)
	leave := []string{b.names.request, b.names.response, b.names.mine}
	if !b.pattern {
		for room := range b.rooms {
			leave = append(leave, b.names.room(room))
		}
	}
	b.link.Drop(link.Plain, leave...)
	clear(b.rooms)
	b.mu.Unlock()
	return busError(b.link.release(ctx))
}
