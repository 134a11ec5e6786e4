package redisadapter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/adapters/redisadapter/internal/link"
)

// SubscriptionMode says which channels of Redis the nodes of sharded adapters
// subscribe to, and so to which a node publishes. It must be the same on all
// nodes.
type SubscriptionMode uint8

// The modes (subscriptionMode). In each of them a node has two channels for a
// namespace: that of all nodes, and its own for answers.
const (
	// Dynamic: beside the two there is a channel for each room that has members
	// here. Names of 20 characters are taken for the ids of sockets, which get no
	// channel. The default ("dynamic").
	Dynamic SubscriptionMode = iota
	// Static: there are only the two, and every node gets everything ("static").
	// It is for those who have many more rooms than messages.
	Static
	// DynamicPrivate is Dynamic with a channel for each socket too
	// ("dynamic-private"). It is for those who send most to single sockets.
	DynamicPrivate
)

// String returns the name that the official adapter has for the mode.
func (m SubscriptionMode) String() string {
	switch m {
	case Dynamic:
		return "dynamic"
	case Static:
		return "static"
	case DynamicPrivate:
		return "dynamic-private"
	}
	return "unknown"
}

// own reports whether a broadcast to room alone has a channel of its own.
func (m SubscriptionMode) own(room string) bool {
	switch m {
	case Dynamic:
		return !looksLikeSocketID(room)
	case DynamicPrivate:
		return true
	}
	return false
}

// socketIDLength is the number of characters of a socket's id.
const socketIDLength = 20

// looksLikeSocketID is what the official adapter decides by: the length, in the
// units of UTF-16 that JavaScript counts.
func looksLikeSocketID(room string) bool {
	if len(room) < socketIDLength || len(room) > 3*socketIDLength {
		return false
	}
	n := 0
	for _, r := range room {
		if n++; r > 0xffff {
			n++
		}
	}
	return n == socketIDLength
}

// ShardedOptions are those of the sharded adapter, see [NewSharded]. The zero
// value is that of the official one.
type ShardedOptions struct {
	cluster.Options

	// ChannelPrefix begins the names of the channels; "" means "socket.io"
	// (channelPrefix).
	ChannelPrefix string
	// SubscriptionMode must be the same on all nodes; 0 means Dynamic.
	SubscriptionMode SubscriptionMode
	// Batches: what waits to be sent to the same channel goes as one SPUBLISH, of up to
	// 512 messages or 16 KiB, so that Redis, which works for each command, has less
	// to do when there is much; nothing waits for it. It is for clusters whose nodes
	// are all of this package, in versions that know it: to others a batch is
	// malformed, and lost. Nodes with and without it understand each other, so it may
	// be switched on node by node.
	Batches bool
	// Counters, if set, counts what goes over the connections.
	Counters *Counters

	ids identity
}

// ErrNoShardedPubSub is returned by the factory of [NewSharded] for a Redis
// before version 7, and by that of [NewStreams] with UseShardedPubSub.
var ErrNoShardedPubSub = errors.New("redisadapter: this Redis has no sharded pub/sub, it needs version 7")

// NewSharded returns the factory of sharded adapters, over SPUBLISH and
// SSUBSCRIBE of Redis 7: those of createShardedAdapter in npm
// @socket.io/redis-adapter 8. On a Cluster each message goes to the nodes that
// want it alone, and not to all. The adapters do not understand the classic ones,
// though names of channels are the same; there is no emitter for them.
//
// What differs from the official adapter: this node's sockets are served before
// Redis is asked, and whatever it says; a Join has returned when what other nodes
// send to the rooms arrives here (the official one loses a broadcast that follows
// closely); after a SocketsJoin of any node the broadcasts of this one to those rooms
// go to all for some seconds, since the channels of the rooms may be new there; the
// channel of a room is given up only seconds after its last member has left; a node
// that is lost ends what waits for it.
//
// # Order
//
// On one Redis server what a node sends to another arrives in the order in which
// it was sent, whatever the channel: broadcasts to all, to rooms and to sockets,
// requests and answers. On a Cluster that holds for each channel by itself, since
// the channels of a namespace, of its rooms and of its nodes lie on different
// servers. There a broadcast to a single room (without acks) may overtake, or be
// overtaken by, one to all, to several rooms, or a SocketsJoin; in the mode Static
// all but the answers keep their order. Between messages of different nodes there
// is no order.
//
// A message is sent at most once: what was published while a node had no link to
// Redis does not reach it, see [cluster.Options.OnGap].
//
// The client stays the caller's; see the package documentation.
func NewSharded(client redis.UniversalClient, opts ShardedOptions) adapters.Factory {
	s := &shardedFactory{
		opts:   opts,
		links:  newLinks(client, opts.Options, opts.Counters, opts.Batches),
		prefix: cmp.Or(opts.ChannelPrefix, "socket.io") + "#",
		buses:  make(map[string][]*shardedBus),
	}
	return cluster.New(s.connect, opts.Options)
}

