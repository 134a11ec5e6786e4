package parser

import (
	stdjson "encoding/json"
	"math"
	"math/rand/v2"
	"net"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

type flat struct {
	ID     int64   `json:"id"`
	Name   string  `json:"name"`
	Room   string  `json:"room,omitempty"`
	Active bool    `json:"active"`
	Score  float64 `json:"score"`
}

type blob []byte

type degrees float64

type file struct {
	Name string `json:"name"`
	Data []byte `json:"data"`
}

type tree struct {
	Name  string           `json:"name"`
	Any   any              `json:"any"`
	Files map[string]*file `json:"files,omitempty"`
	Named blob             `json:"named"`
	Temp  degrees          `json:"temp"`
	Next  *tree            `json:"next,omitempty"`
	hidden
}

type hidden struct{ Pic []byte }

type marshaler struct{ s string }

func (m marshaler) MarshalJSON() ([]byte, error) { return []byte(`{ "m" : "` + m.s + `" }`), nil }

type textID [2]byte

func (id textID) MarshalText() ([]byte, error) { return []byte("id-" + string(id[:])), nil }

// streamed encodes and decodes itself with the options it was given.
type streamed struct{ v [2][]byte }

func (s streamed) MarshalJSONTo(enc *jsontext.Encoder) error { return json.MarshalEncode(enc, s.v) }

func (s *streamed) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return json.UnmarshalDecode(dec, &s.v)
}

func ph(n string) string { return `{"_placeholder":true,"num":` + n + `}` }

type streamedAndTimed struct {
	S streamed
	D time.Duration
}

