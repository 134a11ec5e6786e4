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
	"github.com/hermod-io/hermod/internal/redistest"
	"github.com/hermod-io/hermod/socketio/args"
	"github.com/hermod-io/hermod/socketio/event"
)

// emitterCalls are the recorded calls, by the names of their scenarios.
var emitterCalls = map[string]func(e *Emitter) error{
	"emit-text": func(e *Emitter) error {
		return e.Emit("hello", "world", 1, map[string][]int{"a": {1, 2}})
	},
	"emit-no-args": func(e *Emitter) error { return e.Emit("ping1") },
	"emit-binary":  func(e *Emitter) error { return e.Emit("bin", []byte{1, 2, 255}) },
	"emit-date-undefined": func(e *Emitter) error {
		return e.Emit("d", time.UnixMilli(1700000000123).UTC(), nil)
	},
	"to-room":   func(e *Emitter) error { return e.To("room1").Emit("hello", 1) },
	"to-rooms":  func(e *Emitter) error { return e.To("room1", "room2").Emit("hello", 2) },
	"to-except": func(e *Emitter) error { return e.In("room1").Except("room2").Emit("hello", 3) },
	"except":    func(e *Emitter) error { return e.Except("room2").Emit("hello", 4) },
	"volatile":  func(e *Emitter) error { return e.Volatile().Emit("v", 1) },
	"compress":  func(e *Emitter) error { return e.Compress(false).Emit("c", 1) },
	"of-slash":  func(e *Emitter) error { return e.Of("/chat").Emit("hello", 5) },
	"of-no-slash": func(e *Emitter) error {
		return e.Of("chat").To("room1").Emit("hello", 6)
	},
	"sockets-join":     func(e *Emitter) error { return e.In("room1").SocketsJoin("room3") },
	"sockets-join-all": func(e *Emitter) error { return e.SocketsJoin("room4", "room5") },
	"sockets-leave": func(e *Emitter) error {
		return e.In("room1").Except("room2").SocketsLeave("room3")
	},
	"disconnect":       func(e *Emitter) error { return e.In("room1").DisconnectSockets(false) },
	"disconnect-close": func(e *Emitter) error { return e.DisconnectSockets(true) },
	"sse": func(e *Emitter) error {
		return e.ServerSideEmit("sse", 1, "two", map[string]int{"three": 3})
	},
	"sse-binary": func(e *Emitter) error { return e.ServerSideEmit("sse", []byte{1, 2}) },
	"sse-ack":    func(e *Emitter) error { return e.ServerSideEmit("sse", func() {}) },
	"reserved":   func(e *Emitter) error { return e.Emit("connect") },
}

// emitterDifferences are the scenarios, by file or for all, in which our bytes are
// not the recorded ones, and why.
var emitterDifferences = map[string]string{
	"emitter-redis/emit-date-undefined":     "a time is JSON text here: it has no form of its own in notepack",
	"emitter-redis-key/emit-date-undefined": "a time is JSON text here: it has no form of its own in notepack",
	"emitter-streams/of-no-slash":           "the slash is added, without which the message goes nowhere",
}

// Calls on an emitter are written byte for byte as the official emitters write
// them.
// compat: redis-emitter
func TestEmitterVectors(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	for _, name := range []string{"emitter-redis", "emitter-redis-key", "emitter-streams"} {
		t.Run(name, func(t *testing.T) {
			v := readVectors(t, name)
			var tap tap
			opts := EmitterOptions{Key: v.Options.Key, Namespace: v.Options.Nsp}
			if name == "emitter-streams" {
				opts.Streams = new(EmitterStreams)
			}
			e := newEmitter(t, tap.client(t, server.Addr()), opts)
			var want [][]string
			var names []string
			for _, s := range v.Scenarios {
				call := emitterCalls[s.Name]
				if call == nil {
					t.Fatalf("scenario %s has no call", s.Name)
				}
				if err := call(e); (err != nil) != (s.Error != nil) {
					t.Errorf("%s: error %v, recorded %v", s.Name, err, s.Error)
				}
				for _, c := range s.from("E", "PUBLISH", "XADD") {
					want, names = append(want, c.words(t)), append(names, s.Name)
				}
			}
			if err := e.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			got := tap.of("PUBLISH", "XADD")
			if len(got) != len(want) {
				t.Fatalf("%d commands, want %d", len(got), len(want))
			}
			for i := range got {
				got[i][0] = strings.ToUpper(got[i][0])
				_, differs := emitterDifferences[name+"/"+names[i]]
				if slices.Equal(got[i], want[i]) == differs {
					t.Errorf("%s (differs: %v):\n got %q\nwant %q", names[i], differs, got[i], want[i])
				}
			}
		})
	}
}

