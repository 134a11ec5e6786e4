package redisadapter

import (
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster/wire"
	"github.com/hermod-io/hermod/internal/redistest"
)

// TestStreamsVectorsReceived gives what A wrote, of either version, to a node of
// ours in the place of B. All that it shares with A is done, once and in order, and
// its answers are those that were recorded; of version 0.2, whose requests are
// entries, nothing is written to the stream.
func TestStreamsVectorsReceived(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	for _, name := range append(slices.Clone(streams03), "streams-0.2.3", "streams-0.2.3-csr") {
		t.Run(name, func(t *testing.T) {
			server.Do("FLUSHALL")
			p := newStreamsPeer(t, server, readStreams(t, name), strings.Contains(name, "0.3"))
			for i := range p.v.Scenarios {
				p.scenario(t, &p.v.Scenarios[i])
			}
			for _, m := range []*shardedMember{p.b1, p.c1} {
				redistest.Until(t, "the sockets to be disconnected", func() bool {
					m.mu.Lock()
					defer m.mu.Unlock()
					return m.gone
				})
			}
			if got := p.b1.events(); !slices.Equal(got, p.want) || len(got) < 18 {
				t.Errorf("%d events, want %d:\n got %q\nwant %q", len(got), len(p.want), got, p.want)
			}
			if got := p.c1.events(); !slices.Equal(got, p.inChat) || len(got) != 2 {
				t.Errorf("in /chat: %q, want %q", got, p.inChat)
			}
			redistest.Until(t, "the server-side events", func() bool { return len(p.local.serverEvents()) == 6 })
			if n := p.counters.Stats().Poison; n != 0 {
				t.Errorf("%d messages were taken for malformed", n)
			}
			if n := len(p.tap.of("XADD")); n != 0 || p.answered != p.answers {
				t.Errorf("%d entries and %d answers, want none and %d", n, p.answered, p.answers)
			}
		})
	}
}

// streamsPeer is node B, which is ours, beside a node A that says what was
// recorded.
type streamsPeer struct {
	v        *streamsVectors
	requests bool // A asks by pub/sub
	tap      tap
	client   *redis.Client // of A
	local    *shardedLocal
	counters *Counters
	b1, c1   *shardedMember
	want     []string // the events of b1
	inChat   []string // and of c1
	answers  int      // that are recorded
	answered int      // and seen
}

func newStreamsPeer(t *testing.T, server *redistest.Server, v *streamsVectors, requests bool) *streamsPeer {
	p := &streamsPeer{v: v, requests: requests, client: server.Client(), counters: new(Counters)}
	opts := v.options("B", nil)
	opts.Counters = p.counters
	factory := NewStreams(p.tap.client(t, server.Addr()), opts)
	main, local := v.start(t, factory, "/")
	chat, _ := v.start(t, factory, "/chat")
	p.local = local
	p.b1 = enterSharded(t, main, &shardedMember{id: v.v("sid_b1")}, "room1", "room2")
	p.c1 = enterSharded(t, chat, &shardedMember{id: v.v("sid_c1")}, "room1")
	if requests {
		p.b1.info = v.recordedSocket(t, "fetch-sockets")
	}
	return p
}

// recordedSocket is the description of b1 in an answer.
func (v *streamsVectors) recordedSocket(t *testing.T, scenario string) adapters.SocketInfo {
	t.Helper()
	i := slices.IndexFunc(v.Scenarios, func(s streamsScenario) bool { return s.Name == scenario })
	m, _, err := parseStreamsEnvelope([]byte(v.Scenarios[i].sent("B")[0].payload(t)))
	if err != nil || len(m.Sockets) != 1 {
		t.Fatal(scenario, err)
	}
	return m.Sockets[0]
}

// marked is an event as the sockets get it: with recovery it has the offset.
func (p *streamsPeer) marked(event, id string) string {
	if !p.v.Recovery {
		return event
	}
	return event[:len(event)-1] + `,"` + id + `"]`
}

// scenario says what A said, and compares the answers.
func (p *streamsPeer) scenario(t *testing.T, s *streamsScenario) {
	t.Helper()
	if p.requests && s.Name == "fetch-sockets-binary-data" {
		p.b1.info = p.v.recordedSocket(t, s.Name)
	}
	for _, c := range s.sent("A") {
		if c.Cmd == "XADD" {
			id := addEntry(t, p.client, c)
			if event := c.eventFor(t, "/", "room1", "room2", p.b1.id); event != "" {
				p.want = append(p.want, p.marked(event, id))
			}
			if event := c.eventFor(t, "/chat", "room1", p.c1.id); event != "" {
				p.inChat = append(p.inChat, p.marked(event, id))
			}
			continue
		}
		if err := p.client.Do(t.Context(), c.Cmd, c.Channel, c.payload(t)).Err(); err != nil {
			t.Fatal(err)
		}
	}
	if !p.requests {
		return
	}
	want := s.sent("B")
	p.answers += len(want)
	var got [][]string
	redistest.Until(t, s.Name+" to be answered", func() bool {
		got = p.tap.of("PUBLISH", "SPUBLISH")[p.answered:]
		return len(got) >= len(want)
	})
	p.answered += len(got)
	for i, c := range want {
		words := c.words(t)
		got[i][0] = strings.ToUpper(got[i][0])
		if !slices.Equal(got[i], words) && !(strings.HasPrefix(s.Name, "fetch-sockets") && sameAnswer(t, got[i], words)) {
			t.Errorf("%s\n got %q\nwant %q", s.Name, got[i], words)
		}
	}
}

// sameAnswer compares answers to a fetch whatever the order of headers. Data are
// JSON here: a Buffer in them is an object.
func sameAnswer(t *testing.T, got, want []string) bool {
	t.Helper()
	if !slices.Equal(got[:2], want[:2]) {
		return false
	}
	text := func(payload string) string {
		v, err := wire.Msgpack.Decode([]byte(payload))
		if err != nil {
			t.Fatal(err)
		}
		return string(wire.JSON.Append(nil, v))
	}
	return canonical(t, []byte(text(got[2]))) == canonical(t, []byte(text(want[2])))
}

// addEntry adds a recorded entry and returns its id.
func addEntry(t testing.TB, client *redis.Client, c streamsCommand) string {
	t.Helper()
	var values []string
	for _, f := range c.Fields {
		values = append(values, f.Name, f.Text)
	}
	id, err := client.XAdd(t.Context(), &redis.XAddArgs{Stream: c.Stream, Values: values}).Result()
	if err != nil {
		t.Fatal(err)
	}
	return id
}
