package redisadapter

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/adapters/cluster/wire"
	"github.com/hermod-io/hermod/adapters/redisadapter/internal/link"
	"github.com/hermod-io/hermod/internal/alloctest"
	"github.com/hermod-io/hermod/internal/redistest"
	"github.com/hermod-io/hermod/socketio/parser"
)

// codecDifferences are the scenarios whose messages we read, but do not write as
// they were recorded, and why.
var codecDifferences = map[string]string{
	"broadcast-undefined-date":  "a Date is text when it was read",
	"emit-date-undefined":       "a Date is text when it was read",
	"to-numeric-room":           "names of rooms are written as strings",
	"volatile-compress-to":      "compress: true is the default and not written",
	"fetch-sockets":             "headers are sorted",
	"fetch-sockets-binary-data": "headers are sorted",
}

// Every recorded message is read, and written again as it was.
func TestClassicCodec(t *testing.T) {
	read := 0
	for _, name := range append(slices.Clone(classicFiles), "emitter-redis", "emitter-redis-key") {
		for _, s := range readVectors(t, name).Scenarios {
			same := true
			for _, c := range s.Commands {
				if c.Cmd != "PUBLISH" {
					continue
				}
				read++
				payload := c.payload(t)
				if again := rewrite(t, &c, payload); again != payload {
					same = false
					if codecDifferences[s.Name] == "" {
						t.Errorf("%s/%s: %s\n got %q\nwant %q", name, s.Name, c.Channel, again, payload)
					}
				}
			}
			if same && codecDifferences[s.Name] != "" {
				t.Errorf("%s/%s does not differ", name, s.Name)
			}
		}
	}
	if read != 224 {
		t.Errorf("%d messages are recorded", read)
	}
}

// rewrite reads a message and writes it again.
func rewrite(t *testing.T, c *vectorCommand, payload string) string {
	t.Helper()
	kind, nsp, _ := strings.Cut(strings.TrimSuffix(c.Channel, "#"), "#")
	nsp, _, _ = strings.Cut(nsp, "#")
	switch {
	case strings.HasSuffix(kind, "-request"):
		r, err := parseClassicRequest([]byte(payload))
		if err != nil {
			t.Fatal(err)
		}
		b := &classicBus{nsp: nsp, uid: r.From}
		again := string(b.appendRequest(&r.Message))
		if r.From == "" { // an emitter
			again = strings.Replace(again, `"uid":"",`, "", 1)
		}
		return again
	case strings.HasSuffix(kind, "-response"):
		m, err := parseClassicAnswer([]byte(payload))
		if err != nil || m == nil {
			t.Fatal(m, err)
		}
		return string(appendClassicAnswer(m, m))
	}
	m, err := parseClassicBroadcast(nsp, []byte(payload), nil)
	if err != nil || m == nil {
		t.Fatal(m, err)
	}
	if m.From != cluster.Emitter {
		b := &classicBus{nsp: nsp, uid: m.From, own: appendClassicHead(nil, m.From)}
		return string(b.appendBroadcast(m))
	}
	w := wire.NewWriter(appendClassicHead(nil, m.From), wire.Notepack)
	writePacket(&w, m, nsp)
	writeEmissionOpts(&w, m)
	return string(w.Bytes())
}

// Nothing that is published makes a node panic, or reaches it but as a message
// that it can write again.
func FuzzClassicReceive(f *testing.F) {
	for _, p := range classicPoison() {
		f.Add([]byte(p))
	}
	for _, name := range []string{"classic", "emitter-redis"} {
		for _, s := range readVectors(f, name).Scenarios {
			for _, c := range s.from("A", "PUBLISH") {
				f.Add([]byte(c.payload(f)))
			}
			for _, c := range s.from("B", "PUBLISH") {
				f.Add([]byte(c.payload(f)))
			}
		}
	}
	f.Add([]byte(`{"uid":"u","requestId":"1","type":2,"sid":"s","room":7}`))
	b := &classicBus{nsp: "/", uid: "u", own: appendClassicHead(nil, "u")}
	f.Fuzz(func(t *testing.T, payload []byte) {
		before := bytes.Clone(payload)
		if m, err := parseClassicBroadcast("/", payload, nil); err == nil && m != nil {
			if again, err := parseClassicBroadcast("/", b.appendBroadcast(m), nil); err != nil || !slices.EqualFunc(again.Target.Rooms, m.Target.Rooms, sameText) {
				t.Fatalf("%+v becomes %+v, %v", m, again, err)
			}
		}
		if r, err := parseClassicRequest(payload); err == nil {
			if _, err := parseClassicRequest(b.appendRequest(&r.Message)); err != nil {
				t.Fatalf("%+v: %v", r, err)
			}
		}
		if m, err := parseClassicAnswer(payload); err == nil && m != nil {
			if _, err := parseClassicAnswer(appendClassicAnswer(m, m)); err != nil {
				t.Fatalf("%+v: %v", m, err)
			}
		}
		if !bytes.Equal(before, payload) {
			t.Fatal("the payload was changed")
		}
	})
}

