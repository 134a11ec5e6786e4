package redisadapter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/internal/alloctest"
	"github.com/hermod-io/hermod/internal/redistest"
)

// eventData is the data of an entry that sends an event with a number to a room.
func eventData(n int, room string) string {
	return fmt.Sprintf(`{"packet":{"type":2,"data":["n",%d]},"opts":{"rooms":["%s"],"except":[],"flags":{}}}`, n, room)
}

// addBatch adds an entry of several messages: pairs of a type and data.
func addBatch(t testing.TB, client redis.Cmdable, stream string, texts ...string) (id string) {
	t.Helper()
	id, err := client.XAdd(t.Context(), &redis.XAddArgs{Stream: stream, Values: []string{"uid", "u", "nsp", "/", "batch", batchOf(texts...)}}).Result()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// eventTexts are those of the events with numbers from one to another.
func eventTexts(from, to int) (texts []string) {
	for i := from; i < to; i++ {
		texts = append(texts, "3", eventData(i, "r"))
	}
	return texts
}

// TestStreamsBatchPoison: a malformed batch in a stream is dropped whole and counted
// once; of one with something malformed in it the rest is done.
func TestStreamsBatchPoison(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t, redistest.Options{}).Client()
	for name, recovery := range map[string]bool{"plain": false, "recovery": true} {
		t.Run(name, func(t *testing.T) {
			opts := apart(StreamsOptions{Counters: new(Counters)})
			var local adapters.Local = &shardedLocal{name: "/"}
			if recovery {
				local = &recoveringLocal{shardedLocal: shardedLocal{name: "/"}}
			}
			a := streamsNode(t, client, opts, local)
			m := enterSharded(t, a, &shardedMember{id: "s"}, "r")
			bad := append(slices.Clone(badBatches), "", "x", "{}", batchOf("3"), batchOf("3", eventData(0, "r"), "3"))
			for _, b := range bad {
				values := []string{"uid", "u", "nsp", "/", "batch", b}
				if err := client.XAdd(t.Context(), &redis.XAddArgs{Stream: opts.StreamName, Values: values}).Err(); err != nil {
					t.Fatal(err)
				}
			}
			// Batches of others do not matter, nor does a field of this name beside a type.
			if err := client.XAdd(t.Context(), &redis.XAddArgs{Stream: opts.StreamName, Values: []string{"uid", "u", "nsp", "/other", "batch", "x"}}).Err(); err != nil {
				t.Fatal(err)
			}
			if err := client.XAdd(t.Context(), &redis.XAddArgs{Stream: opts.StreamName, Values: []string{"uid", "u", "nsp", "/", "type", "3", "data", eventData(0, "r"), "batch", "x"}}).Err(); err != nil {
				t.Fatal(err)
			}
			id := addBatch(t, client, opts.StreamName, "3", eventData(1, "r"), "3", "x", "99", eventData(0, "r"), "2", "{}", batchOf("3", "x"), "x", "3", eventData(2, "r"))
			redistest.Until(t, "the last event", func() bool { return len(m.events()) == 3 })
			got, want := m.events(), numbered(0, 3)
			if recovery {
				got, want = got[1:], []string{`["n",1,"` + id + `"]`, `["n",2,"` + id + `.5"]`}
			}
			if !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
			if n := opts.Counters.Stats().Poison; n != int64(len(bad)+3) {
				t.Errorf("%d malformed messages are counted, want %d", n, len(bad)+3)
			}
		})
	}
}

// lostSession makes a node store a session of a socket in the room "r" that is lost.
func lostSession(t testing.TB, client *redis.Client, prefix string, a *cluster.Recoverer, pid string) {
	t.Helper()
	m := enterSharded(t, a, &shardedMember{id: "s-" + pid}, "r")
	s := adapters.Session{ID: m.id, PID: pid}
	a.Save(m, s)
	a.LeaveAll(m)
	s.Rooms = []string{m.id, "r"}
	a.Save(nil, s)
	redistest.Until(t, "the session to be stored", func() bool {
		v, err := client.Get(t.Context(), prefix+pid).Result()
		return err == nil && strings.Contains(string(decode64(t, v)), "live\xc2")
	})
}

