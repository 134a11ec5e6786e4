package redisadapter

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/internal/redistest"
	"github.com/hermod-io/hermod/socketio/parser"
)

// What the recorded node A says to node B, which is ours, gives the recorded
// answers, byte for byte but for the order of rooms and headers, and the recorded effects.
func TestClassicVectorsAnswers(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	for _, name := range classicFiles {
		t.Run(name, func(t *testing.T) {
			v := readVectors(t, name)
			var tap tap
			root, all := recordedB(t, tap.client(t, server.Addr()), v)
			b1 := &fakeSocket{id: v.text("sid_b1"), acks: "b1", info: recordedSocket(t, v, "fetch-sockets")}
			c1 := &fakeSocket{id: v.text("sid_c1"), acks: "c1"}
			joinAs(t, all[0], b1, "room1", "room2")
			joinAs(t, all[1], c1, "room1")
			client, seen := server.Client(), 0
			for i := range v.Scenarios {
				s := &v.Scenarios[i]
				if s.Name == "fetch-sockets-binary-data" {
					b1.info = recordedSocket(t, v, s.Name)
				}
				for _, c := range s.from("A", "PUBLISH") {
					if err := client.Publish(t.Context(), c.Channel, c.payload(t)).Err(); err != nil {
						t.Fatal(err)
					}
				}
				want := s.from("B", "PUBLISH")
				var got [][]string
				redistest.Until(t, s.Name+" to be answered", func() bool {
					got = tap.of("PUBLISH")[seen:]
					return len(got) >= len(want)
				})
				seen += len(want)
				for i, c := range want {
					got[i][0] = strings.ToUpper(got[i][0])
					if w := c.words(t); !slices.Equal(got[i], w) && !sameJSON(t, got[i], w) {
						t.Errorf("%s:\n got %q\nwant %q", s.Name, got[i], w)
					}
				}
			}
			redistest.Until(t, "all disconnects", func() bool { return len(b1.disconnects()) == 2 && len(c1.disconnects()) == 1 })
			if d := b1.disconnects(); d[0] || !d[1] {
				t.Errorf("disconnects of b1: %v", d)
			}
			wantEvents(t, v, b1, root)
			if n := len(tap.of("PUBLISH")); n != seen {
				t.Errorf("%d answers, recorded %d", n, seen)
			}
		})
	}
}

// recordedB makes node B, whose namespaces are / and /chat.
func recordedB(t *testing.T, client redis.UniversalClient, v *vectorFile) (root *fakeLocal, all []adapters.Adapter) {
	opts := Options{Key: v.Options.Key, PublishOnSpecificResponseChannel: v.Options.Specific}
	opts.ids.node = func(nsp string) string {
		return v.text(map[string]string{"/": "uid_B", "/chat": "uid_B_chat"}[nsp])
	}
	opts.ids.request = func() string { return "none" }
	factory := New(client, opts)
	root = &fakeLocal{name: "/", reply: recordedReply}
	for _, l := range []*fakeLocal{root, {name: "/chat"}} {
		a, err := factory(l)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = a.Close(t.Context()) })
		all = append(all, a)
	}
	return root, all
}

// recordedReply answers server-side events as node B did.
func recordedReply(args string, reply func(parser.Args)) {
	switch {
	case strings.HasPrefix(args, `["ssebin"`):
		reply(parser.Args{JSON: []byte(`[{"_placeholder":true,"num":0}]`), Attachments: [][]byte{{222, 173}}})
	case strings.HasPrefix(args, `["sse"`):
		reply(parser.Args{JSON: []byte(`[{"from":"B","n":1}]`)})
	}
}

// recordedSocket returns the socket that node B described.
func recordedSocket(t *testing.T, v *vectorFile, scenario string) adapters.SocketInfo {
	for i := range v.Scenarios {
		if s := &v.Scenarios[i]; s.Name == scenario {
			c := s.from("B", "PUBLISH")[0]
			m, err := parseClassicAnswer([]byte(c.payload(t)))
			if err != nil || len(m.Sockets) != 1 {
				t.Fatal(scenario, err)
			}
			return m.Sockets[0]
		}
	}
	t.Fatal("no scenario ", scenario)
	return adapters.SocketInfo{}
}

// sameJSON compares commands whose payload is JSON, whatever the order of rooms
// and of headers.
func sameJSON(t *testing.T, a, b []string) bool {
	if a[1] != b[1] || a[2][0] != '{' || b[2][0] != '{' || !strings.Contains(a[2], `"rooms"`) {
		return false
	}
	return canonical(t, []byte(a[2])) == canonical(t, []byte(b[2]))
}

// wantEvents demands that b1 and its node have the events that were recorded for
// them, each once.
func wantEvents(t *testing.T, v *vectorFile, b1 *fakeSocket, node *fakeLocal) {
	t.Helper()
	want := map[string]int{}
	count := func(list []string) map[string]int {
		m := map[string]int{}
		for _, e := range list {
			name, _, _ := strings.Cut(strings.Trim(e, "["), ",")
			m[strings.Trim(name, `"]`)]++
		}
		return m
	}
	for _, e := range []struct {
		name string
		n    int
	}{
		{"hello", 6}, {"hé☃😀", 1}, {"ping1", 1}, {"u", 1}, {"bin", 2}, {"ta", 1}, {"ab", 1}, {"n", 1},
		{"dm", 1}, {"v", 1}, {"c", 1}, {"vc", 1}, {"ack", 3}, {"ackbin", 1}, {"noack", 1},
	} {
		want[e.name] = e.n
	}
	if got := count(b1.events()); !maps.Equal(got, want) {
		t.Errorf("b1 got\n     %v, want\n     %v", got, want)
	}
	if got := count(node.serverSide()); !maps.Equal(got, map[string]int{"sse": 4, "ssebin": 1, "unhandled": 1}) {
		t.Errorf("server-side events: %v", got)
	}
	for _, e := range append(b1.events(), node.serverSide()...) {
		if !json.Valid([]byte(e)) {
			t.Errorf("malformed event %s", e)
		}
	}
}
