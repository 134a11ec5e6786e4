package wire

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// notCopied are the outputs of the official libraries that we do not make: why,
// by the name of the value and the dialect.
var notCopied = map[string]string{
	"float 3.4e38 notepack":         "an integral float of 2^64 or more becomes a wrong integer",
	"integral float 1e300 notepack": "an integral float of 2^64 or more becomes a wrong integer",
	"2^64 notepack":                 "an integral float of 2^64 or more becomes a wrong integer",
	"undefined json":                "JSON.stringify gives no text at all; ours is null",
	"ArrayBuffer msgpack":           "the bytes are lost",
	"ArrayBuffer json":              "the bytes are lost; our binary values are all Buffers",
	"Uint8Array json":               "an object by index; our binary values are all Buffers",
	"Uint16Array [1,2] json":        "an object by index; our binary values are all Buffers",
	"Uint16Array [1,2] notepack":    "cut to one byte an element; our binary values are bytes",
	"toJSON object msgpack":         "an error",
}

type codecVectors struct {
	Encode []struct {
		Name            string
		Value           json.RawMessage
		NotepackHex     string          `json:"notepack_hex"`
		MsgpackHex      string          `json:"msgpack_hex"`
		JSON            *string         `json:"json"`
		NotepackDecodes json.RawMessage `json:"notepack_decodes_to"`
		MsgpackDecodes  json.RawMessage `json:"msgpack_decodes_to"`
	}
	DecodeOnly []struct {
		Name, Hex         string
		Notepack, Msgpack json.RawMessage
	} `json:"decode_only"`
}

func readCodec(t testing.TB) (c codecVectors) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "codec.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// What the libraries make of single values is read as what they read, and is what
// we write, but for their faults.
func TestCodecVectors(t *testing.T) {
	used := map[string]bool{}
	check := func(name string, d Dialect, wire []byte, value, decodes json.RawMessage) {
		v := untag(t, value)
		if name == "toJSON object" {
			v = Map(M("k", String("v")))
		}
		key := name + " " + d.String()
		got := d.Append(nil, v)
		if _, differs := notCopied[key]; differs == (string(got) == string(wire)) {
			t.Errorf("%s: %v: wrote %q, they write %q", name, d, got, wire)
		} else if differs {
			used[key] = true
		}
		if len(wire) == 0 || d == JSON { // JSON is read as text says: no dates, no bytes
			return
		}
		if len(decodes) > 0 {
			v = untag(t, decodes)
		}
		read, err := d.Decode(wire)
		if err != nil || show(read) != show(v) {
			t.Errorf("%s: %v %x is read as %s, %v; want %s", name, d, wire, show(read), err, show(v))
		}
	}
	vectors := readCodec(t)
	for _, e := range vectors.Encode {
		check(e.Name, Notepack, unhex(t, e.NotepackHex), e.Value, e.NotepackDecodes)
		check(e.Name, Msgpack, unhex(t, e.MsgpackHex), e.Value, e.MsgpackDecodes)
		var text string
		if e.JSON != nil {
			text = *e.JSON
		}
		check(e.Name, JSON, []byte(text), e.Value, nil)
	}
	for name := range notCopied {
		if !used[name] {
			t.Errorf("%s: no such difference", name)
		}
	}
	if len(vectors.Encode) < 60 || len(vectors.DecodeOnly) != 12 {
		t.Errorf("%d and %d vectors", len(vectors.Encode), len(vectors.DecodeOnly))
	}
}

// Forms that the libraries read but do not write.
func TestCodecDecodeOnly(t *testing.T) {
	for _, e := range readCodec(t).DecodeOnly {
		for d, want := range map[Dialect]json.RawMessage{Notepack: e.Notepack, Msgpack: e.Msgpack} {
			v, err := d.Decode(unhex(t, e.Hex))
			if w := untag(t, want); err != nil || show(v) != show(w) {
				t.Errorf("%s: %v reads %s, %v; want %s", e.Name, d, show(v), err, show(w))
			}
		}
	}
}

// Numbers that JavaScript does not have, and what only text has.
func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		v                       Value
		json, notepack, msgpack string
	}{
		{Uint(1<<64 - 1), "18446744073709551615", "cfffffffffffffffff", "cfffffffffffffffff"},
		{Uint(1<<53 + 1), "9007199254740993", "cf0020000000000001", "cf0020000000000001"},
		{Uint(1 << 53), "9007199254740992", "cf0020000000000000", "cb4340000000000000"},
		{Int(-1<<53 - 1), "-9007199254740993", "d3ffdfffffffffffff", "d3ffdfffffffffffff"},
		{Int(-1 << 53), "-9007199254740992", "d3ffe0000000000000", "cbc340000000000000"},
		{Float(-1 << 53), "-9007199254740992", "d3ffe0000000000000", "cbc340000000000000"},
		{Float(-1e19), "-10000000000000000000", "cbc3e158e460913d00", "cbc3e158e460913d00"},
		{number("1.0"), "1.0", "01", "01"},
		{number("-0"), "-0", "00", "00"},
		{number("1E3"), "1E3", "cd03e8", "cd03e8"},
		{number("1e400"), "1e400", "cb7ff0000000000000", "cb7ff0000000000000"},
		{number("9007199254740993"), "9007199254740993", "cf0020000000000001", "cf0020000000000001"},
		{number("9007199254740992"), "9007199254740992", "cf0020000000000000", "cb4340000000000000"},
		{number("-9007199254740993"), "-9007199254740993", "d3ffdfffffffffffff", "d3ffdfffffffffffff"},
		{number("9223372036854776000"), "9223372036854776000", "cf80000000000000c0", "cb43e0000000000000"},
		{number("18446744073709551615"), "18446744073709551615", "cfffffffffffffffff", "cfffffffffffffffff"},
		{number("18446744073709551616"), "18446744073709551616", "cb43f0000000000000", "cb43f0000000000000"},
		{number("1e21"), "1e21", "cb444b1ae4d6e2ef50", "cb444b1ae4d6e2ef50"},
	} {
		if got := string(JSON.Append(nil, c.v)); got != c.json {
			t.Errorf("%s is %s", c.json, got)
		}
		for d, want := range map[Dialect]string{Notepack: c.notepack, Msgpack: c.msgpack} {
			got := d.Append(nil, c.v)
			if hex.EncodeToString(got) != want {
				t.Errorf("%s: %v is %x, want %s", c.json, d, got, want)
			}
		}
	}
}

