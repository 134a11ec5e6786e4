package redisadapter

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/adapters/cluster/wire"
	"github.com/hermod-io/hermod/internal/redistest"
)

// through returns a client by way of a proxy.
func through(t testing.TB, p *redistest.Proxy) *redis.Client {
	c := redis.NewClient(&redis.Options{Addr: p.Addr()})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// numbered are the events ["n",i] from one number to another.
func numbered(from, to int) (list []string) {
	for i := from; i < to; i++ {
		list = append(list, fmt.Sprintf(`["n",%d]`, i))
	}
	return list
}

// plain takes the offsets off.
func plain(events []string) (list []string) {
	for _, e := range events {
		if i := strings.LastIndex(e, `,"`); i > 0 {
			e = e[:i] + "]"
		}
		list = append(list, e)
	}
	return list
}

// wantGot waits until m got these events, and demands that it got no others.
func wantGot(t testing.TB, m *shardedMember, want []string, why string) {
	t.Helper()
	redistest.Until(t, fmt.Sprintf("%d events: %s", len(want), why), func() bool { return len(m.events()) >= len(want) })
	if got := m.events(); !slices.Equal(got, want) {
		t.Fatalf("%s:\n got %q\nwant %q", why, got, want)
	}
}

// TestStreamsReaderCut: a node whose link was cut gets what was sent meanwhile,
// once and in order, even if it had never got anything before.
func TestStreamsReaderCut(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	for _, first := range []int{0, 10} {
		t.Run(fmt.Sprint("after ", first), func(t *testing.T) {
			proxy := redistest.NewProxy(t, server.Addr())
			opts := apart(StreamsOptions{})
			var gaps atomic.Int64
			opts.OnGap = func(string, cluster.Gap) { gaps.Add(1) }
			a := streamsNode(t, server.Client(), opts, &shardedLocal{name: "/"})
			b := streamsNode(t, through(t, proxy), opts, &shardedLocal{name: "/"})
			m := enterSharded(t, b, &shardedMember{id: "b"}, "r")
			emitN(t, a, 0, first)
			wantGot(t, m, numbered(0, first), "before")
			proxy.Down()
			emitN(t, a, first, first+40)
			redistest.Until(t, "the entries", func() bool { return server.Do("XLEN", opts.StreamName) == int64(first+40) })
			if n := len(m.events()); n != first {
				t.Errorf("%d events while the link is cut, want %d", n, first)
			}
			proxy.Up()
			emitN(t, a, first+40, first+120)
			wantGot(t, m, numbered(0, first+120), "after")
			emitN(t, b, 0, 1)
			redistest.Until(t, "what it sends itself", func() bool { return server.Do("XLEN", opts.StreamName) == int64(first+121) })
			if n := gaps.Load(); n > 1 {
				t.Errorf("%d gaps are reported; only what goes by pub/sub can be lost", n)
			}
		})
	}
}

// TestStreamsRestartedEmpty: while Redis is away this node's sockets get
// everything at once, and afterwards the others hear it again.
func TestStreamsRestartedEmpty(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	var gaps atomic.Int64
	opts := apart(StreamsOptions{})
	opts.OnGap = func(string, cluster.Gap) { gaps.Add(1) }
	a := streamsNode(t, server.Client(), opts, &shardedLocal{name: "/"})
	b := streamsNode(t, server.Client(), opts, &shardedLocal{name: "/"})
	near := enterSharded(t, a, &shardedMember{id: "a"}, "r")
	far := enterSharded(t, b, &shardedMember{id: "b"}, "r")
	emitN(t, a, 0, 5)
	wantGot(t, far, numbered(0, 5), "before")
	server.Kill()
	for i := 5; i < 25; i++ {
		emitN(t, a, i, i+1)
		if n := len(near.events()); n != i+1 {
			t.Fatalf("%d events of %d are delivered when Broadcast returned", n, i+1)
		}
	}
	server.RestartEmpty()
	emitN(t, a, 25, 30)
	wantGot(t, far, numbered(0, 30), "after")
	redistest.Until(t, "both nodes are told", func() bool { return gaps.Load() >= 2 })
}

// TestStreamsSmallerIDs: when the ids of a new stream are smaller than those of
// the old one (clocks differ), the nodes notice it, say so, and go on.
func TestStreamsSmallerIDs(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t, redistest.Options{}).Client()
	opts := apart(StreamsOptions{BlockTime: 50 * time.Millisecond})
	gaps := make(chan cluster.Gap, 100)
	opts.OnGap = func(_ string, g cluster.Gap) { gaps <- g }
	a, _ := recoverer(t, client, opts)
	m := enterSharded(t, a, &shardedMember{id: "a"}, "r")
	good := entryOf(readStreams(t, "streams-0.3.1"), "broadcast-no-args")
	add := func(id string) {
		values := []string{}
		for _, f := range good.Fields {
			values = append(values, f.Name, f.Text)
		}
		if err := client.XAdd(t.Context(), &redis.XAddArgs{Stream: opts.StreamName, ID: id, Values: values}).Err(); err != nil {
			t.Fatal(err)
		}
	}
	add("99999999999999-7")
	wantGot(t, m, []string{`["ping1","99999999999999-7"]`}, "an id of the future")
	a.Save(m, adapters.Session{ID: "a", PID: "p"})
	client.Del(t.Context(), opts.StreamName)
	g := gapOf(t, gaps)
	if g.To.Before(g.From) || time.Since(g.To) > time.Minute {
		t.Errorf("gap %v", g)
	}
	redistest.Until(t, "the new beginning", func() bool { return a.Position() == "0-0" })
	add("5-1")
	wantGot(t, m, []string{`["ping1","99999999999999-7"]`, `["ping1","5-1"]`}, "the new stream")
	a.LeaveAll(m)
	a.Save(nil, adapters.Session{ID: "a", PID: "p"})
	_, err := a.Restore(t.Context(), "p", "99999999999999-7", func(adapters.Session) adapters.Member { return m })
	if !errors.Is(err, adapters.ErrNoSession) {
		t.Errorf("Restore with an offset of the old stream: %v", err)
	}
}