// restored is what a session that comes back with an offset has missed.
func restored(t testing.TB, r *cluster.Recoverer, pid, offset string) ([]string, *shardedMember, error) {
	t.Helper()
	back := &shardedMember{id: "s-" + pid}
	missed, err := r.Restore(t.Context(), pid, offset, func(adapters.Session) adapters.Member { return back })
	if err != nil {
		return nil, nil, err
	}
	var got []string
	for p := range missed {
		got = append(got, shardedText(p.Args))
	}
	return got, back, nil
}

// TestStreamsBatchRecovery: a client that has some of the messages of an entry gets
// the others when it comes back, exactly, on the node it was on, on another one, and
// on one that was started later; and then what is sent to all.
func TestStreamsBatchRecovery(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t, redistest.Options{}).Client()
	opts := apart(StreamsOptions{BlockTime: 200 * time.Millisecond})
	a, _ := recoverer(t, client, opts)
	b, _ := recoverer(t, client, opts)
	const parts = 6
	for k := range parts {
		lostSession(t, client, opts.SessionKeyPrefix, a, fmt.Sprint("same", k))
		lostSession(t, client, opts.SessionKeyPrefix, a, fmt.Sprint("other", k))
		lostSession(t, client, opts.SessionKeyPrefix, a, fmt.Sprint("late", k))
	}
	addBatch(t, client, opts.StreamName, eventTexts(0, 3)...)
	texts := eventTexts(3, 3+parts)
	texts = append(texts[:4:4], append([]string{"3", eventData(-1, "elsewhere"), "4", `{"opts":{"rooms":["none"],"except":[],"flags":{}},"rooms":["x"]}`}, texts[4:]...)...)
	id := addBatch(t, client, opts.StreamName, texts...)
	const last = parts + 2 - 1 // two messages are not for the socket
	for _, r := range []*cluster.Recoverer{a, b} {
		redistest.Until(t, "the batch", func() bool { return r.Position() == fmt.Sprint(id, ".", last) })
	}
	late, _ := recoverer(t, client, opts) // begins behind what was written
	if got := late.Position(); got != fmt.Sprint(id, ".", last) {
		t.Errorf("a new node is at %s", got)
	}
	place := func(k int) string { // the offset of event 3+k
		if k >= 2 {
			k += 2
		}
		if k == 0 {
			return id
		}
		return fmt.Sprint(id, ".", k)
	}
	var members []*shardedMember
	for name, r := range map[string]*cluster.Recoverer{"same": a, "other": b, "late": late} {
		for k := range parts {
			got, m, err := restored(t, r, fmt.Sprint(name, k), place(k))
			if err != nil {
				t.Fatalf("%s: from %s: %v", name, place(k), err)
			}
			var want []string
			for i := k + 1; i < parts; i++ {
				want = append(want, fmt.Sprintf(`["n",%d,"%s"]`, 3+i, place(i)))
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: from %s: missed %q, want %q", name, place(k), got, want)
			}
			members = append(members, m)
		}
	}
	next := addBatch(t, client, opts.StreamName, eventTexts(100, 103)...)
	for _, m := range members {
		wantGot(t, m, []string{`["n",100,"` + next + `"]`, `["n",101,"` + next + `.1"]`, `["n",102,"` + next + `.2"]`}, "afterwards")
	}
}

// TestStreamsBatchForged: an offset that no message of an entry has is none.
func TestStreamsBatchForged(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t, redistest.Options{}).Client()
	opts := apart(StreamsOptions{BlockTime: 200 * time.Millisecond})
	a, _ := recoverer(t, client, opts)
	id := addBatch(t, client, opts.StreamName, eventTexts(0, 3)...)
	redistest.Until(t, "the batch", func() bool { return a.Position() == id+".2" })
	for part, found := range map[string]bool{".2": true, ".3": false, ".4294967295": false, ".0": false, ".01": false, ".": false, ".1.1": false} {
		lostSession(t, client, opts.SessionKeyPrefix, a, "p")
		if _, _, err := restored(t, a, "p", id+part); found && err != nil || !found && !errors.Is(err, adapters.ErrNoSession) {
			t.Errorf("from %s: %v", id+part, err)
		}
	}
}

