package link

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/internal/redistest"
)

// batchOf is the batch of texts.
func batchOf(texts ...string) []byte {
	b := []byte{batchByte}
	for _, t := range texts {
		b = appendText(b, []byte(t))
	}
	return b
}

// textsOf are those of a batch.
func textsOf(t testing.TB, payload []byte) (texts []string) {
	t.Helper()
	left, n, err := ParseBatch(payload)
	if err != nil {
		t.Fatalf("%.80q: %v", payload, err)
	}
	for range n {
		texts = append(texts, string(left.Next()))
	}
	if len(left) > 0 {
		t.Fatalf("%d bytes are left behind %d texts", len(left), n)
	}
	return texts
}

// What is no batch, or a part of one, is none.
func TestMalformedBatch(t *testing.T) {
	whole := batchOf("a", strings.Repeat("b", 300), "c")
	if got := textsOf(t, whole); len(got) != 3 || got[0] != "a" || len(got[1]) != 300 || got[2] != "c" {
		t.Errorf("%q", got)
	}
	ends := map[int]bool{1 + 2: true, 1 + 2 + 302: true} // behind a text
	for i := range whole {
		if _, _, err := ParseBatch(whole[:i]); (err == nil) != ends[i] {
			t.Errorf("the first %d bytes: %v", i, err)
		}
	}
	for _, bad := range []string{
		"", "x", "{}", "\xc1", "\xc1\x00", "\xc1\x01a\x00", "\xc1\x81\x00a", "\xc1\x02a", "\xc1\x01", "\xc1\x01a\x80",
		"\xc1\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01a", "\xc1\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01a",
	} {
		if _, n, err := ParseBatch([]byte(bad)); err != ErrBatch || n != 0 {
			t.Errorf("%q: %d texts, %v", bad, n, err)
		}
	}
}

// FuzzBatch: of whatever comes, what is taken for a batch is one to the byte.
func FuzzBatch(f *testing.F) {
	for _, seed := range [][]byte{
		batchOf("a"), batchOf("a", "b"), batchOf(strings.Repeat("x", 127), strings.Repeat("y", 128), "z"), batchOf(`{"type":3}`, "\x83"),
		batchOf(string(batchOf("nested"))), []byte("{}"), []byte("\xc1\x81\x00a"), []byte("\xc1\x05abc"),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		if _, _, err := ParseBatch(payload); err != nil {
			return
		}
		texts := textsOf(t, payload)
		if slices.Contains(texts, "") {
			t.Fatal("an empty text")
		}
		if again := batchOf(texts...); !bytes.Equal(again, payload) {
			t.Fatalf("%q is written as %q", payload, again)
		}
	})
}

// queued is a writer that is not connected, and its lane.
func queued(batches bool) (*Writer, *lane) {
	w := &Writer{c: Config{Batches: batches}, closing: make(chan struct{}), lanes: make(map[string]*lane)}
	l := &lane{w: w, kick: make(chan struct{}, 1)}
	w.lanes[""] = l
	return w, l
}

// shape is how many messages each command in the queue stands for.
func (l *lane) shape() (list []int) {
	for _, e := range l.queue {
		list = append(list, e.messages())
	}
	return list
}