// sameText compares a text with what was made of it when it was written.
func sameText(written, text string) bool { return written == strings.ToValidUTF8(text, "\uFFFD") }

// classicSink takes what a bus receives.
type classicSink struct {
	got  *cluster.Message // valid as long as it is lent
	text []byte           // of the last packet
}

func (s *classicSink) Receive(m *cluster.Message) {
	if s.got = m; m.Packet != nil {
		s.text = append(s.text[:0], m.Packet.JSON...)
	}
}
func (s *classicSink) Gap(cluster.Gap) {}

// small is a broadcast of 110 bytes of arguments to a room.
func small() *cluster.Message {
	text := `["chat message",{"user":"ada","text":"` + strings.Repeat("x", 71) + `"}]`
	return &cluster.Message{
		Type:   cluster.Broadcast,
		Target: adapters.Target{Rooms: []string{"room"}},
		Packet: &parser.Packet{Type: parser.Event, Namespace: "/", Args: parser.Args{JSON: []byte(text)}},
	}
}

// smallMessage is small as another node publishes it.
func smallMessage(b *classicBus) link.Message {
	other := &classicBus{nsp: "/", uid: "other", own: appendClassicHead(nil, "other")}
	return link.Message{Channel: b.names.room("room"), Payload: other.appendBroadcast(small())}
}

func smallBus(r cluster.Receiver) *classicBus {
	b := &classicBus{opts: new(Options), link: &lease{receiver: r}, nsp: "/", uid: "me", own: appendClassicHead(nil, "me")}
	b.names = newClassicNames("socket.io", "/", "me")
	b.rooms = map[string]struct{}{"room": {}}
	return b
}

func TestClassicAllocations(t *testing.T) {
	sink := new(classicSink)
	b, m := smallBus(sink), small()
	if n := alloctest.PerRun(100, func() { b.appendBroadcast(m) }); n > 1 {
		t.Errorf("%v allocations to encode", n)
	}
	in := smallMessage(b)
	if n := alloctest.PerRun(100, func() { b.hear(in) }); n > mostReceiveAllocs {
		t.Errorf("%v allocations to receive", n)
	}
	if string(sink.text) != string(m.Packet.JSON) {
		t.Errorf("received %s", sink.text)
	}
	elsewhere, echo := in, in
	elsewhere.Channel, echo.Payload = b.names.room("elsewhere"), b.appendBroadcast(m)
	for _, in := range []link.Message{elsewhere, echo} {
		if n := alloctest.PerRun(100, func() { b.hear(in) }); n > 0 {
			t.Errorf("%v allocations to drop one", n)
		}
	}
	answer := link.Message{Channel: b.names.response, Payload: []byte(`{"requestId":"abcdef","sockets":[]}`)}
	if n := alloctest.PerRun(100, func() { b.onResponse(answer) }); n > 0 {
		t.Errorf("%v allocations to drop an answer for another node", n)
	}
}

func BenchmarkClassicReceive(b *testing.B) {
	bus := smallBus(new(classicSink))
	in := smallMessage(bus)
	b.ReportAllocs()
	for b.Loop() {
		bus.hear(in)
	}
}

// BenchmarkClassicPublish measures one goroutine against a real Redis, all that is
// queued included.
func BenchmarkClassicPublish(b *testing.B) {
	client := redistest.Start(b, redistest.Options{}).Client()
	a, err := New(client, Options{})(&fakeLocal{name: "/"})
	if err != nil {
		b.Fatal(err)
	}
	m := small()
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
