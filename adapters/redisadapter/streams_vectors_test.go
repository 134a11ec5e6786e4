package redisadapter

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/internal/redistest"
)

// streamsVectors is a recording of two official nodes, see
// cluster/wire/testdata/README.md.
type streamsVectors struct {
	shardedVectors
	Options   streamsVectorOptions
	Recovery  bool `json:"connectionStateRecovery"`
	Scenarios []streamsScenario
}

type streamsVectorOptions struct {
	UseShardedPubSub, OnlyPlaintext   bool
	StreamName, ChannelPrefix         string
	StreamCount, MaxLen               int
	ReadCount, BlockTimeInMs, Ignored int
}

type streamsScenario struct {
	Name, Call, Error string
	Commands          []streamsCommand
	Result            json.RawMessage
}

type streamsCommand struct {
	shardedCommand
	Stream string
	Before []string `json:"args_before_fields"`
	ID     string
	Fields []struct {
		Name, Text string
		Decoded    json.RawMessage
	}
	ValueDecoded json.RawMessage `json:"value_decoded"`
}

// field returns a field of an entry.
func (c streamsCommand) field(name string) string {
	for _, f := range c.Fields {
		if f.Name == name {
			return f.Text
		}
	}
	return ""
}

// eventFor is the event of an entry of A to a socket of B in these rooms of a
// namespace, "" if it is none, or asks for an ack.
func (c streamsCommand) eventFor(t testing.TB, nsp string, rooms ...string) string {
	t.Helper()
	var d struct {
		Packet struct {
			Data json.RawMessage
			ID   *int
		}
		RequestID string
		Opts      struct{ Rooms, Except []any }
	}
	if c.field("nsp") != nsp || c.field("type") != "3" || c.Node != "A" {
		return ""
	}
	for _, f := range c.Fields {
		if f.Name == "data" {
			if err := json.Unmarshal(f.Decoded, &d); err != nil {
				t.Fatal(err)
			}
		}
	}
	in := func(name any) bool { return slices.Contains(rooms, fmt.Sprint(name)) }
	if d.Packet.ID != nil || d.RequestID != "" || len(d.Opts.Rooms) > 0 && !slices.ContainsFunc(d.Opts.Rooms, in) || slices.ContainsFunc(d.Opts.Except, in) {
		return ""
	}
	var event bytes.Buffer
	if err := json.Compact(&event, d.Packet.Data); err != nil {
		t.Fatal(err)
	}
	return event.String()
}

// words returns the command as it is sent.
func (c streamsCommand) words(t testing.TB) []string {
	switch c.Cmd {
	case "XADD":
		words := append(append([]string{"XADD", c.Stream}, c.Before...), c.ID)
		for _, f := range c.Fields {
			words = append(words, f.Name, f.Text)
		}
		return words
	case "PUBLISH", "SPUBLISH":
		return []string{c.Cmd, c.Channel, c.payload(t)}
	}
	return append([]string{c.Cmd}, c.Args...)
}

// sent returns what a node wrote for other nodes.
func (s *streamsScenario) sent(node string) (list []streamsCommand) {
	for _, c := range s.Commands {
		if c.Node == node && slices.Contains([]string{"XADD", "PUBLISH", "SPUBLISH"}, c.Cmd) {
			list = append(list, c)
		}
	}
	return list
}

func readStreams(t testing.TB, name string) *streamsVectors {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "cluster", "wire", "testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	v := new(streamsVectors)
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &struct{ Vars *map[string]any }{&v.Vars}); err != nil {
		t.Fatal(err)
	}
	return v
}

func (v *streamsVectors) options(node string, request func() string) StreamsOptions {
	o := &v.Options
	opts := StreamsOptions{
		StreamName: o.StreamName, StreamCount: o.StreamCount, ChannelPrefix: o.ChannelPrefix, MaxLen: o.MaxLen,
		ReadCount: o.ReadCount, BlockTime: time.Duration(o.BlockTimeInMs) * time.Millisecond,
		UseShardedPubSub: o.UseShardedPubSub, OnlyPlaintext: o.OnlyPlaintext,
	}
	opts.RequestTimeout, opts.LogPatience = time.Minute, patient
	opts.ids.request = request
	opts.ids.node = func(nsp string) string {
		if nsp == "/" {
			return v.v("uid_" + node)
		}
		return v.v("uid_" + node + "_" + nsp[1:])
	}
	return opts
}

// streams03 are the recordings of version 0.3.
var streams03 = []string{"streams-0.3.1", "streams-0.3.1-ioredis", "streams-0.3.1-sharded", "streams-0.3.1-csr"}

// streamsDifferences are the scenarios in which node A of ours does not write what
// was recorded, and why. Those of requests are in the order of the headers alone.
var streamsDifferences = map[string]string{
	"to-numeric-room":       "names of rooms are written as strings",
	"volatile-compress-to":  "compress: true is the default and not written",
	"broadcast-arraybuffer": "the official adapter loses the bytes",
	"broadcast-typed-array": "with onlyPlaintext the official adapter writes an object of numbers",
	"socket-emit-ack":       "with recovery the official adapter writes it for all nodes, of which none is to send it",
}