// Only what is consecutive and alike is joined.
func TestJoin(t *testing.T) {
	small, big := []byte("x"), make([]byte, maxJoinedBytes/2)
	for _, c := range []struct {
		name string
		off  bool
		send func(w *Writer, f *Form) error
		want []int
	}{
		{"alike", false, func(w *Writer, _ *Form) error {
			return errors.Join(w.Publish("c", small), w.Publish("c", small), w.Publish("c", big))
		}, []int{3}},
		{"the option is off", true, func(w *Writer, _ *Form) error { return errors.Join(w.Publish("c", small), w.Publish("c", small)) }, []int{1, 1}},
		{"channels", false, func(w *Writer, _ *Form) error {
			return errors.Join(w.Publish("c", small), w.Publish("d", small), w.Publish("c", small), w.Publish("c", small))
		}, []int{1, 1, 2}},
		{"keys", false, func(w *Writer, _ *Form) error {
			return errors.Join(w.PublishVia("a", "c", small), w.PublishVia("b", "c", small))
		}, []int{1, 1}},
		{"verbs", false, func(w *Writer, _ *Form) error {
			return errors.Join(w.SPublish("c", small), w.SPublish("c", small), w.Publish("c", small))
		}, []int{2, 1}},
		{"too much", false, func(w *Writer, _ *Form) error {
			return errors.Join(w.Publish("c", big), w.Publish("c", big), w.Publish("c", small))
		}, []int{1, 2}},
		{"too long", false, func(w *Writer, _ *Form) error {
			return errors.Join(w.Publish("c", make([]byte, 1<<20)), w.Publish("c", small))
		}, []int{1, 1}},
		{"nothing in it", false, func(w *Writer, _ *Form) error {
			return errors.Join(w.Publish("c", small), w.Publish("c", nil), w.Publish("c", small))
		}, []int{1, 1, 1}},
		{"too many", false, func(w *Writer, _ *Form) (err error) {
			for range maxJoined + 2 {
				err = errors.Join(err, w.Publish("c", small))
			}
			return err
		}, []int{maxJoined, 2}},
		{"forms", false, func(w *Writer, f *Form) error {
			plain := w.NewForm("s", "XADD", "s", "*", "v", nil)
			return errors.Join(f.Append(small, small), f.Append(small, small), f.Append(small, nil), plain.Append(small), plain.Append(small))
		}, []int{2, 1, 1, 1}},
		{"commands", false, func(w *Writer, f *Form) error {
			return errors.Join(f.Append(small, small), w.Append(xadd("s", "x")), w.Append(xadd("s", "x")), f.Append(small, small))
		}, []int{1, 1, 1, 1}},
	} {
		w, l := queued(!c.off)
		f := w.NewForm("s", "XADD", "s", "*", "a", nil, "b", nil)
		f.Join("XADD", "s", "*", "batch", nil)
		if err := c.send(w, f); err != nil {
			t.Fatal(err)
		}
		if got := l.shape(); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		total := messages(l.queue)
		if l.waiting != total || w.left != total {
			t.Errorf("%s: %d wait and %d are left, want %d", c.name, l.waiting, w.left, total)
		}
	}
}

