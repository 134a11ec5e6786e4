package link

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/internal/redistest"
)

// torn is a connection that breaks in the middle of the fourth PUBLISH that is
// written to it, of those of one batch.
type torn struct {
	net.Conn
	armed *atomic.Bool
}

func (c torn) Write(p []byte) (int, error) {
	i, n := 0, 0
	for ; n < 4; n++ {
		k := bytes.Index(p[i:], []byte("publish"))
		if k < 0 {
			return c.Conn.Write(p)
		}
		i += k + 1
	}
	if !c.armed.Swap(false) {
		return c.Conn.Write(p)
	}
	written, _ := c.Conn.Write(p[:i+10])
	return written, errors.New("torn on purpose")
}

// Of a batch that was written in part, the commands that went out whole are
// ambiguous and the others are sent again: Redis does not carry out a part.
func TestTornBatch(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	var armed atomic.Bool
	armed.Store(true)
	ready := make(chan struct{})
	client := redis.NewClient(&redis.Options{Addr: r.Addr(), Dialer: func(ctx context.Context, network, addr string) (net.Conn, error) {
		<-ready
		c, err := new(net.Dialer).DialContext(ctx, network, addr)
		return torn{c, &armed}, err
	}})
	defer func() { _ = client.Close() }()
	s := newSubscriber(t, r.Client(), Config{})
	var in inbox
	subscribe(t, s, Plain, in.handle, "c")
	w := newWriter(t, client, Config{})
	for i := range 10 {
		publish(t, w, "c", strconv.Itoa(i))
	}
	close(ready)
	wantRising(t, in.await(t, 10), 10)
	answered(t, w)
	if c := w.Stats(); c.Ambiguous != 3 || c.Published != 7 || c.WriterResets != 1 {
		t.Errorf("%+v: want 3 ambiguous, 7 published", c)
	}
}

// What was answered before the connection broke counted as refused: go-redis gives
// it the error of what was not answered.
func TestAnsweredBeforeBreak(t *testing.T) {
	w, l := queued(true)
	got := make(chan error, 2)
	for _, key := range []string{"first", "second"} {
		err := w.Append(Command{Key: key, Args: []any{"SET", key, "x"}, Done: func(_ any, err error) { got <- err }})
		if err != nil {
			t.Fatal(err)
		}
	}
	l.take()
	l.batch[0].cmd.SetVal("OK")
	for _, e := range l.batch {
		e.cmd.SetErr(io.EOF)
	}
	l.settle(1 << 20)
	if first, second := <-got, <-got; first != nil || second != ErrUnanswered {
		t.Errorf("Done gets %v and %v, want nil and %v", first, second, ErrUnanswered)
	}
	if c := w.Stats(); c.Published != 1 || c.Refused != 0 || c.Ambiguous != 1 {
		t.Errorf("%+v: want 1 published, 1 ambiguous", c)
	}
}

// movable returns a client that connects to addr, and what has it connect elsewhere
// from then on.
func movable(t *testing.T, addr string) (client *redis.Client, move func(addr string)) {
	var at atomic.Value
	at.Store(addr)
	client = redis.NewClient(&redis.Options{Dialer: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, at.Load().(string))
	}})
	t.Cleanup(func() { _ = client.Close() })
	return client, func(addr string) { at.Store(addr) }
}

// What a broken connection still has on its way is not carried out behind what
// the next one brought: that one ends it first.
func TestFence(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	slow, fast := redistest.NewProxy(t, r.Addr()), redistest.NewProxy(t, r.Addr())
	client, move := movable(t, slow.Addr())
	w := newWriter(t, client, Config{WriteTimeout: 100 * time.Millisecond})
	s := newSubscriber(t, r.Client(), Config{})
	var in inbox
	subscribe(t, s, Plain, in.handle, "c")
	publish(t, w, "c", "0")
	in.await(t, 1)
	slow.Silence()
	move(fast.Addr())
	publish(t, w, "c", "1")
	redistest.Until(t, "it is given up", func() bool { return w.Stats().Ambiguous == 1 })
	publish(t, w, "c", "2")
	in.await(t, 2)
	slow.Speak()
	redistest.Until(t, "the old connection is gone", func() bool {
		return strings.Count(r.Text("client", "list", "type", "normal"), "\n") <= 2
	})
	publish(t, w, "c", "3")
	redistest.Until(t, "the last message", func() bool {
		all := in.all()
		return all[len(all)-1] == "3"
	})
	wantIncreasing(t, in.all())
}

