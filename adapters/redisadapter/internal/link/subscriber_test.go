package link

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/await"
	"github.com/hermod-io/hermod/internal/redistest"
)

// names returns n channel names.
func names(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = "channel-" + strconv.Itoa(i)
	}
	return list
}

// A gap begins before the first message that was lost was published, even if one
// that was published earlier came later than that.
func TestGapWithMessagesOnTheWay(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	p := redistest.NewProxy(t, r.Addr())
	var g gapped
	s := newSubscriber(t, through(t, p.Addr()), Config{OnGap: g.onGap})
	var in inbox
	subscribe(t, s, Plain, in.handle, "c")
	const delay = 200 * time.Millisecond
	p.Delay(delay)
	r.Do("publish", "c", "kept")
	published := time.Now()
	redistest.Until(t, "it is half way", func() bool { return time.Since(published) > delay/2 })
	lost := time.Now()
	r.Do("publish", "c", "lost")
	in.await(t, 1)
	p.Cut()
	p.Delay(0)
	if x := g.await(t, 1); x.from.After(lost) || x.to.Before(lost) {
		t.Errorf("the gap begins %v after what was lost, ends %v after it", x.from.Sub(lost), x.to.Sub(lost))
	}
}

// gapped counts calls of OnGap.
type gapped struct {
	mu   sync.Mutex
	list []gap
}

func (g *gapped) onGap(from, to time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.list = append(g.list, gap{from, to})
}

// await waits for n gaps and returns the last.
func (g *gapped) await(t testing.TB, n int) gap {
	t.Helper()
	redistest.Until(t, fmt.Sprintf("%d gaps", n), func() bool { return g.count() >= n })
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.list) != n {
		t.Fatalf("%d gaps, want %d", len(g.list), n)
	}
	return g.list[n-1]
}

func (g *gapped) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.list)
}

// All kinds share one connection, whoever subscribes.
func TestOneConnection(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	s := newSubscriber(t, r.Client(), Config{})
	var in [4]inbox
	var wg sync.WaitGroup
	for i := range 300 {
		wg.Go(func() { subscribe(t, s, Plain, in[0].handle, "p"+strconv.Itoa(i)) })
	}
	wg.Wait()
	subscribe(t, s, Pattern, in[1].handle, "x*")
	subscribe(t, s, Sharded, in[2].handle, "s")
	if text := r.Text("client", "list", "type", "pubsub"); strings.Count(text, "\n") != 1 {
		t.Errorf("not one connection:\n%s", text)
	}
	r.Do("publish", "p17", "plain")
	r.Do("publish", "x1", "pattern")
	r.Do("spublish", "s", "sharded")
	r.Do("publish", "s", "nobody")
	r.Do("publish", "p17", "end")
	if got := in[0].await(t, 2); got[0] != "plain" {
		t.Errorf("the plain channel brings %q", got)
	}
	if got := in[1].await(t, 1); got[0] != "pattern" {
		t.Errorf("the pattern brings %q", got)
	}
	if got := in[2].await(t, 1); got[0] != "sharded" {
		t.Errorf("the sharded channel brings %q", got)
	}
	if err := s.Subscribe(await.Context(t), Sharded, in[3].handle, "p1"); err != ErrKind {
		t.Errorf("a plain channel subscribed as sharded: %v", err)
	}
	if c := s.Stats(); c.Subscriptions != 302 || c.Confirmed != 302 || c.Messages != 4 {
		t.Errorf("%+v: want 302 subscriptions, confirmed, and 4 messages", c)
	}
}