func TestAppend(t *testing.T) {
	var nilBytes []byte
	var nilPtr *file
	negZero := math.Copysign(0, -1)
	for _, c := range []struct {
		in   any
		want string
		att  []string
	}{
		{nil, `null`, nil}, {true, `true`, nil}, {false, `false`, nil}, {nilPtr, `null`, nil}, {nilBytes, `null`, nil},
		// Strings: JSON.stringify escapes no more than it must.
		{"", `""`, nil}, {"a<b>&c", `"a<b>&c"`, nil}, {"\u2028\u2029é€😀", "\"\u2028\u2029é€😀\"", nil},
		{"\"\\/\b\f\n\r\t\x00\x1f\x7f", `"\"\\/\b\f\n\r\t\u0000\u001f` + "\x7f\"", nil},
		{"a\xffb\xc3", "\"a\ufffdb\ufffd\"", nil},
		// Numbers.
		{0, `0`, nil}, {-1, `-1`, nil}, {int8(-5), `-5`, nil}, {uint8(255), `255`, nil}, {int32(-7), `-7`, nil}, {uint(7), `7`, nil}, {uint32(8), `8`, nil}, {map[float64]int{negZero: 1}, `{"-0":1}`, nil}, {int64(math.MinInt64), `-9223372036854775808`, nil}, {uint64(math.MaxUint64), `18446744073709551615`, nil},
		{1.0, `1`, nil}, {-2.5, `-2.5`, nil}, {0.1, `0.1`, nil}, {1e21, `1e+21`, nil}, {1e20, `100000000000000000000`, nil}, {123456789012345680000.0, `123456789012345680000`, nil},
		{1e-6, `0.000001`, nil}, {1e-7, `1e-7`, nil}, {1.5e-9, `1.5e-9`, nil}, {5e-324, `5e-324`, nil}, {math.MaxFloat64, `1.7976931348623157e+308`, nil}, {9007199254740993.0, `9007199254740992`, nil},
		{float32(0.1), `0.1`, nil}, {float32(16777216), `16777216`, nil}, {float32(3.4e38), `3.4e+38`, nil},
		{negZero, `0`, nil}, {math.NaN(), `null`, nil}, {math.Inf(1), `null`, nil}, {float32(math.Inf(-1)), `null`, nil},
		{[]float64{negZero, math.NaN(), 1.5}, `[0,null,1.5]`, nil}, {struct{ F, G float64 }{negZero, 2}, `{"F":0,"G":2}`, nil},
		{struct{ D degrees }{degrees(math.NaN())}, `{"D":null}`, nil}, {degrees(negZero), `0`, nil}, {map[float64]int{1.5: 1}, `{"1.5":1}`, nil},
		// Binary at any depth.
		{[]byte{1}, ph("0"), []string{"\x01"}}, {[]byte{}, ph("0"), []string{""}}, {blob("x"), ph("0"), []string{"x"}},
		{[]any{1, []byte("a"), []any{[]byte("b")}}, `[1,` + ph("0") + `,[` + ph("1") + `]]`, []string{"a", "b"}},
		{map[string]any{"b": []byte("2"), "a": []byte("1")}, `{"a":` + ph("0") + `,"b":` + ph("1") + `}`, []string{"1", "2"}},
		{file{"n", []byte("d")}, `{"name":"n","data":` + ph("0") + `}`, []string{"d"}}, {&file{"n", nil}, `{"name":"n","data":null}`, nil},
		{[][]byte{[]byte("a"), nil}, `[` + ph("0") + `,null]`, []string{"a"}},
		{tree{Name: "t", Any: map[string]any{"x": []byte("1"), "y": blob("2"), "z": file{"n", []byte("3")}, "nan": math.NaN()},
			Files: map[string]*file{"f": {"g", []byte("4")}}, Named: blob("5"), Temp: degrees(math.Inf(1)), Next: &tree{Named: nil}, hidden: hidden{[]byte("6")}},
			`{"name":"t","any":{"nan":null,"x":` + ph("0") + `,"y":` + ph("1") + `,"z":{"name":"n","data":` + ph("2") + `}},"files":{"f":{"name":"g","data":` + ph("3") +
				`}},"named":` + ph("4") + `,"temp":null,"next":{"name":"","any":null,"named":null,"temp":0,"Pic":null},"Pic":` + ph("5") + `}`,
			[]string{"1", "2", "3", "4", "5", "6"}},
		{streamed{[2][]byte{[]byte("a"), nil}}, `[` + ph("0") + `,null]`, []string{"a"}}, {struct{ S *streamed }{&streamed{[2][]byte{nil, []byte("b")}}}, `{"S":[null,` + ph("0") + `]}`, []string{"b"}},
		{streamedAndTimed{D: 9}, `{"S":[null,null],"D":9}`, nil},
		{[4]byte{1, 2, 3, 4}, `"AQIDBA=="`, nil},
		// Raw JSON: checked, compact, else as it is.
		{stdjson.RawMessage(" { \"b\" : 1e5 , \"a\":[ 1.0, \"\\u0041\\/ x\" ] }\n"), `{"b":1e5,"a":[1.0,"\u0041\/ x"]}`, nil},
		{jsontext.Value(`[1 ,2]`), `[1,2]`, nil}, {stdjson.RawMessage(nil), `null`, nil}, {stdjson.RawMessage(`{"a":1,"a":2}`), `{"a":1,"a":2}`, nil},
		{stdjson.RawMessage("\"a\xff\""), "\"a\ufffd\"", nil}, {stdjson.RawMessage(`"\ud800"`), `"\ud800"`, nil},
		{struct{ R stdjson.RawMessage }{stdjson.RawMessage("{\"a\" : \"\\u0041\xff\"}")}, "{\"R\":{\"a\":\"\\u0041\ufffd\"}}", nil},
		{struct{ R stdjson.RawMessage }{}, `{"R":null}`, nil},
		// What the library does.
		{map[string]any{"z": 1, "a": "x", "m": []any{}}, `{"a":"x","m":[],"z":1}`, nil}, {map[string]int{"b": 1, "a": 2}, `{"a":2,"b":1}`, nil}, {map[int]string{2: "b", 1: "a"}, `{"1":"a","2":"b"}`, nil},
		{[]any(nil), `[]`, nil}, {map[string]any(nil), `{}`, nil}, {[]string(nil), `[]`, nil}, {map[string]any{"é\xff": 1}, "{\"é\ufffd\":1}", nil},
		{time.Date(2026, 11, 23, 1, 2, 3, 4e6, time.UTC), `"2026-11-23T01:02:03.004Z"`, nil}, {marshaler{"x"}, `{"m":"x"}`, nil}, {&marshaler{"x"}, `{"m":"x"}`, nil},
		{time.Second, `1000000000`, nil}, {struct{ D, E time.Duration }{1, -2}, `{"D":1,"E":-2}`, nil}, {[]any{time.Duration(3), []time.Duration{4}}, `[3,[4]]`, nil}, {struct {
			D time.Duration
			T degrees
		}{5, 0}, `{"D":5,"T":0}`, nil},
		{textID{'a', 'b'}, `"id-ab"`, nil}, {net.IPv4(127, 0, 0, 1), `"127.0.0.1"`, nil}, {[]any{marshaler{"x"}, net.IPv4(1, 2, 3, 4)}, `[{"m":"x"},"1.2.3.4"]`, nil},
		{flat{ID: 1 << 60, Name: "é<", Score: 0.5}, `{"id":1152921504606846976,"name":"é<","active":false,"score":0.5}`, nil},
	} {
		got, att, err := DefaultJSON().Append([]byte("pre"), nil, c.in)
		if err != nil || string(got) != "pre"+c.want || !sameBlobs(att, c.att) {
			t.Errorf("%T %v:\ngot  %s %q %v\nwant %s %q", c.in, c.in, got, att, err, c.want, c.att)
		}
	}
}

