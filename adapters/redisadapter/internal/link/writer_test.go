package link

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/internal/await"
	"github.com/hermod-io/hermod/internal/redistest"
)

// newWriter returns a writer that is closed with the test.
func newWriter(t testing.TB, client redis.UniversalClient, c Config) *Writer {
	t.Helper()
	w, err := NewWriter(client, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = w.Close(ctx)
	})
	return w
}

// newSubscriber returns a subscriber that is closed with the test.
func newSubscriber(t testing.TB, client redis.UniversalClient, c Config) *Subscriber {
	t.Helper()
	s, err := NewSubscriber(client, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	return s
}

// through returns a client of an address that does not wait for long.
func through(t testing.TB, addr string) *redis.Client {
	c := redis.NewClient(&redis.Options{Addr: addr})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// answered waits until nothing is queued.
func answered(t testing.TB, w *Writer) {
	t.Helper()
	redistest.Until(t, "an empty queue", func() bool { return w.Stats().Queued == 0 })
}

// xadd returns a command that adds an entry with one field to a stream.
func xadd(stream, value string) Command {
	return Command{Key: stream, Args: []any{"XADD", stream, "*", "v", value}, Retry: true}
}

// stream returns the values that xadd added.
func stream(t testing.TB, r *redistest.Server, name string) (list []string) {
	t.Helper()
	for _, e := range r.Do("xrange", name, "-", "+").([]any) {
		list = append(list, e.([]any)[1].([]any)[1].(string))
	}
	return list
}

// The queue is bounded by bytes, one command of any size fits an empty one, and
// what was refused is told when Redis answers again.
func TestQueueBound(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	p := redistest.NewProxy(t, r.Addr())
	p.Down()
	lost := make(chan int64, 10)
	w := newWriter(t, through(t, p.Addr()), Config{QueueBytes: 10_000, OnLost: func(from, to time.Time, n int64) {
		if !from.Before(to) {
			t.Errorf("lost from %v to %v", from, to)
		}
		lost <- n
	}})
	if err := w.Publish("c", make([]byte, 20_000)); err != nil {
		t.Fatalf("the first command: %v", err)
	}
	for range 3 {
		if err := w.Publish("c", nil); err != ErrQueueFull {
			t.Fatalf("with 20 000 of 10 000 bytes queued: %v, want ErrQueueFull", err)
		}
	}
	p.Up()
	select {
	case n := <-lost:
		if n != 3 {
			t.Errorf("OnLost says %d, want 3", n)
		}
	case <-time.After(long):
		t.Fatal("OnLost is not called")
	}
	answered(t, w)
	for i := range 10_000 / (overhead + 2) {
		if err := w.Publish("c", []byte("x")); err != nil {
			t.Fatalf("command %d: %v", i, err)
		}
		if s := w.Stats(); s.Queued > 10_000 {
			t.Fatalf("%d bytes are queued", s.Queued)
		}
	}
	if s := w.Stats(); s.Dropped != 3 || s.Ambiguous != 0 {
		t.Errorf("%d dropped and %d ambiguous, want 3 and 0", s.Dropped, s.Ambiguous)
	}
}

// What is published while Redis is out of reach arrives once and in order when
// it is back.
func TestOutage(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	p := redistest.NewProxy(t, r.Addr())
	w := newWriter(t, through(t, p.Addr()), Config{})
	const n = 2000
	var in inbox
	publish(t, w, "other", "opens the connection")
	answered(t, w)
	p.Down()
	r.Kill()
	for i := range n / 2 {
		publish(t, w, "c", strconv.Itoa(i))
	}
	redistest.Until(t, "the writer notices", func() bool { return w.Stats().WriterResets > 0 })
	for i := range n / 2 {
		publish(t, w, "c", strconv.Itoa(n/2+i))
	}
	r.RestartEmpty()
	s := newSubscriber(t, r.Client(), Config{})
	subscribe(t, s, Plain, in.handle, "c")
	p.Up()
	// The batch that found the connection broken had not been written, or was
	// written and is counted.
	answered(t, w)
	ambiguous := int(w.Stats().Ambiguous)
	list := in.await(t, n-ambiguous)
	wantIncreasing(t, list)
	if len(list) != n-ambiguous {
		t.Errorf("%d messages arrive, want %d", len(list), n-ambiguous)
	}
	if ambiguous > maxBatch {
		t.Errorf("%d commands are ambiguous, more than a batch", ambiguous)
	}
}

// wantIncreasing fails the test unless each number is greater than the one
// before: none is doubled, none overtaken.
func wantIncreasing(t testing.TB, list []string) {
	t.Helper()
	last := -1
	for _, v := range list {
		n, err := strconv.Atoi(v)
		if err != nil || n <= last {
			t.Fatalf("%s comes after %d", v, last)
		}
		last = n
	}
}

// Nothing of an outage is lost if the connection was not in use when it began.
func TestOutageWhileIdle(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	w := newWriter(t, r.Client(), Config{})
	publish(t, w, "other", "opens the connection")
	answered(t, w)
	r.Kill()
	const n = 1000
	for i := range n {
		if err := w.Append(xadd("s", strconv.Itoa(i))); err != nil {
			t.Fatal(err)
		}
		publish(t, w, "c", "x")
	}
	r.RestartEmpty()
	answered(t, w)
	wantRising(t, stream(t, r, "s"), n)
	if s := w.Stats(); s.Ambiguous != 0 || s.Retried != 0 || s.Published != 2*n+1 {
		t.Errorf("%+v: want %d published, none ambiguous or retried", s, 2*n+1)
	}
}

// Connections that are cut in the middle of batches double no PUBLISH, lose
// only what is counted, and lose no XADD.
func TestCutInBatch(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	p := redistest.NewProxy(t, r.Addr())
	w := newWriter(t, through(t, p.Addr()), Config{QueueBytes: 1 << 30})
	s := newSubscriber(t, r.Client(), Config{})
	var in inbox
	subscribe(t, s, Plain, in.handle, "c")
	n := 0
	for cuts := int64(0); cuts < 20 || w.Stats().Retried == 0 && cuts < 1000; cuts++ {
		for range 1000 {
			publish(t, w, "c", strconv.Itoa(n))
			if err := w.Append(xadd("s", strconv.Itoa(n))); err != nil {
				t.Fatal(err)
			}
			n++
		}
		before := w.Stats()
		redistest.Until(t, "commands are answered", func() bool { return w.Stats().Published > before.Published || w.Stats().Queued == 0 })
		p.Cut()
		redistest.Until(t, "the writer notices", func() bool { return w.Stats().WriterResets > before.WriterResets || w.Stats().Queued == 0 })
	}
	answered(t, w)
	wantFirstsRising(t, stream(t, r, "s"), n)
	publish(t, w, "c", strconv.Itoa(n))
	answered(t, w)
	redistest.Until(t, "the last message", func() bool {
		all := in.all()
		return len(all) > 0 && all[len(all)-1] == strconv.Itoa(n)
	})
	list := in.all()
	wantIncreasing(t, list)
	c := w.Stats()
	if missing := int64(n + 1 - len(list)); missing > c.Ambiguous {
		t.Errorf("%d messages are missing, of which %d are counted", missing, c.Ambiguous)
	}
	t.Logf("%d of %d PUBLISH missing; %+v", n+1-len(list), n+1, c)
	if c.WriterResets == 0 || c.Retried == 0 {
		t.Errorf("%+v: no cut hit a batch", c)
	}
	if c.Refused != 0 || c.Published+c.Ambiguous != int64(2*n+1) {
		t.Errorf("%+v: want %d published or ambiguous", c, 2*n+1)
	}
}

// wantFirstsRising fails the test unless the numbers 0 to n-1 occur in a list,
// the first of each in this order.
func wantFirstsRising(t testing.TB, list []string, n int) {
	t.Helper()
	next := 0
	for _, v := range list {
		if i, _ := strconv.Atoi(v); i == next {
			next++
		} else if i > next {
			t.Fatalf("%d comes before %d", i, next)
		}
	}
	if next != n {
		t.Fatalf("%d of %d values are there", next, n)
	}
}

// A killed Redis with an append-only file has every XADD after its restart.
func TestKill(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{Persist: true})
	w := newWriter(t, r.Client(), Config{})
	n := 0
	for range 3 {
		for range 3000 {
			if err := w.Append(xadd("s", strconv.Itoa(n))); err != nil {
				t.Fatal(err)
			}
			n++
		}
		before := w.Stats().Published
		redistest.Until(t, "commands are answered", func() bool { return w.Stats().Published > before })
		r.Kill()
		r.Restart()
	}
	answered(t, w)
	wantFirstsRising(t, stream(t, r, "s"), n)
}

// A Redis that hangs and goes on later does not carry out what the broken
// connection still holds behind what the new one brought.
func TestHangKeepsOrder(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	w := newWriter(t, r.Client(), Config{WriteTimeout: 100 * time.Millisecond})
	s := newSubscriber(t, r.Client(), Config{})
	var in inbox
	subscribe(t, s, Plain, in.handle, "c")
	publish(t, w, "c", "0")
	in.await(t, 1)
	r.Pause()
	n := 1
	for range 20 {
		publish(t, w, "c", strconv.Itoa(n))
		n++
	}
	redistest.Until(t, "the writer gives up", func() bool { return w.Stats().WriterResets > 0 })
	for range 2000 {
		publish(t, w, "c", strconv.Itoa(n))
		n++
	}
	r.Resume()
	answered(t, w)
	publish(t, w, "c", strconv.Itoa(n))
	redistest.Until(t, "the last message", func() bool {
		all := in.all()
		return all[len(all)-1] == strconv.Itoa(n)
	})
	wantIncreasing(t, in.all())
}

// The answers reach Done in order, with what Redis says.
func TestDone(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	w := newWriter(t, r.Client(), Config{})
	r.Do("set", "text", "x")
	type answer struct {
		reply any
		err   error
	}
	got := make(chan answer, 10)
	done := func(reply any, err error) { got <- answer{reply, err} }
	for _, args := range [][]any{
		{"SET", "k", []byte("v")}, {"GET", "k"}, {"GET", "none"}, {"LPUSH", "text", "x"}, {"PUBLISH", "c", "x"},
	} {
		if err := w.Append(Command{Key: "k", Args: args, Done: done}); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []answer{{"OK", nil}, {"v", nil}, {nil, redis.Nil}, {nil, errors.New("WRONGTYPE")}, {int64(0), nil}} {
		a := <-got
		if fmt.Sprint(a.reply) != fmt.Sprint(want.reply) || (a.err == nil) != (want.err == nil) || a.err != nil && !strings.HasPrefix(a.err.Error(), want.err.Error()) {
			t.Errorf("answer %d is %v, %v; want %v, %v", i, a.reply, a.err, want.reply, want.err)
		}
	}
	if s := w.Stats(); s.Refused != 1 || s.Published != 4 {
		t.Errorf("%+v: want 4 published, 1 refused", s)
	}
	for _, bad := range []Command{{}, {Key: "k", Args: []any{"SET", "k", 1}}} {
		if err := w.Append(bad); err != ErrArgument {
			t.Errorf("%v: %v, want ErrArgument", bad.Args, err)
		}
	}
	if err := w.Append(Command{Args: []any{"PING"}, Done: func(any, error) { panic("on purpose") }}); err != nil {
		t.Fatal(err)
	}
	redistest.Until(t, "the panic is counted", func() bool { return w.Stats().Panics == 1 })
}

// A server that refuses for the moment is asked again, and later with an error.
func TestTemporaryRefusal(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	w := newWriter(t, r.Client(), Config{RefusedTimeout: 300 * time.Millisecond})
	r.Do("replicaof", "127.0.0.1", "1")
	failed := make(chan error, 1)
	c := xadd("s", "late")
	c.Done = func(_ any, err error) { failed <- err }
	if err := w.Append(c); err != nil {
		t.Fatal(err)
	}
	if err := <-failed; !redis.IsReadOnlyError(err) {
		t.Errorf("a replica is written to: %v", err)
	}
	var tries atomic.Int32
	c = xadd("s", "0")
	c.Done = func(_ any, err error) {
		tries.Add(1)
		failed <- err
	}
	if err := w.Append(c); err != nil {
		t.Fatal(err)
	}
	redistest.Until(t, "it was refused once", func() bool { return w.Stats().WriterResets > 1 })
	r.Do("replicaof", "no", "one")
	<-failed
	if err := w.Append(xadd("s", "1")); err != nil {
		t.Fatal(err)
	}
	answered(t, w)
	if list := stream(t, r, "s"); list[len(list)-1] != "1" || tries.Load() != 1 {
		t.Errorf("the stream holds %v after %d calls of Done", list, tries.Load())
	}
}

// Close sends what is queued, if Redis is there.
func TestCloseSendsQueue(t *testing.T) {
	r := redistest.Start(t, redistest.Options{})
	client := r.Client()
	client.Ping(await.Context(t))
	check := base(t)
	l, err := New(client, Config{})
	if err != nil {
		t.Fatal(err)
	}
	subscribe(t, l, Plain, func(Message) {}, "a", "b")
	const n = 5000
	for i := range n {
		if err := l.Append(xadd("s", strconv.Itoa(i))); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(await.Context(t)); err != nil {
		t.Errorf("Close: %v", err)
	}
	wantRising(t, stream(t, r, "s"), n)
	if err := l.Publish("c", nil); err != ErrClosed {
		t.Errorf("Publish after Close: %v", err)
	}
	if err := l.Subscribe(await.Context(t), Plain, func(Message) {}, "c"); err != ErrClosed {
		t.Errorf("Subscribe after Close: %v", err)
	}
	if err := l.Close(await.Context(t)); err != nil {
		t.Errorf("a second Close: %v", err)
	}
	check()
}

// Close ends with Redis out of reach, or silent, and says that something was
// left.
func TestCloseWithoutRedis(t *testing.T) {
	for _, how := range []string{"down", "silent"} {
		t.Run(how, func(t *testing.T) {
			r := redistest.Start(t, redistest.Options{})
			p := redistest.NewProxy(t, r.Addr())
			client := through(t, p.Addr())
			check := base(t)
			l, err := New(client, Config{})
			if err != nil {
				t.Fatal(err)
			}
			subscribe(t, l, Plain, func(Message) {}, "a")
			publish(t, l.Writer, "c", "x")
			answered(t, l.Writer)
			ctx, cancel := context.WithCancel(await.Context(t))
			if how == "down" {
				p.Down()
			} else {
				p.Silence()
				time.AfterFunc(50*time.Millisecond, cancel)
			}
			got := make(chan error, 1)
			if err := l.Append(Command{Key: "k", Args: []any{"SET", "k", "v"}, Retry: true, Done: func(_ any, err error) { got <- err }}); err != nil {
				t.Fatal(err)
			}
			if err := l.Close(ctx); err != ErrClosed && !errors.Is(err, ErrClosed) {
				t.Errorf("Close: %v, want ErrClosed", err)
			}
			cancel()
			if err := <-got; err != ErrClosed {
				t.Errorf("Done gets %v, want ErrClosed", err)
			}
			p.Cut()
			check()
		})
	}
}

// Subscribers are counted, and nobody waits longer for that than he says.
func TestNumSub(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	p := redistest.NewProxy(t, r.Addr())
	client := redis.NewClient(&redis.Options{Addr: p.Addr(), ReadTimeout: time.Hour})
	t.Cleanup(func() { _ = client.Close() })
	l := newLink(t, client, Config{})
	subscribe(t, l, Plain, func(Message) {}, "a", "b")
	subscribe(t, l, Sharded, func(Message) {}, "s")
	ctx := await.Context(t)
	if n, err := l.NumSub(ctx, Plain, "b", "none", "a"); fmt.Sprint(n) != "[1 0 1]" || err != nil {
		t.Errorf("NUMSUB: %v, %v", n, err)
	}
	if n, err := l.NumSub(ctx, Sharded, "s", "a"); fmt.Sprint(n) != "[1 0]" || err != nil {
		t.Errorf("SHARDNUMSUB: %v, %v", n, err)
	}
	p.Silence()
	defer p.Speak()
	ctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	answered := make(chan error, 1)
	go func() { // ends with ctx
		_, err := l.NumSub(ctx, Plain, "a")
		answered <- err
	}()
	select {
	case err := <-answered:
		if err == nil {
			t.Error("NUMSUB: an answer through a silent proxy")
		}
	case <-time.After(long / 2):
		t.Fatal("NUMSUB waits beyond the end of its context")
	}
}
