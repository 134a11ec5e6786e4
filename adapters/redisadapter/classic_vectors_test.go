package redisadapter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sort"
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

var classicFiles = []string{"classic", "classic-ioredis", "classic-specific-response"}

// classicDifferences are the scenarios in which node A of ours does not write the
// recorded bytes, and why.
var classicDifferences = map[string]string{
	"startup":                  "SUBSCRIBE of one channel a room in place of PSUBSCRIBE; NUMSUB counts the nodes once",
	"close":                    "the connection ends with the last namespace, subscriptions and all",
	"broadcast-undefined-date": "a Date has no form in JSON text: it is a string",
	"broadcast-large-ints":     "floats from 2^64 on are written as floats, not as wrong integers",
	"to-numeric-room":          "names of rooms are written as strings",
	"volatile-compress-to":     "compress: true is the default and not written",
}

// Calls on node A give the recorded commands, byte for byte, and with the
// recorded answers of node B the recorded results.
func TestClassicVectors(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	for _, name := range classicFiles {
		t.Run(name, func(t *testing.T) {
			server.Do("FLUSHALL")
			r := newClassicReplay(t, server, readVectors(t, name))
			ran := 0
			for i := range r.v.Scenarios {
				if r.scenario(t, &r.v.Scenarios[i]) {
					ran++
				}
			}
			r.fence(t)
			if ran < 35 {
				t.Errorf("%d scenarios have commands", ran)
			}
		})
	}
}

// classicReplay is node A, which is ours, beside a node B that says what was
// recorded.
type classicReplay struct {
	v        *vectorFile
	key      string
	tap      tap
	nodes    map[string]*cluster.Adapter // by namespace
	sockets  []*fakeSocket
	requests chan string // the next ids
	b        *redis.Client
	seen     int // commands of the tap that were compared

	mu      sync.Mutex // guards what follows
	asked   string     // the payload of a request,
	answers []vectorCommand
}

func newClassicReplay(t *testing.T, server *redistest.Server, v *vectorFile) *classicReplay {
	r := &classicReplay{v: v, key: "socket.io", b: server.Client(), requests: make(chan string, 1), nodes: make(map[string]*cluster.Adapter)}
	if v.Options.Key != "" {
		r.key = v.Options.Key
	}
	r.listen(t)
	opts := Options{Key: r.key, PublishOnSpecificResponseChannel: v.Options.Specific}
	opts.ids.node = func(nsp string) string { return v.text(map[string]string{"/": "uid_A", "/chat": "uid_A_chat"}[nsp]) }
	opts.ids.request = func() string { return <-r.requests }
	factory := New(r.tap.client(t, server.Addr()), opts)
	for _, nsp := range []string{"/", "/chat"} {
		a, err := factory(&fakeLocal{name: nsp})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = a.Close(t.Context()) })
		r.nodes[nsp] = a.(*cluster.Adapter)
	}
	for _, name := range []string{"a1", "a2"} {
		s := &fakeSocket{id: v.text("sid_" + name), acks: name}
		s.info.Data = []byte(`{"user":"` + name + `"}`)
		joinAs(t, r.nodes["/"], s, "room"+name[1:])
		r.sockets = append(r.sockets, s)
	}
	return r
}

