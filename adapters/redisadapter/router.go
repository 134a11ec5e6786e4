package redisadapter

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/adapters/redisadapter/internal/link"
)

// RouterOptions are those of [NewRouter]. Its Key, the secret of the cluster, has
// no default.
type RouterOptions struct {
	cluster.RouterConfig

	// Prefix begins the names of the channels; "" means "hermod-router". Clusters
	// that share a Redis need different ones.
	Prefix string
}

// NewRouter returns a Router over Redis: a channel for each node, and one for
// all, by PUBLISH and SUBSCRIBE over two connections of its own. It waits until
// they are subscribed, or ctx ends. The client stays the caller's, and must stay
// open as long as the Router, which the caller closes. Errors: of RouterConfig,
// of a client of another kind, of Redis.
//
// While Redis does not answer for longer than RouterConfig.Timeout each node
// serves its own sessions only.
func NewRouter(ctx context.Context, client redis.UniversalClient, opts RouterOptions) (*cluster.Router, error) {
	l, err := link.New(client, link.Config{Logger: opts.Log})
	if err != nil {
		return nil, err
	}
	return cluster.NewRouter(ctx, &redisMail{link: l, prefix: cmp.Or(opts.Prefix, "hermod-router") + "#"}, opts.RouterConfig)
}

// redisMail is a cluster.Mail over Redis.
type redisMail struct {
	link    *link.Link
	prefix  string // the channel of all; that of a node has its id and # behind it
	closed  atomic.Bool
	reading sync.Mutex // held while a message is received: a broken connection may still be read
}

func (m *redisMail) channel(node cluster.NodeID) string { return m.prefix + node.String() + "#" }

// Open implements cluster.Mail.
func (m *redisMail) Open(ctx context.Context, self cluster.NodeID, receive func([]byte)) error {
	return m.link.Subscribe(ctx, link.Plain, func(msg link.Message) {
		m.reading.Lock()
		defer m.reading.Unlock()
		if !m.closed.Load() {
			receive(msg.Payload)
		}
	}, m.prefix, m.channel(self))
}

// Send implements cluster.Mail.
func (m *redisMail) Send(to cluster.NodeID, data []byte) error {
	return m.link.Publish(m.channel(to), data)
}

// Broadcast implements cluster.Mail.
func (m *redisMail) Broadcast(data []byte) error { return m.link.Publish(m.prefix, data) }

// Close implements cluster.Mail. If Redis is away the last messages do not leave,
// which is no error: the Router has ended what it relayed, and the other nodes see
// that this one is silent.
func (m *redisMail) Close(ctx context.Context) error {
	m.reading.Lock()
	m.closed.Store(true)
	m.reading.Unlock()
	err := m.link.Close(ctx)
	if errors.Is(err, link.ErrClosed) {
		return context.Cause(ctx)
	}
	return err
}
