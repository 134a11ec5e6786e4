package parser

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// FuzzDecoder feeds a connection a text message and binary ones (data split at
// each 0). What is accepted keeps the limits and survives encoding.
func FuzzDecoder(f *testing.F) {
	for _, name := range []string{"encode.txt", "decode.txt"} {
		for _, line := range goldenLines(f, name) {
			var g struct {
				Wire, In string
			}
			if err := stdjson.Unmarshal(line, &g); err != nil {
				f.Fatal(err)
			}
			f.Add(g.Wire+g.In, []byte("one\x00two\x00"))
		}
	}
	f.Fuzz(func(t *testing.T, text string, data []byte) {
		const limit = 3
		d := Default().NewDecoder(Limits{Attachments: limit})
		in := []byte(text)
		p, ok, err := d.Decode(false, in)
		for b := range bytes.SplitSeq(data, []byte{0}) {
			if ok || err != nil {
				break
			}
			p, ok, err = d.Decode(true, b)
		}
		var e *Error
		if err != nil && (ok || !errors.As(err, &e) || e.Reason == "") {
			t.Fatalf("ok %v, error %v", ok, err)
		}
		if !ok {
			return
		}
		if len(p.Attachments) > limit || p.Namespace == "" || p.Namespace[0] != '/' || strings.Contains(p.Namespace, ",") || !utf8.ValidString(p.Namespace) {
			t.Fatalf("accepted %+v", p)
		}
		if p.JSON != nil && !jsontext.Value(p.JSON).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) {
			t.Fatalf("accepted %s", p.JSON)
		}
		if name, named := p.EventName(); p.Type == Event && p.JSON != nil && (!named || Reserved(string(name))) {
			t.Fatalf("accepted the event name %q", name)
		}
		checkRoundTrip(t, p)
	})
}

func checkRoundTrip(t *testing.T, p Packet) {
	t.Helper()
	msg, binary, attachments := Default().AppendPacket([]byte("pre"), &p)
	d := Default().NewDecoder(Limits{})
	got, ok, err := d.Decode(binary, msg[3:])
	for _, a := range attachments {
		if ok || err != nil {
			t.Fatalf("%s: complete before its attachments: %v", msg, err)
		}
		got, ok, err = d.Decode(true, a)
	}
	if !ok || err != nil || !samePacket(got, p) {
		t.Fatalf("%s: got %+v, %v, %v; want %+v", msg, got, ok, err, p)
	}
	if p.Type != Event && p.Type != Ack || len(msg) > 500 { // the cost is quadratic
		return
	}
	for n := len(msg) - len(p.JSON) + 1; n < len(msg); n++ {
		d := Default().NewDecoder(Limits{})
		if _, _, err := d.Decode(false, msg[3:n]); err == nil {
			t.Fatalf("%s is accepted when cut to %s", msg[3:], msg[3:n])
		}
	}
}

// FuzzJSON compares the codec's own ways with the library's, and encodes what
// it decoded.
func FuzzJSON(f *testing.F) {
	for _, v := range []any{nil, true, "é\n\"<\u2028", -0.5, 1e21, 12345, []any{1, "a", map[string]any{"b": []any{}}}, sampleMap, bigFlat, map[string]any{"x": []byte("x")}} {
		raw, _, err := DefaultJSON().Append(nil, nil, v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw, "text\xff\x01", 1e-7)
	}
	f.Add([]byte(` [ 1 , {"a":"\ud800\u0041\/"} , 1E400 ] `), "\\\"", 5e-324)
	f.Add([]byte(`{"a":1,"a":{"_placeholder":true,"num":0}}`), "", 1e21)
	f.Fuzz(func(t *testing.T, raw []byte, s string, n float64) {
		checkScan(t, raw)
		checkAny(t, raw)
		checkValues(t, Args{JSON: raw})
		checkScalars(t, s, n)
	})
}

var lenient = []json.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}

