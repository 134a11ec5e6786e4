package parser

import (
	stdjson "encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/go-json-experiment/json/jsontext"
)

// stringifyLines are the lines of stringify.txt, of strings or of values.
func stringifyLines(t *testing.T, values bool) map[string]string {
	t.Helper()
	lines := map[string]string{}
	for _, line := range goldenLines(t, "stringify.txt") {
		what, text, ok := strings.Cut(string(line), "\t")
		if !ok {
			t.Fatalf("%q", line)
		}
		if name, is := strings.CutPrefix(what, "="); is == values {
			lines[name] = text
		}
	}
	return lines
}

// Strings are written as JSON.stringify writes them, alone, as keys and in
// structs. A surrogate without its partner has no place in a Go string: its text
// is kept where it is raw, and it is read as U+FFFD.
func TestStringifyStrings(t *testing.T) {
	j := DefaultJSON()
	for units, want := range stringifyLines(t, false) {
		var s []uint16
		for u := range strings.FieldsSeq(units) {
			n, err := strconv.ParseUint(u, 16, 16)
			if err != nil {
				t.Fatal(err)
			}
			s = append(s, uint16(n))
		}
		text := string(utf16.Decode(s))
		for _, raw := range []any{stdjson.RawMessage(want), jsontext.Value(want)} {
			if got, _, err := j.Append(nil, nil, raw); err != nil || string(got) != want {
				t.Errorf("%s: raw text comes out as %s, %v", want, got, err)
			}
		}
		var back string
		if err := j.Decode([]byte(want), nil, &back); err != nil || back != text {
			t.Errorf("%s is read as %q, %v", want, back, err)
		}
		if strings.ContainsRune(text, 0xfffd) && !strings.Contains(units, "fffd") { // a lone surrogate
			want = strconv.Quote(text)
		}
		for in, want := range map[any]string{
			text:                      want,
			&struct{ S string }{text}: `{"S":` + want + `}`,
			&map[string]any{text: 1}:  `{` + want + `:1}`,
		} {
			if m, ok := in.(*map[string]any); ok {
				in = *m
			}
			if got, _, err := j.Append(nil, nil, in); err != nil || string(got) != want {
				t.Errorf("%s: got %s, %v", want, got, err)
			}
		}
	}
	// A surrogate in the manner of WTF-8 is three bytes that are not UTF-8.
	for _, v := range []any{"a\xed\xa0\x80b", struct{ S string }{"a\xed\xa0\x80b"}} {
		if got, _, err := j.Append(nil, nil, v); err != nil || !strings.Contains(string(got), "\"a\uFFFD\uFFFD\uFFFDb\"") {
			t.Errorf("got %s, %v", got, err)
		}
	}
}

// Values of Go are written as JSON.stringify writes their counterparts.
func TestStringifyValues(t *testing.T) {
	var none *int
	negZero := math.Copysign(0, -1)
	values := map[string]any{
		"null": nil, "true": true, "false": false, "empty array": []any(nil), "empty object": map[string]any(nil),
		"array of null": []any{none, []*int{nil}}, "zero": 0, "minus zero": negZero, "NaN": math.NaN(), "infinity": math.Inf(1),
		"minus infinity": math.Inf(-1), "floats in an array": []float64{math.NaN(), negZero, 1e21, 1e-7, 0.1},
		"largest integer": int64(1<<53 - 1), "float32 0.5": float32(0.5),
		"key order": struct {
			Z, A, M int `json:",omitzero"`
		}{1, 2, 3},
		"__proto__":              map[string]any{"__proto__": map[string]int{"a": 1}, "constructor": 2},
		"keys that need escapes": stdjson.RawMessage("{\"\\\"\\n<\u2028\":1,\"\":2,\"é\":3}"),
		"undefined in an array":  []any{nil, 1},
		"undefined member": struct {
			A *int `json:"a,omitempty"`
			B int  `json:"b"`
		}{nil, 1},
		"a Date":                  time.UnixMilli(1600000000123).UTC(),
		"nested":                  []any{map[string]any{"a": []any{map[string]any{"b": []int{}}}}},
		"lone surrogate as a key": stdjson.RawMessage(`{"\ud800":1}`),
		"toJSON":                  textual{},
	}
	lines := stringifyLines(t, true)
	for name, want := range lines {
		v, ok := values[name]
		if !ok {
			t.Errorf("no value of Go for %q", name)
			continue
		}
		if name == "key order" {
			want = strings.NewReplacer("z", "Z", "a", "A", "m", "M").Replace(want)
		}
		if got, _, err := DefaultJSON().Append(nil, nil, v); err != nil || string(got) != want {
			t.Errorf("%s: got %s, %v; want %s", name, got, err, want)
		}
	}
	if len(lines) != len(values) {
		t.Errorf("%d lines, %d values", len(lines), len(values))
	}
}

// textual is what an object with toJSON is in JavaScript.
type textual struct{}

func (textual) MarshalText() ([]byte, error) { return []byte("x"), nil }
