package parser

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestArgsElements(t *testing.T) {
	for _, c := range []struct {
		json string
		want []string
	}{
		{``, nil}, {`[]`, nil}, {`[ ]`, nil}, {`["a"]`, []string{`"a"`}}, {`["a,]",[1,{"b":"]"}],{},null , -1e5 ]`, []string{`"a,]"`, `[1,{"b":"]"}]`, `{}`, `null`, `-1e5`}},
		{`{"sid":"x"}`, nil}, {`"text"`, nil}, {`[1,`, []string{`1`}}, {`[1 2]`, []string{`1`}}, {`[`, nil},
	} {
		a := Args{JSON: []byte(c.json)}
		var got []string
		for i, raw := range a.All() {
			if i != len(got) || string(a.Raw(i)) != string(raw) {
				t.Errorf("%s: element %d is %s, Raw gives %s", c.json, i, raw, a.Raw(i))
			}
			got = append(got, string(raw))
		}
		if !slices.Equal(got, c.want) || a.Len() != len(c.want) {
			t.Errorf("%s: elements %q, length %d; want %q", c.json, got, a.Len(), c.want)
		}
		if a.Raw(len(c.want)) != nil || a.Raw(-1) != nil {
			t.Errorf("%s: there is an element beyond the end", c.json)
		}
	}
}

func TestArgsAllStops(t *testing.T) {
	for i := range (Args{JSON: []byte(`[1,2,3]`)}).All() {
		if i == 1 {
			break
		}
		if i > 1 {
			t.Fatal("the iteration went on")
		}
	}
}

func TestEventName(t *testing.T) {
	for _, c := range []struct {
		json, want string
		ok         bool
	}{
		{`["a"]`, "a", true}, {`[""]`, "", true}, {` `, "", false}, {`[ "a" , 1]`, "a", true}, {`["\u00e9\n\"\\\/"]`, "é\n\"\\/", true}, {`["\ud83d\ude00"]`, "😀", true},
		{`["\ud83dx\ude00\ud83d\u0041"]`, "\ufffdx\ufffd\ufffdA", true}, {`["\u0\u0000"]`, "", false},
		{`[1]`, "1", true}, {`[-1.50e3,2]`, "-1.50e3", true}, {`[]`, "", false}, {``, "", false}, {`[null]`, "", false}, {`[true]`, "", false}, {`[{}]`, "", false}, {`{"a":1}`, "", false}, {`"a"`, "", false}, {`["a`, "", false}, {`[-]`, "", false},
	} {
		if got, ok := (Args{JSON: []byte(c.json)}).EventName(); string(got) != c.want || ok != c.ok {
			t.Errorf("%s: name %q, %v; want %q, %v", c.json, got, ok, c.want, c.ok)
		}
	}
}

func TestTail(t *testing.T) {
	for in, want := range map[string]string{
		`["a"]`: `[]`, `["a",1]`: `[1]`, `["a,", [1,2], {"b":3}]`: `[ [1,2], {"b":3}]`, `[]`: `[]`, `[ "a" , 1 ]`: `[ 1 ]`, ``: ``, `{}`: ``,
	} {
		a := Args{JSON: []byte(in), Attachments: [][]byte{{1}}}
		got := a.Tail()
		if string(got.JSON) != want {
			t.Errorf("tail of %s is %s, want %s", in, got.JSON, want)
		}
		if want != "" && len(got.Attachments) != 1 {
			t.Errorf("tail of %s lost its attachments", in)
		}
	}
}

func TestCloneIsDeep(t *testing.T) {
	buf := []byte(`["a",1]`)
	a := Args{JSON: buf, Attachments: [][]byte{[]byte("x")}}
	clone, tail := a.Clone(), a.Tail()
	copy(buf, "[======")
	if string(clone.JSON) != `["a",1]` || string(tail.JSON) != `[1]` || string(clone.Attachments[0]) != "x" {
		t.Errorf("got %s, %s", clone.JSON, tail.JSON)
	}
	if got := (Args{}).Clone(); got.JSON != nil {
		t.Errorf("a clone of nothing is %q", got.JSON)
	}
}

// Strings are looked through eight bytes at a time, so what ends one is tried at
// every offset.
func TestStringScanAtEveryOffset(t *testing.T) {
	for n := range 40 {
		for _, c := range []struct {
			s    string
			want bool
		}{{`"`, true}, {`\"x"`, true}, {`\u0020"`, true}, {"\n\"", false}, {"\x1f\"", false}, {`\`, false}, {``, false}, {"\x7f é\"", true}, {"\x80\"", true}, {`\u123"`, false}} {
			in := `"` + strings.Repeat("a", n) + c.s
			end := skipString([]byte(in), 0)
			if (end == len(in)) != c.want {
				t.Errorf("%q: end %d of %d", in, end, len(in))
			}
		}
	}
}

// Values are what decoding one element after the other gives, whatever ends a string
// and wherever.
func TestArgsValues(t *testing.T) {
	j := DefaultJSON()
	other := struct{ JSON }{j}
	texts := []string{``, `{}`, `[]`, `["a" "b"]`, `["a",]`, `["a"`, `["a`, `["a",1`, ` ["a"]`, `[ "a" , "b" ]x`, `[1,null,true,{"a":["b"]},"c",[]]`}
	for n := range 20 {
		for _, end := range []string{`"`, `\n"`, `\u00e9"`, "\x80\"", `é"`, "\n\"", "\x7f\"", `\`, ``} {
			texts = append(texts, `["`+strings.Repeat("a", n)+end+`,"b",{"_placeholder":true,"num":0}]`)
		}
	}
	for _, text := range texts {
		a := Args{JSON: []byte(text), Attachments: [][]byte{[]byte("bin")}}
		for from := range 3 {
			want, wantErr := eachValue(a, j, from)
			for _, codec := range []JSON{j, other} {
				if got, err := a.Values(codec, from); !reflect.DeepEqual(got, want) || (err == nil) != (wantErr == nil) {
					t.Errorf("%q from %d: %q, %v; want %q, %v", text, from, got, err, want, wantErr)
				}
			}
		}
	}
}

func eachValue(a Args, j JSON, from int) (vs []any, err error) {
	for i, raw := range a.All() {
		if i < from {
			continue
		}
		var v any
		if err := j.Decode(raw, a.Attachments, &v); err != nil {
			return vs, err
		}
		vs = append(vs, v)
	}
	return vs, nil
}

// What j refuses is told, with what comes before it.
func TestArgsValuesRefused(t *testing.T) {
	a := Args{JSON: []byte(`["name","a",1,"b"]`)}
	if got, err := a.Values(refusing{DefaultJSON()}, 1); !reflect.DeepEqual(got, []any{"a"}) || err != errRefused {
		t.Errorf("%q, %v", got, err)
	}
}

var errRefused = errors.New("refused")

// refusing decodes no numbers.
type refusing struct{ JSON }

func (r refusing) Decode(raw []byte, attachments [][]byte, v any) error {
	if isDigit(raw[0]) {
		return errRefused
	}
	return r.JSON.Decode(raw, attachments, v)
}
