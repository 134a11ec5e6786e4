package redisadapter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/adapters/cluster/wire"
	"github.com/hermod-io/hermod/adapters/redisadapter/internal/link"
	"github.com/hermod-io/hermod/internal/alloctest"
	"github.com/hermod-io/hermod/internal/redistest"
	"github.com/hermod-io/hermod/socketio/parser"
)

// TestShardedOutage: while Redis is away this node's sockets get everything at
// once; afterwards each node is told of the gap and hears the others again.
func TestShardedOutage(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	during := shardedOutage(t, r.Client())
	r.Kill()
	after := during(t)
	r.RestartEmpty()
	after(t)
}

// shardedOutage makes nodes for an outage; what it returns is to be called during
// it, and what that returns when it is over.
func shardedOutage(t *testing.T, client redis.UniversalClient) outage {
	var gaps atomic.Int64
	opts := ShardedOptions{}
	opts.OnGap = func(string, cluster.Gap) { gaps.Add(1) }
	nodes := shardedNodes(t, client, opts, &shardedLocal{name: "/"}, &shardedLocal{name: "/"})
	near := enterSharded(t, nodes[0], &shardedMember{id: "near"}, "r")
	far := enterSharded(t, nodes[1], &shardedMember{id: "far"}, "r")
	return func(t *testing.T) func(t *testing.T) {
		for i := range 20 {
			if err := nodes[0].Broadcast(shardedEvent(shardedArgs(fmt.Sprintf(`["during",%d]`, i))), inRooms("r")); err != nil {
				t.Fatal(err)
			}
			if n := len(near.events()); n != i+1 {
				t.Fatalf("%d messages of %d are delivered when Broadcast returned", n, i+1)
			}
		}
		return func(t *testing.T) { afterShardedOutage(t, &gaps, nodes[0], far) }
	}
}

func afterShardedOutage(t *testing.T, gaps *atomic.Int64, a adapters.Adapter, far *shardedMember) {
	redistest.Until(t, "both nodes are told of the gap", func() bool { return gaps.Load() >= 2 })
	heard := func() bool {
		if err := a.Broadcast(shardedEvent(shardedArgs(`["after"]`)), inRooms("r")); err != nil {
			t.Fatal(err)
		}
		events := far.events()
		return len(events) > 0 && events[len(events)-1] == `["after"]`
	}
	redistest.Until(t, "the other node hears again", heard)
	last := -1
	for _, text := range far.events() {
		var i int
		if _, err := fmt.Sscanf(text, `["during",%d]`, &i); err == nil {
			if i <= last {
				t.Errorf("%d came after %d", i, last)
			}
			last = i
		}
	}
}

// TestShardedPoison: whatever is published on the channels of a node, it goes on
// hearing the others. (The official node is deaf from then on, or crashes.)
func TestShardedPoison(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t, redistest.Options{}).Client()
	opts := ShardedOptions{Counters: new(Counters)}
	opts.ids.node = func(string) string { return "node-a" }
	a := shardedNodes(t, client, opts, &shardedLocal{name: "/"})[0]
	m := enterSharded(t, a, &shardedMember{id: "s"}, "r")
	bad := []string{
		"", "x", "{", "{}", "null", `{"type":3}`, `{"type":3,"uid":"u","nsp":"/"}`, `{"type":99,"uid":"u","nsp":"/","data":{}}`, "\x84\xa4type\x03",
		`{"type":3,"data":{"packet":{"type":2,"data":["e"]},"opts":{"rooms":[]}},"uid":"u","nsp":"/other"}`,
		`{"type":3,"data":{"packet":{"type":2,"data":[]},"opts":{"rooms":[]}},"uid":"u","nsp":"/"}`,
		`{"type":6,"data":{"close":true},"uid":"u","nsp":"/"}`, "\xdf\xff\xff\xff\xff",
	}
	for _, channel := range []string{"socket.io#/#", "socket.io#/#node-a#", "socket.io#/#r#"} {
		for _, payload := range bad {
			if err := client.SPublish(t.Context(), channel, payload).Err(); err != nil {
				t.Fatal(err)
			}
		}
		good := `{"type":3,"data":{"packet":{"type":2,"data":["e"]},"opts":{"rooms":["r"],"except":[],"flags":{}}},"uid":"u","nsp":"/"}`
		if err := client.SPublish(t.Context(), channel, good).Err(); err != nil {
			t.Fatal(err)
		}
	}
	redistest.Until(t, "the good messages", func() bool { return len(m.events()) == 3 })
	if got, want := opts.Counters.Stats().Poison, int64(3*len(bad)); got != want {
		t.Errorf("%d messages dropped, want %d", got, want)
	}
	if m.gone {
		t.Error("poison disconnected a socket")
	}
}