func sameBlobs(got [][]byte, want []string) bool {
	same := len(got) == len(want)
	for i := range min(len(got), len(want)) {
		same = same && string(got[i]) == want[i]
	}
	return same
}

func TestAppendNumbersFromAttachmentsThere(t *testing.T) {
	first := []byte("first")
	got, att, err := DefaultJSON().Append(nil, [][]byte{first}, file{Data: []byte("second")})
	if want := `{"name":"","data":` + ph("1") + `}`; err != nil || string(got) != want || !sameBlobs(att, []string{"first", "second"}) {
		t.Errorf("got %s %q, %v", got, att, err)
	}
	if &att[0][0] != &first[0] {
		t.Error("the attachment was copied")
	}
}

func TestAppendRefuses(t *testing.T) {
	loop := []any{nil}
	loop[0] = loop
	ring := map[string]any{}
	ring["x"] = ring
	list := &tree{}
	list.Next = list
	var hop struct{ Any any }
	hop.Any = &hop
	hops := map[string]any{}
	hops["x"] = []any{struct{ M any }{hops}}
	for _, v := range []any{
		func() {}, make(chan int), complex(1, 1), []any{1, func() {}}, map[string]any{"a": make(chan int)}, struct{ F func() }{func() {}},
		stdjson.RawMessage(`{`), stdjson.RawMessage(``), stdjson.RawMessage(`1 2`), jsontext.Value(`[1,]`), struct{ R stdjson.RawMessage }{stdjson.RawMessage(`tru`)},
		loop, ring, list, hop, hops, map[time.Duration]int{1: 1}, map[float64]int{math.NaN(): 1},
	} {
		dst, att, err := DefaultJSON().Append([]byte("pre"), [][]byte{{1}}, v)
		if err == nil || string(dst) != "pre" || len(att) != 1 {
			t.Errorf("%T: %s, %q, %v", v, dst, att, err)
		}
	}
}