// After a restart of Redis every channel is subscribed again, and there is one
// gap for all of them, told when that is done.
func TestResubscribe(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	var g gapped
	var s *Subscriber
	s = newSubscriber(t, r.Client(), Config{OnGap: func(from, to time.Time) {
		if c := s.Stats(); c.Confirmed != c.Subscriptions {
			t.Errorf("a gap is told with %d of %d subscriptions confirmed", c.Confirmed, c.Subscriptions)
		}
		g.onGap(from, to)
	}})
	var in inbox
	const n = 2000
	subscribe(t, s, Plain, in.handle, names(n)...)
	subscribe(t, s, Pattern, in.handle, "pattern-*")
	for i := range 3 {
		r.Kill()
		killed := time.Now()
		redistest.Until(t, "the subscriber notices", func() bool { return s.Stats().Reconnects > int64(i) })
		r.RestartEmpty()
		x := g.await(t, i+1)
		if x.from.After(killed) || x.to.Before(killed) {
			t.Errorf("gap from %v to %v after a kill at %v", x.from, x.to, killed)
		}
	}
	for i := range n {
		r.Client().Publish(await.Context(t), "channel-"+strconv.Itoa(i), strconv.Itoa(i))
		if i == 50 { // and the last ones
			break
		}
	}
	r.Do("publish", "channel-1999", "51")
	r.Do("publish", "pattern-1", "52")
	wantRising(t, in.await(t, 53), 53)
	if counts := r.Do("pubsub", "channels").([]any); len(counts) != n {
		t.Errorf("%d channels have subscribers, want %d", len(counts), n)
	}
}

// A link that goes silent without an RST is noticed by its pings.
func TestSilentCut(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	p := redistest.NewProxy(t, r.Addr())
	var g gapped
	s := newSubscriber(t, through(t, p.Addr()), Config{PingInterval: 100 * time.Millisecond, WriteTimeout: 200 * time.Millisecond, OnGap: g.onGap})
	var in inbox
	subscribe(t, s, Plain, in.handle, "c")
	p.Silence()
	redistest.Until(t, "the subscriber notices", func() bool { return s.Stats().Reconnects > 0 })
	if g.count() > 0 {
		t.Error("a gap before the link is back")
	}
	p.Cut()
	p.Speak()
	g.await(t, 1)
	r.Do("publish", "c", "back")
	if got := in.await(t, 1); got[0] != "back" {
		t.Errorf("after the silence comes %q", got)
	}
}

// An idle connection that answers its pings is kept.
func TestIdleIsKept(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	s := newSubscriber(t, r.Client(), Config{PingInterval: 50 * time.Millisecond})
	subscribe(t, s, Plain, func(Message) {}, "c")
	pings := func() int {
		for line := range strings.Lines(r.Text("info", "commandstats")) {
			if rest, ok := strings.CutPrefix(line, "cmdstat_ping:calls="); ok {
				n, _, _ := strings.Cut(rest, ",")
				i, _ := strconv.Atoi(n)
				return i
			}
		}
		return 0
	}
	redistest.Until(t, "ten pings", func() bool { return pings() >= 10 })
	if c := s.Stats(); c.Reconnects != 0 || c.Gaps != 0 {
		t.Errorf("%+v: a connection in order was given up", c)
	}
}

// A Subscribe that cannot wait any longer leaves the channel wanted.
func TestSubscribeGoesOn(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	p := redistest.NewProxy(t, r.Addr())
	p.Down()
	s := newSubscriber(t, through(t, p.Addr()), Config{})
	var in inbox
	ctx, cancel := context.WithCancel(await.Context(t))
	time.AfterFunc(20*time.Millisecond, cancel)
	if err := s.Subscribe(ctx, Plain, in.handle, "c"); !errors.Is(err, context.Canceled) {
		t.Errorf("Subscribe: %v, want that ctx ended", err)
	}
	p.Up()
	redistest.Until(t, "a confirmation", func() bool { return s.Stats().Confirmed == 1 })
	r.Do("publish", "c", "x")
	in.await(t, 1)
	if n := s.Stats().Gaps; n != 0 {
		t.Errorf("%d gaps of a channel that was never subscribed before", n)
	}
}