// checkScan compares what is taken for a JSON value.
func checkScan(t *testing.T, raw []byte) {
	t.Helper()
	end, err := skipValue(raw, 0)
	valid := err == nil && skipSpace(raw, end) == len(raw)
	if want := jsontext.Value(raw).IsValid(lenient...); valid != want && err != errDepth {
		t.Fatalf("%q: valid %v, the library says %v", raw, valid, want)
	}
}

// checkValues compares Values with what decoding one element after the other gives.
func checkValues(t *testing.T, a Args) {
	got, err := a.Values(DefaultJSON(), 0)
	want, wantErr := eachValue(a, DefaultJSON(), 0)
	if !reflect.DeepEqual(got, want) || (err == nil) != (wantErr == nil) {
		t.Errorf("%q: values %q, %v; want %q, %v", a.JSON, got, err, want, wantErr)
	}
}

// checkAny decodes into an interface, with and without the library, and back.
func checkAny(t *testing.T, raw []byte) {
	t.Helper()
	var got, want any
	err := DefaultJSON().Decode(raw, nil, &got)
	wantErr := json.Unmarshal(raw, &want, lenient...)
	unique := json.Unmarshal(raw, new(any), jsontext.AllowInvalidUTF8(true)) == nil // else the library merges
	if (err != nil) != (wantErr != nil) && (unique || err != nil) {
		t.Fatalf("%q: error %v, the library's %v", raw, err, wantErr)
	}
	if err != nil {
		return
	}
	if utf8.Valid(raw) && unique && !reflect.DeepEqual(got, want) {
		t.Fatalf("%q: got %#v, the library %#v", raw, got, want)
	}
	text, att, err := DefaultJSON().Append(nil, nil, got)
	var again any
	if err == nil {
		err = DefaultJSON().Decode(text, att, &again)
	}
	if err != nil || len(att) != 0 {
		t.Fatalf("%q: encoded again to %s: %v", raw, text, err)
	}
	text2, _, err := DefaultJSON().Append(nil, nil, again)
	if err != nil || !bytes.Equal(text, text2) {
		t.Fatalf("%q: %s is encoded as %s, %v", raw, text, text2, err)
	}
	if compact, _, err := DefaultJSON().Append(nil, nil, stdjson.RawMessage(raw)); err != nil || !utf8.Valid(compact) || bytes.ContainsAny(compact, "\n\r\t") {
		t.Fatalf("%q as raw: %q, %v", raw, compact, err)
	}
}

// checkScalars compares strings and numbers with the library's, alone, in a map,
// and in a struct where the library is asked.
func checkScalars(t *testing.T, s string, n float64) {
	t.Helper()
	in := map[string]any{s: s, s + "x": n, "b": []byte(s)}
	text, att, err := DefaultJSON().Append(nil, nil, in)
	if err != nil || len(att) != 1 && s != "b" && s+"x" != "b" {
		t.Fatal(err, att)
	}
	var out map[string]any
	if err := DefaultJSON().Decode(text, att, &out); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if got := out["b"]; utf8.ValidString(s) && s != "b" && s+"x" != "b" && (!reflect.DeepEqual(got, []byte(s)) || out[s] != any(s)) {
		t.Fatalf("%s: got %#v", text, out)
	}
	own, _, err := DefaultJSON().Append(nil, nil, []any{s, n, float32(n)})
	type triple struct {
		S string
		F float64
		G float32
	}
	lib, _, libErr := DefaultJSON().Append(nil, nil, triple{s, n, float32(n)})
	var elements [][]byte
	for _, raw := range (Args{JSON: own}).All() {
		elements = append(elements, raw)
	}
	want := `{"S":` + string(elements[0]) + `,"F":` + string(elements[1]) + `,"G":` + string(elements[2]) + `}`
	if err != nil || libErr != nil || string(lib) != want {
		t.Fatalf("own %s, %v; library %s, %v", own, err, lib, libErr)
	}
	if back := string(elements[1]); !math.IsNaN(n) && !math.IsInf(n, 0) {
		var f float64
		if err := DefaultJSON().Decode([]byte(back), nil, &f); err != nil || f != n {
			t.Fatalf("%v is written as %s and read as %v, %v", n, back, f, err)
		}
	}
}
