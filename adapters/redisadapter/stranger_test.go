package redisadapter

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/adapters/cluster/wire"
	"github.com/hermod-io/hermod/internal/redistest"
	"github.com/hermod-io/hermod/socketio/parser"
)

// stranger is another program on the same Redis, which says what a test wants.
type stranger struct {
	t      testing.TB
	client *redis.Client

	mu  sync.Mutex // guards what follows
	got []string   // what was published to the channels it listens to
}

func newStranger(t testing.TB, server *redistest.Server, channels ...string) *stranger {
	t.Helper()
	s := &stranger{t: t, client: server.Client()}
	if len(channels) == 0 {
		return s
	}
	sub := s.client.Subscribe(t.Context(), channels...)
	for range channels {
		if _, err := sub.Receive(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	var done sync.WaitGroup
	done.Go(func() { // until sub is closed
		for m := range sub.Channel() {
			s.mu.Lock()
			s.got = append(s.got, m.Channel+" "+m.Payload)
			s.mu.Unlock()
		}
	})
	t.Cleanup(func() { _ = sub.Close(); done.Wait() })
	return s
}

// say publishes and returns to how many it went.
func (s *stranger) say(channel, payload string) int {
	s.t.Helper()
	n, err := s.client.Publish(s.t.Context(), channel, payload).Result()
	if err != nil {
		s.t.Fatal(err)
	}
	return int(n)
}

// broadcast says what an old emitter does.
func (s *stranger) broadcast(channel, uid, nsp, args string, opts ...wire.Member) int {
	s.t.Helper()
	packet := []wire.Member{wire.M("type", wire.Int(2)), wire.M("data", wire.Args(parser.Args{JSON: []byte(args)}))}
	if nsp != "" {
		packet = append(packet, wire.M("nsp", wire.String(nsp)))
	}
	return s.say(channel, string(wire.Notepack.Append(nil, wire.Array(wire.String(uid), wire.Map(packet...), wire.Map(opts...)))))
}

func (s *stranger) heard() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

// await waits until it has heard what starts with each of these.
func (s *stranger) await(starts ...string) {
	s.t.Helper()
	for _, start := range starts {
		redistest.Until(s.t, start, func() bool {
			return slices.ContainsFunc(s.heard(), func(e string) bool { return strings.HasPrefix(e, start) })
		})
	}
}

// wantFence sends one more broadcast and demands that a socket has exactly these
// before it.
func (s *stranger) wantFence(m *fakeSocket, want ...string) {
	s.t.Helper()
	s.broadcast("socket.io#/#", "fence", "/", `["fence"]`, wire.M("rooms", wire.Array()))
	redistest.Until(s.t, "a fence", func() bool { return slices.Contains(m.events(), `["fence"]`) })
	want = append(want, `["fence"]`)
	if got := m.events(); !slices.Equal(got, want) {
		s.t.Errorf("%s got %q, want %q", m.id, got, want)
	}
}
