package nodes

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/adapters/redisadapter"
	"github.com/hermod-io/hermod/engineio"
)

// The adapters that may be chosen.
const (
	Memory  = "memory"
	Classic = "redis"
	Sharded = "redis-sharded"
	Streams = "redis-streams"
)

// Adapters are their names.
var Adapters = []string{Memory, Classic, Sharded, Streams}

// MinKey is the least length of Config.Key in bytes.
const MinKey = 16

// Config says how the nodes are connected.
type Config struct {
	// Adapter is one of Adapters; with Memory there are no other nodes.
	Adapter string
	// URL is what ParseURL takes.
	URL string
	// Prefix begins the names of channels, streams and keys; "" means those of
	// the official adapters.
	Prefix string
	// Batches: several messages go as one, see redisadapter.Options. All nodes must
	// know that.
	Batches bool
	// Key, if set, is the secret with which any node may serve any request.
	Key string
}

// Nodes is this node's part of the cluster. A nil one is a node by itself.
type Nodes struct {
	client  redis.UniversalClient
	factory adapters.Factory
	router  *cluster.Router
	counts  redisadapter.Counters
	log     *slog.Logger
	state   atomic.Pointer[string]
	stop    context.CancelFunc
	running sync.WaitGroup
}

// New makes the adapter and the router. Redis may be away: the adapter finds it
// when it is there, and each node serves its own sockets meanwhile. With a Key
// New waits for Redis, until ctx ends: nobody could take this node's sessions for
// true before. It returns nil for the adapter Memory.
func New(ctx context.Context, c Config, log *slog.Logger) (*Nodes, error) {
	if c.Adapter == Memory {
		return nil, nil
	}
	if c.Key != "" && len(c.Key) < MinKey {
		return nil, fmt.Errorf("nodes: a key of %d bytes is too short, it needs %d", len(c.Key), MinKey)
	}
	dial, err := ParseURL(c.URL)
	if err != nil {
		return nil, err
	}
	silence.Do(func() { redis.SetLogger(quiet{log}) })
	n := &Nodes{client: dial(), log: log}
	if n.factory, err = c.factory(n.client, &n.counts, log); err == nil && c.Key != "" {
		err = n.openRouter(ctx, c)
	}
	if err != nil {
		_ = n.client.Close()
		return nil, err
	}
	watch, stop := context.WithCancel(context.Background())
	n.stop = stop
	n.state.Store(new("redis: not asked yet"))
	n.running.Go(func() { n.watch(watch) }) // until Close
	return n, nil
}

func (c *Config) factory(client redis.UniversalClient, counts *redisadapter.Counters, log *slog.Logger) (adapters.Factory, error) {
	common := cluster.Options{Logger: log} // gets the gaps, too
	switch c.Adapter {
	case Classic:
		return redisadapter.New(client, redisadapter.Options{Options: common, Key: c.Prefix, Batches: c.Batches, Counters: counts}), nil
	case Sharded:
		return redisadapter.NewSharded(client, redisadapter.ShardedOptions{Options: common, ChannelPrefix: c.Prefix, Batches: c.Batches, Counters: counts}), nil
	case Streams:
		o := redisadapter.StreamsOptions{Options: common, StreamName: c.Prefix, ChannelPrefix: c.Prefix, Batches: c.Batches, Counters: counts}
		if c.Prefix != "" {
			o.SessionKeyPrefix = c.Prefix + ":session:"
		}
		return redisadapter.NewStreams(client, o), nil
	}
	return nil, fmt.Errorf("nodes: there is no adapter %q", c.Adapter)
}

// How long one attempt to reach Redis may take, and the time between two.
const (
	attempt  = 5 * time.Second
	interval = time.Second
)

// openRouter tries until it succeeds.
func (n *Nodes) openRouter(ctx context.Context, c Config) error {
	o := redisadapter.RouterOptions{RouterConfig: cluster.RouterConfig{Key: []byte(c.Key), Log: n.log}}
	if c.Prefix != "" {
		o.Prefix = c.Prefix + "-router"
	}
	for {
		try, cancel := context.WithTimeout(ctx, attempt)
		r, err := redisadapter.NewRouter(try, n.client, o)
		cancel()
		if err == nil {
			n.router = r
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		n.log.Warn("waiting for Redis: without it no other node could serve this node's sessions", slog.Any("err", err))
		if !pause(ctx) {
			return ctx.Err()
		}
	}
}

// pause waits for the interval; it reports whether ctx did not end.
func pause(ctx context.Context) bool {
	timer := time.NewTimer(interval)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// reachable is the State while Redis answers.
const reachable = "redis: reachable"

// watch asks Redis again and again whether it is there, and logs the changes.
func (n *Nodes) watch(ctx context.Context) {
	var since time.Time // when it was last found to be away; zero if it is there
	for first := true; ; first = false {
		try, cancel := context.WithTimeout(ctx, attempt)
		err := n.client.Ping(try).Err()
		cancel()
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			if first || !since.IsZero() {
				n.log.Info("Redis is reachable")
			}
			since = time.Time{}
			n.state.Store(new(reachable))
		case since.IsZero():
			since = time.Now()
			n.log.Warn("Redis is out of reach; this node serves its own sockets", slog.Any("err", err))
			n.state.Store(new("redis: out of reach since " + since.UTC().Format(time.RFC3339)))
		}
		if !pause(ctx) {
			return
		}
	}
}

// Adapter is the factory for socketio.Config; nil for the one in memory.
func (n *Nodes) Adapter() adapters.Factory {
	if n == nil {
		return nil
	}
	return n.factory
}

// Router is that for engineio.Config; nil without a Key.
func (n *Nodes) Router() engineio.Router {
	if n == nil || n.router == nil {
		return nil
	}
	return n.router
}

// State is a line that says whether Redis answered last; "" if there is none.
func (n *Nodes) State() string {
	if n == nil {
		return ""
	}
	return *n.state.Load()
}

// Stats is what is to be told of the way to the other nodes.
type Stats struct {
	Reachable bool                 // Redis answered when it was last asked
	Redis     redisadapter.Stats   // of the adapter
	Router    *cluster.RouterStats // nil without a Key
}

// Stats returns the counts; nil if there are no other nodes.
func (n *Nodes) Stats() *Stats {
	if n == nil {
		return nil
	}
	s := &Stats{Reachable: n.State() == reachable, Redis: n.counts.Stats()}
	if n.router != nil {
		s.Router = new(n.router.Stats())
	}
	return s
}

// Close ends it when the Socket.IO server has ended. It waits until ctx ends at
// most for what is on its way.
func (n *Nodes) Close(ctx context.Context) error {
	if n == nil {
		return nil
	}
	n.stop()
	var err error
	if n.router != nil {
		err = n.router.Close(ctx)
	}
	err = errors.Join(err, n.client.Close()) // a Ping that is not answered ends with it
	n.running.Wait()
	return err
}

// silence guards the one logger that all clients of go-redis in a process have.
var silence sync.Once

// quiet is the logger of go-redis, which writes to standard error otherwise. What
// it says of connections we say ourselves.
type quiet struct{ log *slog.Logger }

// Printf implements the logger of go-redis.
func (q quiet) Printf(_ context.Context, format string, v ...any) {
	q.log.Debug(fmt.Sprintf(format, v...))
}