// TestStreamsVectors makes the recorded calls on a node of ours in the place of A:
// what it writes is what was recorded, and the recorded answers of B give the
// recorded result.
func TestStreamsVectors(t *testing.T) {
	t.Parallel()
	differed := map[string]bool{}
	server := redistest.Start(t, redistest.Options{})
	for _, name := range streams03 {
		t.Run(name, func(t *testing.T) {
			server.Do("FLUSHALL")
			r := newStreamsReplay(t, server, readStreams(t, name))
			calls := shardedCalls()
			if r.v.Recovery {
				maps.Copy(calls, r.recoveryCalls(t))
			}
			compared := 0
			for i := range r.v.Scenarios {
				s := &r.v.Scenarios[i]
				if calls[s.Name] == nil {
					t.Errorf("%s: %s is not called", s.Name, s.Call)
					continue
				}
				compared += r.scenario(t, s, calls[s.Name])
			}
			if compared < 40 {
				t.Errorf("%d commands were compared", compared)
			}
			maps.Copy(differed, r.differed)
		})
	}
	for name := range streamsDifferences {
		if !differed[name] {
			t.Errorf("%s does not differ", name)
		}
	}
}

// streamsReplay is node A, which is ours, beside a node B that says what was
// recorded.
type streamsReplay struct {
	v       *streamsVectors
	node    *shardedVectorNode
	tap     tap
	client  *redis.Client  // of B
	a2      *shardedMember // with recovery
	request atomic.Value
	seen    int // commands of the tap that were compared

	differed map[string]bool // scenarios
}

