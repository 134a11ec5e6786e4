package redisadapter

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/adaptertest"
	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/internal/redistest"
)

// patient is how long the tests wait for an entry, so that a busy machine changes
// nothing.
const patient = 20 * time.Second

var streamsSerial atomic.Int64

// apart gives options names that no other test has.
func apart(opts StreamsOptions) StreamsOptions {
	name := fmt.Sprint("s", streamsSerial.Add(1))
	opts.StreamName, opts.ChannelPrefix, opts.SessionKeyPrefix = name, name, name+":session:"
	opts.LogPatience = patient
	return opts
}

// TestStreams runs the suite of all adapters.
//
// compat: redis-streams-adapter
func TestStreams(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t, redistest.Options{}).Client()
	streamsSuite(t, client, StreamsOptions{})
}

// TestStreamsOnCluster: on a Redis Cluster sessions, streams and channels lie on
// different servers.
func TestStreamsOnCluster(t *testing.T) {
	t.Parallel()
	client := redistest.StartCluster(t).Client()
	for _, batches := range []bool{false, true} {
		opts := apart(StreamsOptions{UseShardedPubSub: true, StreamCount: 3, Batches: batches})
		a, _ := recoverer(t, client, opts)
		b, _ := recoverer(t, client, opts)
		near := enterSharded(t, a, &shardedMember{id: "a"}, "r")
		far := enterSharded(t, b, &shardedMember{id: "b"}, "r")
		emitN(t, a, 0, 50)
		for _, m := range []*shardedMember{near, far} {
			redistest.Until(t, "the events", func() bool { return len(m.events()) >= 50 })
			if got := plain(m.events()); !slices.Equal(got, numbered(0, 50)) {
				t.Errorf("%s got %q", m.id, got)
			}
		}
		found, err := a.Fetch(t.Context(), adapters.Target{})
		if err != nil || len(found) != 2 {
			t.Errorf("fetched %d sockets, %v", len(found), err)
		}
		continues(t, client, opts.SessionKeyPrefix, a, b, near)
	}
}

// continues moves a session from one node to another, which gives it what it
// missed.
func continues(t *testing.T, client redis.UniversalClient, prefix string, a, b *cluster.Recoverer, m *shardedMember) {
	t.Helper()
	s := adapters.Session{ID: m.id, PID: "pid"}
	a.Save(m, s)
	redistest.Until(t, "the session to be stored", func() bool {
		return client.Exists(t.Context(), prefix+s.PID).Val() == 1
	})
	a.LeaveAll(m)
	a.Save(nil, s)
	redistest.Until(t, "an older event to be read everywhere", func() bool { return a.Position() == b.Position() })
	emitN(t, b, 100, 110)
	back := &shardedMember{id: m.id}
	missed, err := b.Restore(t.Context(), s.PID, "", func(adapters.Session) adapters.Member { return back })
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for p := range missed {
		got = append(got, shardedText(p.Args))
	}
	if got = plain(got); !slices.Equal(got, numbered(100, 110)) {
		t.Errorf("missed %q", got)
	}
}

// streamsOutage makes nodes that go on after an outage without the loss of data,
// and can restore sessions.
func streamsOutage(t *testing.T, client redis.UniversalClient) outage {
	opts := apart(StreamsOptions{BlockTime: 200 * time.Millisecond})
	a, _ := recoverer(t, client, opts)
	b, _ := recoverer(t, client, opts)
	near := enterSharded(t, a, &shardedMember{id: "a"}, "r")
	far := enterSharded(t, b, &shardedMember{id: "b"}, "r")
	emitN(t, a, 0, 5)
	redistest.Until(t, "the events", func() bool { return len(far.events()) == 5 })
	return func(t *testing.T) func(t *testing.T) {
		emitN(t, a, 5, 10)
		return func(t *testing.T) {
			redistest.Until(t, "those sent in between", func() bool { return len(far.events()) >= 10 })
			if got := plain(far.events()); !slices.Equal(got, numbered(0, 10)) {
				t.Errorf("got %q", got)
			}
			redistest.Until(t, "both to be as far", func() bool { return len(near.events()) >= 10 && a.Position() == b.Position() })
			continues(t, client, opts.SessionKeyPrefix, a, b, near)
		}
	}
}

// TestStreamsNames: namespaces are spread over streams as the official adapter does
// it, also with numbers below zero.
func TestStreamsNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		nsp   string
		count int
		want  string
	}{
		{"/", 1, "socket.io"}, {"/dashboard", 1, "socket.io"},
		{"/", 4, "socket.io-3"}, {"/dashboard", 4, "socket.io--3"},
	} {
		o := StreamsOptions{StreamCount: c.count}
		o = o.withDefaults()
		if got := o.stream(c.nsp); got != c.want {
			t.Errorf("stream of %s with %d: %s, want %s", c.nsp, c.count, got, c.want)
		}
	}
	client := redistest.Start(t, redistest.Options{}).Client()
	opts := apart(StreamsOptions{StreamCount: 4})
	a := streamsNode(t, client, opts, &shardedLocal{name: "/dashboard"})
	b := streamsNode(t, client, opts, &shardedLocal{name: "/dashboard"})
	m := enterSharded(t, b, &shardedMember{id: "b"}, "r")
	emitN(t, a, 0, 10)
	wantGot(t, m, numbered(0, 10), "in a stream with a negative number")
	if n := client.XLen(t.Context(), opts.StreamName+"--3").Val(); n != 10 {
		t.Errorf("%d entries in the stream with the negative number", n)
	}
}