// What was sent, refused or sent elsewhere before is joined with nothing.
func TestJoinFresh(t *testing.T) {
	for name, spoil := range map[string]func(e *entry){
		"sent":       func(e *entry) { e.sent = 1 },
		"refused":    func(e *entry) { e.refused = time.Now() },
		"redirected": func(e *entry) { e.redirects = 1 },
		"asking":     func(e *entry) { e.ask = "a:1" },
	} {
		w, l := queued(true)
		if err := w.Publish("c", []byte("1")); err != nil {
			t.Fatal(err)
		}
		spoil(l.queue[0])
		if err := w.Publish("c", []byte("2")); err != nil {
			t.Fatal(err)
		}
		e := w.pool.get(verbPublish, "c", "c", []byte("3"))
		e.joins = true
		spoil(e)
		w.mu.Lock()
		l.push(e)
		w.mu.Unlock()
		if got := l.shape(); !slices.Equal(got, []int{1, 1, 1}) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A batch takes as many bytes on the wire as is reckoned with: what was written is
// told from what was not by it.
func TestBatchWireLength(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	sess := connected(t, newWriter(t, r.Client(), Config{}))
	q, l := queued(true)
	f := q.NewForm("s", "XADD", "s", "*", "a", nil, "b", nil)
	f.Join("XADD", "s", "*", "batch", nil)
	for n := 2; n < 150; n += 7 {
		for i := range n {
			text := bytes.Repeat([]byte("x"), 1+i)
			if err := q.PublishVia("k", "c", text); err != nil {
				t.Fatal(err)
			}
		}
		for i := range n {
			if err := f.Append([]byte("3"), bytes.Repeat([]byte("x"), 1+i)); err != nil {
				t.Fatal(err)
			}
		}
		l.batch = l.takeAll()
		if len(l.batch) != 2 || messages(l.batch) != 2*n {
			t.Fatalf("%d commands stand for %d, want 2 for %d", len(l.batch), messages(l.batch), 2*n)
		}
		l.seal()
		for _, e := range l.batch {
			before := sess.conn.written.Load()
			if err := sess.client.Process(background, e.cmd); err != nil {
				t.Fatal(err)
			}
			if n := sess.conn.written.Load() - before; n != e.length() {
				t.Errorf("%.60v: %d bytes are written, %d expected", e.cmd.Args(), n, e.length())
			}
		}
	}
}

// gated returns a client that connects when open is called. Each wrap is laid around
// its connections.
func gated(t testing.TB, r *redistest.Server, wrap ...func(net.Conn) net.Conn) (client *redis.Client, open func()) {
	ready := make(chan struct{})
	client = redis.NewClient(&redis.Options{Addr: r.Addr(), Dialer: func(ctx context.Context, network, addr string) (net.Conn, error) {
		select {
		case <-ready:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		c, err := new(net.Dialer).DialContext(ctx, network, addr)
		for _, f := range wrap {
			c = f(c)
		}
		return c, err
	}})
	t.Cleanup(func() { _ = client.Close() })
	return client, func() { close(ready) }
}

// each has a subscriber hand over messages one by one.
func each(t testing.TB, s *Subscriber, in *inbox) Handler {
	return func(m Message) {
		if err := s.Each(m, in.handle); err != nil {
			t.Error(err)
		}
	}
}

// What waits goes as few commands, in order, and is counted as ever; one that is
// alone is sent as it is.
func TestBatches(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	client, open := gated(t, r)
	w := newWriter(t, client, Config{Batches: true})
	s := newSubscriber(t, r.Client(), Config{})
	var in, raw inbox
	subscribe(t, s, Plain, each(t, s, &in), "c", "d")
	subscribe(t, s, Sharded, each(t, s, &in), "e")
	other := newSubscriber(t, r.Client(), Config{})
	subscribe(t, other, Pattern, raw.handle, "*")
	const n = 900
	for i := range n {
		text := []byte(strconv.Itoa(i))
		var err error
		switch {
		case i%300 == 299: // alone between others
			err = w.Publish("d", text)
		case i/300 == 1:
			err = w.SPublish("e", text)
		default:
			err = w.Publish("c", text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	open()
	wantRising(t, in.await(t, n), n)
	answered(t, w)
	commands := raw.await(t, 5)
	single := 0
	for _, c := range commands {
		if !IsBatch([]byte(c)) {
			single++
		}
	}
	if len(commands) != 5 || single != 3 {
		t.Errorf("%d commands without those of the sharded channel, %d of them single; want 5 and 3", len(commands), single)
	}
	if c := w.Stats(); c.Published != n || c.Batches != 3 || c.Dropped != 0 {
		t.Errorf("%+v: want %d published, 3 batches", c, n)
	}
	if c := s.Stats(); c.Messages != n {
		t.Errorf("%d messages are counted, want %d", c.Messages, n)
	}
}

// A panic of a handler costs one message of a batch, and a malformed batch is not
// handed over at all.
func TestBatchReceived(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	s := newSubscriber(t, r.Client(), Config{})
	var in inbox
	failed := make(chan error, 1)
	subscribe(t, s, Plain, func(m Message) {
		err := s.Each(m, func(m Message) {
			in.handle(m)
			if string(m.Payload) == "b" {
				panic("on purpose")
			}
		})
		if err != nil {
			failed <- err
		}
	}, "c")
	r.Do("publish", "c", batchOf("a", "b", "c"))
	if got := in.await(t, 3); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("%q", got)
	}
	r.Do("publish", "c", "\xc1\x01a\x05b")
	if err := <-failed; err != ErrBatch {
		t.Errorf("a malformed batch: %v", err)
	}
	r.Do("publish", "c", "d")
	if got := in.await(t, 4); got[3] != "d" {
		t.Errorf("%q", got)
	}
	if c := s.Stats(); c.Messages != 5 || c.Panics != 1 {
		t.Errorf("%+v: want 5 messages, 1 panic", c)
	}
}

// A message costs no more with batches than without, and one that waits is not
// copied more than once.
func TestBatchesAllocate(t *testing.T) {
	r := redistest.Start(t, redistest.Options{})
	w := newWriter(t, r.Client(), Config{Batches: true})
	payload := make([]byte, 200)
	allocates(t, w, "a PUBLISH", mostAllocs/2, func() { publishBytes(t, w, payload) })
	f := joinedForm(w, "s")
	allocates(t, w, "an entry", mostFormAllocs/2, func() {
		if err := f.Append(payload); err != nil {
			t.Fatal(err)
		}
	})
}

// One goroutine publishes as fast as the queue takes it, with batches and without.
func BenchmarkBatches(b *testing.B) {
	r := redistest.Start(b, redistest.Options{})
	for _, on := range []bool{false, true} {
		for _, size := range []int{200, 1000} {
			b.Run(fmt.Sprint(map[bool]string{false: "single/", true: "batches/"}[on], size), func(b *testing.B) {
				w := newWriter(b, r.Client(), Config{Batches: on})
				payload := make([]byte, size)
				b.ReportAllocs()
				fill(b, w, func() error { return w.Publish("channel", payload) })
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "publishes/s")
			})
		}
	}
}