func newStreamsReplay(t *testing.T, server *redistest.Server, v *streamsVectors) *streamsReplay {
	r := &streamsReplay{v: v, client: server.Client(), differed: map[string]bool{}}
	prefix := cmp.Or(v.Options.ChannelPrefix, "socket.io")
	subscribe := r.client.Subscribe
	if v.Options.UseShardedPubSub {
		subscribe = r.client.SSubscribe
	}
	for _, nsp := range []string{"/", "/chat"} {
		sub := subscribe(t.Context(), prefix+"#"+nsp+"#")
		t.Cleanup(func() { _ = sub.Close() })
		if _, err := sub.Receive(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	factory := NewStreams(r.tap.client(t, server.Addr()), v.options("A", func() string { return r.request.Load().(string) }))
	r.node = &shardedVectorNode{shardedVectors: &v.shardedVectors, ctx: t.Context()}
	r.node.main, _ = v.start(t, factory, "/")
	r.node.chat, _ = v.start(t, factory, "/chat")
	for who, room := range map[string]string{"a1": "room1", "a2": "room2"} {
		m := &shardedMember{id: v.v("sid_" + who)}
		m.info.Data = []byte(`{"user":"` + who + `"}`)
		enterSharded(t, r.node.main, m, room)
		if who == "a2" && v.Recovery {
			r.a2 = m
			r.node.main.(*cluster.Recoverer).Save(m, v.session(t))
		}
	}
	return r
}

// start makes a node, with recovery if that was on.
func (v *streamsVectors) start(t *testing.T, f adapters.Factory, nsp string) (countingAdapter, *shardedLocal) {
	t.Helper()
	local := &recoveringLocal{shardedLocal: shardedLocal{name: nsp, answer: v.answer}}
	var a adapters.Adapter
	var err error
	if v.Recovery {
		a, err = f(local)
	} else {
		a, err = f(&local.shardedLocal)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close(context.Background()) })
	return a.(countingAdapter), &local.shardedLocal
}

// stored is how the session of a2 was stored: SET, key, value, PX, milliseconds.
func (v *streamsVectors) stored(t testing.TB) []string {
	t.Helper()
	for i := range v.Scenarios {
		for _, c := range v.Scenarios[i].Commands {
			if c.Cmd == "SET" {
				return c.words(t)
			}
		}
	}
	t.Fatal("no session was stored")
	return nil
}

// session is that of a2.
func (v *streamsVectors) session(t testing.TB) adapters.Session {
	pid := strings.TrimPrefix(v.stored(t)[1], "sio:session:")
	return adapters.Session{ID: v.v("sid_a2"), PID: pid, Data: []byte(`{"user":"a2"}`)}
}

// recoveryCalls are the calls that are other ones with recovery.
func (r *streamsReplay) recoveryCalls(t *testing.T) map[string]shardedCall {
	rec := r.node.main.(*cluster.Recoverer)
	s := r.v.session(t)
	return map[string]shardedCall{
		"socket-emit":        callEmit(`["self",1]`, inRooms("sid_a1")),
		"socket-emit-binary": callEmit(`["self",{"_placeholder":true,"num":0}]`, inRooms("sid_a1"), []byte{7}),
		"csr-disconnect-persist": func(n *shardedVectorNode) ([]string, error) {
			rec.Join(n.ctx, r.a2) // what was sent before has reached it
			rec.LeaveAll(r.a2)
			rec.Save(nil, s)
			got, err := callEmit(`["missed",1]`, inRooms())(n)
			want := r.v.stored(t)
			wantStored(t, storedOf(t, r.client, want[1]), decode64(t, want[2]))
			return got, err
		},
		"csr-reconnect-restore": func(n *shardedVectorNode) ([]string, error) {
			last := r.a2.events()[len(r.a2.events())-1]
			offset := last[strings.LastIndex(last, `,"`)+2 : len(last)-2]
			missed, err := rec.Restore(n.ctx, s.PID, offset, func(adapters.Session) adapters.Member { return r.a2 })
			if err != nil {
				return nil, err
			}
			var got []string
			for p := range missed {
				got = append(got, shardedText(p.Args))
			}
			if got = plain(got); !slices.Equal(got, []string{`["missed",1]`}) {
				t.Errorf("missed %q", got)
			}
			return []string{`{"recovered":true}`}, nil
		},
	}
}

// scenario replays one and returns how many commands were the same.
func (r *streamsReplay) scenario(t *testing.T, s *streamsScenario, call shardedCall) (same int) {
	t.Helper()
	want := s.sent("A")
	if s.Name == "socket-emit-ack" {
		want, r.differed[s.Name] = nil, r.differed[s.Name] || len(want) > 0
	}
	if len(want) > 0 {
		r.request.Store(want[0].requestID())
	}
	type outcome struct {
		got []string
		err error
	}
	done := make(chan outcome, 1)
	go func() { // ends with the call
		got, err := call(r.node)
		done <- outcome{got, err}
	}()
	var got [][]string
	redistest.Until(t, s.Name+" to be sent", func() bool {
		got = r.tap.of("XADD", "PUBLISH", "SPUBLISH")[r.seen:]
		return len(got) >= len(want)
	})
	r.seen += len(got)
	for i, c := range want {
		got[i][0] = strings.ToUpper(got[i][0]) // names of commands may be written either way
		if reflect.DeepEqual(got[i], c.words(t)) {
			same++
			continue
		}
		if r.differed[s.Name] = true; streamsDifferences[s.Name] == "" {
			t.Errorf("%s\n got %q\nwant %q", s.Name, got[i], c.words(t))
		}
	}
	for _, c := range s.sent("B") {
		words := make([]any, 0, 16)
		for _, w := range c.words(t) {
			words = append(words, w)
		}
		if err := r.client.Do(t.Context(), words...).Err(); err != nil {
			t.Fatal(err)
		}
	}
	o := <-done
	var partial *adapters.PartialError
	switch {
	case s.Error != "" && (!errors.As(o.err, &partial) || !errors.Is(o.err, context.DeadlineExceeded) || partial.Missing < 1):
		t.Errorf("%s: error %v, recorded %q", s.Name, o.err, s.Error)
	case s.Error == "" && o.err != nil:
		t.Errorf("%s: %v", s.Name, o.err)
	case s.Error == "" && !(shardedScenario{Name: s.Name, Result: s.Result}).sameResult(o.got):
		t.Errorf("%s\n got %s\nwant %s", s.Name, o.got, s.Result)
	}
	return same
}

// TestStreamsVectorsDecoded reads every recorded payload, and writes it again as
// it was.
func TestStreamsVectorsDecoded(t *testing.T) {
	t.Parallel()
	read := 0
	for _, name := range []string{"streams-0.3.1", "streams-0.3.1-ioredis", "streams-0.3.1-sharded", "streams-0.3.1-csr", "streams-0.2.3", "streams-0.2.3-csr"} {
		v := readStreams(t, name)
		for _, s := range v.Scenarios {
			for _, c := range append(s.sent("A"), s.sent("B")...) {
				read++
				if c.Cmd != "XADD" {
					m, nsp, err := parseStreamsEnvelope([]byte(c.payload(t)))
					if err != nil || m.Type != cluster.Type(c.Decoded.Type) || nsp == "" {
						t.Errorf("%s %s: %+v, %v", name, s.Name, m, err)
					}
					continue
				}
				kind := cluster.ParseType(c.field("type"))
				m, err := decodeEntry(c.field("uid"), c.field("type"), c.field("data"), nil)
				if err != nil || m != nil && (m.Type != kind || m.From != c.field("uid")) {
					t.Errorf("%s %s: %+v, %v", name, s.Name, m, err)
				}
				if m == nil || streamsDifferences[s.Name] != "" {
					continue
				}
				b := &streamsBus{factory: &streamsFactory{opts: StreamsOptions{OnlyPlaintext: v.Options.OnlyPlaintext}}}
				if again := string(b.encode(m)); again != c.field("data") {
					t.Errorf("%s %s:\n got %s\nwant %s", name, s.Name, again, c.field("data"))
				}
			}
		}
	}
	if read < 300 {
		t.Errorf("%d payloads were read", read)
	}
}
