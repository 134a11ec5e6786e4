package redisadapter

import (
	"fmt"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/internal/alloctest"
	"github.com/hermod-io/hermod/internal/redistest"
)

// respText is what Redis sends for text, or for a list of such things.
func respText(v any) string {
	switch v := v.(type) {
	case string:
		return fmt.Sprintf("$%d\r\n%s\r\n", len(v), v)
	case []any:
		var text strings.Builder
		fmt.Fprintf(&text, "*%d\r\n", len(v))
		for _, e := range v {
			text.WriteString(respText(e))
		}
		return text.String()
	}
	panic("no value")
}

// respEntries is the answer to XREAD, by RESP 2 and by RESP 3.
func respEntries(entries ...any) [2]string {
	list := respText("name") + respText(entries)
	return [2]string{"*1\r\n*2\r\n" + list, "%1\r\n" + list}
}

// Entries are read as they are, whatever other fields they have.
func TestStreamEntriesAreRead(t *testing.T) {
	fields := []any{"uid", "u", "nsp", "/", "type", "3", "data", "a\r\nb"}
	for _, answer := range respEntries(
		[]any{"1-0", fields}, []any{"1-1", []any{}}, []any{"2-0", []any{"x", "y", "nsp", "/a", "nsp", "/b", "uid", ""}},
	) {
		all, ok := appendEntries(nil, []byte(answer))
		if !ok || len(all) != 3 {
			t.Fatalf("%q: %d entries, %v", answer, len(all), ok)
		}
		e := all[0]
		if got := fmt.Sprintf("%s %s %s %s %s", e.id, e.uid, e.nsp, e.kind, e.data); got != "1-0 u / 3 a\r\nb" {
			t.Errorf("the first is %q", got)
		}
		if e = all[1]; string(e.id) != "1-1" || e.uid != nil || e.nsp != nil || e.kind != nil || e.data != nil {
			t.Errorf("the one without fields is %q", e)
		}
		if e = all[2]; string(e.nsp) != "/b" || e.uid == nil || len(e.uid) != 0 {
			t.Errorf("the last is %q", e)
		}
		for i := range len(answer) { // each part of it, and more than it
			if _, ok := appendEntries(nil, []byte(answer[:i])); ok {
				t.Errorf("%q is taken for whole", answer[:i])
			}
		}
		if _, ok := appendEntries(nil, []byte(answer+"\r\n")); ok {
			t.Error("bytes behind the answer are taken")
		}
	}
}

// Whatever is no answer with entries is left to go-redis.
func TestStreamEntriesOnly(t *testing.T) {
	for _, nothing := range []string{"*-1\r\n", "_\r\n"} {
		if all, ok := appendEntries(nil, []byte(nothing)); !ok || len(all) != 0 {
			t.Errorf("%q: %d entries, %v", nothing, len(all), ok)
		}
	}
	whole := respEntries([]any{"1-0", []any{"uid", "u"}})[0]
	for _, text := range []string{
		"", "-MOVED 1 a:1\r\n", "-ERR no\r\n", ":1\r\n", "*0\r\n", "%0\r\n", "*2\r\n" + whole[4:], "%2\r\n" + whole[8:],
		strings.Replace(whole, "*2\r\n$3\r\nuid", "*1\r\n$3\r\nuid", 1), strings.Replace(whole, "*2\r\n$3\r\nuid", "*-1\r\n$3\r\nuid", 1),
		strings.Replace(whole, "$3\r\nuid", "$4\r\nuid", 1), strings.Replace(whole, "$3\r\nuid", "$2\r\nuid", 1),
		strings.Replace(whole, "$3\r\nuid", "$-1\r\nuid", 1), strings.Replace(whole, "$3\r\nuid", "$9999999999\r\nuid", 1),
		strings.Replace(whole, "$3\r\n1-0", ":3\r\n", 1),
	} {
		if all, ok := appendEntries(nil, []byte(text)); ok || len(all) != 0 {
			t.Errorf("%q: %q", text, all)
		}
	}
}

// What go-redis has read is the same entry.
func TestStreamEntryOfGoRedis(t *testing.T) {
	e := entryFrom(redis.XMessage{ID: "1-0", Values: map[string]any{"uid": "u", "nsp": "/", "type": "3", "data": "{}", "x": "y"}})
	if got := fmt.Sprintf("%s %s %s %s %s", e.id, e.uid, e.nsp, e.kind, e.data); got != "1-0 u / 3 {}" {
		t.Errorf("it is %q", got)
	}
}

// The reader of a stream that is none gets the error of Redis.
func TestStreamsReadError(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	opts := apart(StreamsOptions{})
	server.Do("set", opts.StreamName, "a string")
	f := &streamsFactory{opts: opts.withDefaults()}
	f.links = newLinks(server.Client(), opts.Options, opts.Counters, opts.Batches)
	r, err := newStreamReader(f, opts.StreamName)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.client.Close() }()
	r.known = true
	if err := r.step(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "WRONGTYPE") {
		t.Errorf("step: %v, want WRONGTYPE", err)
	}
}

// A reader follows its stream to the server that has its slot now: that it has
// moved is said in an answer, which go-redis must see.
func TestStreamsSlotMoves(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t)
	client := c.Client()
	opts := apart(StreamsOptions{})
	a := streamsNode(t, client, opts, &shardedLocal{name: "/"})
	b := streamsNode(t, client, opts, &shardedLocal{name: "/"})
	m := enterSharded(t, b, &shardedMember{id: "b"}, "r")
	slot := int(client.ClusterKeySlot(t.Context(), opts.StreamName).Val())
	c.MoveSlot(slot, (c.Owner(slot)+1)%3)
	emitN(t, a, 0, 50)
	wantGot(t, m, numbered(0, 50), "from the new server")
}

func FuzzStreamEntries(f *testing.F) {
	for _, answer := range respEntries([]any{"1-0", []any{"uid", "u", "data", "{}"}}) {
		f.Add([]byte(answer))
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		all, _ := appendEntries(nil, answer)
		total := 0
		for _, e := range all {
			total += len(e.id) + len(e.uid) + len(e.nsp) + len(e.kind) + len(e.data)
		}
		if total > len(answer) {
			t.Errorf("%d bytes of %d", total, len(answer))
		}
	})
}

// An entry of a known shape costs nothing, and has the name of its own node, not of
// that before it.
func TestStreamEntryAllocations(t *testing.T) {
	sink := new(classicSink)
	b := &streamsBus{factory: new(streamsFactory), link: &lease{receiver: sink}, nsp: "/", uid: "me"}
	m := small()
	e := &streamEntry{uid: []byte("other"), nsp: []byte("/"), kind: []byte("3"), data: b.encode(m)}
	take := func() {
		if err := b.entry(cluster.Offset{}, e); err != nil {
			t.Fatal(err)
		}
	}
	take()
	if n := alloctest.PerRun(100, take); n > mostReceiveAllocs {
		t.Errorf("%v allocations to receive", n)
	}
	e.uid = []byte("third")
	if take(); string(sink.text) != string(m.Packet.JSON) || sink.got.From != "third" {
		t.Errorf("received %s from %q", sink.text, sink.got.From)
	}
	e.uid = []byte("me")
	if n := alloctest.PerRun(100, take); n > 0 {
		t.Errorf("%v allocations to drop an entry of ours", n)
	}
}