// TestStreamsOfEmitter: what the streams emitter writes is done.
//
// compat: redis-streams-emitter
func TestStreamsOfEmitter(t *testing.T) {
	t.Parallel()
	v := readStreams(t, "emitter-streams")
	client := redistest.Start(t, redistest.Options{}).Client()
	counters := new(Counters)
	local := &shardedLocal{name: "/"}
	a := streamsNode(t, client, StreamsOptions{Counters: counters}, local)
	m := enterSharded(t, a, &shardedMember{id: "s"}, "room1")
	entries := 0
	for i := range v.Scenarios {
		for _, c := range v.Scenarios[i].Commands {
			if c.Cmd == "XADD" && c.Stream == "socket.io" {
				entries++
				addEntry(t, client, c)
			}
		}
	}
	redistest.Until(t, "the socket to be disconnected, and an event for servers", func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		return m.gone && len(local.serverEvents()) > 0
	})
	if entries < 10 || len(m.events()) != 10 || counters.Stats().Poison != 0 {
		t.Errorf("of %d entries: %q, %d malformed", entries, m.events(), counters.Stats().Poison)
	}
}

// FuzzStreamsEntry: no entry and no message on a channel does harm, and what is
// understood is written as something that means the same.
func FuzzStreamsEntry(f *testing.F) {
	for _, name := range []string{"streams-0.3.1", "streams-0.2.3"} {
		v := readStreams(f, name)
		for i := range v.Scenarios {
			for _, c := range append(v.Scenarios[i].sent("A"), v.Scenarios[i].sent("B")...) {
				if c.Cmd == "XADD" {
					f.Add(c.field("uid"), c.field("type"), []byte(c.field("data")))
				} else {
					f.Add("u", "3", []byte(c.payload(f)))
				}
			}
		}
	}
	b := &streamsBus{factory: new(streamsFactory)}
	f.Fuzz(func(t *testing.T, uid, kind string, data []byte) {
		if m, nsp, err := parseStreamsEnvelope(data); err == nil {
			again, same, err := parseStreamsEnvelope(appendStreamsEnvelope(nil, nsp, m))
			if err != nil || again.Type != m.Type || strings.ToValidUTF8(nsp, "�") != same {
				t.Fatalf("%+v is written as %+v, %v", m, again, err)
			}
		}
		m, err := decodeEntry(uid, kind, string(data), nil)
		if err != nil || m == nil {
			return
		}
		again, err := decodeEntry(uid, kind, string(b.encode(m)), nil)
		if err != nil || again.Type != m.Type || len(again.Target.Rooms) != len(m.Target.Rooms) {
			t.Fatalf("%+v is written as %+v, %v", m, again, err)
		}
	})
}

// BenchmarkStreams: a broadcast of 110 bytes, to Redis and from it.
func BenchmarkStreams(b *testing.B) {
	client := redistest.Start(b, redistest.Options{}).Client()
	p := shardedEvent(shardedArgs(`["message",{"text":"` + strings.Repeat("x", 85) + `"}]`))
	for name, recovery := range map[string]bool{"publish": false, "recovery": true} {
		b.Run(name, func(b *testing.B) {
			opts := apart(StreamsOptions{})
			var a adapters.Adapter
			if recovery {
				a, _ = recoverer(b, client, opts)
			} else {
				a = streamsNode(b, client, opts, &shardedLocal{name: "/"})
			}
			b.ReportAllocs()
			for b.Loop() {
				for errors.Is(a.Broadcast(p, adapters.Target{}), adapters.ErrQueueFull) {
					runtime.Gosched()
				}
			}
		})
	}
	b.Run("receive", func(b *testing.B) {
		text := (&streamsBus{factory: new(streamsFactory)}).encode(&cluster.Message{Type: cluster.Broadcast, Packet: p})
		b.ReportAllocs()
		for b.Loop() {
			if m, err := decodeEntry("u", "3", string(text), nil); err != nil || m == nil {
				b.Fatal(err)
			}
		}
	})
}

func streamsSuite(t *testing.T, client redis.UniversalClient, opts StreamsOptions) {
	adaptertest.Run(t, adaptertest.Config{
		Nodes: 3,
		New: func(t testing.TB, locals []adapters.Local) []adapters.Adapter {
			opts := apart(opts)
			opts.MaxLen = 20000
			var all []adapters.Adapter
			for _, l := range locals {
				a, err := NewStreams(client, opts)(l)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = a.Close(context.Background()) })
				all = append(all, a)
			}
			return all
		},
	})
}
