package link

import (
	"context"
	"net"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/redistest"
)

// joinedForm adds entries with one field, or with a batch.
func joinedForm(w *Writer, name string) *Form {
	f := w.NewForm(name, "XADD", name, "*", "v", nil)
	f.Join("XADD", name, "*", "batch", nil)
	return f
}

// joinedStream is what such entries hold, and in how many of them.
func joinedStream(t testing.TB, r *redistest.Server, name string) (list []string, entries int) {
	t.Helper()
	for _, e := range r.Do("xrange", name, "-", "+").([]any) {
		entries++
		switch f := e.([]any)[1].([]any); f[0] {
		case "v":
			list = append(list, f[1].(string))
		case "batch":
			list = append(list, textsOf(t, []byte(f[1].(string)))...)
		}
	}
	return list, entries
}

// Of a batch each command's Done is called once, with what Redis said of it.
func TestBatchDone(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	for name, refused := range map[string]bool{"s": false, "text": true} {
		if refused {
			r.Do("set", name, "x")
		}
		client, open := gated(t, r)
		w := newWriter(t, client, Config{Batches: true})
		f := joinedForm(w, name)
		const n = 1000
		got := make(chan int, 2*n)
		for i := range n {
			err := f.AppendDone(func(_ any, err error) {
				if err != nil == refused {
					got <- i
				}
			}, []byte(strconv.Itoa(i)))
			if err != nil {
				t.Fatal(err)
			}
		}
		open()
		answered(t, w)
		for i := range n {
			if k := <-got; k != i {
				t.Fatalf("%s: Done of %d is called instead of that of %d", name, k, i)
			}
		}
		c := w.Stats()
		if want := map[bool]int64{refused: n}; c.Refused != want[true] || c.Published != want[false] || len(got) > 0 {
			t.Errorf("%s: %+v", name, c)
		}
		if !refused {
			list, entries := joinedStream(t, r, name)
			wantRising(t, list, n)
			if entries != 2 || c.Batches != 2 {
				t.Errorf("%d entries, %d batches; want 2", entries, c.Batches)
			}
		}
	}
}

// sendTens publishes ten numbers and appends them, again and again until stop is
// closed, and returns how many there were.
func sendTens(t *testing.T, w *Writer, f *Form, calls *atomic.Int64, stop <-chan struct{}) (n int) {
	for {
		select {
		case <-stop:
			return n
		default:
		}
		if w.Stats().Queued > 64<<10 {
			runtime.Gosched()
			continue
		}
		for i := n; i < n+10; i++ {
			if err := w.Publish("c", []byte(strconv.Itoa(i))); err != nil {
				t.Error(err)
			}
		}
		for range 10 {
			if err := f.AppendDone(func(any, error) { calls.Add(1) }, []byte(strconv.Itoa(n))); err != nil {
				t.Error(err)
			}
			n++
		}
	}
}

// Connections that are cut in the middle of batches double no message, lose only
// what is counted, each of a batch, and lose nothing that is sent again.
func TestCutInBatches(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	p := redistest.NewProxy(t, r.Addr())
	w := newWriter(t, through(t, p.Addr()), Config{Batches: true})
	s := newSubscriber(t, r.Client(), Config{})
	var in inbox
	subscribe(t, s, Plain, each(t, s, &in), "c")
	f := joinedForm(w, "s")
	n, calls := 0, new(atomic.Int64)
	stop := make(chan struct{})
	var sending sync.WaitGroup
	sending.Go(func() { n = sendTens(t, w, f, calls, stop) })
	for cuts := int64(0); cuts < 20 || w.Stats().Retried == 0 && cuts < 1000; cuts++ {
		before := w.Stats()
		redistest.Until(t, "commands are answered", func() bool { return w.Stats().Published > before.Published })
		p.Cut()
		redistest.Until(t, "the writer notices", func() bool { return w.Stats().WriterResets > before.WriterResets })
	}
	close(stop)
	sending.Wait()
	publish(t, w, "c", strconv.Itoa(n))
	answered(t, w)
	list, entries := joinedStream(t, r, "s")
	wantFirstsRising(t, list, n)
	if calls.Load() != int64(n) || entries >= n {
		t.Errorf("Done is called %d times for %d values in %d entries", calls.Load(), n, entries)
	}
	redistest.Until(t, "the last message", func() bool {
		all := in.all()
		return len(all) > 0 && all[len(all)-1] == strconv.Itoa(n)
	})
	got := in.all()
	wantIncreasing(t, got)
	c := w.Stats()
	if missing := int64(n + 1 - len(got)); missing > c.Ambiguous || c.Published+c.Ambiguous != int64(2*n+1) {
		t.Errorf("%d messages are missing; %+v of %d", missing, c, 2*n+1)
	}
	if c.Retried == 0 || c.Batches == 0 {
		t.Errorf("%+v: no cut hit a batch", c)
	}
}

