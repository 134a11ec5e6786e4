package link

import (
	"strconv"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/redistest"
)

// When Sentinel makes the replica the master, the writer and the subscriber go
// over to it, and what was queued is sent there.
func TestSentinelFailover(t *testing.T) {
	t.Parallel()
	s := redistest.StartSentinel(t, 1)
	var g gapped
	l := newLink(t, s.Client(), Config{OnGap: g.onGap, WriteTimeout: time.Second})
	var in inbox
	subscribe(t, l, Plain, in.handle, "c")
	publish(t, l.Writer, "c", "0")
	in.await(t, 1)
	s.Servers[0].Kill()
	for i := range 100 {
		if err := l.Append(xadd("s", strconv.Itoa(i))); err != nil {
			t.Fatal(err)
		}
	}
	g.await(t, 1)
	answered(t, l.Writer)
	wantFirstsRising(t, stream(t, s.Servers[1], "s"), 100)
	publish(t, l.Writer, "c", "1")
	wantRising(t, in.await(t, 2), 2)
}
