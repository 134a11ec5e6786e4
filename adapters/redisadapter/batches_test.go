package redisadapter

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/adapters/redisadapter/internal/link"
	"github.com/hermod-io/hermod/internal/alloctest"
	"github.com/hermod-io/hermod/internal/redistest"
)

// batchOf is the batch of texts.
func batchOf(texts ...string) string {
	b := []byte{0xc1}
	for _, t := range texts {
		b = append(binary.AppendUvarint(b, uint64(len(t))), t...)
	}
	return string(b)
}

// badBatches are none, though they begin as one.
var badBatches = []string{"\xc1", "\xc1\x00", "\xc1\x02a", "\xc1\x81\x00a", "\xc1\x01a\x80", batchOf("a", "b")[:4]}

// batchPair is two nodes, of which the first may send batches, with a socket of the
// second in the room "r".
type batchPair struct {
	a, b   *cluster.Adapter
	counts [2]Counters
	far    *shardedMember
}

// newBatchPair makes one; to says which of the two have the option.
func newBatchPair(t *testing.T, server *redistest.Server, name string, to [2]bool) *batchPair {
	p := new(batchPair)
	o := cluster.Options{JoinTimeout: patient}
	p.a = makeAdapter(t, kinds[name](server.Client(), name, o, to[0], &p.counts[0]), "/")
	p.b = makeAdapter(t, kinds[name](server.Client(), name, o, to[1], &p.counts[1]), "/")
	p.far = enterSharded(t, p.b, &shardedMember{id: "far"}, "r")
	redistest.Until(t, "the nodes know one another", func() bool {
		n, err := p.a.ServerCount(t.Context())
		return err == nil && n == 2
	})
	return p
}

// TestBatchesMixed: nodes with and without batches understand each other, and both
// keep the order.
func TestBatchesMixed(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	for name := range kinds {
		t.Run(name, func(t *testing.T) {
			server.Do("FLUSHALL")
			p := newBatchPair(t, server, name, [2]bool{true, false})
			near := enterSharded(t, p.a, &shardedMember{id: "near"}, "q")
			const n = 3000
			emitN(t, p.a, 0, n)
			for i := range n {
				if err := p.b.Broadcast(shardedEvent(shardedArgs(fmt.Sprintf(`["n",%d]`, i))), inRooms("q")); err != nil {
					t.Fatal(err)
				}
			}
			wantGot(t, p.far, numbered(0, n), "from the node with batches")
			wantGot(t, near, numbered(0, n), "from the node without batches")
			redistest.Until(t, "the answers of Redis", func() bool { return p.counts[0].Stats().Queued == 0 && p.counts[1].Stats().Queued == 0 })
			with, without := p.counts[0].Stats(), p.counts[1].Stats()
			if with.Batches == 0 || with.Published < n || without.Batches != 0 || without.Published < n || with.Poison+without.Poison != 0 {
				t.Errorf("with batches %+v, without %+v", with, without)
			}
			if name != "streams" && (without.Received < n || with.Received < n) {
				t.Errorf("received %d and %d, want %d at least", with.Received, without.Received, n)
			}
			if found, err := p.a.Fetch(t.Context(), adapters.Target{}); err != nil || len(found) != 2 {
				t.Errorf("%d sockets, %v", len(found), err)
			}
		})
	}
}

// TestBatchesOrder: what moves sockets keeps its place between what is sent to
// their rooms, to all, and except to some.
func TestBatchesOrder(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	for name := range kinds {
		t.Run(name, func(t *testing.T) {
			server.Do("FLUSHALL")
			p := newBatchPair(t, server, name, [2]bool{true, true})
			m := enterSharded(t, p.b, &shardedMember{id: "m"})
			var want []string
			send := func(text string, to adapters.Target, heard bool) {
				t.Helper()
				if err := p.a.Broadcast(shardedEvent(shardedArgs(text)), to); err != nil {
					t.Fatal(err)
				}
				if heard {
					want = append(want, text)
				}
			}
			for i := range 100 {
				room := fmt.Sprint("room", i%7)
				if err := p.a.SocketsJoin(t.Context(), inRooms("m"), room); err != nil {
					t.Fatal(err)
				}
				for k := range 20 {
					send(fmt.Sprintf(`["in",%d,%d]`, i, k), inRooms(room), true)
					send(fmt.Sprintf(`["all",%d,%d]`, i, k), adapters.Target{}, true)
					send(fmt.Sprintf(`["but",%d,%d]`, i, k), adapters.Target{Except: []string{room}}, false)
				}
				if err := p.a.SocketsLeave(t.Context(), inRooms("m"), room); err != nil {
					t.Fatal(err)
				}
				send(fmt.Sprintf(`["out",%d]`, i), inRooms(room, "nobody"), false)
			}
			wantGot(t, m, want, "a socket that is moved")
			if n := p.counts[0].Stats().Batches; n == 0 {
				t.Error("there was no batch")
			}
		})
	}
}

