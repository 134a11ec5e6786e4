package link

import (
	"fmt"
	"testing"

	"github.com/hermod-io/hermod/internal/alloctest"
	"github.com/hermod-io/hermod/internal/await"
	"github.com/hermod-io/hermod/internal/redistest"
)

// fill waits until the writer has room again.
func fill(b *testing.B, w *Writer, send func() error) {
	for b.Loop() {
		for send() == ErrQueueFull {
			redistest.Until(b, "room", func() bool { return w.Stats().Queued < 8<<20 })
		}
	}
	answered(b, w)
}

// One goroutine publishes as fast as the queue takes it; the time is that until
// Redis has answered all.
func BenchmarkPublish(b *testing.B) {
	r := redistest.Start(b, redistest.Options{})
	for _, size := range []int{200, 1000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			w := newWriter(b, r.Client(), Config{})
			payload := make([]byte, size)
			b.ReportAllocs()
			fill(b, w, func() error { return w.Publish("channel", payload) })
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "publishes/s")
		})
	}
}

// The same with entries of a stream.
func BenchmarkXAdd(b *testing.B) {
	r := redistest.Start(b, redistest.Options{})
	w := newWriter(b, r.Client(), Config{})
	payload := make([]byte, 200)
	b.ReportAllocs()
	fill(b, w, func() error {
		return w.Append(Command{Key: "s", Args: []any{"XADD", "s", "MAXLEN", "~", "10000", "*", "data", payload}, Retry: true})
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commands/s")
}

// A message from PUBLISH to the handler, one at a time.
func BenchmarkRoundTrip(b *testing.B) {
	r := redistest.Start(b, redistest.Options{})
	l := newLink(b, r.Client(), Config{})
	got := make(chan struct{})
	subscribe(b, l, Plain, func(Message) { got <- struct{}{} }, "c")
	payload := make([]byte, 200)
	b.ReportAllocs()
	for b.Loop() {
		if err := l.Publish("c", payload); err != nil {
			b.Fatal(err)
		}
		<-got
	}
}

// Subscriptions of many channels at once.
func BenchmarkSubscribe(b *testing.B) {
	r := redistest.Start(b, redistest.Options{})
	list := names(2000)
	for b.Loop() {
		s := newSubscriber(b, r.Client(), Config{})
		subscribe(b, s, Plain, func(Message) {}, list...)
		_ = s.Close(await.Context(b))
	}
	b.ReportMetric(float64(2000*b.N)/b.Elapsed().Seconds(), "channels/s")
}

// A PUBLISH costs next to no allocations, answer and all.
func TestPublishAllocates(t *testing.T) {
	r := redistest.Start(t, redistest.Options{})
	w := newWriter(t, r.Client(), Config{})
	payload := make([]byte, 200)
	allocates(t, w, "a PUBLISH", mostAllocs, func() { publishBytes(t, w, payload) })
}

// allocates fails if what queues a command, its answer and all, allocates more often.
func allocates(t *testing.T, w *Writer, what string, most float64, queue func()) {
	t.Helper()
	const n = 4000
	run := func() {
		for range n {
			queue()
		}
		answered(t, w)
	}
	run()
	if each := alloctest.PerRun(5, run) / n; each > most {
		t.Errorf("%.2f allocations for %s, want at most %v", each, what, most)
	}
}

func publishBytes(t testing.TB, w *Writer, payload []byte) {
	if err := w.Publish("channel", payload); err != nil {
		t.Fatal(err)
	}
}