func TestDecodeValue(t *testing.T) {
	att := [][]byte{[]byte("zero"), []byte("one")}
	for _, c := range []struct {
		raw  string
		att  [][]byte
		want any
	}{
		{`"a"`, nil, "a"}, {`"\u0041\n\ud83d\ude00\ud800"`, nil, "A\n😀\ufffd"}, {` "a" `, nil, "a"}, {`null`, nil, ""}, {`""`, nil, ""},
		{`true`, nil, true}, {`5`, nil, 5}, {`9007199254740993`, nil, int64(9007199254740993)}, {`18446744073709551615`, nil, uint64(math.MaxUint64)}, {`1.5`, nil, 1.5},
		{`{"id":9007199254740993,"name":"n","more":[{}],"score":1e2,"id":7}`, nil, flat{ID: 7, Name: "n", Score: 100}},
		{`{"ID":1,"NAME":"n"}`, nil, flat{}}, // member names match exactly
		{ph("1"), att, []byte("one")}, {ph("1"), att, blob("one")}, {`"AQI="`, att, []byte{1, 2}}, {`null`, att, []byte(nil)},
		{`{"name":"n","data":` + ph("0") + `}`, att, file{"n", []byte("zero")}},
		{`[` + ph("0") + `,` + ph("1") + `,` + ph("0") + `]`, att, [][]byte{[]byte("zero"), []byte("one"), []byte("zero")}},
		{`{"name":"t","any":{"x":[` + ph("1") + `,1]},"named":` + ph("0") + `,"files":{"f":{"data":` + ph("1") + `}},"Pic":` + ph("0") + `}`, att,
			tree{Name: "t", Any: map[string]any{"x": []any{[]byte("one"), 1.0}}, Named: blob("zero"), Files: map[string]*file{"f": {Data: []byte("one")}}, hidden: hidden{[]byte("zero")}}},
		{`{"a":[1,"b",null,true,{"c":-0.5}],"d":` + ph("1") + `}`, att, map[string]any{"a": []any{1.0, "b", nil, true, map[string]any{"c": -0.5}}, "d": []byte("one")}},
		{`{"a":` + ph("0") + `}`, nil, map[string]any{"a": map[string]any{"_placeholder": true, "num": 0.0}}},
		{`[1,2]`, nil, stdjson.RawMessage(`[1,2]`)}, {`[]`, nil, []any{}}, {`{"a":1,"a":{"b":2}}`, nil, map[string]any{"a": map[string]any{"b": 2.0}}},
		{`{"R":{"x":` + ph("0") + `}}`, att, struct{ R stdjson.RawMessage }{stdjson.RawMessage(`{"x":` + ph("0") + `}`)}},
		{`"2026-11-23T01:02:03.004Z"`, nil, time.Date(2026, 11, 23, 1, 2, 3, 4e6, time.UTC)}, {`5`, nil, time.Duration(5)}, {`{"D":-1}`, nil, struct{ D time.Duration }{-1}}, {`{"V":[` + ph("1") + `,null]}`, att, struct{ V streamed }{streamed{[2][]byte{[]byte("one"), nil}}}},
		{`[1]`, nil, jsontext.Value(`[1]`)}, {"\"a\xff\"", nil, "a\ufffd"}, {"[\"a\xff\"]", nil, []any{"a\ufffd"}}, {`["\b\f\n\r\t\"\/\\"]`, nil, []any{"\b\f\n\r\t\"/\\"}},
		{`"127.0.0.1"`, nil, net.ParseIP("127.0.0.1")},
	} {
		v := reflect.New(reflect.TypeOf(c.want))
		if err := DefaultJSON().Decode([]byte(c.raw), c.att, v.Interface()); err != nil || !reflect.DeepEqual(v.Elem().Interface(), c.want) {
			t.Errorf("%s into %T: got %#v, %v", c.raw, c.want, v.Elem(), err)
		}
	}
}

func TestDecodeIntoAny(t *testing.T) {
	att := [][]byte{[]byte("zero")}
	for raw, want := range map[string]any{
		`null`: nil, `true`: true, `false`: false, `1`: 1.0, `-0.25e1`: -2.5, `9007199254740993`: 9007199254740992.0, `12345678901234567890`: 12345678901234567890.0,
		`"a\/"`: "a/", `[]`: []any{}, `{}`: map[string]any{}, ph("0"): []byte("zero"), ` [ 1 , { "a" : [ ] } ] `: []any{1.0, map[string]any{"a": []any{}}},
		`{"__proto__":1,"constructor":null}`: map[string]any{"__proto__": 1.0, "constructor": nil}, ph("1"): map[string]any{"_placeholder": true, "num": 1.0},
	} {
		var got any
		if err := DefaultJSON().Decode([]byte(raw), att, &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %#v, %v", raw, got, err)
		}
		var in struct{ V any }
		if err := DefaultJSON().Decode([]byte(`{"V":`+raw+`}`), att, &in); err != nil || !reflect.DeepEqual(in.V, want) {
			t.Errorf("%s in a struct: got %#v, %v", raw, in.V, err)
		}
	}
}

// JavaScript takes the last of members with the same name, whatever the others
// were; and a variable can be used twice.
func TestDecodeReplacesInterface(t *testing.T) {
	j := DefaultJSON()
	var v struct{ V any }
	for _, raw := range []string{`{"V":1,"V":{"a":"b"}}`, `{"V":[],"V":"text"}`, `{"V":null}`, `{"V":true}`} {
		if err := j.Decode([]byte(raw), nil, &v); err != nil {
			t.Errorf("%s: %v", raw, err)
		}
	}
	if v.V != true {
		t.Errorf("got %v", v.V)
	}
	var top any
	for _, raw := range []string{`1`, `"a"`, `{"b":1}`, `[]`, `null`, `7`} {
		if err := j.Decode([]byte(raw), nil, &top); err != nil {
			t.Errorf("%s: %v", raw, err)
		}
	}
	if top != 7.0 {
		t.Errorf("got %v", top)
	}
	var into any = new(file)
	if err := j.Decode([]byte(`{"name":"n"}`), nil, &into); err != nil || into.(*file).Name != "n" {
		t.Errorf("into a pointer: %v, %v", into, err)
	}
}

