package cluster_test

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/socketio/parser"
)

// kept is a namespace with recovery that keeps what it delivers.
type kept struct {
	local
	mu      sync.Mutex // guards what follows
	events  []string
	expired []string
}

func (k *kept) Recovery() adapters.Recovery {
	return adapters.Recovery{On: true, MaxDisconnection: time.Minute, Retention: time.Minute}
}

func (k *kept) SessionExpired(s adapters.Session) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.expired = append(k.expired, s.PID)
}

func (k *kept) Deliver(p *parser.Packet, _ adapters.Flags, to iter.Seq[adapters.Member]) (n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for range to {
		k.events = append(k.events, string(p.JSON))
		n++
	}
	return n
}

func (k *kept) got() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.events)
}

// keeping makes a node over a log, with a socket.
func keeping(t *testing.T, l *fakeLog, pid string, opts cluster.Options) (*cluster.Recoverer, *kept, *socket) {
	t.Helper()
	k := new(kept)
	a, err := cluster.MakeLog(l.connect, opts, k)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(context.Background()) })
	m := &socket{id: "s"}
	if err := a.Join(t.Context(), m, "s"); err != nil {
		t.Fatal(err)
	}
	r := a.(*cluster.Recoverer)
	r.Save(m, adapters.Session{ID: "s", PID: pid})
	return r, k, m
}

func say(t *testing.T, a adapters.Adapter, text string) {
	t.Helper()
	sayTo(t, a, text, adapters.Target{})
}

func sayTo(t *testing.T, a adapters.Adapter, text string, to adapters.Target) {
	t.Helper()
	p := &parser.Packet{Type: parser.Event, Args: parser.Args{JSON: []byte(text)}}
	if err := a.Broadcast(p, to); err != nil {
		t.Fatal(err)
	}
}

// TestRecovererLateEntries: what does not come back in time is delivered with the
// offset of the moment; its entry, and one that is written twice, are passed over.
func TestRecovererLateEntries(t *testing.T) {
	t.Parallel()
	l := newFakeLog()
	a, k, _ := keeping(t, l, "p", cluster.Options{LogPatience: 20 * time.Millisecond})
	l.set(func() { l.reading = false })
	say(t, a, `["late",1]`)
	say(t, a, `["late",2]`)
	await(t, func() bool { return len(k.got()) == 2 }, "what is late")
	l.set(func() {
		l.entries = append(l.entries, l.entries[0]) // as by a link that broke before the answer
		l.reading = true
	})
	await(t, func() bool { return a.Position() == "1-3" }, "the entries")
	if got := k.got(); !slices.Equal(got, []string{`["late",1,"1-0"]`, `["late",2,"1-0"]`}) {
		t.Errorf("got %q", got)
	}
}

// TestRecovererJoinWaits: a socket that joins after a broadcast does not get it.
func TestRecovererJoinWaits(t *testing.T) {
	t.Parallel()
	l := newFakeLog()
	a, k, _ := keeping(t, l, "p", patient)
	l.set(func() { l.reading = false })
	say(t, a, `["before"]`)
	joined := make(chan error)
	go func() { joined <- a.Join(context.Background(), &socket{id: "z"}, "z") }()
	l.set(func() { l.reading = true })
	if err := <-joined; err != nil {
		t.Fatal(err)
	}
	if got := k.got(); !slices.Equal(got, []string{`["before","1-1"]`}) {
		t.Errorf("got %q", got)
	}
	l.set(func() { l.reading = false })
	say(t, a, `["never read"]`)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := a.Join(ctx, &socket{id: "y"}, "y"); err != nil || len(a.RoomsOf(&socket{id: "y"})) != 0 {
		t.Errorf("Join of who is gone: %v", err)
	}
}

