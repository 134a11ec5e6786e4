package parser

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

// goldenPacket is a packet as testdata/gen.mjs writes it.
type goldenPacket struct {
	Type byte    `json:"type"`
	NSP  string  `json:"nsp"`
	ID   *uint64 `json:"id"`
	Data any     `json:"data"`
}

func goldenLines(t testing.TB, name string) [][]byte {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Split(bytes.TrimSpace(text), []byte("\n"))
}

// untag replaces what stands for bytes and for numbers outside of JSON.
func untag(t *testing.T, v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = untag(t, v[i])
		}
	case map[string]any:
		if s, ok := v["$hex"].(string); ok {
			return unhex(t, s)
		}
		if s, ok := v["$num"].(string); ok {
			f, err := strconv.ParseFloat(s, 64)
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
		for k := range v {
			v[k] = untag(t, v[k])
		}
	}
	return v
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// packet builds the packet through the codec.
func (g *goldenPacket) packet(t *testing.T) Packet {
	t.Helper()
	p := Packet{Type: Type(g.Type), Namespace: g.NSP}
	if g.ID != nil {
		p.ID, p.HasID = *g.ID, true
	}
	if g.Data == nil {
		return p
	}
	var err error
	if p.JSON, p.Attachments, err = DefaultJSON().Append(nil, nil, untag(t, g.Data)); err != nil {
		t.Fatal(err)
	}
	return p
}

// The official encoder and ours write the same, and we read what we wrote.
//
// compat: parser default
func TestGoldenEncode(t *testing.T) {
	for _, line := range goldenLines(t, "encode.txt") {
		var g struct {
			goldenPacket
			Wire        string
			Attachments []string
		}
		if err := json.Unmarshal(line, &g); err != nil {
			t.Fatal(err)
		}
		p := g.packet(t)
		msg, binary, attachments := Default().AppendPacket(nil, &p)
		if string(msg) != g.Wire || binary || len(attachments) != len(g.Attachments) {
			t.Errorf("got  %s %q\nwant %s %q", msg, attachments, g.Wire, g.Attachments)
			continue
		}
		d := Default().NewDecoder(Limits{})
		got, ok, err := d.Decode(false, msg)
		for i, a := range attachments {
			if !bytes.Equal(a, unhex(t, g.Attachments[i])) {
				t.Errorf("%s: attachment %d is %x, want %s", msg, i, a, g.Attachments[i])
			}
			got, ok, err = d.Decode(true, a)
		}
		if err != nil || !ok || !samePacket(got, p) {
			t.Errorf("%s comes back as %+v, %v, %v", msg, got, ok, err)
		}
	}
}

// What the official decoder takes by JavaScript's notion of a number and this
// one refuses, and what it takes for want of a check.
var refusedLeniencies = map[string]string{
	``:                       "an empty message, which is taken for a CONNECT",
	` `:                      "white space, which is taken for a CONNECT",
	`2 ["a"]`:                "white space as an ack id",
	`21 ["a"]`:               "white space as part of an ack id",
	`2007["a"]`:              "an ack id with leading zeros",
	`29007199254740993["a"]`: "an ack id beyond 2^53, which JavaScript rounds",
	`50x1-["a"]`:             "a hexadecimal attachment count",
	`51e1-["a"]`:             "an attachment count with an exponent",
	`5 1-["a"]`:              "white space in the attachment count",
	`51 -["a"]`:              "white space in the attachment count",
	`5+1-["a"]`:              "a sign in the attachment count",
	`501-["a"]`:              "an attachment count with leading zeros",
	`51-`:                    "a binary event without JSON",
	`51-["a",{"_placeholder":true,"num":0.5}]`: "a fractional placeholder, which becomes undefined",
	`51-["a",{"_placeholder":true,"num":0e0}]`: "a placeholder with an exponent",
}

// The official decoder and ours agree, but for the leniencies named above.
//
// compat: parser default
func TestGoldenDecode(t *testing.T) {
	for _, line := range goldenLines(t, "decode.txt") {
		var g struct {
			In     string
			Binary []string
			Packet *goldenPacket
			Error  string
		}
		if err := json.Unmarshal(line, &g); err != nil {
			t.Fatal(err)
		}
		d := Default().NewDecoder(Limits{})
		p, ok, err := d.Decode(false, []byte(g.In))
		for i := 0; i < len(g.Binary) && err == nil; i++ {
			p, ok, err = d.Decode(true, unhex(t, g.Binary[i]))
		}
		if _, listed := refusedLeniencies[g.In]; listed {
			if err == nil || g.Error != "" {
				t.Errorf("%s is listed as refused by us alone: ours %v, official %q", g.In, err, g.Error)
			}
			continue
		}
		if (err != nil) != (g.Error != "") {
			t.Errorf("%s: error %v, the official one is %q", g.In, err, g.Error)
		}
		if err != nil || g.Packet == nil {
			continue
		}
		if !ok {
			t.Errorf("%s: ok is %v", g.In, ok)
		}
		checkGolden(t, g.In, p, g.Packet)
	}
}

func checkGolden(t *testing.T, in string, p Packet, want *goldenPacket) {
	t.Helper()
	if Type(want.Type) == Connect || Type(want.Type) == Disconnect || Type(want.Type) == ConnectError {
		want.ID = nil // read there, and of no use to anybody
	}
	if byte(p.Type) != want.Type || p.Namespace != want.NSP || p.HasID != (want.ID != nil) || p.HasID && p.ID != *want.ID {
		t.Errorf("%s: got %+v, want %+v", in, p, want)
	}
	var data any
	if p.JSON != nil {
		if err := DefaultJSON().Decode(p.JSON, p.Attachments, &data); err != nil {
			t.Errorf("%s: %v", in, err)
		}
	}
	if wantData := untag(t, want.Data); !reflect.DeepEqual(normal(data), normal(wantData)) {
		t.Errorf("%s: data %#v, want %#v", in, data, wantData)
	}
}

// normal replaces -0, which the golden files cannot hold.
func normal(v any) any {
	if f, ok := v.(float64); ok && f == 0 {
		return math.Abs(f)
	}
	if a, ok := v.([]any); ok {
		for i := range a {
			a[i] = normal(a[i])
		}
	}
	return v
}

// Numbers are written as JSON.stringify writes them, by the codec itself and by
// the library that serves structs.
func TestGoldenNumbers(t *testing.T) {
	for _, line := range goldenLines(t, "numbers.txt") {
		bits, want, _ := strings.Cut(string(line), " ")
		n, err := strconv.ParseUint(bits, 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		f := math.Float64frombits(n)
		got, _, err := DefaultJSON().Append(nil, nil, f)
		inStruct, _, err2 := DefaultJSON().Append(nil, nil, struct{ F float64 }{f})
		if err != nil || err2 != nil || string(got) != want || string(inStruct) != `{"F":`+want+`}` {
			t.Errorf("%x is written as %s, %v and %s, %v; want %s", n, got, err, inStruct, err2, want)
		}
	}
}