// TestShardedNodeLost: a node that goes away ends what waits for it, before it
// answered and between its count of sockets and their answers.
func TestShardedNodeLost(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	proxy := redistest.NewProxy(t, r.Addr())
	client := redis.NewClient(&redis.Options{Addr: proxy.Addr()})
	t.Cleanup(func() { _ = client.Close() })
	opts := ShardedOptions{}
	opts.RequestTimeout = time.Hour
	asked := make(chan struct{}, 1)
	lost := &shardedLocal{name: "/", answer: func(string, string) *parser.Args { asked <- struct{}{}; return nil }}
	b, err := NewSharded(client, opts)(lost)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close(context.Background()) })
	enterSharded(t, b, &shardedMember{id: "far"})
	opts.Counters = new(Counters)
	a, err := NewSharded(r.Client(), opts)(&shardedLocal{name: "/"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close(context.Background()) })
	done := make(chan error, 1)
	wait := func(what string) {
		t.Helper()
		select {
		case err := <-done:
			var partial *adapters.PartialError
			if !errors.As(err, &partial) || partial.Missing != 1 || !errors.Is(err, adapters.ErrNodeLost) {
				t.Errorf("%s: error %v", what, err)
			}
		case <-time.After(time.Minute):
			t.Fatalf("%s still waits", what)
		}
	}
	go func() {
		done <- a.BroadcastAck(t.Context(), shardedEvent(shardedArgs(`["q"]`)), adapters.Target{}, func(parser.Args) {})
	}()
	<-asked
	proxy.Down()
	wait("BroadcastAck")
	proxy.Up()
	redistest.Until(t, "the node is back", func() bool {
		n, err := a.(*cluster.Adapter).ServerCount(t.Context())
		return err == nil && n == 2
	})
	proxy.Silence()
	before := opts.Counters.Stats().Published
	go func() { _, err := a.Fetch(t.Context(), adapters.Target{}); done <- err }()
	redistest.Until(t, "the request is published", func() bool { return opts.Counters.Stats().Published > before })
	proxy.Down()
	wait("Fetch")
	proxy.Speak()
}

// shardedTestBus is a bus without Redis, for what comes and how it is written.
func shardedTestBus(r cluster.Receiver) *shardedBus {
	s := &shardedFactory{prefix: "socket.io#", buses: make(map[string][]*shardedBus)}
	b := newShardedBus(s, &lease{receiver: r}, "/")
	s.buses["/"] = []*shardedBus{b}
	return b
}

type shardedSink struct {
	got  *cluster.Message       // valid as long as it is lent
	take func(*cluster.Message) // if set, is called with it
}

func (s *shardedSink) Receive(m *cluster.Message) {
	if s.got = m; s.take != nil {
		s.take(m)
	}
}
func (s *shardedSink) Gap(cluster.Gap) {}

func shardedSmall() *cluster.Message {
	text := `["message",{"id":12345,"user":"somebody","text":"a line of text that makes up about one hundred and ten bytes"}]`
	return &cluster.Message{Type: cluster.Broadcast, From: "0123456789abcdef", Target: inRooms("room1"), Packet: shardedEvent(shardedArgs(text))}
}