// A command that was refused for the moment is not sent behind a later one of
// its key that was taken, unless it may be repeated.
func TestOvertaken(t *testing.T) {
	now := func(key string, position int, retry, answered bool) *entry {
		e, err := newEntry(Command{Key: key, Args: []any{"X"}, Retry: retry})
		if err != nil {
			t.Fatal(err)
		}
		if e.position = position; answered {
			e.cmd.SetErr(errLoading{})
		}
		return e
	}
	lost, other := now("a", 0, false, true), now("b", 1, false, true)
	repeated, later := now("a", 2, true, true), now("a", 4, false, true)
	unsent := now("a", 0, false, false)
	o := outcome{refusing: true, taken: []*entry{now("a", 3, false, false)}}
	for _, e := range []*entry{lost, other, repeated, later, unsent} {
		o.retain(e)
	}
	if n := o.overtake(); n != 1 || lost.kept || lost.failure != ErrOvertaken {
		t.Errorf("%d commands are given up: %+v", n, lost)
	}
	if len(o.keep) != 4 || !other.kept || !repeated.kept || !later.kept || !unsent.kept {
		t.Errorf("%d of the others are kept", len(o.keep))
	}
}

// errLoading is an answer of Redis.
type errLoading struct{}

func (errLoading) Error() string { return "LOADING on purpose" }
func (errLoading) RedisError()   {}

// Under Sentinel a server is not used that says that it is a replica.
func TestReplicaIsNotUsed(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	w := newWriter(t, r.Client(), Config{})
	w.top.sentinel = true
	r.Do("replicaof", "127.0.0.1", "1")
	publish(t, w, "c", "x")
	sess, err := w.top.connect(w.ctx, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer sess.close()
	if err := sess.client.Ping(background).Err(); !errors.Is(err, errNotMaster) {
		t.Errorf("a replica is used: %v", err)
	}
	if s := w.Stats(); s.Published != 0 {
		t.Error("a replica is published to")
	}
	r.Do("replicaof", "no", "one")
	answered(t, w)
	if s := w.Stats(); s.Published != 1 {
		t.Errorf("%+v: want 1 published", s)
	}
}

// A subscriber whose connection broke without a sign to Redis was counted twice
// there, until TCP gave the old connection up, minutes later: whoever counted the
// nodes waited for one that was not there.
func TestGhost(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	slow, fast := redistest.NewProxy(t, r.Addr()), redistest.NewProxy(t, r.Addr())
	client, move := movable(t, slow.Addr())
	s := newSubscriber(t, client, Config{PingInterval: 100 * time.Millisecond})
	var in inbox
	subscribe(t, s, Plain, in.handle, "c")
	slow.Silence()
	move(fast.Addr())
	redistest.Until(t, "it is connected anew", func() bool { c := s.Stats(); return c.Reconnects == 1 && c.Confirmed == 1 })
	if n := r.Do("publish", "c", "x"); n != int64(1) {
		t.Errorf("%v connections hear the channel, want 1", n)
	}
	in.await(t, 1)
}

// A user of Redis who may not call CLIENT gets on without it.
func TestClientNotAllowed(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	r.Do("acl", "setuser", "node", "on", "nopass", "allchannels", "allkeys", "+@all", "-client", "-role")
	proxy := redistest.NewProxy(t, r.Addr())
	client := redis.NewClient(&redis.Options{Addr: proxy.Addr(), Username: "node", Password: "x"})
	defer func() { _ = client.Close() }()
	l := newLink(t, client, Config{})
	var in inbox
	subscribe(t, l, Plain, in.handle, "c")
	publish(t, l.Writer, "c", "0")
	in.await(t, 1)
	proxy.Cut()
	redistest.Until(t, "both are connected anew", func() bool {
		s := l.Stats()
		if s.Reconnects == 1 && s.Confirmed == 1 {
			publish(t, l.Writer, "c", "1")
		}
		return len(in.all()) > 1
	})
}

// A lane that is made anew, on a Cluster after the server was out of reach, ends the
// connection of the one before.
func TestFenceOfNewLane(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	w := newWriter(t, r.Client(), Config{})
	first, second := &lane{w: w}, &lane{w: w}
	for _, l := range []*lane{first, second} {
		if err := l.open(); err != nil {
			t.Fatal(err)
		}
		defer l.drop()
	}
	redistest.Until(t, "the first connection is ended", func() bool { return stale(first.sess.conn.Conn) })
	if err := second.try(); err != nil {
		t.Errorf("the second: %v", err)
	}
}