// listen makes node B answer the requests of A, as it was recorded.
func (r *classicReplay) listen(t *testing.T) {
	sub := r.b.Subscribe(t.Context(), r.key+"-request#/#", r.key+"-request#/chat#")
	for range 2 {
		if _, err := sub.Receive(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	var done sync.WaitGroup
	done.Go(func() { // until sub is closed
		for m := range sub.Channel() {
			r.mu.Lock()
			answers := r.answers
			if m.Payload != r.asked { // of a scenario before
				answers = nil
			}
			r.mu.Unlock()
			for _, c := range answers {
				_ = r.b.Publish(context.Background(), c.Channel, c.payload(t)).Err()
			}
		}
	})
	t.Cleanup(func() { _ = sub.Close(); done.Wait() })
}

// scenario replays one; it reports whether there were commands to compare.
func (r *classicReplay) scenario(t *testing.T, s *vectorScenario) bool {
	if s.Name == "startup" || s.Name == "close" || s.Name == "client-joins-room" {
		return false // in the table, and tested by name
	}
	r.mu.Lock()
	r.asked, r.answers = "", s.from("B", "PUBLISH")
	if asked := s.from("A", "PUBLISH"); len(asked) > 0 {
		r.asked = asked[0].payload(t)
	}
	r.mu.Unlock()
	result, err := r.call(t, s)
	var partial *adapters.PartialError
	if s.Error != nil != errors.As(err, &partial) {
		t.Errorf("%s: error %v, recorded %v", s.Name, err, s.Error)
	}
	if want := r.result(t, s); s.Error == nil && want != nil && !sameResult(t, result, want) {
		t.Errorf("%s: result\n %v, recorded\n %v", s.Name, result, want)
	}
	want := s.from("A", "PUBLISH")
	var got [][]string
	redistest.Until(t, s.Name+" to be sent", func() bool {
		got = r.tap.of("PUBLISH")[r.seen:]
		return len(got) >= len(want)
	})
	r.seen += len(want)
	for i, c := range want {
		got[i][0] = strings.ToUpper(got[i][0])
		_, differs := classicDifferences[s.Name]
		if slices.Equal(got[i], c.words(t)) == differs {
			t.Errorf("%s (differs: %v):\n got %q\nwant %q", s.Name, differs, got[i], c.words(t))
		}
	}
	return len(want) > 0
}

// fence proves that nothing more was sent than what was compared.
func (r *classicReplay) fence(t *testing.T) {
	p := &parser.Packet{Type: parser.Event, Args: parser.Args{JSON: []byte(`["fence"]`)}}
	if err := r.nodes["/"].Broadcast(p, adapters.Target{}); err != nil {
		t.Fatal(err)
	}
	redistest.Until(t, "a fence", func() bool { return len(r.tap.of("PUBLISH")) > r.seen })
	if last := r.tap.of("PUBLISH")[r.seen:]; len(last) != 1 || !strings.Contains(last[0][2], "fence") {
		t.Errorf("more was sent than recorded: %q", last)
	}
	for _, c := range r.tap.of("PUBSUB") {
		if len(c) != 3 || strings.ToUpper(c[1]) != "NUMSUB" || !strings.HasPrefix(c[2], r.key+"-request#/") {
			t.Errorf("nodes are counted by %q", c)
		}
	}
}

// call makes the call of a scenario, which follows from the command it gave. The
// result is sorted.
func (r *classicReplay) call(t *testing.T, s *vectorScenario) (result []any, err error) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	defer func() {
		sort.Slice(result, func(i, j int) bool { return fmt.Sprint(result[i]) < fmt.Sprint(result[j]) })
	}()
	commands := s.from("A", "PUBLISH")
	if len(commands) == 0 {
		return r.quiet(ctx, s)
	}
	c := &commands[0]
	a := r.nodes[strings.TrimSuffix(c.Channel[strings.Index(c.Channel, "#")+1:], "#")]
	if strings.HasPrefix(c.Channel, r.key+"#/chat#") {
		a = r.nodes["/chat"]
	} else if strings.HasPrefix(c.Channel, r.key+"#/#") {
		a = r.nodes["/"]
	}
	if c.Encoding == "notepack" {
		return r.broadcast(ctx, t, a, s, c)
	}
	return r.request(ctx, t, a, s, c)
}

// request makes the call of which c is the request.
func (r *classicReplay) request(ctx context.Context, t *testing.T, a *cluster.Adapter, s *vectorScenario, c *vectorCommand) (result []any, err error) {
	var q struct {
		RequestID string `json:"requestId"`
		Type      int
		Opts      json.RawMessage
		Rooms     []string
		Close     bool
		Data      json.RawMessage
	}
	if err := json.Unmarshal(c.Decoded, &q); err != nil {
		t.Fatal(err)
	}
	add := func(text string) { result = append(result, text) }
	if q.RequestID != "" {
		r.requests <- q.RequestID
	}
	var to adapters.Target
	if q.Opts != nil {
		to = vectorTarget(t, q.Opts)
	}
	switch q.Type {
	case classicAllRooms:
		rooms, err := a.Rooms(ctx)
		for _, room := range rooms {
			add(room)
		}
		return result, err
	case classicRemoteJoin:
		return nil, a.SocketsJoin(ctx, to, q.Rooms...)
	case classicRemoteLeave:
		return nil, a.SocketsLeave(ctx, to, q.Rooms...)
	case classicRemoteDisconnect:
		return nil, a.DisconnectSockets(ctx, to, q.Close)
	case classicRemoteFetch:
		found, err := a.Fetch(ctx, to)
		for _, f := range found {
			add(canonical(t, wire.JSON.Append(nil, wire.Map(
				wire.M("id", wire.String(f.ID)), wire.M("rooms", wire.Strings(f.Rooms)), wire.M("data", wire.Args(parser.Args{JSON: f.Data})),
			))))
		}
		return result, err
	}
	data := taggedArgs(t, q.Data)
	if s.Name == "sse-binary" {
		data = parser.Args{JSON: []byte(`["sse",{"_placeholder":true,"num":0}]`), Attachments: [][]byte{{1, 2}}}
	}
	if q.RequestID == "" {
		return nil, a.ServerSideEmit(ctx, data, nil)
	}
	if s.Error != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
	}
	err = a.ServerSideEmit(ctx, data, func(answer parser.Args) {
		first, _ := answer.First()
		add(canonical(t, []byte(untag(first))))
	})
	return result, err
}

