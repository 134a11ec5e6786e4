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
	dialing context.Context // of what connects; ended by cut
	cancel  context.CancelFunc

	mu    sync.Mutex // guards what follows
	ended bool
	conns map[net.Conn]struct{}
}

// newBlockingClient makes one that waits for an answer no longer than timeout.
func newBlockingClient(client redis.UniversalClient, timeout time.Duration) (*blockingClient, error) {
	b := &blockingClient{conns: make(map[net.Conn]struct{})}
	b.dialing, b.cancel = context.WithCancel(context.Background())
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
		o.ReadOnly, o.RouteByLatency, o.RouteRandomly = false, false, false // a replica may be behind
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
		ctx, cancel := context.WithCancel(ctx) // of go-redis, which outlives a command
		defer cancel()
		defer context.AfterFunc(b.dialing, cancel)()
		conn, err := dial(ctx, network, addr)
		if err == nil {
			conn, err = b.add(conn)
		}
		if err != nil {
			return newFailedConn(err), nil
		}
		return conn, nil
	}
	return redis.NewClient(o)
}

// failedConn stands for a connection that could not be made. Were its error
// returned to go-redis, that would dial by itself from the first of them on, once
// a second and a little beyond Close, and the reader would wait for it.
type failedConn struct {
	net.Conn
	err error
}

func newFailedConn(err error) net.Conn {
	c, _ := net.Pipe() // for what is asked of a connection before it is used
	return failedConn{c, err}
}

// Read implements net.Conn.
func (c failedConn) Read([]byte) (int, error) { return 0, c.err }

// Write implements net.Conn.
func (c failedConn) Write([]byte) (int, error) { return 0, c.err }

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
	b.cancel()
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
