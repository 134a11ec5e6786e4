package wire

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// Rooms are strings, but numbers come from JavaScript; other things are none.
func TestStrings(t *testing.T) {
	list := Array(String("a"), Int(42), Float(1.5), Nil(), Value{}, Boolean(true), Array(String("b")), Uint(1<<64-1), Float(1e21), String(""))
	want := []string{"a", "42", "1.5", "18446744073709551615", "1e+21", ""}
	for _, d := range dialects {
		v, err := d.Decode(d.Append(nil, list))
		if got := v.Strings(); err != nil || !slices.Equal(got, want) {
			t.Errorf("%v: %q, %v", d, got, err)
		}
	}
	for text, want := range map[string]string{"42": "42", "-0": "0", "4.20": "4.2", "1e400": "Infinity", "-1e400": "-Infinity", "1E2": "100", `"4\u0032"`: "42", "null": "", "true": ""} {
		if got := number(text).Str(); got != want {
			t.Errorf("%s is %q", text, got)
		}
	}
	if got := list.Strings(); !slices.Equal(got, want) || Int(1).Strings() != nil {
		t.Errorf("unencoded: %q", got)
	}
}

func TestAccessors(t *testing.T) {
	m := Map(M("n", Int(-7)), M("dup", Int(1)), M("dup", Int(2)), M("a\n\"", Array(Boolean(true), Boolean(false), Nil())), M("big", Uint(1<<63)),
		M("f", Float(2.5)), M("e", Map()), M("s", Strings(nil)))
	for _, d := range dialects {
		v, err := d.Decode(d.Append(nil, m))
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range []Value{m, v} {
			n, ok := v.Get("n").Int()
			f, fok := v.Get("f").Float()
			list := v.Get("a\n\"")
			if n != -7 || !ok || f != 2.5 || !fok || !list.At(0).True() || list.At(1).True() || list.Len() != 3 || v.Len() != 8 {
				t.Errorf("%v: %s", d, show(v))
			}
			if n, _ := v.Get("dup").Int(); n != 2 {
				t.Errorf("%v: not the last: %d", d, n)
			}
			_, big := v.Get("big").Int()
			_, broken := v.Get("f").Int()
			_, text := String("1").Int()
			bigFloat, _ := v.Get("big").Float()
			if big || broken || text || bigFloat != 1<<63 {
				t.Errorf("%v: an integer that is none", d)
			}
			if list.At(3).Kind() != Undefined || list.At(2).Kind() != Null || v.Get("x").Kind() != Undefined || v.Get("e").Len()+v.Get("s").Len() != 0 {
				t.Errorf("%v: what is not there: %s", d, show(v))
			}
			if list.Get("x").Kind() != Undefined || v.At(0).Kind() != Undefined {
				t.Errorf("%v: a list has members, or a map elements", d)
			}
			for range list.Elems() {
				break
			}
			for range v.Members() {
				break
			}
		}
	}
	for text, want := range map[string]int64{"1.0": 1, "1e3": 1000, "-9223372036854775808": -1 << 63, "9007199254740993": 1<<53 + 1} {
		if n, ok := number(text).Int(); !ok || n != want {
			t.Errorf("%s is %d, %v", text, n, ok)
		}
	}
	if n, ok := number("9223372036854775808").Int(); ok {
		t.Errorf("2^63 is %d", n)
	}
	if _, ok := String("1").Float(); ok {
		t.Error("a string is a number")
	}
}

// What is not UTF-8 is replaced, whoever wrote it.
func TestInvalidUTF8(t *testing.T) {
	for _, d := range dialects {
		v, err := d.Decode(d.Append(nil, Map(M("k\xff", String("a\xff\xfeb")))))
		if err != nil || !slices.Contains([]string{"{\"k\uFFFD\":\"a\uFFFD\uFFFDb\",}", "{\"k\uFFFD\":\"a\uFFFDb\",}"}, show(v)) {
			t.Errorf("%v: %s, %v", d, show(v), err)
		}
	}
	v, err := JSON.Decode([]byte("[\"a\xff\"]"))
	if a, _ := v.Args(); err != nil || string(a.JSON) != "[\"a\uFFFD\"]" {
		t.Errorf("%s, %v", a.JSON, err)
	}
}