// A killed Redis with an append-only file has every entry after its restart.
func TestKillWithBatches(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{Persist: true})
	w := newWriter(t, r.Client(), Config{Batches: true})
	f := joinedForm(w, "s")
	n := 0
	for range 3 {
		for range 3000 {
			if err := f.Append([]byte(strconv.Itoa(n))); err != nil {
				t.Fatal(err)
			}
			n++
		}
		before := w.Stats().Published
		redistest.Until(t, "commands are answered", func() bool { return w.Stats().Published > before || w.Stats().Queued == 0 })
		r.Kill()
		r.Restart()
	}
	answered(t, w)
	list, entries := joinedStream(t, r, "s")
	wantFirstsRising(t, list, n)
	if entries >= n {
		t.Errorf("%d entries for %d values: nothing is joined", entries, n)
	}
}

// A batch that was written in part is sent again as a whole; those before it that
// went out are ambiguous, each message of them.
func TestTornBatches(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	var armed atomic.Bool
	armed.Store(true)
	client, open := gated(t, r, func(c net.Conn) net.Conn { return torn{c, &armed} })
	w := newWriter(t, client, Config{Batches: true})
	s := newSubscriber(t, r.Client(), Config{})
	var in inbox
	subscribe(t, s, Plain, each(t, s, &in), "c", "d")
	for i := range 80 {
		publish(t, w, []string{"c", "d"}[i/10%2], strconv.Itoa(i))
	}
	open()
	wantRising(t, in.await(t, 80), 80)
	answered(t, w)
	if c := w.Stats(); c.Ambiguous != 30 || c.Published != 50 || c.Batches != 5 || c.WriterResets != 1 {
		t.Errorf("%+v: want 30 ambiguous, 50 published in 5 batches", c)
	}
}

// What is queued in batches is bounded as it is without.
func TestBatchesQueueBound(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	var fit [2]int
	for i, on := range []bool{false, true} {
		client, open := gated(t, r)
		lost := make(chan int64, 1)
		w := newWriter(t, client, Config{QueueBytes: 20_000, Batches: on, OnLost: func(_, _ time.Time, n int64) { lost <- n }})
		for w.Publish("c", []byte("0123456789")) == nil {
			fit[i]++
		}
		open()
		if n := <-lost; n != 1 {
			t.Errorf("%d are lost, want 1", n)
		}
		answered(t, w)
		if c := w.Stats(); c.Published != int64(fit[i]) || c.Dropped != 1 {
			t.Errorf("%+v: want %d published, 1 dropped", c, fit[i])
		}
	}
	if fit[0] != fit[1] || fit[0] == 0 {
		t.Errorf("%d fit without batches, %d with them", fit[0], fit[1])
	}
}

// What is left at Close is counted, each message of a batch.
func TestCloseWithBatches(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	client, _ := gated(t, r)
	w, err := NewWriter(client, Config{Batches: true})
	if err != nil {
		t.Fatal(err)
	}
	f := joinedForm(w, "s")
	got := make(chan error, 100)
	for range 30 {
		publish(t, w, "c", "x")
	}
	for range 30 {
		if err := f.AppendDone(func(_ any, err error) { got <- err }, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.Close(ctx); err != ErrClosed {
		t.Errorf("Close: %v", err)
	}
	for range 30 {
		if err := <-got; err != ErrClosed {
			t.Errorf("Done gets %v", err)
		}
	}
	if c := w.Stats(); c.Dropped != 60 || c.Queued != 0 || len(got) > 0 {
		t.Errorf("%+v: want 60 dropped", c)
	}
}

// On a Cluster batches follow their channel and their stream to another server.
func TestBatchesOnCluster(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t)
	l := newLink(t, c.Client(), Config{Batches: true})
	var in inbox
	subscribe(t, l, Plain, each(t, l.Subscriber, &in), "{move}c")
	f := joinedForm(l.Writer, "{move}s")
	slot := int(keySlot("{move}"))
	n, entries := 0, 0
	send := func() {
		for range 1000 {
			publish(t, l.Writer, "{move}c", strconv.Itoa(n))
			n++
		}
	}
	add := func(owner int) {
		for i := range 1000 {
			if err := f.Append([]byte(strconv.Itoa(i))); err != nil {
				t.Fatal(err)
			}
		}
		answered(t, l.Writer)
		list, count := joinedStream(t, c.Nodes[owner], "{move}s")
		wantRising(t, list, 1000)
		entries += count
	}
	send()
	owner := c.Owner(slot)
	add(owner)
	c.Nodes[owner].Do("del", "{move}s") // keys are not moved
	send()
	next := (owner + 1) % 3
	c.MoveSlot(slot, next)
	send()
	add(next)
	wantRising(t, in.await(t, n), n)
	if s := l.Writer.Stats(); s.Published != int64(n+2000) || s.Batches == 0 || entries > 1000 {
		t.Errorf("%d entries; %+v: want %d published", entries, s, n+2000)
	}
}
