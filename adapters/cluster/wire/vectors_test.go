package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// vectorFile is a recording of official nodes, see testdata/README.md.
type vectorFile struct {
	Scenarios []struct {
		Name     string
		Commands []struct {
			Cmd          string
			Encoding     string
			PayloadHex   string `json:"payload_hex"`
			Decoded      json.RawMessage
			Args         []string
			ValueDecoded json.RawMessage `json:"value_decoded"`
			Fields       []struct {
				Name, Text, Encoding string
				Decoded              json.RawMessage
			}
		}
	}
}

// recorded is an encoded value of the recordings and what it means.
type recorded struct {
	where   string
	kind    string // payload, data or session
	dialect Dialect
	wire    []byte
	decoded []byte // JSON with tags
}

// recordings reads all values but those of codec.json.
func recordings(t testing.TB) (all []recorded) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if filepath.Base(name) == "codec.json" {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var f vectorFile
		if err := json.Unmarshal(text, &f); err != nil {
			t.Fatal(name, err)
		}
		for _, s := range f.Scenarios {
			where := filepath.Base(name) + " " + s.Name
			for _, c := range s.Commands {
				if c.PayloadHex != "" {
					all = append(all, recorded{where, "payload", dialectOf(t, c.Encoding), unhex(t, c.PayloadHex), c.Decoded})
				}
				if c.ValueDecoded != nil {
					all = append(all, recorded{where, "session", Msgpack, unbase64(t, c.Args[1]), c.ValueDecoded})
				}
				for _, f := range c.Fields {
					if f.Decoded == nil {
						continue
					}
					wire := []byte(f.Text)
					if f.Encoding != "json" {
						wire = unbase64(t, f.Text)
					}
					all = append(all, recorded{where, "data", dialectOf(t, f.Encoding), wire, f.Decoded})
				}
			}
		}
	}
	return all
}

func dialectOf(t testing.TB, encoding string) Dialect {
	t.Helper()
	switch encoding {
	case "json":
		return JSON
	case "notepack":
		return Notepack
	case "msgpack", "base64(msgpack)":
		return Msgpack
	}
	t.Fatalf("encoding %q", encoding)
	return 0
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func unbase64(t testing.TB, s string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// untag builds the value that JSON with tags stands for, as JavaScript has it:
// its numbers are floats.
func untag(t testing.TB, text []byte) Value {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(text))
	v := readTagged(t, dec)
	if dec.More() {
		t.Fatalf("more than a value: %s", text)
	}
	return v
}

func readTagged(t testing.TB, dec *json.Decoder) Value {
	t.Helper()
	token, err := dec.Token()
	if err != nil {
		t.Fatal(err)
	}
	switch token := token.(type) {
	case nil:
		return Nil()
	case bool:
		return Boolean(token)
	case float64:
		return Float(token)
	case string:
		return String(token)
	}
	if token == json.Delim('[') {
		var list []Value
		for dec.More() {
			list = append(list, readTagged(t, dec))
		}
		_, _ = dec.Token()
		return Array(list...)
	}
	var members []Member
	for dec.More() {
		name, _ := dec.Token()
		members = append(members, M(name.(string), readTagged(t, dec)))
	}
	_, _ = dec.Token()
	if len(members) == 1 && strings.HasPrefix(members[0].Name, "$") {
		return tagged(t, members[0].Name, members[0].Value.Str())
	}
	return Map(members...)
}

func tagged(t testing.TB, tag, s string) Value {
	t.Helper()
	switch tag {
	case "$bin":
		return Bytes(unhex(t, s))
	case "$date":
		at, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return Millis(at.UnixMilli())
	case "$undefined", "$note":
		return Value{}
	case "$num":
		f := map[string]float64{"NaN": math.NaN(), "Infinity": math.Inf(1), "-Infinity": math.Inf(-1), "-0": math.Copysign(0, -1)}
		return Float(f[s])
	}
	t.Fatalf("tag %s", tag)
	return Value{}
}

// show writes a value out, with its kinds, so that values can be compared.
func show(v Value) string {
	var b strings.Builder
	showTo(&b, v)
	return b.String()
}

func showTo(b *strings.Builder, v Value) {
	switch v.Kind() {
	case Undefined:
		b.WriteString("undefined")
	case Null:
		b.WriteString("null")
	case Bool:
		if v.True() {
			b.WriteString("true")
		} else {
			b.WriteString("false")
		}
	case Number:
		f, _ := v.Float()
		b.WriteString("n" + Float(f).Str())
	case Text:
		b.Write(JSON.Append(nil, v))
	case Binary:
		bin, _ := v.Bin()
		b.WriteString("bin " + hex.EncodeToString(bin))
	case Date:
		b.WriteString("date ")
		b.Write(JSON.Append(nil, v))
	case List:
		b.WriteByte('[')
		for _, e := range v.Elems() {
			showTo(b, e)
			b.WriteByte(',')
		}
		b.WriteByte(']')
	case Dict:
		b.WriteByte('{')
		for name, m := range v.Members() {
			b.Write(JSON.Append(nil, String(name)))
			b.WriteByte(':')
			showTo(b, m)
			b.WriteByte(',')
		}
		b.WriteByte('}')
	}
}

// Every value that official nodes wrote to Redis is read as what it means; and
// what it means, built anew, is written as the same bytes. So is what was read.
func TestRecordings(t *testing.T) {
	count := map[string]int{}
	for _, r := range recordings(t) {
		count[r.kind]++
		v, err := r.dialect.Decode(r.wire)
		if err != nil {
			t.Errorf("%s: %v", r.where, err)
			continue
		}
		want := untag(t, r.decoded)
		if show(v) != show(want) {
			t.Errorf("%s: %v\ngot  %s\nwant %s", r.where, r.dialect, show(v), show(want))
		}
		if got := r.dialect.Append(nil, want); !bytes.Equal(got, r.wire) {
			t.Errorf("%s: %v, built\ngot  %q\nwant %q", r.where, r.dialect, got, r.wire)
		}
		if got := r.dialect.Append([]byte("pre"), v); !bytes.Equal(got[3:], r.wire) {
			t.Errorf("%s: %v, read\ngot  %q\nwant %q", r.where, r.dialect, got[3:], r.wire)
		}
		checkTruncated(t, r)
	}
	if count["payload"]+count["data"] != 791 || count["session"] != 2 {
		t.Errorf("%v values; 791 payloads and entries and 2 sessions are recorded", count)
	}
}

// checkTruncated cuts the value off everywhere, and puts a byte behind it.
func checkTruncated(t *testing.T, r recorded) {
	t.Helper()
	for n := range r.wire {
		if _, err := r.dialect.Decode(r.wire[:n]); err == nil {
			t.Errorf("%s: %v: %q is taken", r.where, r.dialect, r.wire[:n])
		}
	}
	if _, err := r.dialect.Decode(append(bytes.Clone(r.wire), '1')); err == nil {
		t.Errorf("%s: %v: a byte behind the value is taken", r.where, r.dialect)
	}
}