// TestStreamsPoison: whatever is in the stream and on the channels, a node goes on
// hearing the others, and reads nothing twice. (The official one reads an entry
// whose data is {} for ever.)
func TestStreamsPoison(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	client := server.Client()
	const good = `{"packet":{"type":2,"data":["e"]},"opts":{"rooms":[],"except":[],"flags":{}}}`
	bad := [][]string{
		{"uid", "u", "nsp", "/", "type", "3", "data", "{}"},
		{"uid", "u", "nsp", "/", "type", "3", "data", "{"},
		{"uid", "u", "nsp", "/", "type", "3", "data", "garbage"},
		{"uid", "u", "nsp", "/", "type", "3", "data", "gqZwYWNrZXSCpHR5cGU="},
		{"uid", "u", "nsp", "/", "type", "3"},
		{"uid", "u", "nsp", "/", "type", "three", "data", good},
		{"uid", "u", "nsp", "/", "type", "99", "data", good},
		{"uid", "u", "nsp", "/", "data", good},
		{"uid", "u", "nsp", "/"},
		{"nsp", "/", "type", "3", "data", good},
		{"uid", "u", "nsp", "/", "type", "3", "data", `{"packet":{"type":2,"data":[]},"opts":{"rooms":[]}}`},
		{"uid", "u", "nsp", "/", "type", "6", "data", `{"close":true}`},
	}
	for name, recovery := range map[string]bool{"plain": false, "recovery": true} {
		t.Run(name, func(t *testing.T) {
			opts := apart(StreamsOptions{Counters: new(Counters)})
			opts.ids.node = func(string) string { return "node-a" }
			var local adapters.Local = &shardedLocal{name: "/"}
			if recovery {
				local = &recoveringLocal{shardedLocal: shardedLocal{name: "/"}}
			}
			a := streamsNode(t, client, opts, local)
			m := enterSharded(t, a, &shardedMember{id: "s"}, "r")
			before := reads(server)
			for i, values := range append(bad, []string{"x", "y"}, []string{"uid", "u", "nsp", "/", "type", "3", "data", good}) {
				if err := client.XAdd(t.Context(), &redis.XAddArgs{Stream: opts.StreamName, Values: values}).Err(); err != nil {
					t.Fatal(i, err)
				}
			}
			redistest.Until(t, "the good entry", func() bool { return len(m.events()) == 1 })
			if got := opts.Counters.Stats().Poison; got != int64(len(bad)) {
				t.Errorf("%d entries dropped, want %d", got, len(bad))
			}
			if n := reads(server) - before; n > int64(len(bad)+10) {
				t.Errorf("%d reads of %d entries", n, len(bad)+2)
			}
			for _, payload := range []string{"", "x", "{}", "\x84\xa4type\x03", "\x81\xa4type\x67"} {
				for _, channel := range []string{"#/#", "#/#node-a#"} {
					if err := client.Publish(t.Context(), opts.ChannelPrefix+channel, payload).Err(); err != nil {
						t.Fatal(err)
					}
				}
			}
			redistest.Until(t, "poison of the channels", func() bool { return opts.Counters.Stats().Poison == int64(len(bad)+10) })
			if m.gone {
				t.Error("poison disconnected a socket")
			}
		})
	}
}