// number is a number in JSON.
func number(text string) Value {
	v, _ := JSON.Decode([]byte(text))
	return v
}

func TestDates(t *testing.T) {
	for _, c := range []struct {
		ms   int64
		json string
		wire string
	}{
		{0, `"1970-01-01T00:00:00.000Z"`, "d6ff00000000"},
		{-1, `"1969-12-31T23:59:59.999Z"`, "c70cff3b8b87c0ffffffffffffffff"},
		{1<<34*1000 - 1, `"2514-05-30T01:53:03.999Z"`, "d7ffee2e1f03ffffffff"},
		{1 << 34 * 1000, `"2514-05-30T01:53:04.000Z"`, "c70cff000000000000000400000000"},
		{8.64e15, `"+275760-09-13T00:00:00.000Z"`, "c70cff00000000000007dba8218000"},
		{8.64e15 + 1, "null", "c0"},
	} {
		if got := string(JSON.Append(nil, Millis(c.ms))); got != c.json {
			t.Errorf("%d is %s, want %s", c.ms, got, c.json)
		}
		for _, d := range []Dialect{Notepack, Msgpack} {
			got := d.Append(nil, Millis(c.ms))
			if hex.EncodeToString(got) != c.wire {
				t.Errorf("%d: %v is %x, want %s", c.ms, d, got, c.wire)
			}
			v, err := d.Decode(got)
			if ms, ok := v.Millis(); err != nil || ok && ms != c.ms || ok == (c.json == "null") {
				t.Errorf("%d comes back as %d, %v, %v", c.ms, ms, ok, err)
			}
		}
	}
	// Fractions of milliseconds go, towards 1970, and what is no date is none.
	for wire, want := range map[string]string{
		"c70cff3b9ac9fffffffffffffffffe": `"1969-12-31T23:59:59.000Z"`,
		"c70cff000000007fffffffffffffff": "null",
		"c70cff00000001000000000000000a": `"1970-01-01T00:00:10.000Z"`,
	} {
		v, err := Notepack.Decode(unhex(t, wire))
		if got := string(JSON.Append(nil, v)); err != nil || got != want {
			t.Errorf("%s is %s, %v; want %s", wire, got, err, want)
		}
		if a, err := v.Args(); err != nil || string(a.JSON) != want {
			t.Errorf("%s is %s, %v as an argument", wire, a.JSON, err)
		}
	}
}

// Extensions of other types, and undefined, as values and as arguments.
func TestExtensions(t *testing.T) {
	for _, c := range []struct {
		d          Dialect
		wire       string
		value, txt string
	}{
		{Notepack, "d40000", "undefined", ""},
		{Notepack, "91d40000", "[undefined,]", "[null]"},
		{Notepack, "82a161d40000a16201", `{"a":undefined,"b":n1,}`, `{"b":1}`},
		{Notepack, "c70300010203", "bin 010203", `{"_placeholder":true,"num":0}`},
		{Notepack, "d50501ff", "[n5,bin 01ff,]", `[5,{"_placeholder":true,"num":0}]`},
		{Notepack, "d5ff0102", "[n-1,bin 0102,]", `[-1,{"_placeholder":true,"num":0}]`},
		{Msgpack, "d50501ff", `{"type":n5,"data":bin 01ff,}`, `{"type":5,"data":{"_placeholder":true,"num":0}}`},
		{Msgpack, "91d40000", `[{"type":n0,"data":bin 00,},]`, `[{"type":0,"data":{"_placeholder":true,"num":0}}]`},
		{Msgpack, "d6ff6553f100", `date "2023-11-14T22:13:20.000Z"`, `"2023-11-14T22:13:20.000Z"`},
		{Notepack, "8501a161c002c303ca3fc0000004c4016205", `{"1":"a","null":n2,"true":n3,"1.5":n4,"b":n5,}`, `{"1":"a","null":2,"true":3,"1.5":4,"b":5}`},
	} {
		v, err := c.d.Decode(unhex(t, c.wire))
		if err != nil || show(v) != c.value {
			t.Errorf("%v %s is %s, %v; want %s", c.d, c.wire, show(v), err, c.value)
		}
		if a, err := v.Args(); err != nil || string(a.JSON) != c.txt {
			t.Errorf("%v %s is %s, %v as arguments; want %s", c.d, c.wire, a.JSON, err, c.txt)
		}
	}
}
