package parser

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"
)

// goldenMsgpack is a packet as testdata/gen_msgpack.mjs writes it.
type goldenMsgpack struct {
	Type        byte
	NSP         string
	ID          any
	Text        string
	Attachments []string
}

func (g *goldenMsgpack) packet(t *testing.T) Packet {
	t.Helper()
	p := Packet{Type: Type(g.Type), Namespace: g.NSP}
	if id, ok := g.ID.(float64); ok {
		p.ID, p.HasID = uint64(id), true
	}
	if g.Text != "" {
		p.JSON = []byte(g.Text)
	}
	for _, a := range g.Attachments {
		p.Attachments = append(p.Attachments, unhex(t, a))
	}
	return p
}

// notepackNumbers are the numbers of which notepack.io writes all digits that
// their bits mean, and JSON.stringify the shortest that lead back to them.
const notepackNumbers = "18014398509481984,1152921504606847000,"

// What the official encoder writes, and what it writes of JSON text.
//
// compat: option parser
func TestMsgpackGoldenEncode(t *testing.T) {
	for _, line := range goldenLines(t, "msgpack_encode.txt") {
		var g struct {
			goldenMsgpack
			Wire, Of, SHA256 string
			N                int
		}
		if err := json.Unmarshal(line, &g); err != nil {
			t.Fatal(err)
		}
		if g.Of != "" {
			checkLong(t, g.Of, g.N, g.SHA256)
			continue
		}
		p := g.packet(t)
		msg, binary, attachments := MsgPack().AppendPacket([]byte("pre"), &p)
		msg = msg[3:]
		if !binary || attachments != nil {
			t.Errorf("%s: binary %v, attachments %q", g.Text, binary, attachments)
		}
		if !bytes.Equal(msg, unhex(t, g.Wire)) && !strings.Contains(g.Text, notepackNumbers) {
			t.Errorf("%.300s:\ngot  %.400x\nwant %.400s", g.Text, msg, g.Wire)
		}
		// We read what we wrote, and what they write.
		for _, wire := range [][]byte{msg, unhex(t, g.Wire)} {
			got, ok, err := MsgPack().NewDecoder(Limits{}).Decode(true, wire)
			if err != nil || !ok || !samePacket(got, p) && !strings.Contains(g.Text, notepackNumbers) {
				t.Errorf("%.300s comes back as %.300s, %v, %v", g.Text, got.JSON, ok, err)
			}
		}
	}
}

// checkLong checks the packet of one long argument.
func checkLong(t *testing.T, of string, n int, sum string) {
	t.Helper()
	p := Packet{Type: Event, Namespace: "/"}
	switch of {
	case "string":
		p.JSON = []byte(`["e","` + strings.Repeat("a", n) + `"]`)
	case "array":
		p.JSON = []byte(`["e",[true` + strings.Repeat(",true", n-1) + `]]`)
	case "bytes":
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(i)
		}
		p.Args = Args{JSON: []byte(`["e",{"_placeholder":true,"num":0}]`), Attachments: [][]byte{b}}
	case "map":
		text := []byte(`["e",{`)
		for i := range n {
			k := strconv.Itoa(i)
			text = append(text, `"k`+k+`":`+k+`,`...)
		}
		p.JSON = append(text[:len(text)-1], "}]"...)
	}
	msg, _, _ := MsgPack().AppendPacket(nil, &p)
	if got := sha256.Sum256(msg); hex.EncodeToString(got[:]) != sum {
		t.Errorf("%s of %d: other bytes than notepack.io's: %.40x…", of, n, msg)
	}
	if got, ok, err := MsgPack().NewDecoder(Limits{}).Decode(true, msg); !ok || err != nil || !samePacket(got, p) {
		t.Errorf("%s of %d does not come back: %v", of, n, err)
	}
}

