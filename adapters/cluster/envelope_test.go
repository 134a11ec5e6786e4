package cluster

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster/wire"
	"github.com/hermod-io/hermod/internal/alloctest"
	"github.com/hermod-io/hermod/socketio/parser"
)

// recordedEnvelope is a message of an official node: an envelope, or the fields of
// an entry of a stream.
type recordedEnvelope struct {
	name    string // file and scenario
	dialect wire.Dialect
	bytes   []byte
	entry   bool
	typ     Type
}

var envelopeDialects = map[string]wire.Dialect{
	"json": wire.JSON, "notepack": wire.Notepack, "msgpack": wire.Msgpack, "base64(msgpack)": wire.Msgpack,
}

// recordedEnvelopes reads the recordings of the sharded and streams adapters and
// of the emitter for streams.
func recordedEnvelopes(t testing.TB) (all []recordedEnvelope) {
	t.Helper()
	for _, pattern := range []string{"sharded-*.json", "*streams*.json"} {
		files, err := filepath.Glob(filepath.Join("wire", "testdata", pattern))
		if err != nil || len(files) == 0 {
			t.Fatal("no recordings", err)
		}
		for _, file := range files {
			all = append(all, recordedEnvelopesOf(t, file)...)
		}
	}
	return all
}

func recordedEnvelopesOf(t testing.TB, file string) (all []recordedEnvelope) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var f struct {
		Scenarios []struct {
			Name     string
			Commands []struct {
				Encoding   string
				PayloadHex string `json:"payload_hex"`
				Fields     []struct{ Name, Text, Encoding string }
			}
		}
	}
	if err := json.Unmarshal(text, &f); err != nil {
		t.Fatal(file, err)
	}
	for _, s := range f.Scenarios {
		name := strings.TrimSuffix(filepath.Base(file), ".json") + "/" + s.Name
		for _, c := range s.Commands {
			if c.PayloadHex != "" {
				b, err := hex.DecodeString(c.PayloadHex)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, recordedEnvelope{name: name, dialect: envelopeDialects[c.Encoding], bytes: b})
			}
			r := recordedEnvelope{name: name, entry: true}
			for _, field := range c.Fields {
				switch field.Name {
				case "type":
					r.typ = ParseType(field.Text)
				case "data":
					r.bytes, r.dialect = []byte(field.Text), envelopeDialects[field.Encoding]
					if r.dialect != wire.JSON {
						r.bytes, err = base64.StdEncoding.DecodeString(field.Text)
						if err != nil {
							t.Fatal(err)
						}
					}
				}
			}
			if r.typ != 0 {
				all = append(all, r)
			}
		}
	}
	return all
}

// parse reads the recorded message and appends it again.
func (r recordedEnvelope) parse(t *testing.T) (m *Message, again []byte) {
	t.Helper()
	if r.entry {
		m = &Message{Type: r.typ}
		if err := ParseData(r.dialect, r.bytes, m); err != nil {
			t.Fatalf("%s: %v in %q", r.name, err, r.bytes)
		}
		if r.typ.HasData() {
			again = AppendData(nil, r.dialect, m)
		}
		return m, again
	}
	m, nsp, err := ParseEnvelope(r.dialect, r.bytes)
	if err != nil {
		t.Fatalf("%s: %v in %q", r.name, err, r.bytes)
	}
	return m, AppendEnvelope(nil, r.dialect, nsp, m)
}

// envelopeDifferences are the scenarios whose messages we would not write as
// recorded, and why.
var envelopeDifferences = map[string]string{
	"volatile-compress-to":      "compress: true is the default, and not written",
	"to-numeric-room":           "names of rooms are written as strings",
	"fetch-sockets":             "headers are sorted by name",
	"fetch-sockets-binary-data": "headers are sorted, and data is JSON: its Buffers are what JSON.stringify makes of them",
}