func newEmitter(t testing.TB, client redis.UniversalClient, opts EmitterOptions) *Emitter {
	t.Helper()
	e, err := NewEmitter(client, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = e.Close(ctx)
	})
	return e
}

// A namespace goes to the stream that the official adapter computes, even where
// that has a negative number.
func TestStreamOf(t *testing.T) {
	for _, c := range []struct {
		count      int
		nsp, where string
	}{
		{0, "/", "s"}, {1, "/dashboard", "s"}, {4, "/", "s-3"},
		{4, "/dashboard", "s--3"}, {4, "/é\U0001F600", "s-1"},
	} {
		if got := streamOf("s", c.count, c.nsp); got != c.where {
			t.Errorf("%s among %d: %s, want %s", c.nsp, c.count, got, c.where)
		}
	}
	if n := newStreamsForm(&EmitterStreams{MaxLen: -1}).maxLen; n != "10000" {
		t.Errorf("with a MaxLen below zero streams are cut to %s", n)
	}
}

// What is wrong is said to the caller, and nothing is sent.
func TestEmitterErrors(t *testing.T) {
	t.Parallel()
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"})
	t.Cleanup(func() { _ = client.Close() })
	counters := new(Counters)
	e := newEmitter(t, client, EmitterOptions{Counters: counters})
	for _, name := range []string{"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"} {
		if err := e.To("a").Emit(name); !errors.Is(err, args.ErrReserved) {
			t.Errorf("Emit(%s): %v", name, err)
		}
	}
	for _, name := range []string{"connect", "connection", "new_namespace"} {
		if err := e.ServerSideEmit(name); !errors.Is(err, args.ErrReserved) {
			t.Errorf("ServerSideEmit(%s): %v", name, err)
		}
	}
	var bad *args.EncodeError
	if err := e.Emit("f", func() {}); !errors.As(err, &bad) || bad.Event != "f" {
		t.Errorf("a function: %v", err)
	}
	if s := counters.Stats(); s.Queued != 0 {
		t.Errorf("%d bytes are queued", s.Queued)
	}
	if err := e.Emit("big", strings.Repeat("x", 16<<20)); err != nil {
		t.Errorf("one message of any size: %v", err)
	}
	if err := e.Emit("more"); err != adapters.ErrQueueFull {
		t.Errorf("a full queue: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.Close(ctx); err != adapters.ErrClosed {
		t.Errorf("Close with messages left: %v", err)
	}
	if err := e.Emit("late"); err != adapters.ErrClosed {
		t.Errorf("closed: %v", err)
	}
}

// Emissions are values: what one goroutine makes of one does not show in
// another's. Typed events can be sent.
func TestEmissionsAreValues(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	var tap tap
	e := newEmitter(t, tap.client(t, server.Addr()), EmitterOptions{})
	base := e.To("a", "b")
	left, right := base.To("l"), base.To("r").Except("x").Volatile()
	twice := base.To("b", "a").Except("x", "x") // a name counts once, as in a JavaScript Set
	const typing event.Message[string] = "typing"
	for _, m := range []Emission{left, right, base, twice} {
		if err := typing.Emit(m, "ada"); err != nil {
			t.Fatal(err)
		}
	}
	if err := typing.Emit(e, "all"); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range tap.of("PUBLISH") {
		m, err := parseClassicBroadcast("/", []byte(c[2]), nil)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%v %v %v %s", m.Target.Rooms, m.Target.Except, m.Target.Flags.Volatile, m.Packet.JSON))
	}
	want := []string{
		`[a b l] [] false ["typing","ada"]`, `[a b r] [x] true ["typing","ada"]`,
		`[a b] [] false ["typing","ada"]`, `[a b] [x] false ["typing","ada"]`, `[] [] false ["typing","all"]`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