// What the official decoder takes and this one refuses, by a part of the wire.
var refusedMsgpack = map[string]string{
	"646174619" + "0a36e7370a12f":        "an event without a name",
	"6461746191c0":                       "null as the name of an event",
	"646174619180":                       "an object as the name of an event",
	"646174619190":                       "an array as the name of an event",
	"6461746191c40100a36e7370":           "bytes as the name of an event",
	"6461746191a7636f6e6e656374":         "a reserved name of an event",
	"6461746191ad646973636f6e6e65637469": "a reserved name of an event",
	"6461746191ab6e65774c697374656e6572": "a reserved name of an event",
	"a26964ff":                           "a negative id",
	"a26964cf0020000000000000":           "an id beyond 2^53-1",
	"a36e7370a0":                         "an empty namespace",
	"8190a178":                           "an array as the key of a map",
	"8180a178":                           "a map as the key of a map",
	"81d7000000000000000000a178":         "a Date as the key of a map",
	"81a95f5f70726f746f5f5f83a474797065": "a packet made of __proto__",
	"a464617461d405aa":                   "an extension as data, which is read as an array",
}

// What the official decoder reads otherwise than this one.
var otherMsgpack = map[string][]string{
	// Integers are exact.
	`["e",9223372036854776000,18446744073709550000,-9223372036854776000]`: {`["e",9223372036854775808,18446744073709549568,-9223372036854775808]`},
	`["e",2305843009213694500]`:  {`["e",2305843009213694463]`},
	`["e",18446744073709552000]`: {`["e",18446744073709551615]`},
	`["e",-9223372036854776000]`: {`["e",-9223372036854775807]`},
	// Members keep their order, also those of the same name and __proto__.
	`["e",{"1":10,"b":1,"a":2}]`: {`["e",{"b":1,"a":2,"1":10}]`},
	`["e",{}]`:                   {`["e",{"__proto__":{}}]`},
	`["e",{"a":2}]`:              {`["e",{"__proto__":1,"a":2}]`, `["e",{"a":1,"a":2}]`},
	// One U+FFFD for each byte.
	"[\"e\",\"\uFFFD\"]": {"[\"e\",\"\uFFFD\uFFFD\"]"},
	// A member named _placeholder is data.
	`["e",{"_placeholder":true,"num":0}]`: {`["e",{"\u005fplaceholder":true,"num":0}]`},
	`["e",[{"_placeholder":true,"num":0},{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]]`: {`["e",[{"_placeholder":true,"num":0},{"\u005fplaceholder":true,"num":0},{"_placeholder":true,"num":1}]]`},
}

func TestMsgpackGoldenDecode(t *testing.T) {
	refused := map[string]bool{}
	for _, line := range goldenLines(t, "msgpack_decode.txt") {
		var g struct {
			Wire   string
			Packet *goldenMsgpack
			Error  string
		}
		if err := json.Unmarshal(line, &g); err != nil {
			t.Fatal(err)
		}
		got, ok, err := MsgPack().NewDecoder(Limits{}).Decode(true, unhex(t, g.Wire))
		var e *Error
		if err != nil && (ok || !errors.As(err, &e)) || err == nil && !ok {
			t.Errorf("%s: ok %v, error %v", g.Wire, ok, err)
		}
		if g.Packet == nil {
			if err == nil {
				t.Errorf("%s is taken; the official one says %q", g.Wire, g.Error)
			}
			continue
		}
		if err != nil {
			if part := refusedPart(g.Wire); part != "" && g.Packet.Type != byte(Ack) {
				refused[part] = true
				continue
			}
			t.Errorf("%s: %v; the official one takes it", g.Wire, err)
			continue
		}
		checkMsgpackGolden(t, g.Wire, got, g.Packet.packet(t))
	}
	for part, why := range refusedMsgpack {
		if !refused[part] {
			t.Errorf("%s (%s) is not refused", part, why)
		}
	}
}

func refusedPart(wire string) string {
	for part := range refusedMsgpack {
		if strings.Contains(wire, part) {
			return part
		}
	}
	return ""
}

func checkMsgpackGolden(t *testing.T, wire string, got, want Packet) {
	t.Helper()
	if want.Type != Event && want.Type != Ack {
		want.HasID, want.ID = false, 0 // an id means nothing there
	}
	for _, text := range append(otherMsgpack[string(want.JSON)], string(want.JSON)) {
		same := want
		if same.JSON = []byte(text); samePacket(got, same) {
			return
		}
	}
	t.Errorf("%s: got %+v %s, want %s", wire, got, got.JSON, want.JSON)
}