func TestDecodeValueRefuses(t *testing.T) {
	for _, c := range []struct {
		raw string
		v   any
	}{
		{`1`, new(string)}, {`"a"`, new(int)}, {`1.5`, new(int)}, {`300`, new(int8)}, {`{}`, new([]int)}, {`[`, new(any)}, {``, new(any)}, {`1 2`, new(any)}, {`1e999`, new(any)},
		{`{"a":1}`, new([]byte)}, {`{"data":{"_placeholder":true,"num":9}}`, new(file)}, {`{"named":{"_placeholder":true,"num":9}}`, new(tree)},
		{`"a`, new(string)}, {"\"\n\"", new(string)}, {`tru`, new(stdjson.RawMessage)}, {`{"a":}`, new(map[string]any)}, {`{a:1}`, new(any)}, {`{"a" 1}`, new(any)}, {`{"a":1`, new(any)}, {`{"a":1]`, new(any)}, {`{"a`, new(any)}, {`[1}`, new(any)}, {`[x]`, new(any)}, {`1.5`, new(time.Duration)}, {`1`, nil}, {`1`, 5}, {`1`, (*int)(nil)}, {`"a"`, (*string)(nil)}, {`1`, (*any)(nil)},
		{strings.Repeat("[", 1e6), new(any)}, {strings.Repeat(`{"a":`, 1e6), new(map[string]any)},
	} {
		if err := DefaultJSON().Decode([]byte(c.raw), [][]byte{{1}}, c.v); err == nil {
			t.Errorf("%.40s into %T: no error", c.raw, c.v)
		}
	}
}

// A decoded value must survive the buffer it came from, attachments must not be copied.
func TestDecodeKeepsNothingOfRaw(t *testing.T) {
	att := [][]byte{[]byte("zero")}
	raw := []byte(`{"name":"text","any":["text",{"key":"text"}],"R":[1,"text"],"Pic":` + ph("0") + `}`)
	var v struct {
		tree
		R stdjson.RawMessage
	}
	var a any
	var m stdjson.RawMessage
	var j = DefaultJSON()
	for _, p := range []any{&v, &a, &m} {
		if err := j.Decode(raw, att, p); err != nil {
			t.Fatal(err)
		}
	}
	want := string(raw)
	for i := range raw {
		raw[i] = 'x'
	}
	if string(m) != want || v.Name != "text" || string(v.R) != `[1,"text"]` || !reflect.DeepEqual(v.Any, a.(map[string]any)["any"]) {
		t.Errorf("aliases the input: %s %+v %v", m, v, a)
	}
	if !reflect.DeepEqual(v.Any, []any{"text", map[string]any{"key": "text"}}) || &v.Pic[0] != &att[0][0] {
		t.Errorf("got %v, %q", v.Any, v.Pic)
	}
}