// reads is how often XREAD was called.
func reads(server *redistest.Server) (n int64) {
	for line := range strings.Lines(server.Text("INFO", "commandstats")) {
		if _, err := fmt.Sscanf(line, "cmdstat_xread:calls=%d,", &n); err == nil {
			return n
		}
	}
	return 0
}

// TestStreamsNodeKilled: the client of a node that was killed continues on another
// node, with all that it has not got, once.
func TestStreamsNodeKilled(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	proxy := redistest.NewProxy(t, server.Addr())
	opts := apart(StreamsOptions{})
	a, _ := recoverer(t, through(t, proxy), opts)
	b, _ := recoverer(t, server.Client(), opts)
	m := enterSharded(t, a, &shardedMember{id: "s"})
	a.Save(m, adapters.Session{ID: "s", PID: "p", Rooms: []string{"s"}})
	emitN(t, b, 0, 5) // it is not in the room yet
	redistest.Until(t, "the fifth entry to be read", func() bool {
		all, err := server.Client().XRange(t.Context(), opts.StreamName, "-", "+").Result()
		return err == nil && len(all) == 5 && a.Position() == all[4].ID
	})
	if err := a.Join(t.Context(), m, "r"); err != nil {
		t.Fatal(err)
	}
	emitN(t, a, 5, 15)
	redistest.Until(t, "what the client got", func() bool { return len(m.events()) == 10 })
	redistest.Until(t, "the room to be stored", func() bool {
		text, err := server.Client().Get(t.Context(), opts.SessionKeyPrefix+"p").Result()
		return err == nil && strings.Contains(string(decode64(t, text)), "\xa1r") // the session's rooms have it
	})
	got := m.events()[:4]
	last := got[3]
	offset := last[strings.LastIndex(last, `,"`)+2 : len(last)-2]
	proxy.Down() // as if killed
	emitN(t, b, 15, 20)
	back := &shardedMember{id: "s"}
	var restored adapters.Session
	missed, err := b.Restore(t.Context(), "p", offset, func(s adapters.Session) adapters.Member {
		restored = s
		return back
	})
	if err != nil {
		t.Fatal(err)
	}
	for p := range missed {
		got = append(got, shardedText(p.Args))
	}
	emitN(t, b, 20, 25)
	redistest.Until(t, "what is live", func() bool { return len(back.events()) == 5 })
	got = append(got, back.events()...)
	if !slices.Equal(plain(got), numbered(5, 25)) {
		t.Errorf("got %q", got)
	}
	if restored.ID != "s" || !slices.Contains(b.RoomsOf(back), "r") {
		t.Errorf("session %+v", restored)
	}
}

// TestStreamsMovesSession: a client that comes back to another node while its old
// connection still looks alive there ends that one.
func TestStreamsMovesSession(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t, redistest.Options{}).Client()
	for name, opts := range map[string]StreamsOptions{"pubsub": {}, "sharded pubsub": {UseShardedPubSub: true, StreamCount: 4}} {
		t.Run(name, func(t *testing.T) {
			opts := apart(opts)
			a, _ := recoverer(t, client, opts)
			b, _ := recoverer(t, client, opts)
			m := &supersededMember{shardedMember: shardedMember{id: "s"}}
			m.end = func() {
				rooms := a.RoomsOf(m)
				a.LeaveAll(m)
				a.Save(nil, adapters.Session{ID: "s", PID: "p", Rooms: rooms, Data: []byte(`{"last":true}`)})
			}
			if err := a.Join(t.Context(), m, "s", "r"); err != nil {
				t.Fatal(err)
			}
			a.Save(m, adapters.Session{ID: "s", PID: "p"})
			redistest.Until(t, "the session to be stored", func() bool {
				return client.Exists(t.Context(), opts.SessionKeyPrefix+"p").Val() == 1
			})
			back := &shardedMember{id: "s"}
			missed, err := b.Restore(t.Context(), "p", "", func(s adapters.Session) adapters.Member {
				if string(s.Data) != `{"last":true}` {
					t.Errorf("data %s, want those of the last Save", s.Data)
				}
				return back
			})
			if err != nil {
				t.Fatal(err)
			}
			for p := range missed {
				t.Errorf("missed %s", p.JSON)
			}
			if n := m.superseded.Load(); n != 1 {
				t.Errorf("superseded %d times", n)
			}
		})
	}
}