// TestStreamsBatchTrimmed: when the rest of an entry is not kept any more a session
// within it is not restored; one behind it is.
func TestStreamsBatchTrimmed(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t, redistest.Options{}).Client()
	for _, then := range []bool{false, true} {
		opts := apart(StreamsOptions{BlockTime: 200 * time.Millisecond})
		a, _ := recoverer(t, client, opts)
		for _, pid := range []string{"within", "end"} {
			lostSession(t, client, opts.SessionKeyPrefix, a, pid)
		}
		id := addBatch(t, client, opts.StreamName, eventTexts(0, 4)...)
		redistest.Until(t, "the batch", func() bool { return a.Position() == id+".3" })
		if err := client.XTrimMaxLen(t.Context(), opts.StreamName, 0).Err(); err != nil {
			t.Fatal(err)
		}
		if then {
			next := addBatch(t, client, opts.StreamName, eventTexts(4, 6)...)
			redistest.Until(t, "the next", func() bool { return a.Position() == next+".1" })
		}
		if _, _, err := restored(t, a, "within", id+".1"); !errors.Is(err, adapters.ErrNoSession) {
			t.Errorf("within an entry that is gone: %v", err)
		}
		got, _, err := restored(t, a, "end", id+".3")
		if !then && (err != nil || len(got) > 0) || then && !errors.Is(err, adapters.ErrNoSession) {
			t.Errorf("behind it, with another %v: missed %q, %v", then, got, err)
		}
	}
}

// TestStreamsBatchPages: what was missed is read in pages, whatever entries hold.
func TestStreamsBatchPages(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t, redistest.Options{}).Client()
	opts := apart(StreamsOptions{})
	a, _ := recoverer(t, client, opts)
	lostSession(t, client, opts.SessionKeyPrefix, a, "p")
	const entries, parts = 2*readPage + 7, 3
	var ids []string
	for i := range entries {
		ids = append(ids, addBatch(t, client, opts.StreamName, eventTexts(parts*i, parts*(i+1))...))
	}
	redistest.Until(t, "all", func() bool { return a.Position() == ids[entries-1]+".2" })
	fresh, _ := recoverer(t, client, opts)
	got, _, err := restored(t, fresh, "p", ids[0]+".1")
	if err != nil {
		t.Fatal(err)
	}
	if got = plain(got); !slices.Equal(got, numbered(2, entries*parts)) {
		t.Errorf("%d events, want %d: %.200q", len(got), entries*parts-2, got)
	}
}