func TestEnvelopesOfOfficialNodes(t *testing.T) {
	t.Parallel()
	differ := make(map[string]bool)
	all := recordedEnvelopes(t)
	for _, r := range all {
		m, again := r.parse(t)
		file, scenario, _ := strings.Cut(r.name, "/")
		switch {
		case m.Type.HasData() != (again != nil) && r.entry:
			t.Errorf("%s: type %d", r.name, m.Type)
		case bytes.Equal(again, r.bytes):
		case file == "emitter-streams": // the order of its members is the emitter's own
		case envelopeDifferences[scenario] == "":
			t.Errorf("%s %s\n got %q\nwant %q", r.name, r.dialect, again, r.bytes)
		default:
			differ[scenario] = true
		}
	}
	if len(all) < 600 {
		t.Errorf("only %d messages", len(all))
	}
	for scenario := range envelopeDifferences {
		if !differ[scenario] {
			t.Errorf("%s does not differ any more", scenario)
		}
	}
}

func TestEnvelopeMembers(t *testing.T) {
	t.Parallel()
	room := adapters.Target{Rooms: []string{"42"}, Except: []string{"r"}}
	timeout := adapters.Target{Flags: adapters.Flags{Volatile: true, NoCompress: true, Single: true, Timeout: 1500 * time.Millisecond}}
	event := func(text string) *parser.Packet {
		return &parser.Packet{Type: parser.Event, Args: argsOf([]byte(text))}
	}
	for _, c := range []struct {
		text string
		want Message
	}{
		{`{"type":3,"uid":"u","nsp":"/n","data":{"packet":{"type":2,"data":["e",1.50]},"opts":{"rooms":[42],"except":["r"]}}}`,
			Message{Type: Broadcast, Target: room, Packet: event(`["e",1.50]`)}},
		{`{"type":"3","uid":"u","nsp":"/n","data":{"packet":{"type":5,"data":["e"],"id":7},"requestId":"q","opts":{"rooms":null,"flags":{"volatile":true,"compress":false,"expectSingleResponse":true,"timeout":1500}}}}`,
			Message{Type: Broadcast, RequestID: "q", Target: timeout, Packet: &parser.Packet{Type: parser.Event, ID: 7, HasID: true, Args: argsOf([]byte(`["e"]`))}}},
		{`{"type":6,"uid":"u","nsp":"/n","data":{"opts":{"rooms":["42"],"except":["r"]},"close":true}}`,
			Message{Type: DisconnectSockets, Target: room, Close: true}},
		{`{"type":9,"uid":"u","nsp":"/n","data":{"packet":["disconnect"]}}`,
			Message{Type: ServerSideEmit, Args: argsOf([]byte(`["disconnect"]`))}},
		{`{"type":10,"uid":"u","nsp":"/n","data":{"requestId":"q"}}`,
			Message{Type: ServerSideEmitResponse, RequestID: "q", Args: argsOf([]byte(`[]`))}},
		{`{"type":12,"uid":"u","nsp":"/n","data":{"requestId":"q","packet":null}}`,
			Message{Type: BroadcastAck, RequestID: "q", Args: argsOf([]byte(`[null]`))}},
		{`{"type":13,"uid":"u","nsp":"/n"}`, Message{Type: AdapterClose}},
		{`{"type":8,"uid":"u","nsp":"/n","data":{"requestId":"q","sockets":[{"id":"s","rooms":["s",1],"data":{"b":{"type":"Buffer","data":[1]}},"handshake":{"headers":{"a":["1","2"]},"query":{"q":["1","2"]},"auth":{},"issued":5,"secure":true}}]}}`,
			Message{Type: FetchSocketsResponse, RequestID: "q", Sockets: []adapters.SocketInfo{{
				ID: "s", Rooms: []string{"s", "1"}, Data: []byte(`{"b":{"type":"Buffer","data":[1]}}`),
				Handshake: adapters.Handshake{Headers: map[string]string{"a": "1, 2"}, Query: map[string]string{"q": "2"}, Auth: []byte("{}"), Issued: 5, Secure: true},
			}}}},
	} {
		c.want.From = "u"
		for _, d := range []wire.Dialect{wire.JSON, wire.Notepack, wire.Msgpack} {
			v, err := wire.JSON.Decode([]byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			m, nsp, err := ParseEnvelope(d, d.Append(nil, v))
			if err != nil || nsp != "/n" {
				t.Fatalf("%s %s: %v, namespace %q", d, c.text, err, nsp)
			}
			if d == wire.JSON && !reflect.DeepEqual(m, &c.want) {
				t.Errorf("%s %s\n got %+v\nwant %+v", d, c.text, m, &c.want)
			}
		}
	}
}

// TestEnvelopePoison: nothing that is wrong reaches sockets, least of all more of
// them than it was meant for.
func TestEnvelopePoison(t *testing.T) {
	t.Parallel()
	for _, data := range []string{
		``, `null`, `[]`, `"x"`, `{}`, `{"type":3}`, `{"type":3,"uid":"u","nsp":"/"}`, `{"type":99,"uid":"u","nsp":"/","data":{}}`,
		`{"type":259,"uid":"u","nsp":"/","data":{}}`, `{"uid":"u","nsp":"/","data":{}}`, `{"type":3.5,"uid":"u","data":{}}`, `{"type":2,"nsp":"/"}`,
		envelopeText(3, `{"packet":{"type":2,"data":["e"]}}`),
		envelopeText(3, `{"opts":{"rooms":[]}}`),
		envelopeText(3, `{"packet":{"type":2,"data":["e"]},"opts":[]}`),
		envelopeText(3, `{"packet":{"type":2,"data":["e"]},"opts":{"rooms":"room1"}}`),
		envelopeText(3, `{"packet":{"type":2,"data":["e"]},"opts":{"rooms":[{}]}}`),
		envelopeText(3, `{"packet":{"type":2,"data":["e"]},"opts":{"rooms":[],"except":[null]}}`),
		envelopeText(3, `{"packet":{"type":2,"data":[]},"opts":{"rooms":[]}}`),
		envelopeText(3, `{"packet":{"type":2,"data":[null]},"opts":{"rooms":[]}}`),
		envelopeText(3, `{"packet":{"type":2,"data":["disconnect"]},"opts":{"rooms":[]}}`),
		envelopeText(3, `{"packet":{"type":2,"data":"e"},"opts":{"rooms":[]}}`),
		envelopeText(3, `{"packet":{"type":1,"data":["e"]},"opts":{"rooms":[]}}`),
		envelopeText(3, `{"packet":{"type":2,"data":["e"],"id":-1},"opts":{"rooms":[]}}`),
		envelopeText(4, `{"opts":{"rooms":[]}}`), envelopeText(4, `{"opts":{},"rooms":"r"}`), envelopeText(4, `{"rooms":["r"]}`),
		envelopeText(6, `{"close":true}`), envelopeText(7, `{"requestId":"q"}`), envelopeText(7, `{"opts":{}}`),
		envelopeText(8, `{"requestId":"q"}`), envelopeText(8, `{"requestId":"q","sockets":[{}]}`), envelopeText(8, `{"sockets":[]}`),
		envelopeText(9, `{}`), envelopeText(9, `{"packet":"e"}`), envelopeText(10, `{}`), envelopeText(12, `{"packet":1}`),
		envelopeText(11, `{"requestId":"q","clientCount":-1}`), envelopeText(11, `{"requestId":"q","clientCount":"many"}`), envelopeText(11, `{"requestId":"q","clientCount":1e18}`),
	} {
		m, _, err := ParseEnvelope(wire.JSON, []byte(data))
		var bad *wire.Error
		if !errors.As(err, &bad) || m != nil {
			t.Errorf("%s: %+v, %v", data, m, err)
		}
	}
	if err := ParseData(wire.JSON, []byte(`{}`), &Message{Type: Broadcast}); err == nil {
		t.Error("data {} of an entry is taken")
	}
	if err := ParseData(wire.JSON, []byte(`{}`), &Message{Type: 77}); err == nil {
		t.Error("a type that is unknown is taken")
	}
}

func envelopeText(typ Type, data string) string {
	return fmt.Sprintf(`{"type":%d,"data":%s,"uid":"u","nsp":"/"}`, typ, data)
}

func TestEnvelopeDialect(t *testing.T) {
	t.Parallel()
	bin := parser.Args{JSON: []byte(`["e",{"_placeholder":true,"num":0}]`), Attachments: [][]byte{{1}}}
	for _, c := range []struct {
		m    Message
		want bool
	}{
		{Message{Type: Broadcast, Packet: &parser.Packet{Args: bin}}, true},
		{Message{Type: Broadcast, Packet: &parser.Packet{Args: argsOf([]byte(`["e"]`))}}, false},
		{Message{Type: ServerSideEmit, Args: bin}, true},
		{Message{Type: BroadcastAck, Args: bin}, false}, // only the first travels
		{Message{Type: ServerSideEmitResponse, Args: parser.Args{JSON: []byte(`[{"_placeholder":true,"num":0}]`), Attachments: bin.Attachments}}, true},
		{Message{Type: FetchSockets}, false},
	} {
		if got := c.m.Binary(); got != c.want {
			t.Errorf("type %d: binary %v", c.m.Type, got)
		}
	}
	if DialectOf([]byte("{}"), wire.Msgpack) != wire.JSON || DialectOf([]byte{0x84}, wire.Msgpack) != wire.Msgpack || DialectOf(nil, wire.Notepack) != wire.Notepack {
		t.Error("dialects by the first byte")
	}
}

// FuzzParseEnvelope: what is accepted can be written, and means the same then.
func FuzzParseEnvelope(f *testing.F) {
	seen := make(map[string]bool)
	for _, r := range recordedEnvelopes(f) {
		if _, scenario, _ := strings.Cut(r.name, "/"); !r.entry && !seen[scenario+r.dialect.String()] {
			seen[scenario+r.dialect.String()] = true
			f.Add(uint8(r.dialect), r.bytes)
		}
	}
	f.Fuzz(func(t *testing.T, dialect uint8, msg []byte) {
		d := wire.Dialect(dialect % 3)
		m, nsp, err := ParseEnvelope(d, msg)
		if err != nil {
			if _, ok := err.(*wire.Error); !ok || m != nil {
				t.Fatalf("%+v, %v", m, err)
			}
			return
		}
		text := AppendEnvelope(nil, d, nsp, m)
		again, nsp2, err := ParseEnvelope(d, text)
		if err != nil || nsp2 != nsp {
			t.Fatalf("%q was read as %+v, written as %q: %v", msg, m, text, err)
		}
		if second := AppendEnvelope(nil, d, nsp, again); !bytes.Equal(second, text) {
			t.Fatalf("%q\nwas written as %q\nand then as %q", msg, text, second)
		}
	})
}

func smallBroadcast() *Message {
	text := `["message",{"id":12345,"user":"somebody","text":"a line of text that makes up about one hundred and ten bytes"}]`
	return &Message{Type: Broadcast, From: "137746c7557b875d", Target: adapters.Target{Rooms: []string{"room1"}},
		Packet: &parser.Packet{Type: parser.Event, Args: argsOf([]byte(text))}}
}

func TestEnvelopeAllocations(t *testing.T) {
	m, buf := smallBroadcast(), make([]byte, 0, 1024)
	for _, d := range []wire.Dialect{wire.JSON, wire.Notepack} {
		if n := alloctest.PerRun(100, func() { buf = AppendEnvelope(buf[:0], d, "/", m) }); n > 0 {
			t.Errorf("%s: %v allocations to write", d, n)
		}
		if n := alloctest.PerRun(100, func() { _, _, _ = ParseEnvelope(d, buf) }); n > maxParseAllocs {
			t.Errorf("%s: %v allocations to read", d, n)
		}
	}
}

// maxParseAllocs: the message, the packet, its text, two names, the rooms and one
// of them.
const maxParseAllocs = 7

func BenchmarkEnvelope(b *testing.B) {
	for _, d := range []wire.Dialect{wire.JSON, wire.Notepack} {
		m := smallBroadcast()
		buf := AppendEnvelope(nil, d, "/", m)
		b.Run("append/"+d.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				buf = AppendEnvelope(buf[:0], d, "/", m)
			}
		})
		b.Run("parse/"+d.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := ParseEnvelope(d, buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
