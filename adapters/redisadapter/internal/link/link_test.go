package link

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/internal/await"
	"github.com/hermod-io/hermod/internal/redistest"
)

// long is a deadline that is only reached when something is wrong.
const long = time.Minute

// newLink returns a link that is closed with the test.
func newLink(t testing.TB, client redis.UniversalClient, c Config) *Link {
	t.Helper()
	l, err := New(client, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = l.Close(ctx)
	})
	return l
}

// inbox collects the payloads of messages.
type inbox struct {
	mu   sync.Mutex
	list []string
}

func (b *inbox) handle(m Message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.list = append(b.list, string(m.Payload))
}

func (b *inbox) all() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.list...)
}

// await waits for n messages and returns them.
func (b *inbox) await(t testing.TB, n int) []string {
	t.Helper()
	redistest.Until(t, fmt.Sprintf("%d messages", n), func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return len(b.list) >= n
	})
	return b.all()
}

// subscribe subscribes with a handler and fails the test if it cannot.
func subscribe(t testing.TB, l interface {
	Subscribe(context.Context, Kind, Handler, ...string) error
}, kind Kind, h Handler, channels ...string) {
	t.Helper()
	if err := l.Subscribe(await.Context(t), kind, h, channels...); err != nil {
		t.Fatalf("%v %.100v: %v", kind, channels, err)
	}
}

// publish publishes and fails the test if it cannot.
func publish(t testing.TB, w *Writer, channel, payload string) {
	t.Helper()
	if err := w.Publish(channel, []byte(payload)); err != nil {
		t.Fatal(err)
	}
}

// wantRising fails the test unless the numbers are 0 to n-1 in this order.
func wantRising(t testing.TB, list []string, n int) {
	t.Helper()
	if len(list) != n {
		t.Fatalf("%d messages, want %d", len(list), n)
	}
	for i, v := range list {
		if v != strconv.Itoa(i) {
			t.Fatalf("message %d is %s", i, v)
		}
	}
}

// base notes the number of goroutines and returns a check that they are that
// few again.
func base(t testing.TB) (check func()) {
	n := runtime.NumGoroutine()
	return func() {
		t.Helper()
		defer func() {
			if t.Failed() {
				buf := make([]byte, 1<<20)
				t.Logf("%s", buf[:runtime.Stack(buf, true)])
			}
		}()
		redistest.Until(t, fmt.Sprintf("at most %d goroutines", n), func() bool { return runtime.NumGoroutine() <= n })
	}
}

// What one goroutine publishes arrives in its order, from one and from eight.
func TestOrder(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	l := newLink(t, r.Client(), Config{})
	var one inbox
	subscribe(t, l, Plain, one.handle, "one")
	const n = 10_000
	for i := range n {
		publish(t, l.Writer, "one", strconv.Itoa(i))
	}
	wantRising(t, one.await(t, n), n)

	var eight inbox
	subscribe(t, l, Plain, eight.handle, "eight")
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 1000 {
				if err := l.Publish("eight", fmt.Appendf(nil, "%d %d", g, i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	next := make(map[string]int)
	for _, v := range eight.await(t, 8000) {
		g, i, _ := strings.Cut(v, " ")
		if i != strconv.Itoa(next[g]) {
			t.Fatalf("goroutine %s: %s comes after %d messages", g, i, next[g])
		}
		next[g]++
	}
}