// TestRecovererOfDeadNode: the session of a node that is gone is restored, as it
// was stored last; what is no session is removed.
func TestRecovererOfDeadNode(t *testing.T) {
	t.Parallel()
	l := newFakeLog()
	a, _, _ := keeping(t, l, "p", patient)
	node := slices.Collect(maps.Keys(l.nodes))[0]
	b, k, _ := keeping(t, l, "of b", patient)
	say(t, b, `["missed"]`)
	await(t, func() bool { return a.Position() == "1-1" }, "the entry")
	a.Save(&socket{id: "other"}, adapters.Session{ID: "x", PID: "q"}) // of no member: nothing
	l.set(func() {
		delete(l.nodes, node)
		l.sessions["garbage"] = fakeValue{"\xc1", time.Now().Add(time.Hour)}
		v := l.sessions["p"]
		l.sessions["foreign"] = v // the pid in it is another
	})
	for _, pid := range []string{"garbage", "foreign", "nobody", "q"} {
		if _, err := b.Restore(t.Context(), pid, "", nil); !errors.Is(err, adapters.ErrNoSession) {
			t.Errorf("Restore(%s): %v", pid, err)
		}
	}
	back := &socket{id: "s"}
	missed, err := b.Restore(t.Context(), "p", "", func(adapters.Session) adapters.Member { return back })
	if err != nil {
		t.Fatal(err)
	}
	for p := range missed {
		if string(p.JSON) != `["missed","1-1"]` {
			t.Errorf("missed %s", p.JSON)
		}
	}
	if rooms := b.RoomsOf(back); !slices.Equal(rooms, []string{"s"}) {
		t.Errorf("rooms %q", rooms)
	}
	l.mu.Lock()
	left := slices.Sorted(maps.Keys(l.sessions))
	l.mu.Unlock()
	if !slices.Equal(left, []string{"of b", "p"}) {
		t.Errorf("values are left: %q", left)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.expired) != 0 {
		t.Errorf("reported: %q", k.expired)
	}
}

// TestRecovererTrimmed: who missed what is not kept any more is refused.
func TestRecovererTrimmed(t *testing.T) {
	t.Parallel()
	l := newFakeLog()
	a, k, m := keeping(t, l, "p", patient)
	a.LeaveAll(m)
	a.Save(nil, adapters.Session{ID: "s", PID: "p"})
	for range 10 {
		say(t, a, `["missed"]`)
	}
	await(t, func() bool { return a.Position() == "1-10" }, "the entries")
	l.set(func() { l.trimmed = 3 })
	if _, err := a.Restore(t.Context(), "p", "", nil); !errors.Is(err, adapters.ErrNoSession) {
		t.Errorf("Restore: %v", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if !slices.Equal(k.expired, []string{"p"}) {
		t.Errorf("reported: %q", k.expired)
	}
}

// TestOffset: the text of an offset is that of Redis, with the part behind it if it is
// not the first, and nothing else is one.
func TestOffset(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"0-0", "1700000000000-12", "18446744073709551615-18446744073709551615", "1700000000000-12.1", "0-0.4294967295", "18446744073709551615-18446744073709551615.4294967295"} {
		if o, ok := cluster.ParseOffset(s); !ok || o.String() != s {
			t.Errorf("%s is %v, %v", s, o, ok)
		}
	}
	for _, s := range []string{"", "-", "1", "1-", "-1", "01-0", "1-+1", "1-1-1", " 1-1", "18446744073709551616-0", "1-1.", "1-1.0", "1-1.01", "1-1.-1", "1-1.4294967296", "1-1.1.1", ".1", "1.1", "1.1-1", strings.Repeat("1", 50)} {
		if o, ok := cluster.ParseOffset(s); ok {
			t.Errorf("%q is %v", s, o)
		}
	}
	rising := []cluster.Offset{{}, {Part: 1}, {Seq: 1}, {Time: 9, Seq: 1}, {Time: 9, Seq: 1, Part: 9}, {Time: 9, Seq: 1, Part: 10}, {Time: 9, Seq: 2}, {Time: 10}}
	for i, a := range rising {
		for k, b := range rising {
			if a.After(b) != (i > k) {
				t.Errorf("%v after %v: %v", a, b, a.After(b))
			}
		}
		if e := a.Entry(); e.After(a) || e.Part != 0 || e.Time != a.Time || e.Seq != a.Seq {
			t.Errorf("the entry of %v is %v", a, e)
		}
	}
}