// One codec serves all goroutines; what it pools must not mix their values.
func TestConcurrentUse(t *testing.T) {
	j := DefaultJSON()
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			own := strings.Repeat(string(rune('a'+g)), 5)
			for range 100 {
				in := tree{Name: own, Any: []any{[]byte(own), file{own, []byte(own)}}, Named: blob(own), Next: &tree{}}
				text, att, err := j.Append(nil, nil, in)
				var out tree
				if err == nil {
					err = j.Decode(text, att, &out)
				}
				if err != nil || len(att) != 3 || out.Name != own || string(out.Named) != own || !sameBlobs(att, []string{own, own, own}) {
					t.Errorf("goroutine %d: %s %q, %v", g, text, att, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestAppendEventAndAck(t *testing.T) {
	j := DefaultJSON()
	got, att, err := AppendEvent(j, nil, nil, "a\"b", 1, []byte("x"), nil)
	if want := `["a\"b",1,` + ph("0") + `,null]`; err != nil || string(got) != want || !sameBlobs(att, []string{"x"}) {
		t.Errorf("event: %s %q %v", got, att, err)
	}
	if got, _, err = AppendEvent(j, nil, nil, "a"); err != nil || string(got) != `["a"]` {
		t.Errorf("event without arguments: %s %v", got, err)
	}
	if got, _, err = AppendAck(j, []byte("x"), nil); err != nil || string(got) != `x[]` {
		t.Errorf("empty ack: %s %v", got, err)
	}
	if got, _, err = AppendAck(j, nil, nil, "a", 2); err != nil || string(got) != `["a",2]` {
		t.Errorf("ack: %s %v", got, err)
	}
	got, att, err = AppendEvent(j, []byte("x"), nil, "a", []byte("b"), func() {})
	if e, ok := err.(*ArgError); !ok || e.Index != 1 || e.Unwrap() == nil || !strings.HasPrefix(e.Error(), "socketio: argument 1: json: ") || string(got) != "x" || len(att) != 0 {
		t.Errorf("bad argument: %s %q %v", got, att, err)
	}
}

// Floats are written as strconv writes the shortest text that gives them back, where
// JavaScript has no exponent either.
func TestFloatsAreShortest(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	check := func(f float64) {
		if abs := math.Abs(f); abs < 1e-6 || abs >= 1e21 {
			return
		}
		want := strconv.FormatFloat(f, 'f', -1, 64)
		if got := string(appendFloat(nil, f, 64)); got != want {
			t.Errorf("the float of bits %#x is written %s, want %s", math.Float64bits(f), got, want)
		}
	}
	for _, f := range []float64{0.1, 0.3, 0.000001, 1.000001, 123456789.123456, 999999999.999999, 999999999999999.9, 9007199254740993.0, 4503599627370495.5, 0.1 + 0.2, 1.0 / 3, math.Pi} {
		check(f)
		check(-f)
	}
	for range 200_000 {
		digits := int64(math.Pow10(r.IntN(17)))
		f := float64(r.Int64N(digits+1)) / math.Pow10(r.IntN(8))
		check(f)
		check(math.Nextafter(f, 2*f))
		check(-math.Nextafter(f, 0))
	}
}

// Strings of a text are parts of copies of it, wherever they lie, and keep no more than
// one of those.
func TestStringsShareCopies(t *testing.T) {
	for gap := maxShared - 140; gap < maxShared+10; gap++ {
		want := []any{"a", strings.Repeat("y", 100), "", "z", strings.Repeat("l", maxSharer+1), "end"}
		raw := []byte(`["a",` + strings.Repeat(" ", gap) + `"` + want[1].(string) + `","","z","` + want[4].(string) + `","end"]`)
		var got any
		if err := DefaultJSON().Decode(raw, nil, &got); err != nil || !reflect.DeepEqual(got, any(want)) {
			t.Fatalf("gap of %d: %v, %v", gap, got, err)
		}
		clear(raw)
		if !reflect.DeepEqual(got, any(want)) {
			t.Fatalf("gap of %d: the strings are no copies", gap)
		}
	}
	text := `["` + strings.Repeat(`abcdefgh","`, 500) + `"]`
	d := anyDecoder{b: []byte(text)}
	for i := 1; i+10 < len(text); i += 11 {
		if d.unquote(i, i+10); len(d.copy) > maxShared {
			t.Fatalf("a copy of %d bytes", len(d.copy))
		}
	}
	long := anyDecoder{b: []byte(`"` + strings.Repeat("x", maxSharer+1) + `","x"`)}
	if long.unquote(0, maxSharer+3); long.copy != "" {
		t.Errorf("a long string is part of a copy of %d bytes", len(long.copy))
	}
}

// A value may have as many others beside each other as it likes.
func TestSiblingsAreNotNested(t *testing.T) {
	for _, v := range []any{[]any{}, map[string]any{}} {
		all := slices.Repeat([]any{v}, maxDepth+1)
		text, _, err := DefaultJSON().Append(nil, nil, all)
		if err != nil {
			t.Fatal(err)
		}
		var got any
		if err := DefaultJSON().Decode(text, nil, &got); err != nil || !reflect.DeepEqual(got, any(all)) {
			t.Errorf("%T: %v", v, err)
		}
	}
}