// Announced lengths are not believed, and neither depth nor a byte too many is
// taken.
func TestDecodeRefuses(t *testing.T) {
	for _, in := range []string{
		"", "c1", "dd", "ddffffffff", "dfffffffff", "df7fffffff", "dbffffffff", "c6ffffffff", "c9ffffffff00", "c97fffffff00", "91", "81", "8101", "c8ffff", "d4", "d400",
		"cf00", "ca000000", "819001", "818001", "81d4000001", "81c1", "0101", "93c1", "ddffffffff01",
	} {
		for _, d := range []Dialect{Notepack, Msgpack} {
			v, err := d.Decode(unhex(t, in))
			var e *Error
			if !errors.As(err, &e) || e.Dialect != d || e.Reason == "" || !strings.Contains(e.Error(), d.String()) {
				t.Errorf("%v: %s is taken for %s, %v", d, in, show(v), err)
			}
		}
	}
	for _, in := range []string{"", " ", "{", "[1,]", `{"a"}`, "1 2", "nul", `"a`, "{]", "undefined", "NaN"} {
		var e *Error
		if v, err := JSON.Decode([]byte(in)); !errors.As(err, &e) {
			t.Errorf("%q is taken for %s, %v", in, show(v), err)
		}
	}
}

func TestDepth(t *testing.T) {
	for n, want := range map[int]bool{maxDepth: true, maxDepth + 1: false, 1 << 20: false} {
		for _, d := range []Dialect{Notepack, Msgpack} {
			for _, c := range []struct {
				open, inner string
				extra       int
			}{{"\x91", "\x01", 0}, {"\x81\x01", "\x01", 0}, {"\x91", "\xc4\x00", 1}, {"\x91", "\xd4\x01\x00", 1}} {
				v, err := d.Decode([]byte(strings.Repeat(c.open, n-c.extra) + c.inner))
				if (err == nil) != want {
					t.Errorf("%v: %d of %q: %v", d, n, c.open, err)
				}
				if err != nil {
					continue
				}
				a, err := v.Args()
				if err != nil || bytes.Count(a.JSON, []byte("["))+bytes.Count(a.JSON, []byte("{")) < n {
					t.Errorf("%v: %d of %q: %v", d, n, c.open, err)
				}
			}
		}
		if _, err := JSON.Decode([]byte(strings.Repeat("[", n) + strings.Repeat("]", n))); (err == nil) != want {
			t.Errorf("JSON: %d: %v", n, err)
		}
	}
}

// White space between the parts of JSON means nothing.
func TestJSONSpace(t *testing.T) {
	v, err := JSON.Decode([]byte(" { \"a\" : [ 1 , { } , [ ] ] ,\t\"b\" :\r\n\"c\" } \n"))
	if err != nil || show(v) != `{"a":[n1,{},[],],"b":"c",}` {
		t.Errorf("%s, %v", show(v), err)
	}
	if got := Notepack.Append(nil, v); string(got) != "\x82\xa1a\x93\x01\x80\x90\xa1b\xa1c" {
		t.Errorf("%q", got)
	}
}

// A message that is written piece by piece is the one that is built.
func TestWriter(t *testing.T) {
	a := args(`["e",`+placeholder0+`,1.50]`, "x")
	v := Array(String("uid"), Map(M("type", Int(2)), M("data", Args(a)), M("neg", Int(-1)), M("nsp", Nil())), Boolean(true), Strings([]string{"r", "s"}),
		Bytes([]byte{1}), Millis(5), Float(0.5), Uint(1<<63), Int(-1<<53), Array(), Map())
	for _, d := range dialects {
		w := NewWriter([]byte("pre"), d)
		w.Array(11)
		w.String("uid")
		w.Map(4)
		w.Key("type")
		w.Int(2)
		w.Key("data")
		w.Args(a)
		w.Key("neg")
		w.Int(-1)
		w.Key("nsp")
		w.Null()
		w.EndMap()
		w.Bool(true)
		w.Strings([]string{"r", "s"})
		w.Binary([]byte{1})
		w.Millis(5)
		w.Float(0.5)
		w.Uint(1 << 63)
		w.Int(-1 << 53)
		w.Value(Array())
		w.Map(0)
		w.EndMap()
		w.EndArray()
		if got, want := string(w.Bytes()), "pre"+string(d.Append(nil, v)); got != want {
			t.Errorf("%v:\ngot  %q\nwant %q", d, got, want)
		}
	}
}