// TestBatchesOfOne: what does not wait is written as it is without the option.
func TestBatchesOfOne(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	for name := range kinds {
		var got [2][][]string
		for i, batches := range []bool{false, true} {
			var tap tap
			counters := new(Counters)
			client := tap.client(t, server.Addr())
			var f adapters.Factory
			ids := identity{node: func(string) string { return "node-a" }}
			switch name {
			case "classic":
				f = New(client, Options{Batches: batches, Counters: counters, ids: ids})
			case "sharded":
				f = NewSharded(client, ShardedOptions{Batches: batches, Counters: counters, ids: ids})
			case "streams":
				f = NewStreams(client, StreamsOptions{Batches: batches, Counters: counters, ids: ids})
			}
			a := makeAdapter(t, f, "/")
			for n, send := range []func() error{
				func() error { return a.Broadcast(shardedEvent(shardedArgs(`["e",1]`)), adapters.Target{}) },
				func() error { return a.Broadcast(shardedEvent(shardedArgs(`["e",1]`)), adapters.Target{}) },
				func() error { return a.Broadcast(shardedEvent(shardedArgs(`["e",2]`)), inRooms("r")) },
				func() error { return a.SocketsJoin(t.Context(), inRooms("r"), "s") },
				func() error { return a.ServerSideEmit(t.Context(), shardedArgs(`["e",3]`), nil) },
			} {
				if err := send(); err != nil {
					t.Fatal(err)
				}
				redistest.Until(t, "the answer", func() bool { return counters.Stats().Published == int64(n+1) })
			}
			got[i] = tap.of("PUBLISH", "SPUBLISH", "XADD")
			if err := a.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if len(got[0]) != 5 || !slices.EqualFunc(got[0], got[1], slices.Equal) {
			t.Errorf("%s: %q are written, with batches %q", name, got[0], got[1])
		}
	}
}

// TestBatchesPoison: a malformed batch is dropped whole and counted once, whatever
// the channel and the options, and what follows is heard; so is what is sound in a
// batch with something malformed.
func TestBatchesPoison(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	client := server.Client()
	say := map[string]func(ctx context.Context, channel string, payload any) error{
		"classic": func(ctx context.Context, c string, p any) error { return client.Publish(ctx, c, p).Err() },
		"sharded": func(ctx context.Context, c string, p any) error { return client.SPublish(ctx, c, p).Err() },
		"streams": func(ctx context.Context, c string, p any) error { return client.Publish(ctx, c, p).Err() },
	}
	for name, channels := range map[string][]string{
		"classic": {"socket.io#/#", "socket.io#/#r#", "socket.io-request#/#", "socket.io-response#/#", "socket.io-response#/#node-a#"},
		"sharded": {"socket.io#/#", "socket.io#/#r#", "socket.io#/#node-a#"},
		"streams": {"socket.io#/#", "socket.io#/#node-a#"},
	} {
		t.Run(name, func(t *testing.T) {
			counters := new(Counters)
			ids := identity{node: func(string) string { return "node-a" }, request: func() string { return "q" }}
			var f adapters.Factory
			switch name {
			case "classic":
				f = New(client, Options{Counters: counters, ids: ids})
			case "sharded":
				f = NewSharded(client, ShardedOptions{Counters: counters, ids: ids})
			case "streams":
				f = NewStreams(client, StreamsOptions{Counters: counters, ids: ids})
			}
			local := &shardedLocal{name: "/"}
			a := testAdapter(t, f, local)
			enterSharded(t, a, &shardedMember{id: "s"}, "r")
			if err := a.Join(t.Context(), &shardedMember{id: "t"}, "r"); err != nil {
				t.Fatal(err)
			}
			poison := 0
			for _, c := range channels {
				for _, bad := range badBatches {
					if err := say[name](t.Context(), c, bad); err != nil {
						t.Fatal(err)
					}
				}
				poison += len(badBatches)
				if err := say[name](t.Context(), c, batchOf("x", batchOf("y"), "z")); err != nil {
					t.Fatal(err)
				}
				poison += 3
			}
			redistest.Until(t, "the poison", func() bool { return counters.Stats().Poison >= int64(poison) })
			good := batchOf(serverSideMessage[name], "x", serverSideMessage[name])
			if err := say[name](t.Context(), serverSideChannel[name], good); err != nil {
				t.Fatal(err)
			}
			redistest.Until(t, "what is sound", func() bool { return len(local.serverEvents()) == 2 })
			redistest.Until(t, "the last poison", func() bool { return counters.Stats().Poison >= int64(poison+1) })
			if n := counters.Stats().Poison; n != int64(poison+1) {
				t.Errorf("%d malformed messages are counted, want %d", n, poison+1)
			}
		})
	}
}

// serverSideMessage is an event for servers, as each kind of node publishes it on
// serverSideChannel.
var (
	serverSideMessage = map[string]string{
		"classic": `{"uid":"u","type":6,"data":["e",1]}`,
		"sharded": `{"type":9,"data":{"packet":["e",1]},"uid":"u","nsp":"/"}`,
		"streams": string(appendStreamsEnvelope(nil, "/", &cluster.Message{Type: cluster.ServerSideEmit, From: "u", Args: shardedArgs(`["e",1]`)})),
	}
	serverSideChannel = map[string]string{"classic": "socket.io-request#/#", "sharded": "socket.io#/#", "streams": "socket.io#/#"}
)

// TestBatchesRestart: Redis is killed with batches queued. What is published is
// heard in order and once, and all is counted, in and out; of a stream nothing is
// lost.
func TestBatchesRestart(t *testing.T) {
	t.Parallel()
	for name := range kinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t, redistest.Options{})
			p := newBatchPair(t, server, name, [2]bool{true, true})
			emitN(t, p.a, 0, 1000)
			least := 1
			if name == "streams" {
				least = 1000
			}
			redistest.Until(t, "the first", func() bool { return len(p.far.events()) >= least })
			before := p.counts[0].Stats()
			server.Kill()
			emitN(t, p.a, 1000, 3000)
			server.RestartEmpty()
			last := 3000
			redistest.Until(t, "what comes after", func() bool {
				emitN(t, p.a, last, last+1)
				last++
				got := p.far.events()
				return slices.Contains(numbered(3000, last), got[len(got)-1])
			})
			redistest.Until(t, "the answers of Redis", func() bool { return p.counts[0].Stats().Queued == 0 })
			s := p.counts[0].Stats()
			if n := s.Published + s.Dropped - before.Published; name != "streams" && n < int64(last-1000) || s.Batches == 0 || s.Refused != 0 {
				t.Errorf("%d are accounted for of %d; before %+v, after %+v", n, last, before, s)
			}
			if name == "streams" {
				redistest.Until(t, "all", func() bool { return len(p.far.events()) >= last })
			}
			wantRisingEvents(t, p.far.events(), name == "streams")
		})
	}
}

