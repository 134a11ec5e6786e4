package redisadapter

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
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
	"github.com/hermod-io/hermod/adapters/cluster/wire"
	"github.com/hermod-io/hermod/internal/redistest"
	"github.com/hermod-io/hermod/socketio/parser"
)

// shardedVectors is a recording of two official nodes, see
// cluster/wire/testdata/README.md.
type shardedVectors struct {
	Options struct {
		SubscriptionMode string
		ChannelPrefix    string
	}
	Vars      map[string]any
	Scenarios []shardedScenario
}

type shardedScenario struct {
	Name, Call, Error string
	Commands          []shardedCommand
	Result            json.RawMessage
}

type shardedCommand struct {
	Node, Cmd, Channel string
	PayloadHex         string `json:"payload_hex"`
	Args               []string
	Decoded            struct {
		Type int
		Data json.RawMessage
	}
}

func (c shardedCommand) payload(t testing.TB) string {
	t.Helper()
	b, err := hex.DecodeString(c.PayloadHex)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// requestID is that of the request in a command, if it is one.
func (c shardedCommand) requestID() string {
	var data struct{ RequestID string }
	_ = json.Unmarshal(c.Decoded.Data, &data) // data need not be an object
	return data.RequestID
}

// published returns what a node published.
func (s shardedScenario) published(node string) (list []shardedCommand) {
	for _, c := range s.Commands {
		if c.Node == node && c.Cmd == "SPUBLISH" {
			list = append(list, c)
		}
	}
	return list
}

func (v *shardedVectors) v(name string) string { return v.Vars[name].(string) }

// options are those of a node of ours in the place of A or B.
func (v *shardedVectors) options(node string, request func() string) ShardedOptions {
	opts := ShardedOptions{ChannelPrefix: v.Options.ChannelPrefix}
	opts.RequestTimeout = time.Minute
	for _, m := range []SubscriptionMode{Dynamic, Static, DynamicPrivate} {
		if m.String() == cmp.Or(v.Options.SubscriptionMode, "dynamic") {
			opts.SubscriptionMode = m
		}
	}
	opts.ids.request = request
	opts.ids.node = func(nsp string) string {
		if nsp == "/" {
			return v.v("uid_" + node)
		}
		return v.v("uid_" + node + "_" + nsp[1:])
	}
	return opts
}

func eachShardedVectors(t *testing.T, f func(t *testing.T, v *shardedVectors)) {
	for _, mode := range []string{"dynamic", "static", "dynamic-private"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(filepath.Join("..", "cluster", "wire", "testdata", "sharded-"+mode+".json"))
			if err != nil {
				t.Fatal(err)
			}
			v := new(shardedVectors)
			if err := json.Unmarshal(text, v); err != nil {
				t.Fatal(err)
			}
			f(t, v)
		})
	}
}

// shardedPeer plays the recorded other node: it hears what ours publishes, and
// publishes what was recorded.
type shardedPeer struct {
	t      *testing.T
	client *redis.Client
	heard  <-chan *redis.Message
}

