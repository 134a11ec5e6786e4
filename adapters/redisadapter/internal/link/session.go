package link

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// errSpent is the answer to a client of go-redis that wants to connect once
// more: connecting is our affair.
var errSpent = errors.New("link: the connection is broken")

// session is one connection to a server, with a client of go-redis around it
// that has no other and repeats nothing.
type session struct {
	client *redis.Client
	conn   *meter
	stop   func() bool // undoes that it is closed with a context
}

// connect connects to a server, until the context ends. Nothing is sent yet; greet,
// if it is not nil, is called behind the handshake.
func (t *topology) connect(ctx context.Context, addr string, greet func(context.Context, *redis.Conn) error) (*session, error) {
	o := t.options(addr)
	dialCtx, cancel := context.WithTimeout(ctx, max(o.DialTimeout, time.Second))
	defer cancel()
	c, err := o.Dialer(dialCtx, o.Network, o.Addr)
	if err != nil {
		return nil, err
	}
	m := &meter{Conn: c}
	var used atomic.Bool
	o.Dialer = func(context.Context, string, string) (net.Conn, error) {
		if used.Swap(true) {
			return nil, errSpent
		}
		return m, nil
	}
	o.MaxRetries, o.DialerRetries = -1, 1
	o.ReadTimeout, o.WriteTimeout, o.ContextTimeoutEnabled = t.timeout, t.timeout, false
	// One connection is used at a time; with a size of 1 go-redis would start a
	// goroutine that dials for ever when a dial fails.
	o.PoolSize, o.PipelinePoolSize, o.MinIdleConns, o.MaxIdleConns, o.MaxActiveConns = 4, -1, 0, 0, 0
	o.ConnMaxIdleTime, o.ConnMaxLifetime = -1, 0
	o.WriteBufferSize = max(o.WriteBufferSize, 64<<10)
	o.ClientSideCache, o.ClientSideCacheConfig, o.Limiter = nil, nil, nil
	o.PushNotificationProcessor = nil
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	o.OnConnect = inTurn(o.OnConnect, greet)
	if t.sentinel {
		o.OnConnect = onMaster(o.OnConnect)
	}
	s := &session{client: redis.NewClient(&o), conn: m}
	s.stop = context.AfterFunc(ctx, s.abort)
	return s, nil
}

// close ends the connection. What waits for it fails.
func (s *session) close() {
	if s.stop != nil {
		s.stop()
	}
	s.abort()
}

func (s *session) abort() {
	_ = s.conn.Close()
	_ = s.client.Close()
}

// meter counts what was handed to the kernel. It does not let go-redis look for
// an end of the connection, which would dial and log: see look.
type meter struct {
	net.Conn
	written atomic.Int64
	in      *inlet // of a subscriber: what go-redis reads through
}

// Read is for go-redis.
func (m *meter) Read(p []byte) (int, error) {
	if m.in != nil {
		return m.in.Read(p)
	}
	return m.Conn.Read(p)
}

// Write is for go-redis.
func (m *meter) Write(p []byte) (int, error) {
	n, err := m.Conn.Write(p)
	m.written.Add(int64(n))
	return n, err
}

// backoff is the delays between attempts to connect: none before the first,
// then at most 50 ms, doubled up to 1 s.
type backoff struct{ failures int }

func (b *backoff) next() time.Duration {
	b.failures++
	d := min(time.Second, 50*time.Millisecond<<min(b.failures-1, 10))
	return d/2 + rand.N(d/2)
}

// pause waits; it reports false if one of the two ends before.
func pause(ctx context.Context, stop <-chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-stop:
	case <-ctx.Done():
	}
	return false
}

// isRefusal reports whether an error is an answer of Redis.
func isRefusal(err error) bool {
	var e redis.Error
	return errors.As(err, &e)
}
