package redisadapter

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
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
	log      *slog.Logger // never nil
	counters *Counters    // never nil

	mu     sync.Mutex // guards what follows
	link   *link.Link // nil without leases
	leases map[*lease]struct{}
}

// newLinks prepares the connections of a factory. counters may be nil.
func newLinks(client redis.UniversalClient, opts cluster.Options, counters *Counters) *links {
	return &links{
		client:   client,
		log:      cmp.Or(opts.Logger, slog.New(slog.DiscardHandler)),
		counters: cmp.Or(counters, new(Counters)),
		leases:   make(map[*lease]struct{}),
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

// end waits for what is just handed on; nothing follows.
func (l *lease) end() {
	l.gate.Lock()
	defer l.gate.Unlock()
	l.shut.Store(true)
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
// another kind.
func (s *links) open(nsp string, r cluster.Receiver) (*lease, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.link == nil {
		l, err := link.New(s.client, link.Config{OnGap: s.gap, OnLost: s.lost, Logger: s.log})
		if err != nil {
			return nil, err
		}
		s.link = l
		s.counters.use(l)
	}
	l := &lease{Link: s.link, shared: s, nsp: nsp, receiver: r}
	s.leases[l] = struct{}{}
	return l, nil
}

// release gives the lease back. With the last one the link is closed: what was
// published is sent until ctx ends, and no handler runs when it returned.
func (l *lease) release(ctx context.Context) error {
	s := l.shared
	s.mu.Lock()
	delete(s.leases, l)
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
	for l := range s.leases {
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