// Undefined members are left out, and the head of the map is that of the others.
func TestUndefinedMembers(t *testing.T) {
	for _, n := range []int{1, 15, 16, 17, 65536} {
		var left, right []byte
		for range n {
			left = append(left, "\xa1a\xd4\x00\x00"...)
			right = append(right, "\xa1a\xc0"...)
		}
		kept := append([]byte{0xdf, 0, 1, 0, 0}, "\xa1b\x01"...)
		for range 1<<16 - 2 {
			kept = append(kept, "\xa1b\x01"...)
		}
		head := func(n int) []byte { return []byte{0xdf, 0, byte(n >> 16), byte(n >> 8), byte(n)} }
		for _, c := range []struct {
			d        Dialect
			in, want []byte
		}{
			{Notepack, append(head(n), left...), []byte{0x80}},
			{Notepack, append(append(append(head(n+1), left...), "\xa1b"...), 1), []byte("\x81\xa1b\x01")},
			{Notepack, append(append([]byte{0x91}, append(head(n+15), left...)...), kept[5:50]...), append([]byte{0x91, 0x8f}, kept[5:50]...)},
			{Notepack, append(append(head(n+16), left...), kept[5:53]...), append([]byte{0xde, 0, 16}, kept[5:53]...)},
			{Notepack, append(append(head(n+1<<16-1), left...), kept[5:]...), append([]byte{0xde, 0xff, 0xff}, kept[5:]...)},
		} {
			v, err := c.d.Decode(c.in)
			if err != nil {
				t.Fatal(n, err)
			}
			if got := c.d.Append([]byte("pre"), v); string(got[3:]) != string(c.want) {
				t.Errorf("%d: %.80x, want %.80x", n, got[3:], c.want)
			}
		}
		v, _ := Notepack.Decode(append(head(n), left...))
		if got := Msgpack.Append(nil, v); !bytes.HasSuffix(got, right) || len(got) != mapHeader(n)+len(right) {
			t.Errorf("%d in Msgpack: %.80x", n, got)
		}
		if got := JSON.Append(nil, v); string(got) != "{}" {
			t.Errorf("%d in JSON: %.80s", n, got)
		}
	}
}

// What is deep and long is written in one pass, not in one for each level.
func TestDeepAndLong(t *testing.T) {
	const deep, long = 998, 1 << 18
	inner := append([]byte{0xdd, 0, 4, 0, 0}, bytes.Repeat([]byte{1}, long)...)
	passes := func(depth int) time.Duration {
		msg := append(bytes.Repeat([]byte{0x91}, depth), inner...)
		start := time.Now()
		for _, d := range []Dialect{Notepack, Msgpack} {
			v, err := d.Decode(msg)
			if err != nil {
				t.Fatal(err)
			}
			text := JSON.Append(nil, v)
			inJSON, err := JSON.Decode(text)
			if err != nil || v.HasBinary() || inJSON.HasBinary() {
				t.Fatal(err)
			}
			if !bytes.Equal(d.Append(nil, v), msg) || !bytes.Equal(d.Append(nil, inJSON), msg) || !bytes.Equal(JSON.Append(nil, inJSON), text) {
				t.Errorf("%v: not the same", d)
			}
		}
		return time.Since(start)
	}
	flat := passes(1)
	if took := passes(deep); took > 100*flat {
		t.Errorf("took %v, and %v where it is flat", took, flat)
	}
}