// quiet makes the calls that send nothing.
func (r *classicReplay) quiet(ctx context.Context, s *vectorScenario) (result []any, err error) {
	a := r.nodes["/"]
	switch s.Name {
	case "server-count":
		n, err := a.ServerCount(ctx)
		return []any{float64(n)}, err
	case "fetch-sockets-local":
		found, err := a.Fetch(ctx, adapters.Target{Flags: adapters.Flags{Local: true}})
		for _, f := range found {
			result = append(result, f.ID)
		}
		return result, err
	case "local":
		p := &parser.Packet{Type: parser.Event, Args: parser.Args{JSON: []byte(`["l",1]`)}}
		return nil, a.Broadcast(p, adapters.Target{Flags: adapters.Flags{Local: true}})
	}
	return nil, nil // of one local socket: the adapter does not see it
}

// broadcast makes the call of which c is the packet.
func (r *classicReplay) broadcast(ctx context.Context, t *testing.T, a *cluster.Adapter, s *vectorScenario, c *vectorCommand) (result []any, err error) {
	var packet, opts json.RawMessage
	ack := strings.Contains(c.Channel, "-request#")
	if ack {
		var q struct {
			RequestID    string `json:"requestId"`
			Packet, Opts json.RawMessage
		}
		err = json.Unmarshal(c.Decoded, &q)
		packet, opts = q.Packet, q.Opts
		r.requests <- q.RequestID
	} else {
		var parts []json.RawMessage
		if err = json.Unmarshal(c.Decoded, &parts); err == nil {
			packet, opts = parts[1], parts[2]
		}
	}
	var body struct{ Data json.RawMessage }
	if err != nil || json.Unmarshal(packet, &body) != nil {
		t.Fatal(s.Name, err)
	}
	data := taggedArgs(t, body.Data)
	switch s.Name {
	case "broadcast-large-ints":
		data.JSON = []byte(strings.Replace(string(data.JSON), "3875820019684212700", "1e21", 1))
	case "broadcast-undefined-date":
		data.JSON = []byte(`["u",null,{"d":"2023-11-14T22:13:20.123Z"},[null]]`)
	}
	p := &parser.Packet{Type: parser.Event, Args: data}
	to := vectorTarget(t, opts)
	if !ack {
		return nil, a.Broadcast(p, to)
	}
	var mu sync.Mutex // guards result
	err = a.BroadcastAck(ctx, p, to, func(answer parser.Args) {
		first, _ := answer.First()
		mu.Lock()
		defer mu.Unlock()
		result = append(result, canonical(t, []byte(untag(first))))
	})
	return result, err
}

// sameResult compares results; of sockets only what was recorded of them.
func sameResult(t *testing.T, got, want []any) bool {
	if len(got) != len(want) {
		return false
	}
	for i := range got {
		g, _ := got[i].(string)
		w, _ := want[i].(string)
		var socket, recorded map[string]any
		if json.Unmarshal([]byte(g), &socket) != nil || socket["id"] == nil {
			if !reflect.DeepEqual(got[i], want[i]) {
				return false
			}
			continue
		}
		if json.Unmarshal([]byte(w), &recorded) != nil {
			recorded = map[string]any{"id": w}
		}
		for name := range recorded {
			if !reflect.DeepEqual(socket[name], recorded[name]) {
				t.Logf("%s: %v, recorded %v", name, socket[name], recorded[name])
				return false
			}
		}
	}
	return true
}

// canonical sorts the members of objects, and the rooms of answers and sockets.
func canonical(t *testing.T, text []byte) string {
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	if m, ok := v.(map[string]any); ok {
		sockets, _ := m["sockets"].([]any)
		for _, o := range append(sockets, m) {
			rooms, _ := o.(map[string]any)["rooms"].([]any)
			sort.Slice(rooms, func(i, j int) bool { return fmt.Sprint(rooms[i]) < fmt.Sprint(rooms[j]) })
		}
	}
	out, _ := json.Marshal(v)
	return string(out)
}

// result returns the recorded result in the form and order of call, nil if there
// is none.
func (r *classicReplay) result(t *testing.T, s *vectorScenario) (result []any) {
	if len(s.from("A", "PUBLISH", "PUBSUB")) == 0 && s.Name != "fetch-sockets-local" {
		return nil
	}
	var v any
	if s.Result == nil {
		return nil
	}
	if err := json.Unmarshal(s.Result, &v); err != nil {
		t.Fatal(err)
	}
	list, ok := v.([]any)
	if !ok {
		if v == nil {
			return nil
		}
		list = []any{v}
	}
	for _, e := range list {
		text, _ := json.Marshal(e)
		switch _, object := e.(map[string]any); {
		case object || strings.Contains(s.Name, "ack"):
			e = canonical(t, text)
		}
		result = append(result, e)
	}
	sort.Slice(result, func(i, j int) bool { return fmt.Sprint(result[i]) < fmt.Sprint(result[j]) })
	return result
}
