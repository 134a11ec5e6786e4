package redisadapter

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// blockingClient is a client for one connection, on which a read may block, to
// where another client leads. It does not try again by itself. To close it ends
// what blocks.
type blockingClient struct {
	redis.UniversalClient

	mu    sync.Mutex // guards what follows
	ended bool
	conns map[net.Conn]struct{}
}

// newBlockingClient makes one that waits for an answer no longer than timeout.
func newBlockingClient(client redis.UniversalClient, timeout time.Duration) (*blockingClient, error) {
	b := &blockingClient{conns: make(map[net.Conn]struct{})}
	off := maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	switch c := client.(type) {
	case *redis.Client:
		o := *c.Options()
		o.PoolSize, o.MinIdleConns, o.MaxRetries, o.ReadTimeout = 1, 0, -1, timeout
		o.PushNotificationProcessor, o.MaintNotificationsConfig = nil, &off
		b.UniversalClient = b.client(&o)
	case *redis.ClusterClient:
		o := *c.Options()
		o.PoolSize, o.MinIdleConns, o.MaxRetries, o.ReadTimeout = 1, 0, -1, timeout
		o.PushNotificationProcessor, o.MaintNotificationsConfig = nil, &off
		o.NewClient = b.client
		b.UniversalClient = redis.NewClusterClient(&o)
	default:
		return nil, fmt.Errorf("redisadapter: a client of type %T is not supported", client)
	}
	return b, nil
}

// client makes a client whose connections are known.
func (b *blockingClient) client(o *redis.Options) *redis.Client {
	dial := o.Dialer
	if dial == nil {
		dial = redis.NewDialer(o)
	}
	o.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return b.add(conn)
	}
	return redis.NewClient(o)
}

func (b *blockingClient) add(conn net.Conn) (net.Conn, error) {
	known := &knownConn{Conn: conn, of: b}
	b.mu.Lock()
	ended := b.ended
	if !ended {
		b.conns[known] = struct{}{}
	}
	b.mu.Unlock()
	if ended {
		_ = conn.Close() // nothing was said
		return nil, net.ErrClosed
	}
	return known, nil
}

// cut ends the connections; there are no others any more.
func (b *blockingClient) cut() {
	b.mu.Lock()
	b.ended = true
	conns := b.conns
	b.conns = nil
	b.mu.Unlock()
	for c := range conns {
		_ = c.Close() // whoever reads from it is told
	}
}

// knownConn is a connection that its client knows while it is open.
type knownConn struct {
	net.Conn
	of *blockingClient
}

// Close implements net.Conn.
func (c *knownConn) Close() error {
	c.of.mu.Lock()
	delete(c.of.conns, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}