// wantRisingEvents demands that numbers rise; what was seen before may come again
// if twice is set.
func wantRisingEvents(t *testing.T, events []string, twice bool) {
	t.Helper()
	newest, seen := -1, map[int]bool{}
	for _, text := range events {
		var n int
		if _, err := fmt.Sscanf(text, `["n",%d`, &n); err != nil {
			t.Fatal(text)
		}
		if n <= newest && !(twice && seen[n]) {
			t.Fatalf("%d comes after %d", n, newest)
		}
		newest, seen[n] = max(newest, n), true
	}
}

// TestBatchesNodeCut: a node whose link is cut hears afterwards what others send in
// batches, in order and once.
func TestBatchesNodeCut(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	for name := range kinds {
		t.Run(name, func(t *testing.T) {
			server.Do("FLUSHALL")
			proxy := redistest.NewProxy(t, server.Addr())
			var counters Counters
			a := makeAdapter(t, kinds[name](server.Client(), name, cluster.Options{}, true, &counters), "/")
			b := makeAdapter(t, kinds[name](through(t, proxy), name, cluster.Options{}, true, nil), "/")
			m := enterSharded(t, b, &shardedMember{id: "b"}, "r")
			emitN(t, a, 0, 1000)
			redistest.Until(t, "the first", func() bool { return len(m.events()) > 0 })
			proxy.Down()
			emitN(t, a, 1000, 2000)
			proxy.Up()
			last := 2000
			redistest.Until(t, "what comes after", func() bool {
				emitN(t, a, last, last+1)
				last++
				got := m.events()
				return slices.Contains(numbered(2000, last), got[len(got)-1])
			})
			if name == "streams" {
				wantGot(t, m, numbered(0, last), "of a stream, where nothing is lost")
			}
			wantRisingEvents(t, m.events(), false)
			if counters.Stats().Batches == 0 {
				t.Error("there was no batch")
			}
		})
	}
}