// supersededMember is a socket that ends when it is superseded.
type supersededMember struct {
	shardedMember
	superseded atomic.Int64
	end        func()
}

func (m *supersededMember) Supersede() {
	m.superseded.Add(1)
	go m.end()
}

// TestStreamsSlowStore: what does not come back in time is delivered without it,
// once, and in order; a session that is restored may get it again.
func TestStreamsSlowStore(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	opts := apart(StreamsOptions{})
	opts.LogPatience = 30 * time.Millisecond
	a, _ := recoverer(t, server.Client(), opts)
	b, _ := recoverer(t, server.Client(), opts)
	near := enterSharded(t, a, &shardedMember{id: "a"}, "r")
	far := enterSharded(t, b, &shardedMember{id: "b"}, "r")
	server.Pause()
	began := time.Now()
	emitN(t, a, 0, 20)
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("Broadcast waited: %v", took)
	}
	redistest.Until(t, "what this node sent", func() bool { return len(near.events()) == 20 })
	if got := near.events(); got[0] != `["n",0,"0-0"]` {
		t.Errorf("%s has an offset that is not that of the moment", got[0])
	}
	server.Resume()
	redistest.Until(t, "what the other node gets", func() bool { return len(far.events()) == 20 })
	opts.LogPatience = patient
	emitN(t, b, 20, 21)
	for _, m := range []*shardedMember{near, far} {
		redistest.Until(t, "the next", func() bool { return len(m.events()) > 20 })
		if got := plain(m.events()); !slices.Equal(got, numbered(0, 21)) {
			t.Errorf("%s got %q", m.id, got)
		}
	}
}

// TestStreamsNodeCutOff: a node without a link whose client has come back to
// another one does not overwrite the session when it has its link again, and ends
// its own socket.
func TestStreamsNodeCutOff(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	proxy := redistest.NewProxy(t, server.Addr())
	for _, prefix := range []string{"", "{tag}:"} {
		opts := apart(StreamsOptions{})
		opts.SessionKeyPrefix = prefix + opts.SessionKeyPrefix
		a, _ := recoverer(t, through(t, proxy), opts)
		b, _ := recoverer(t, server.Client(), opts)
		m := &supersededMember{shardedMember: shardedMember{id: "s"}}
		m.end = func() {
			a.LeaveAll(m)
			a.Save(nil, adapters.Session{ID: "s", PID: "p", Rooms: []string{"s"}})
		}
		if err := a.Join(t.Context(), m, "s"); err != nil {
			t.Fatal(err)
		}
		a.Save(m, adapters.Session{ID: "s", PID: "p"})
		key := opts.SessionKeyPrefix + "p"
		redistest.Until(t, "the session to be stored", func() bool { return server.Do("EXISTS", key) == int64(1) })
		proxy.Down()
		a.Save(m, adapters.Session{ID: "s", PID: "p", Data: []byte(`{"of":"the past"}`)})
		back := &shardedMember{id: "s"}
		_, err := b.Restore(t.Context(), "p", "", func(adapters.Session) adapters.Member { return back })
		if err != nil {
			t.Fatal(err)
		}
		b.Save(back, adapters.Session{ID: "s", PID: "p", Data: []byte(`{"of":"b"}`)})
		redistest.Until(t, "what b stores", func() bool { return dataOf(t, server, key) == `{"of":"b"}` })
		proxy.Up()
		redistest.Until(t, "the socket of a is ended", func() bool { return m.superseded.Load() > 0 })
		if got := dataOf(t, server, key); got != `{"of":"b"}` {
			t.Errorf("data %s are stored, want those of b", got)
		}
		lose := func(r *cluster.Recoverer, m *shardedMember) {
			r.LeaveAll(m)
			r.Save(nil, adapters.Session{ID: "s", PID: "p", Rooms: []string{"s"}})
		}
		lose(b, back)
		back = &shardedMember{id: "s"}
		if _, err := a.Restore(t.Context(), "p", "", func(adapters.Session) adapters.Member { return back }); err != nil {
			t.Fatal(err)
		}
		lose(a, back)
		if _, err := b.Restore(t.Context(), "p", "", func(adapters.Session) adapters.Member { return &shardedMember{id: "s"} }); err != nil {
			t.Fatalf("after a had the session again: %v", err)
		}
	}
}

// dataOf are the data of a stored session.
func dataOf(t testing.TB, server *redistest.Server, key string) string {
	t.Helper()
	text, _ := server.Do("GET", key).(string)
	v, err := wire.Msgpack.Decode(decode64(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return string(wire.JSON.Append(nil, v.Get("data")))
}
