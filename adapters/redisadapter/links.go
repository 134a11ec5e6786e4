package redisadapter

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/adapters/redisadapter/internal/link"
)

// links is what the namespaces of one factory share: the connections to Redis,
// from the first lease to the last one's release.
type links struct {
	client   redis.UniversalClient
	log      *slog.Logger  // never nil
	counters *Counters     // never nil
	batches  bool          // what waits is sent in batches
	patience time.Duration // how long a namespace waits for its channels when it begins

	mu     sync.Mutex        // guards what follows
	link   *link.Link        // nil without leases
	leases map[string]*lease // by namespace
}

// newLinks prepares the connections of a factory. counters may be nil.
func newLinks(client redis.UniversalClient, opts cluster.Options, counters *Counters, batches bool) *links {
	return &links{
		client:   client,
		log:      cmp.Or(opts.Logger, slog.New(slog.DiscardHandler)),
		counters: cmp.Or(counters, new(Counters)),
		batches:  batches,
		patience: cmp.Or(opts.JoinTimeout, time.Second),
		leases:   make(map[string]*lease),
	}
}

// lease is one namespace's share of a link.
type lease struct {
	*link.Link
	shared   *links
	nsp      string
	receiver cluster.Receiver

	gate sync.RWMutex // held for reading while something is handed on
	shut atomic.Bool  // set under gate
}

// receive hands m on, unless the lease is ended.
func (l *lease) receive(m *cluster.Message) { l.pass(func() { l.receiver.Receive(m) }) }

// pass runs f, which hands something on, unless the lease is ended.
func (l *lease) pass(f func()) {
	l.gate.RLock()
	defer l.gate.RUnlock()
	if !l.shut.Load() {
		f()
	}
}

// each calls h for each message that m stands for; they are several if it is a
// batch, whatever the options say. A malformed one is dropped whole.
func (l *lease) each(m link.Message, h link.Handler) {
	if !link.IsBatch(m.Payload) {
		h(m)
		return
	}
	if err := l.Each(m, h); err != nil {
		l.poison(m.Channel, err)
	}
}

// split returns a handler that calls h for each message.
func (l *lease) split(h link.Handler) link.Handler {
	return func(m link.Message) { l.each(m, h) }
}

// end waits for what is just handed on; nothing follows.
func (l *lease) end() {
	l.gate.Lock()
	defer l.gate.Unlock()
	l.shut.Store(true)
}

// closed returns ErrClosed when the lease is ended.
func (l *lease) closed() error {
	if l.shut.Load() {
		return adapters.ErrClosed
	}
	return nil
}

// await waits a moment until Redis has confirmed channels. They go on being tried,
// so that Redis need not be there yet. The error is that it knows no such kind.
func (l *lease) await(kind link.Kind, channels ...string) (heard bool, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), l.shared.patience)
	defer cancel()
	err = l.Wait(ctx, kind, channels...)
	switch {
	case err == nil:
		return true, nil
	case kind == link.Sharded && strings.Contains(strings.ToLower(err.Error()), "unknown command"):
		return false, ErrNoShardedPubSub
	}
	l.shared.log.Warn("nothing is heard of other nodes yet", slog.String("nsp", l.nsp), slog.Any("err", err))
	return false, nil
}

// living counts who hears the channel of all nodes of a namespace, and tells which
// of the known nodes do not hear their answers, for which channel names the way.
func (l *lease) living(ctx context.Context, kind link.Kind, all string, known []string, channel func(node string) string) (nodes int, gone []string, err error) {
	if err := l.Wait(ctx, kind, all); err != nil {
		return 0, nil, busError(err) // the count would be without us
	}
	channels := append(make([]string, 0, 1+len(known)), all)
	for _, node := range known {
		channels = append(channels, channel(node))
	}
	counts, err := l.NumSub(ctx, kind, channels...)
	if err != nil {
		return 0, nil, err
	}
	for i, node := range known {
		if counts[1+i] == 0 {
			gone = append(gone, node)
		}
	}
	return int(counts[0]), gone, nil
}

// open returns a lease; r is told of gaps. The error is that of a client of
// another kind, or that the namespace has a lease: Redis would take the two nodes
// for one.
func (s *links) open(nsp string, r cluster.Receiver) (*lease, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leases[nsp] != nil {
		return nil, fmt.Errorf("redisadapter: this factory has an adapter for %q already; each server needs a factory of its own", nsp)
	}
	if s.link == nil {
		l, err := link.New(s.client, link.Config{Batches: s.batches, OnGap: s.gap, OnLost: s.lost, Logger: s.log})
		if err != nil {
			return nil, err
		}
		s.link = l
		s.counters.use(l)
	}
	l := &lease{Link: s.link, shared: s, nsp: nsp, receiver: r}
	s.leases[nsp] = l
	return l, nil
}

// release gives the lease back. With the last one the link is closed: what was
// published is sent until ctx ends, and no handler runs when it returned.
func (l *lease) release(ctx context.Context) error {
	s := l.shared
	s.mu.Lock()
	delete(s.leases, l.nsp)
	last := len(s.leases) == 0
	if last {
		s.link = nil
	}
	s.mu.Unlock()
	if !last {
		return nil
	}
	return l.Link.Close(ctx)
}

// gap tells all namespaces.
func (s *links) gap(from, to time.Time) {
	s.mu.Lock()
	receivers := make([]cluster.Receiver, 0, len(s.leases))
	for _, l := range s.leases {
		receivers = append(receivers, l.receiver)
	}
	s.mu.Unlock()
	for _, r := range receivers {
		r.Gap(cluster.Gap{From: from, To: to})
	}
}

// lost logs that other nodes have not got what this one sent.
func (s *links) lost(from, to time.Time, n int64) {
	s.log.Warn("messages to other nodes lost", slog.Int64("count", n), slog.Time("from", from), slog.Time("to", to))
}

// poison notes a message that was dropped because of err.
func (l *lease) poison(channel string, err error) {
	n, log := l.shared.counters.poisoned()
	if log {
		l.shared.log.Warn("malformed message of another node dropped", slog.String("nsp", l.nsp),
			slog.String("channel", channel), slog.Int64("dropped", n), slog.Any("err", err))
	}
}

// busError returns the error of a bus for one of a link.
func busError(err error) error {
	switch {
	case errors.Is(err, link.ErrQueueFull):
		return adapters.ErrQueueFull
	case errors.Is(err, link.ErrClosed):
		return adapters.ErrClosed
	}
	return err
}

// identity makes the names of nodes and of requests. Fields that are nil stand
// for random names, in the form of the flavour.
type identity struct {
	node    func(namespace string) string
	request func() string
}

// name names a node; random does it unless there is a function for it.
func (i *identity) name(namespace string, random func() string) string {
	if i.node != nil {
		return i.node(namespace)
	}
	return random()
}

// randomHex names a node as the official ClusterAdapter does.
func randomHex() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// errNamespace is what is wrong with a message of another namespace.
var errNamespace = errors.New("message of another namespace")
