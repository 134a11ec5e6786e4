package redisadapter

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/internal/redistest"
)

// gapOf waits for a gap.
func gapOf(t testing.TB, gaps <-chan cluster.Gap) cluster.Gap {
	t.Helper()
	select {
	case g := <-gaps:
		return g
	case <-time.After(time.Minute):
		t.Fatal("no gap was reported")
		return cluster.Gap{}
	}
}

// TestStreamsTrimmed: entries that were gone before they were read are reported,
// and a session that has missed one of them is not restored.
func TestStreamsTrimmed(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	proxy := redistest.NewProxy(t, server.Addr())
	opts := apart(StreamsOptions{MaxLen: 10})
	a, _ := recoverer(t, server.Client(), opts)
	gaps := make(chan cluster.Gap, 100)
	opts.OnGap = func(string, cluster.Gap) { gaps <- cluster.Gap{} }
	b, local := recoverer(t, through(t, proxy), opts)
	m := enterSharded(t, b, &shardedMember{id: "b"}, "r")
	b.Save(m, adapters.Session{ID: "b", PID: "p", Rooms: []string{"b", "r"}})
	emitN(t, a, 0, 1)
	redistest.Until(t, "the first event", func() bool { return len(m.events()) == 1 })
	first := m.events()[0]
	offset := first[strings.LastIndex(first, `,"`)+2 : len(first)-2]
	proxy.Down()
	emitN(t, a, 1, 1000)
	redistest.Until(t, "all entries", func() bool {
		info, err := server.Client().XInfoStream(t.Context(), opts.StreamName).Result()
		return err == nil && info.EntriesAdded == 1000
	})
	proxy.Up()
	redistest.Until(t, "the last event", func() bool {
		got := plain(m.events())
		return got[len(got)-1] == `["n",999]`
	})
	if n := len(m.events()); n < 10 || n > 300 {
		t.Errorf("%d events", n)
	}
	gapOf(t, gaps) // of what goes by pub/sub
	gapOf(t, gaps) // of the stream
	b.LeaveAll(m)
	b.Save(nil, adapters.Session{ID: "b", PID: "p"})
	if _, err := b.Restore(t.Context(), "p", offset, func(adapters.Session) adapters.Member { return m }); !errors.Is(err, adapters.ErrNoSession) {
		t.Errorf("Restore: %v", err)
	}
	if got := local.serverEvents(); !slices.Equal(got, []string{"expired p"}) {
		t.Errorf("reported: %q", got)
	}
}

// TestStreamsTrimmedUnnoticed: the gap begins before what was lost, however late it
// is noticed that the link is broken.
func TestStreamsTrimmedUnnoticed(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	proxy := redistest.NewProxy(t, server.Addr())
	opts := apart(StreamsOptions{MaxLen: 10})
	a := streamsNode(t, server.Client(), opts, &shardedLocal{name: "/"})
	gaps := make(chan cluster.Gap, 100)
	opts.OnGap = func(_ string, g cluster.Gap) { gaps <- g }
	b := streamsNode(t, through(t, proxy), opts, &shardedLocal{name: "/"})
	m := enterSharded(t, b, &shardedMember{id: "b"}, "r")
	emitN(t, a, 0, 1)
	wantGot(t, m, numbered(0, 1), "before")
	proxy.Silence()
	lost := time.Now()
	emitN(t, a, 1, 1000)
	redistest.Until(t, "all entries", func() bool {
		info, err := server.Client().XInfoStream(t.Context(), opts.StreamName).Result()
		return err == nil && info.EntriesAdded == 1000
	})
	proxy.Cut()
	proxy.Speak()
	for range 2 { // of what goes by pub/sub, and of the stream
		if g := gapOf(t, gaps); g.From.After(lost) || g.To.Before(lost) {
			t.Errorf("the gap begins %v after what was lost, ends %v after it", g.From.Sub(lost), g.To.Sub(lost))
		}
	}
}