// batchLease is one without Redis.
func batchLease(r cluster.Receiver) *lease {
	return &lease{Link: &link.Link{Subscriber: new(link.Subscriber)}, receiver: r}
}

// A batch costs a handler no allocation: its messages are read where they lie.
func TestBatchesReceiveAllocations(t *testing.T) {
	const n = 50
	classic := smallBus(new(classicSink))
	classic.link = batchLease(new(classicSink))
	in := smallMessage(classic)
	in.Payload = []byte(batchOf(slices.Repeat([]string{string(in.Payload)}, n)...))
	sink := new(shardedSink)
	sharded := shardedTestBus(sink)
	sharded.link = batchLease(sink)
	message := string(sharded.encode(shardedSmall()))
	batch := link.Message{Channel: sharded.main, Payload: []byte(batchOf(slices.Repeat([]string{message}, n)...))}
	for name, take := range map[string]func(){
		"classic": func() { classic.hear(in) },
		"sharded": func() { sharded.factory.receive(batch) },
	} {
		take()
		if each := alloctest.PerRun(100, take) / n; each > mostReceiveAllocs {
			t.Errorf("%s: %v allocations to receive", name, each)
		}
	}
	if sink.got == nil || classic.link.receiver.(*classicSink).got == nil {
		t.Error("nothing was received")
	}
}

// BenchmarkBatchReceived is a message of a batch of 50.
func BenchmarkBatchReceived(b *testing.B) {
	const n = 50
	bus := smallBus(new(classicSink))
	bus.link = batchLease(new(classicSink))
	in := smallMessage(bus)
	in.Payload = []byte(batchOf(slices.Repeat([]string{string(in.Payload)}, n)...))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%n == 0 {
			bus.hear(in)
		}
	}
}

// BenchmarkBatches measures a broadcast of one goroutine to a real Redis and to
// another node, with batches and without.
func BenchmarkBatches(b *testing.B) {
	for name, k := range kinds {
		for _, on := range []bool{false, true} {
			b.Run(fmt.Sprint(name, map[bool]string{false: "/single", true: "/batches"}[on]), func(b *testing.B) {
				client := redistest.Start(b, redistest.Options{}).Client()
				var counters Counters
				a := makeAdapter(b, k(client, "bench", cluster.Options{}, on, &counters), "/")
				p := shardedEvent(shardedArgs(`["message",{"text":"` + strings.Repeat("x", 85) + `"}]`))
				b.ReportAllocs()
				for b.Loop() {
					for a.Broadcast(p, adapters.Target{}) != nil { // the queue is full
						redistest.Until(b, "room", func() bool { return counters.Stats().Queued < 8<<20 })
					}
				}
				redistest.Until(b, "the answers", func() bool { return counters.Stats().Queued == 0 })
			})
		}
	}
}