func newShardedPeer(t *testing.T, client *redis.Client, channels map[string]bool) *shardedPeer {
	t.Helper()
	var names []string
	for c := range channels {
		names = append(names, c)
	}
	sub := client.SSubscribe(t.Context(), names...)
	t.Cleanup(func() { _ = sub.Close() })
	for range names {
		if _, err := sub.Receive(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return &shardedPeer{t: t, client: client, heard: sub.Channel()}
}

// want demands that the next thing that our node publishes is this.
func (p *shardedPeer) want(name, channel, payload string) {
	p.t.Helper()
	select {
	case m := <-p.heard:
		if m.Channel != channel || !sameEnvelope(name, m.Payload, payload) {
			p.t.Errorf("%s\n got %s %q\nwant %s %q", name, m.Channel, m.Payload, channel, payload)
		}
	case <-time.After(20 * time.Second):
		p.t.Fatalf("%s: nothing published, want %s %q", name, channel, payload)
	}
}

func (p *shardedPeer) publish(c shardedCommand) {
	p.t.Helper()
	if err := p.client.SPublish(p.t.Context(), c.Channel, c.payload(p.t)).Err(); err != nil {
		p.t.Fatal(err)
	}
}

// shardedDifferences are the scenarios in which what we publish is not what was
// recorded, and how.
var shardedDifferences = map[string]func(string) string{
	// compress: true is the default, and not written.
	"volatile-compress-to": func(s string) string { return strings.Replace(s, `,"compress":true`, "", 1) },
	// Rooms are strings.
	"to-numeric-room": func(s string) string { return strings.Replace(s, "[42]", `["42"]`, 1) },
}

func sameEnvelope(scenario, got, recorded string) bool {
	if change := shardedDifferences[scenario]; change != nil {
		recorded = change(recorded)
	}
	if got == recorded {
		return true
	}
	// The headers of a handshake are sorted by name; otherwise they are the same.
	return strings.HasPrefix(scenario, "fetch-sockets") && len(got) == len(recorded) && reflect.DeepEqual(untyped(got), untyped(recorded))
}

func untyped(text string) (v any) {
	_ = json.Unmarshal([]byte(text), &v) // then it is nil
	return v
}

// answers of the recorded clients and servers, by the name of the event.
func (v *shardedVectors) answer(event, who string) *parser.Args {
	short := who
	for name, id := range v.Vars {
		if id == who {
			short = strings.TrimPrefix(name, "sid_")
		}
	}
	var a parser.Args
	switch event {
	case "ack":
		a = shardedArgs(`["ok-` + short + `"]`)
	case "ackbin":
		a = shardedArgs(`[{"_placeholder":true,"num":0}]`, []byte(short))
	case "sse":
		a = shardedArgs(`[{"from":"B","n":1}]`)
	case "ssebin":
		a = shardedArgs(`[{"_placeholder":true,"num":0}]`, []byte{0xde, 0xad})
	default:
		return nil
	}
	return &a
}

// TestShardedVectors makes the recorded calls on a node of ours in the place of A:
// what it publishes is what was recorded, and the recorded answers of B give the
// recorded result.
func TestShardedVectors(t *testing.T) {
	t.Parallel()
	eachShardedVectors(t, func(t *testing.T, v *shardedVectors) {
		client := redistest.Start(t, redistest.Options{}).Client()
		prefix := cmp.Or(v.Options.ChannelPrefix, "socket.io")
		hears := map[string]bool{prefix + "#/#" + v.v("uid_B") + "#": true, prefix + "#/chat#": true}
		for _, s := range v.Scenarios {
			for _, c := range s.published("A") {
				hears[c.Channel] = true
			}
		}
		peer := newShardedPeer(t, client, hears)
		var request atomic.Value
		node := &shardedVectorNode{shardedVectors: v, ctx: t.Context()}
		opts := v.options("A", func() string { return request.Load().(string) })
		factory := NewSharded(client, opts)
		node.main, node.chat = node.start(t, factory, "/"), node.start(t, factory, "/chat")
		for who, room := range map[string]string{"a1": "room1", "a2": "room2"} {
			m := &shardedMember{id: v.v("sid_" + who)}
			m.info.Data = []byte(`{"user":"` + who + `"}`)
			enterSharded(t, node.main, m, room)
		}
		calls := shardedCalls()
		for _, s := range v.Scenarios {
			sent := s.published("A")
			if len(sent) > 0 {
				request.Store(sent[0].requestID())
			}
			call := calls[s.Name]
			if call == nil {
				t.Errorf("%s: %s is not called", s.Name, s.Call)
				continue
			}
			node.replay(t, s, call, peer)
		}
		subscribed, err := client.PubSubShardNumSub(t.Context(), prefix+"#/#", prefix+"#/#"+v.v("uid_A")+"#").Result()
		if err != nil || subscribed[prefix+"#/#"] != 1 || subscribed[prefix+"#/#"+v.v("uid_A")+"#"] != 0 {
			t.Errorf("subscriptions after close: %v, %v", subscribed, err)
		}
	})
}

func (n *shardedVectorNode) start(t *testing.T, f adapters.Factory, nsp string) *cluster.Adapter {
	t.Helper()
	a, err := f(&shardedLocal{name: nsp, answer: n.answer})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close(context.Background()) })
	return a.(*cluster.Adapter)
}