// Unsubscribe is told to Redis after a while, unless somebody subscribes again.
func TestLinger(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	s := newSubscriber(t, r.Client(), Config{Linger: 2 * time.Second}) // longer than it may take to subscribe again
	var old, in, mark inbox
	subscribe(t, s, Plain, old.handle, "kept", "left")
	subscribe(t, s, Pattern, mark.handle, "mark*")
	s.Unsubscribe(Plain, "kept", "left", "unknown")
	s.Unsubscribe(Sharded, "kept")
	r.Do("publish", "kept", "nobody hears this")
	r.Do("publish", "mark", "that was handed over before")
	mark.await(t, 1)
	subscribe(t, s, Plain, in.handle, "kept")
	redistest.Until(t, "one is gone", func() bool { return fmt.Sprint(r.Do("pubsub", "channels")) == "[kept]" })
	if n := r.Text("info", "commandstats"); !strings.Contains(n, "cmdstat_subscribe:calls=1,") {
		t.Error("the second Subscribe was sent")
	}
	r.Do("publish", "kept", "x")
	if got := in.await(t, 1); got[0] != "x" || len(old.all()) != 0 {
		t.Errorf("the new handler gets %q, the old one %q", got, old.all())
	}
	subscribe(t, s, Plain, in.handle, "left")
	r.Do("publish", "left", "y")
	in.await(t, 2)

	none := newSubscriber(t, r.Client(), Config{Linger: -1})
	for range 50 { // what goes and comes stays in order
		subscribe(t, none, Plain, in.handle, "flip")
		none.Unsubscribe(Plain, "flip")
	}
	subscribe(t, none, Plain, in.handle, "flip")
	r.Do("publish", "flip", "z")
	in.await(t, 3)
	if c := none.Stats(); c.Subscriptions != 1 || c.Confirmed != 1 {
		t.Errorf("%+v: want one subscription, confirmed", c)
	}
}

// A Subscribe that waits learns that it was undone.
func TestUnsubscribeWhileWaiting(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	p := redistest.NewProxy(t, r.Addr())
	p.Down()
	s := newSubscriber(t, through(t, p.Addr()), Config{Linger: -1})
	got := make(chan error, 1)
	go func() { got <- s.Subscribe(await.Context(t), Plain, func(Message) {}, "c") }()
	redistest.Until(t, "it waits", func() bool { return s.Stats().Subscriptions == 1 })
	s.Unsubscribe(Plain, "c")
	if err := <-got; err != ErrUnsubscribed {
		t.Errorf("Subscribe: %v, want ErrUnsubscribed", err)
	}
}

// A handler that panics does not make the node deaf.
func TestPoison(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	s := newSubscriber(t, r.Client(), Config{})
	var in inbox
	subscribe(t, s, Plain, func(m Message) {
		if len(m.Payload) == 0 {
			panic("on purpose")
		}
		in.handle(m)
	}, "c")
	r.Do("publish", "c", "")
	r.Do("publish", "c", "x")
	in.await(t, 1)
	if c := s.Stats(); c.Panics != 1 || c.Messages != 2 || c.Reconnects != 0 {
		t.Errorf("%+v: want 1 panic of 2 messages", c)
	}
}

// A channel that Redis refuses does not take others of the same call along.
func TestForbiddenChannel(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	r.Do("acl", "setuser", "default", "resetchannels", "&good*")
	s := newSubscriber(t, r.Client(), Config{})
	var in inbox
	err := s.Subscribe(await.Context(t), Plain, in.handle, "good1", "bad", "good2")
	if err == nil || !strings.Contains(err.Error(), "NOPERM") || !strings.Contains(err.Error(), "bad") {
		t.Errorf("Subscribe: %v, want NOPERM of bad", err)
	}
	redistest.Until(t, "the good ones are confirmed", func() bool { return s.Stats().Confirmed == 2 })
	r.Do("publish", "good1", "0")
	r.Do("publish", "good2", "1")
	wantRising(t, in.await(t, 2), 2)
	r.Do("acl", "setuser", "default", "allchannels")
	redistest.Until(t, "the bad one as well, when it may", func() bool { return s.Stats().Confirmed == 3 })
}

// Sharded channels of a standalone server need no slots.
func TestShardedStandalone(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	l := newLink(t, r.Client(), Config{})
	var in inbox
	subscribe(t, l, Sharded, in.handle, names(1200)...)
	for i := range 1200 {
		if err := l.SPublish("channel-"+strconv.Itoa(i), []byte(strconv.Itoa(i))); err != nil {
			t.Fatal(err)
		}
	}
	wantRising(t, in.await(t, 1200), 1200)
}