// TestShardedEcho: our own messages, which come back, are dropped unread, and
// those of others are not taken for them.
func TestShardedEcho(t *testing.T) {
	t.Parallel()
	var sink shardedSink
	b := shardedTestBus(&sink)
	bin := shardedEvent(shardedArgs(`["e",{"_placeholder":true,"num":0}]`, []byte(b.uid)))
	for _, p := range []*parser.Packet{shardedSmall().Packet, bin} {
		for from, echo := range map[string]bool{b.uid: true, "0123456789abcdef": false} {
			sink.got = nil
			m := cluster.Message{Type: cluster.Broadcast, From: from, Packet: p}
			if err := b.receive(link.Message{Channel: b.main, Payload: b.encode(&m)}); err != nil || (sink.got == nil) != echo {
				t.Errorf("from %s: got %+v, %v", from, sink.got, err)
			}
		}
	}
}

func TestShardedAllocations(t *testing.T) {
	var sink shardedSink
	b, m := shardedTestBus(&sink), shardedSmall()
	if n := alloctest.PerRun(100, func() { b.encode(m) }); n > 1 {
		t.Errorf("%v allocations to encode", n)
	}
	msg := link.Message{Channel: b.main, Payload: b.encode(m)}
	if n := alloctest.PerRun(100, func() { _ = b.receive(msg) }); n > mostReceiveAllocs {
		t.Errorf("%v allocations to receive", n)
	}
	m.From = b.uid
	msg.Payload = b.encode(m)
	if n := alloctest.PerRun(100, func() { _ = b.receive(msg) }); n > 0 {
		t.Errorf("%v allocations to drop an echo", n)
	}
}

// FuzzShardedReceive: nothing that is published makes a node panic, or reaches it
// but as a message that it can write again.
func FuzzShardedReceive(f *testing.F) {
	m := shardedSmall()
	for _, d := range []wire.Dialect{wire.JSON, wire.Notepack} {
		f.Add(cluster.AppendEnvelope(nil, d, "/", m))
	}
	for _, text := range []string{"{}", `{"type":3}`, `{"type":7,"data":{"opts":{},"requestId":"q"},"uid":"u","nsp":"/"}`} {
		f.Add([]byte(text))
	}
	var sink shardedSink
	b := shardedTestBus(&sink)
	sink.take = func(m *cluster.Message) { b.encode(m) }
	f.Fuzz(func(t *testing.T, payload []byte) {
		before := bytes.Clone(payload)
		sink.got = nil
		err := b.receive(link.Message{Channel: b.main, Payload: payload})
		if err != nil && sink.got != nil {
			t.Fatalf("%+v was received with error %v", sink.got, err)
		}
		if !bytes.Equal(before, payload) {
			t.Fatal("the payload was changed")
		}
	})
}

func BenchmarkShardedReceive(b *testing.B) {
	var sink shardedSink
	bus := shardedTestBus(&sink)
	msg := link.Message{Channel: bus.main, Payload: bus.encode(shardedSmall())}
	b.ReportAllocs()
	for b.Loop() {
		_ = bus.receive(msg)
	}
}

// BenchmarkShardedPublish measures one goroutine against a real Redis, all that is
// queued included.
func BenchmarkShardedPublish(b *testing.B) {
	client := redistest.Start(b, redistest.Options{}).Client()
	opts := ShardedOptions{Counters: new(Counters)}
	a, err := NewSharded(client, opts)(&shardedLocal{name: "/"})
	if err != nil {
		b.Fatal(err)
	}
	m := shardedSmall()
	b.ReportAllocs()
	for b.Loop() {
		for a.Broadcast(m.Packet, m.Target) != nil { // the queue is full
			<-time.After(time.Millisecond)
		}
	}
	if err := a.Close(context.Background()); err != nil {
		b.Fatal(err)
	}
}