// shardedFactory is what the namespaces of one factory share. A channel may stand
// for two things if there are namespaces with # in their names: for the room b of
// /a, and for the namespace /a#b. So each message is handed to every namespace for
// which it may be, and a channel is subscribed as long as one of them wants it.
type shardedFactory struct {
	opts   ShardedOptions
	links  *links
	prefix string

	mu    sync.RWMutex             // guards what follows; held while channels are subscribed
	buses map[string][]*shardedBus // by namespace; the slices are never changed
	sharp int                      // how many buses have # in their namespaces
}

// connect is a [cluster.Connect].
func (s *shardedFactory) connect(nsp string, r cluster.Receiver) (cluster.Bus, error) {
	if s.opts.SubscriptionMode > DynamicPrivate {
		return nil, fmt.Errorf("redisadapter: unknown SubscriptionMode %d", s.opts.SubscriptionMode)
	}
	lease, err := s.links.open(nsp, r)
	if err != nil {
		return nil, err
	}
	b := newShardedBus(s, lease, nsp)
	s.add(b)
	if _, err := lease.await(link.Sharded, b.main, b.mine); err != nil {
		return nil, errors.Join(err, b.Close(context.Background()))
	}
	return b, nil
}

// add subscribes the two channels of a bus.
func (s *shardedFactory) add(b *shardedBus) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.buses[b.nsp] = append(slices.Clone(s.buses[b.nsp]), b)
	if b.sharp {
		s.sharp++
	}
	_ = b.link.Want(link.Sharded, s.receive, b.main, b.mine) // the link is open
}

// remove gives up all channels of a bus at once.
func (s *shardedFactory) remove(b *shardedBus) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rest := slices.DeleteFunc(slices.Clone(s.buses[b.nsp]), func(o *shardedBus) bool { return o == b })
	if s.buses[b.nsp] = rest; len(rest) == 0 {
		delete(s.buses, b.nsp)
	}
	if b.sharp {
		s.sharp--
	}
	channels := []string{b.main, b.mine}
	for room := range b.rooms {
		channels = append(channels, b.channel(room))
	}
	b.link.Drop(link.Sharded, s.unwanted(channels)...)
}

// unwanted returns those of the channels that no bus wants. The caller holds mu.
func (s *shardedFactory) unwanted(channels []string) []string {
	return slices.DeleteFunc(channels, func(c string) bool {
		return slices.ContainsFunc(s.candidates(c), func(b *shardedBus) bool { return b.wants(c) })
	})
}

// candidates returns the buses for which messages on a channel may be. The caller
// holds mu, and may use them without it.
func (s *shardedFactory) candidates(channel string) []*shardedBus {
	if s.sharp == 0 {
		nsp, _, _ := strings.Cut(channel[len(s.prefix):], "#")
		return s.buses[nsp]
	}
	var list []*shardedBus
	for _, same := range s.buses {
		if strings.HasPrefix(channel, same[0].main) {
			list = append(list, same...)
		}
	}
	return list
}

// receive is the handler of all channels.
func (s *shardedFactory) receive(m link.Message) {
	s.mu.RLock()
	list, sharp := s.candidates(m.Channel), s.sharp > 0
	s.mu.RUnlock()
	if len(list) == 0 {
		return
	}
	list[0].link.each(m, func(m link.Message) {
		for _, b := range list {
			// A channel with two meanings has messages of other namespaces.
			if err := b.receive(m); err != nil && (!sharp || err != errNamespace) {
				b.link.poison(m.Channel, err)
			}
		}
	})
}