// replay makes one call.
func (n *shardedVectorNode) replay(t *testing.T, s shardedScenario, call shardedCall, peer *shardedPeer) {
	t.Helper()
	type outcome struct {
		got []string
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		got, err := call(n)
		done <- outcome{got, err}
	}()
	for _, c := range s.published("A") {
		peer.want(s.Name, c.Channel, c.payload(t))
	}
	for _, c := range s.published("B") {
		peer.publish(c)
	}
	o := <-done
	var partial *adapters.PartialError
	if s.Error != "" {
		if !errors.As(o.err, &partial) || !errors.Is(o.err, context.DeadlineExceeded) || partial.Missing < 1 {
			t.Errorf("%s: error %v, recorded %q", s.Name, o.err, s.Error)
		}
	} else if o.err != nil {
		t.Errorf("%s: %v", s.Name, o.err)
	}
	if s.Error == "" && !s.sameResult(o.got) {
		t.Errorf("%s\n got %s\nwant %s", s.Name, o.got, s.Result)
	}
	for _, c := range s.Commands {
		if c.Node == "A" && c.Cmd == "SSUBSCRIBE" && !n.subscribed(t, peer.client, c.Args[0]) {
			t.Errorf("%s: %s is not subscribed", s.Name, c.Args[0])
		}
	}
}

// subscribed reports whether our node has a channel, which it may give up later
// than the official one.
func (n *shardedVectorNode) subscribed(t *testing.T, client *redis.Client, channel string) bool {
	t.Helper()
	list, err := client.PubSubShardChannels(t.Context(), channel).Result()
	if err != nil {
		t.Fatal(err)
	}
	return len(list) == 1
}

// sameResult compares with the recorded result; its order does not count.
func (s shardedScenario) sameResult(got []string) bool {
	var recorded []any
	switch text := string(s.Result); {
	case text == "" || text == "null":
		return len(got) == 0
	case text[0] == '[':
		_ = json.Unmarshal(s.Result, &recorded)
	default:
		recorded = []any{untyped(text)}
	}
	var values []any
	for _, g := range got {
		if s.Name == "fetch-sockets-binary-data" { // our data is JSON
			g = strings.Replace(g, `{"type":"Buffer","data":[1,2]}`, `{"$bin":"0102"}`, 1)
		}
		values = append(values, untyped(g))
	}
	byText := func(a, b any) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) }
	slices.SortFunc(values, byText)
	slices.SortFunc(recorded, byText)
	return reflect.DeepEqual(values, recorded)
}

// TestShardedVectorsAnswers feeds the recorded requests of A to a node of ours in
// the place of B: it answers what was recorded.
func TestShardedVectorsAnswers(t *testing.T) {
	t.Parallel()
	eachShardedVectors(t, func(t *testing.T, v *shardedVectors) {
		client := redistest.Start(t, redistest.Options{}).Client()
		prefix := cmp.Or(v.Options.ChannelPrefix, "socket.io")
		peer := newShardedPeer(t, client, map[string]bool{prefix + "#/#" + v.v("uid_A") + "#": true})
		local := &shardedLocal{name: "/", answer: v.answer}
		a, err := NewSharded(client, v.options("B", nil))(local)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = a.Close(context.Background()) })
		m := enterSharded(t, a, &shardedMember{id: v.v("sid_b1"), info: v.b1(t)}, "room1", "room2")
		answered := 0
		for _, s := range v.Scenarios {
			for _, c := range s.published("A") {
				peer.publish(c)
			}
			for _, c := range s.published("B") {
				answered++
				if s.Name == "fetch-sockets-binary-data" {
					<-peer.heard // its data holds a Buffer, for which ours has no form
					continue
				}
				peer.want(s.Name, c.Channel, c.payload(t))
			}
			if s.Name == "sse-ack-missing" {
				break // then sockets are disconnected
			}
		}
		if answered != 14 {
			t.Errorf("%d answers, want 14", answered)
		}
		redistest.Until(t, "the last event of a server", func() bool { return len(local.serverEvents()) == 6 })
		if n := len(m.events()); n != 18 {
			t.Errorf("%d events, want 18: %q", n, m.events())
		}
	})
}

// b1 is the recorded description of the socket of B.
func (v *shardedVectors) b1(t *testing.T) adapters.SocketInfo {
	t.Helper()
	for _, s := range v.Scenarios {
		if s.Name != "fetch-sockets" {
			continue
		}
		b := s.published("B")[0].payload(t)
		m, _, err := cluster.ParseEnvelope(wire.JSON, []byte(b))
		if err != nil || len(m.Sockets) != 1 {
			t.Fatal(err)
		}
		return m.Sockets[0]
	}
	t.Fatal("no such scenario")
	return adapters.SocketInfo{}
}
