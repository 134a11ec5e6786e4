package redisadapter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/adapters/cluster/wire"
	"github.com/hermod-io/hermod/internal/redistest"
	"github.com/hermod-io/hermod/socketio/parser"
)

// Requests of the first versions named one socket, and were answered with nothing
// but their id; allSockets was a request of its own.
func TestClassicOldForms(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	a := classicNode(t, server.Client(), Options{PublishOnSpecificResponseChannel: true}, &fakeLocal{name: "/"})
	m, other := join(t, a, "m", "r"), join(t, a, "other", "r")
	s := newStranger(t, server, "socket.io-response#/#", "socket.io-response#/#old#")
	const request, response = "socket.io-request#/#", "socket.io-response#/#"
	s.say(request, `{"uid":"old","requestId":"1","type":2,"sid":"m","room":"new"}`)
	s.await(response + `old# {"requestId":"1"}`)
	if rooms := a.RoomsOf(m); !slices.Contains(rooms, "new") || slices.Contains(a.RoomsOf(other), "new") {
		t.Errorf("m is in %v", rooms)
	}
	s.say(request, `{"requestId":"2","type":3,"sid":"m","room":"r"}`)
	s.await(response + ` {"requestId":"2"}`)
	if rooms := a.RoomsOf(m); slices.Contains(rooms, "r") {
		t.Errorf("m is in %v", rooms)
	}
	s.say(request, `{"requestId":"3","type":2,"sid":"nobody","room":"x"}`)
	s.say(request, `{"requestId":"4","type":0,"rooms":["r"]}`)
	s.await(response + ` {"requestId":"4","sockets":["other"]}`)
	s.say(request, `{"requestId":"5","type":4,"sid":"other","close":true}`)
	s.await(response + ` {"requestId":"5"}`)
	if d := other.disconnects(); !slices.Equal(d, []bool{true}) || len(m.disconnects()) != 0 {
		t.Errorf("disconnects: %v, %v", d, m.disconnects())
	}
	s.say(request, `{"requestId":"6","type":1}`)
	s.await(response + ` {"requestId":"6","rooms":[`)
	if got := s.heard(); len(got) != 5 {
		t.Errorf("answers: %q", got)
	}
}