// TestStreamsBatchesSent: with recovery and batches what a node sends has offsets on
// all nodes alike, and a client that has some of it gets the rest, after a restart of
// all nodes too.
func TestStreamsBatchesSent(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	client := server.Client()
	opts := apart(StreamsOptions{Batches: true, Counters: new(Counters)})
	mixed := opts
	mixed.Batches, mixed.Counters = false, nil
	a, _ := recoverer(t, client, opts)
	b, _ := recoverer(t, client, mixed)
	near := enterSharded(t, a, &shardedMember{id: "a"}, "r")
	far := enterSharded(t, b, &shardedMember{id: "b"}, "r")
	for i := range 8 {
		lostSession(t, client, opts.SessionKeyPrefix, a, fmt.Sprint("p", i))
	}
	const n = 2000
	server.Do("CLIENT", "PAUSE", 300, "WRITE")
	emitN(t, a, 0, n)
	for _, m := range []*shardedMember{near, far} {
		redistest.Until(t, "all", func() bool { return len(m.events()) >= n })
	}
	got := near.events()
	if !slices.Equal(got, far.events()) || !slices.Equal(plain(got), numbered(0, n)) {
		t.Fatalf("%d events here, %d there, or not alike", len(got), len(far.events()))
	}
	redistest.Until(t, "the answers", func() bool { return opts.Counters.Stats().Queued == 0 })
	if s := opts.Counters.Stats(); s.Batches == 0 || client.XLen(t.Context(), opts.StreamName).Val() > n/2 {
		t.Errorf("%+v, %d entries", s, client.XLen(t.Context(), opts.StreamName).Val())
	}
	for _, r := range []*cluster.Recoverer{a, b} {
		if err := r.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	c, _ := recoverer(t, client, opts)
	for i := range 8 {
		have := 1 + i*250
		event := got[have-1]
		offset := event[strings.LastIndex(event, `,"`)+2 : len(event)-2]
		missed, _, err := restored(t, c, fmt.Sprint("p", i), offset)
		if err != nil || !slices.Equal(missed, got[have:]) {
			t.Errorf("from %s: %d missed, %v; want %d", offset, len(missed), err, n-have)
		}
	}
}

// TestStreamsBatchRefused: what Redis refuses of a batch is delivered here, each
// message once and in order, as what it refuses without batches.
func TestStreamsBatchRefused(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	opts := apart(StreamsOptions{Batches: true, Counters: new(Counters)})
	opts.LogPatience = 300 * time.Millisecond
	a, _ := recoverer(t, server.Client(), opts)
	m := enterSharded(t, a, &shardedMember{id: "a"}, "r")
	server.Do("SET", opts.StreamName, "a string") // the stream is not there yet
	emitN(t, a, 0, 500)
	redistest.Until(t, "all", func() bool { return len(m.events()) >= 500 })
	if got := m.events(); !slices.Equal(plain(got), numbered(0, 500)) {
		t.Errorf("got %d: %.300q", len(got), got)
	}
	redistest.Until(t, "the refusals", func() bool { return opts.Counters.Stats().Refused >= 500 })
	if s := opts.Counters.Stats(); s.Refused != 500 {
		t.Errorf("%+v: want 500 refused", s)
	}
}

// FuzzStreamsBatch: nothing in the place of a batch does harm, and its messages come
// to as many offsets.
func FuzzStreamsBatch(f *testing.F) {
	for _, seed := range append(slices.Clone(badBatches), batchOf(eventTexts(0, 3)...), batchOf("3"), batchOf("3", "x", "99", "{}"), batchOf("4", `{"opts":{},"rooms":["x"]}`)) {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, batch []byte) {
		counters := new(Counters)
		sink := new(shardedSink)
		b := &streamsBus{factory: new(streamsFactory), nsp: "/", uid: "me"}
		b.link = &lease{shared: newLinks(nil, cluster.Options{}, counters, false), receiver: sink}
		taken := 0
		sink.take = func(*cluster.Message) { taken++ }
		e := streamEntry{uid: []byte("u"), nsp: []byte("/"), batch: batch}
		n, left, err := e.open()
		if n < 1 || err != nil && n != 1 {
			t.Fatalf("%d messages, %v", n, err)
		}
		if err == nil {
			b.take(cluster.Offset{Time: 1}, e, n, left)
		}
		if poison := int(counters.Stats().Poison); taken+poison > n {
			t.Fatalf("%d messages and %d malformed ones of %d", taken, poison, n)
		}
	})
}

// A batch costs a reader no allocation: its messages are read where they lie.
func TestStreamsBatchAllocations(t *testing.T) {
	const n = 50
	sink := new(classicSink)
	b := &streamsBus{factory: new(streamsFactory), link: &lease{receiver: sink}, nsp: "/", uid: "me"}
	r := &streamReader{buses: []*streamsBus{b}}
	entries := []streamEntry{{id: []byte("1-0"), uid: []byte("other"), nsp: []byte("/"), batch: []byte(batchOf(slices.Repeat([]string{"3", string(b.encode(small()))}, n)...))}}
	take := func() { r.hand(entries) }
	take()
	if each := alloctest.PerRun(100, take) / n; each > mostReceiveAllocs+0.1 {
		t.Errorf("%v allocations to receive", each)
	}
	if sink.got == nil || r.at != (cluster.Offset{Time: 1, Part: n - 1}) {
		t.Errorf("received %v up to %v", sink.got, r.at)
	}
}

// TestStreamsBatchOrder: entries of one message and of several that come in turn
// have offsets that rise.
func TestStreamsBatchOrder(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t, redistest.Options{}).Client()
	opts := apart(StreamsOptions{})
	a, _ := recoverer(t, client, opts)
	m := enterSharded(t, a, &shardedMember{id: "a"}, "r")
	n := 0
	for i := range 60 {
		k := i % 4
		addBatch(t, client, opts.StreamName, eventTexts(n, n+k+1)...)
		emitN(t, a, n+k+1, n+k+2)
		n += k + 2
		redistest.Until(t, "its own", func() bool { return len(m.events()) >= n })
	}
	var newest cluster.Offset
	for i, text := range m.events() {
		at, ok := cluster.ParseOffset(text[strings.LastIndex(text, `,"`)+2 : len(text)-2])
		if !ok || i > 0 && !at.After(newest) {
			t.Fatalf("%s comes after %v", text, newest)
		}
		newest = at
	}
	if err := a.Close(context.Background()); err != nil {
		t.Error(err)
	}
}