// socketsJoin and its like act at once on this node, and not again when Redis
// echoes the request; those of emitters, which have no uid, and of other nodes
// act.
func TestClassicNoSelfActionTwice(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	local := &fakeLocal{name: "/"}
	a := classicNode(t, server.Client(), Options{}, local)
	m := join(t, a, "m")
	ctx := t.Context()
	if err := a.SocketsJoin(ctx, adapters.Target{}, "r"); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(a.RoomsOf(m), "r") {
		t.Error("not applied at once")
	}
	for _, err := range []error{
		a.DisconnectSockets(ctx, adapters.Target{}, false),
		a.ServerSideEmit(ctx, parser.Args{JSON: []byte(`["own"]`)}, nil),
		a.Broadcast(&parser.Packet{Type: parser.Event, Args: parser.Args{JSON: []byte(`["own"]`)}}, adapters.Target{}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	e := newEmitter(t, server.Client(), EmitterOptions{})
	for _, err := range []error{
		e.SocketsJoin("emitted"), e.In("emitted").SocketsLeave("r"), e.ServerSideEmit("emitted"),
		e.To("emitted").Emit("emitted", 1), e.DisconnectSockets(true),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	redistest.Until(t, "the emitter's", func() bool { return len(m.disconnects()) == 2 })
	newStranger(t, server).wantFence(m, `["own"]`, `["emitted",1]`)
	if rooms := a.RoomsOf(m); slices.Contains(rooms, "r") || !slices.Contains(rooms, "emitted") {
		t.Errorf("rooms: %v", rooms)
	}
	if got := local.serverSide(); !slices.Equal(got, []string{`["emitted"]`}) {
		t.Errorf("server-side events: %v", got)
	}
}

// Names of rooms that are numbers match their decimal strings.
func TestClassicNumericRooms(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	for _, pattern := range []bool{false, true} {
		a := classicNode(t, server.Client(), Options{PatternSubscription: pattern}, &fakeLocal{name: "/"})
		m := join(t, a, "m", "42", "7")
		s := newStranger(t, server)
		s.broadcast("socket.io#/#42#", "js", "/", `["room"]`, wire.M("rooms", wire.Array(wire.Int(42))))
		s.broadcast("socket.io#/#", "js", "/", `["rooms"]`, wire.M("rooms", wire.Array(wire.Int(42), wire.Int(8))))
		s.broadcast("socket.io#/#", "js", "/", `["except"]`, wire.M("except", wire.Array(wire.Int(7))))
		s.wantFence(m, `["room"]`, `["rooms"]`)
	}
}

// Redis sends this node only the broadcasts to rooms that have members here,
// unless it asks for all; then those for others are dropped unseen.
func TestClassicInterest(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	s := newStranger(t, server)
	for name, opts := range map[string]Options{"rooms": {Key: "a"}, "pattern": {Key: "b", PatternSubscription: true}} {
		t.Run(name, func(t *testing.T) {
			opts.Counters = new(Counters)
			a := classicNode(t, server.Client(), opts, &fakeLocal{name: "/"})
			m := join(t, a, "m", "here")
			key := opts.Key
			for room, want := range map[string]int{"here": 1, "m": 1, "elsewhere": 0} {
				if opts.PatternSubscription {
					want = 1
				}
				// what is malformed shows whether it is looked into
				if n := s.say(key+"#/#"+room+"#", "\xc1"); n != want {
					t.Errorf("a broadcast to %s goes to %d nodes, want %d", room, n, want)
				}
			}
			redistest.Until(t, "poison of two channels", func() bool { return opts.Counters.Stats().Poison == 2 })
			a.Leave(m, "here")
			redistest.Until(t, "the end of interest", func() bool {
				return opts.PatternSubscription || s.say(key+"#/#here#", "\xc1") == 0
			})
			if n := opts.Counters.Stats().Poison; n != 2 {
				t.Errorf("%d messages looked into, want 2", n)
			}
		})
	}
}

// Channels are told by the namespace inside too: those of /a#b look like a room of
// /a, and a pattern with * in it matches more than it should.
func TestClassicNamespaces(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	s := newStranger(t, server)
	factory := New(server.Client(), Options{})
	sockets := map[string]*fakeSocket{}
	for _, nsp := range []string{"/", "/a", "/a#b", "/*#x", "/b#x"} {
		a, err := factory(&fakeLocal{name: nsp})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = a.Close(t.Context()) })
		sockets[nsp] = join(t, a, "m", "b")
	}
	for nsp := range sockets {
		s.broadcast("socket.io#"+nsp+"#", "js", nsp, `["all of `+nsp+`"]`, wire.M("rooms", wire.Array()))
		s.broadcast("socket.io#"+nsp+"#b#", "js", nsp, `["b of `+nsp+`"]`, wire.M("rooms", wire.Strings([]string{"b"})))
	}
	s.broadcast("socket.io#/#", "js", "", `["no nsp is /"]`, wire.M("rooms", wire.Array()))
	for nsp, m := range sockets {
		want := []string{`["all of ` + nsp + `"]`, `["b of ` + nsp + `"]`}
		if nsp == "/" {
			want = append(want, `["no nsp is /"]`)
		}
		redistest.Until(t, nsp, func() bool { return len(m.events()) >= len(want) })
		if got := m.events(); !slices.Equal(got, want) {
			t.Errorf("%s got %q, want %q", nsp, got, want)
		}
	}
}

// Malformed messages are dropped, counted and logged now and then; the node hears
// what comes after them, and nobody gets what was meant for others.
func TestClassicPoison(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	log := new(strings.Builder)
	var mu sync.Mutex // guards log
	counters := new(Counters)
	opts := Options{Counters: counters}
	opts.Logger = slog.New(slog.NewTextHandler(lockedWriter{&mu, log}, nil))
	a := classicNode(t, server.Client(), opts, &fakeLocal{name: "/"})
	m := join(t, a, "m")
	s := newStranger(t, server)
	n := 0
	for _, p := range classicPoison() {
		s.say("socket.io#/#", p)
		n++
	}
	for _, p := range []string{
		``, `{`, `[]`, `{}`, `null`, `{"type":2}`, `{"type":"x"}`, `{"type":5}`, `{"type":5,"requestId":"1"}`,
		`{"type":5,"requestId":"1","opts":[]}`, `{"type":4,"opts":{"rooms":[null]},"close":true}`, `{"type":4,"opts":{"rooms":"m"}}`,
		`{"type":6}`, `{"type":6,"data":{}}`, `{"type":6,"data":[]}`, `{"type":7,"requestId":"1"}`, `{"type":10,"requestId":"1"}`,
		`{"type":2,"sid":"m"}`, `{"type":2,"opts":{"rooms":[]},"rooms":[{}]}`, `{"type":1}`, `{"type":0}`, "\xc1", "\x80",
	} {
		s.say("socket.io-request#/#", p)
		n++
	}
	s.wantFence(m)
	redistest.Until(t, "all poison", func() bool { return counters.Stats().Poison >= int64(n) })
	if got := counters.Stats(); got.Poison != int64(n) || got.Received < got.Poison {
		t.Errorf("%+v, want %d of poison", got, n)
	}
	mu.Lock()
	defer mu.Unlock()
	if lines := strings.Count(log.String(), "malformed"); lines < 1 || lines > n/2 {
		t.Errorf("%d lines in the log", lines)
	}
	if len(m.disconnects()) != 0 {
		t.Error("somebody was disconnected")
	}
}

// classicPoison are broadcasts that are not what they should be.
func classicPoison() (all []string) {
	text := func(s string) wire.Value { return wire.String(s) }
	event := wire.Args(parser.Args{JSON: []byte(`["e"]`)})
	packet := wire.Map(wire.M("type", wire.Int(2)), wire.M("data", event), wire.M("nsp", text("/")))
	opts := wire.Map(wire.M("rooms", wire.Array()))
	for _, v := range []wire.Value{
		wire.Array(text("x"), packet),
		wire.Array(text("x"), packet, wire.Array()),
		wire.Array(text("x"), packet, wire.Map(wire.M("rooms", wire.Array(wire.Nil())))),
		wire.Array(text("x"), packet, wire.Map(wire.M("rooms", text("m")))),
		wire.Array(text("x"), packet, wire.Map(wire.M("except", wire.Array(wire.Map())))),
		wire.Array(text("x"), wire.Map(wire.M("type", wire.Int(3)), wire.M("data", event), wire.M("nsp", text("/"))), opts),
		wire.Array(text("x"), wire.Map(wire.M("type", wire.Int(2)), wire.M("nsp", text("/"))), opts),
		wire.Array(text("x"), wire.Map(wire.M("type", wire.Int(2)), wire.M("data", wire.Map()), wire.M("nsp", text("/"))), opts),
		wire.Array(text("x"), wire.Map(wire.M("type", wire.Int(2)), wire.M("data", wire.Array()), wire.M("nsp", text("/"))), opts),
		wire.Array(text("x"), wire.Map(wire.M("type", wire.Int(2)), wire.M("data", wire.Args(parser.Args{JSON: []byte(`["connect"]`)})), wire.M("nsp", text("/"))), opts),
	} {
		all = append(all, string(wire.Notepack.Append(nil, v)))
	}
	return append(all, "garbage", "\xdd\xff\xff\xff\xff", strings.Repeat("\x91", 5000), "")
}

type lockedWriter struct {
	mu *sync.Mutex
	w  *strings.Builder
}

func (l lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

// Floats of 2^64 and more are written as floats, of which notepack.io makes the
// numbers they are; what it writes itself is accepted.
func TestClassicLargeNumbers(t *testing.T) {
	b := &classicBus{opts: new(Options), nsp: "/", uid: "u", own: appendClassicHead(nil, "u")}
	m := &cluster.Message{Type: cluster.Broadcast, Packet: &parser.Packet{Type: parser.Event}}
	m.Packet.JSON = []byte(`["n",1e21,1e300,-1e19,18446744073709551616,18446744073709551615,1.0,9007199254740993]`)
	got, err := parseClassicBroadcast("/", b.appendBroadcast(m), nil)
	if err != nil {
		t.Fatal(err)
	}
	var sent, came []any
	if json.Unmarshal(m.Packet.JSON, &sent) != nil || json.Unmarshal(got.Packet.JSON, &came) != nil {
		t.Fatal(string(got.Packet.JSON))
	}
	if !slices.Equal(sent, came) {
		t.Errorf("sent %v, arrived %v", sent, came)
	}
}

// Nodes count each other by who listens to requests: one that is closed, or whose
// connections broke, is not counted at once.
func TestClassicLiving(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	one := classicNode(t, server.Client(), Options{}, &fakeLocal{name: "/"})
	proxy := redistest.NewProxy(t, server.Addr())
	far := redis.NewClient(&redis.Options{Addr: proxy.Addr()})
	t.Cleanup(func() { _ = far.Close() })
	factory := New(server.Client(), Options{})
	stays, err := factory(&fakeLocal{name: "/stays"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stays.Close(t.Context()) })
	two, err := factory(&fakeLocal{name: "/"})
	if err != nil {
		t.Fatal(err)
	}
	classicNode(t, far, Options{}, &fakeLocal{name: "/"})
	count := func(want int) {
		t.Helper()
		redistest.Until(t, fmt.Sprintf("%d nodes", want), func() bool {
			n, err := one.ServerCount(t.Context())
			return err == nil && n == want
		})
	}
	count(3)
	proxy.Down()
	count(2)
	if err := two.Close(t.Context()); err != nil { // the link of its factory stays
		t.Fatal(err)
	}
	if n, err := one.ServerCount(t.Context()); n != 1 || err != nil {
		count(1)
	}
}

// During an outage this node's sockets are served, Join says that it is pending,
// and the gap is reported when Redis is back; what comes then arrives.
func TestClassicOutage(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	gaps := make(chan string, 8)
	opts := Options{Options: cluster.Options{JoinTimeout: time.Minute, OnGap: func(nsp string, g cluster.Gap) {
		if g.To.After(g.From) {
			gaps <- nsp
		}
	}}}
	a, b := classicNode(t, server.Client(), opts, &fakeLocal{name: "/"}), classicNode(t, server.Client(), opts, &fakeLocal{name: "/"})
	here, far := join(t, a, "here", "r"), join(t, b, "far", "r")
	server.Kill()
	late := &fakeSocket{id: "late"}
	redistest.Until(t, "the outage to be known", func() bool {
		var pending *adapters.SubscriptionPending
		return errors.As(b.Join(t.Context(), late, "late"), &pending)
	})
	emit := func(name string) {
		t.Helper()
		p := &parser.Packet{Type: parser.Event, Args: parser.Args{JSON: []byte(`["` + name + `"]`)}}
		if err := a.Broadcast(p, adapters.Target{Rooms: []string{"r", "late"}}); err != nil {
			t.Fatal(err)
		}
	}
	emit("during")
	if got := here.events(); !slices.Equal(got, []string{`["during"]`}) {
		t.Errorf("on this node: %v", got)
	}
	server.RestartEmpty()
	for range 2 {
		if nsp := <-gaps; nsp != "/" {
			t.Errorf("a gap in %s", nsp)
		}
	}
	if err := b.Join(t.Context(), late, "late"); err != nil {
		t.Errorf("Join when Redis is back: %v", err)
	}
	emit("after")
	for _, m := range []*fakeSocket{far, late} {
		redistest.Until(t, "what comes after", func() bool { return slices.Contains(m.events(), `["after"]`) })
	}
}

// Links live as long as one of the factory's namespaces, and can be opened again.
func TestClassicLinksAreShared(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	client := server.Client()
	connections := func(want int) {
		t.Helper()
		redistest.Until(t, fmt.Sprintf("%d connections", want), func() bool {
			list := server.Text("CLIENT", "LIST", "TYPE", "PUBSUB")
			return strings.Count(list, "\n") == want
		})
	}
	counters := new(Counters)
	factory := New(client, Options{Counters: counters})
	for range 2 {
		all := map[string]adapters.Adapter{}
		for _, nsp := range []string{"/", "/a", "/b"} {
			a, err := factory(&fakeLocal{name: nsp})
			if err != nil {
				t.Fatal(err)
			}
			all[nsp] = a
		}
		connections(1)
		if n := counters.Stats().Subscriptions; n != 12 {
			t.Errorf("%d subscriptions, want 4 for each namespace", n)
		}
		for _, nsp := range slices.Sorted(maps.Keys(all)) {
			if err := all[nsp].Close(context.Background()); err != nil {
				t.Error(err)
			}
			if err := all[nsp].Broadcast(&parser.Packet{Type: parser.Event, Args: parser.Args{JSON: []byte(`["e"]`)}}, adapters.Target{}); err != adapters.ErrClosed {
				t.Errorf("closed: %v", err)
			}
		}
		connections(0)
	}
}

// A node that does not answer costs the time that requests may take, and what the
// others said stands.
// compat: option requestsTimeout
func TestClassicRequestsTimeout(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	opts := Options{Options: cluster.Options{RequestTimeout: 100 * time.Millisecond}}
	a, b := classicNode(t, server.Client(), opts, &fakeLocal{name: "/"}), classicNode(t, server.Client(), opts, &fakeLocal{name: "/"})
	join(t, a, "here")
	join(t, b, "there")
	if found, err := a.Fetch(t.Context(), adapters.Target{Flags: adapters.Flags{Timeout: time.Minute}}); len(found) != 2 || err != nil {
		t.Fatalf("%d sockets, %v", len(found), err)
	}
	newStranger(t, server, "socket.io-request#/#") // counts as a node
	found, err := a.Fetch(t.Context(), adapters.Target{})
	var partial *adapters.PartialError
	if !errors.As(err, &partial) || partial.Nodes < 1 || !errors.Is(err, context.DeadlineExceeded) || len(found) < 1 {
		t.Errorf("%d sockets, %v", len(found), err)
	}
}
