package parser

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
)

// msgpackOf encodes an event of one argument, and returns that argument.
func msgpackOf(t *testing.T, arg string, att ...[]byte) string {
	t.Helper()
	p := Packet{Type: Event, Namespace: "/", Args: Args{JSON: []byte(`["e",` + arg + `]`), Attachments: att}}
	msg, _, _ := MsgPack().AppendPacket(nil, &p)
	const before, behind = "83a47479706502a46461746192a165", "a36e7370a12f"
	got := hex.EncodeToString(msg)
	if !strings.HasPrefix(got, before) || !strings.HasSuffix(got, behind) {
		t.Fatalf("%s is written as %s", arg, got)
	}
	return got[len(before) : len(got)-len(behind)]
}

// Text that no JavaScript value stands for, and what notepack.io writes wrong.
func TestMsgpackEncodeText(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`1.0`, "01"}, {`1e3`, "cd03e8"}, {`-0`, "00"}, {`-0.0`, "00"}, {`0e5`, "00"}, {`-1.0`, "ff"}, {`-129`, "d1ff7f"},
		{`9007199254740993`, "cf0020000000000001"}, {`18446744073709551615`, "cfffffffffffffffff"},
		{`-9223372036854775808`, "d38000000000000000"}, {`-9223372036854775807`, "d38000000000000001"},
		{`18446744073709551616`, "cb43f0000000000000"}, {`-9223372036854775809`, "d38000000000000000"},
		{`-18446744073709551616`, "cbc3f0000000000000"}, {`1e300`, "cb7e37e43c8800759c"}, {`-1e300`, "cbfe37e43c8800759c"},
		{`1e400`, "cb7ff0000000000000"}, {`-1e400`, "cbfff0000000000000"}, {`1e-400`, "00"},
		{`"\ud800"`, "a3efbfbd"}, {`"\ud800a\udc00"`, "a7efbfbd61efbfbd"}, {`"\ud83d\ude00"`, "a4f09f9880"}, {`"\u0041\/\n"`, "a3412f0a"},
		{" [ 1 , { \"b\" : [ ] ,\n\"a\" : null } ] ", "920182a16290a161c0"}, {`{"__proto__":1,"a":1,"a":2}`, "83a95f5f70726f746f5f5f01a16101a16102"},
		{`{"_placeholder":true,"num":0}`, "82ac5f706c616365686f6c646572c3a36e756d00"},
		{`[1`, ""}, {`nul`, ""}, {`{"a"}`, ""}, {`{"a":}`, ""}, {`[1,]`, ""}, {`"a`, ""}, {`-`, ""}, {`{1:2}`, ""}, {`1 2`, ""}, {``, ""},
	} {
		if c.want == "" { // not JSON: a packet without data
			p := Packet{Type: Event, Namespace: "/", Args: Args{JSON: []byte(`["e",` + c.text + `]`)}}
			msg, _, _ := MsgPack().AppendPacket(nil, &p)
			if got := hex.EncodeToString(msg); got != "83a47479706502a464617461c0a36e7370a12f" {
				t.Errorf("%s is written as %s", c.text, got)
			}
			continue
		}
		if got := msgpackOf(t, c.text); got != c.want {
			t.Errorf("%s is written as %s, want %s", c.text, got, c.want)
		}
	}
	const placeholder = `{"_placeholder":true,"num":1}`
	if got := msgpackOf(t, `[`+placeholder+`,{"_placeholder":true,"num":2},{"\u005fplaceholder":true,"num":0}]`, []byte("a"), []byte("b")); got !=
		"93c4016282ac5f706c616365686f6c646572c3a36e756d0282ac5f706c616365686f6c646572c3a36e756d00" {
		t.Errorf("placeholders are written as %s", got)
	}
}

// What the codec allows to nest is written; what nests deeper is not read.
func TestMsgpackDepth(t *testing.T) {
	var v any = 1
	for range maxDepth {
		v = []any{v}
	}
	text, _, err := AppendEvent(DefaultJSON(), nil, nil, "e", v)
	if err != nil {
		t.Fatal(err)
	}
	p := Packet{Type: Event, Args: Args{JSON: text}}
	msg, _, _ := MsgPack().AppendPacket(nil, &p)
	if n := bytes.Count(msg, []byte{0x91}); n != maxDepth {
		t.Errorf("%d arrays are written, want %d", n, maxDepth)
	}
	decode := func(arrays int) error {
		head, tail := unhex(t, "83a36e7370a12fa47479706502a46461746192a165"), bytes.Repeat([]byte{0x91}, arrays)
		_, _, err := MsgPack().NewDecoder(Limits{}).Decode(true, append(append(head, tail...), 1))
		return err
	}
	if err := decode(maxDepth - 1); err != nil {
		t.Error(err)
	}
	for _, n := range []int{maxDepth, maxDepth + 1, 1 << 20} {
		if err := decode(n); !errors.Is(err, errDepth) {
			t.Errorf("%d arrays: %v", n, err)
		}
	}
}

// Announced lengths are not believed, and text is not MessagePack.
func TestMsgpackRefuses(t *testing.T) {
	head := "83a36e7370a12fa47479706502a46461746192a165"
	for _, c := range []struct {
		in   string
		want *Error
	}{
		{"dfffffffff", errMsgpack}, {"ddffffffff", errMsgpack}, {head + "ddffffffff", errMsgpack}, {head + "dfffffffff", errMsgpack},
		{head + "dbffffffff", errMsgpack}, {head + "db80000000", errMsgpack}, {head + "c6ffffffff", errMsgpack}, {head + "c9ffffffff05", errMsgpack},
		{head + "c97fffffff05", errMsgpack}, {head + "db7fffffff", errMsgpack}, {head + "81dbffffffff", errMsgpack}, {head + "8190c0", errMapKey}, {head, errMsgpack},
		{"81a36e7370dbffffffff", errMsgpack}, {"81dbffffffff", errMsgpack}, {"8190c0", errMapKey}, {"81a2696490", errID}, {"", errEmpty},
	} {
		_, ok, err := MsgPack().NewDecoder(Limits{}).Decode(true, unhex(t, c.in))
		if ok || !errors.Is(err, c.want) {
			t.Errorf("%s: %v, %v; want %v", c.in, ok, err, c.want)
		}
	}
	if _, ok, err := MsgPack().NewDecoder(Limits{}).Decode(false, []byte("0")); ok || !errors.Is(err, errTextInMsgpack) {
		t.Errorf("text: %v, %v", ok, err)
	}
}

// Every truncation of a message is an error, and so is every byte behind it.
func TestMsgpackTruncated(t *testing.T) {
	for _, line := range []string{
		"85a47479706502a46461746191a161a76f7074696f6e7381a8636f6d7072657373c3a2696407a36e7370a12f",
		"83a47479706502a36e7370a12fa46461746192a16598c40101c70105aad7000000000000000000cb3ff8000000000000ca3dcccccdd90161cd000581a16101",
	} {
		msg := unhex(t, line)
		for n := range msg {
			if p, ok, err := MsgPack().NewDecoder(Limits{}).Decode(true, msg[:n]); err == nil {
				t.Errorf("%x is taken for %+v, %v", msg[:n], p, ok)
			}
		}
		if _, _, err := MsgPack().NewDecoder(Limits{}).Decode(true, append(msg, 0)); err == nil {
			t.Errorf("%x and a byte are taken", msg)
		}
	}
}

func TestMsgpackAttachmentLimit(t *testing.T) {
	message := func(n int) []byte {
		p := Packet{Type: Event, Args: Args{JSON: []byte(`["e"`)}}
		for i := range n {
			p.JSON = append(append(p.JSON, ','), appendPlaceholder(nil, i)...)
			p.Attachments = append(p.Attachments, nil)
		}
		p.JSON = append(p.JSON, ']')
		msg, _, _ := MsgPack().AppendPacket(nil, &p)
		return msg
	}
	for _, c := range []struct{ limit, n int }{{0, 1000}, {3, 3}, {-1, 0}} {
		d := MsgPack().NewDecoder(Limits{Attachments: c.limit})
		if p, ok, err := d.Decode(true, message(c.n)); !ok || err != nil || len(p.Attachments) != c.n {
			t.Errorf("limit %d: %d: %v, %v", c.limit, c.n, ok, err)
		}
		if _, ok, err := d.Decode(true, message(c.n+1)); ok || !errors.Is(err, errTooMany) {
			t.Errorf("limit %d: %d: %v, %v", c.limit, c.n+1, ok, err)
		}
	}
}

// The decoder keeps nothing of the message but what it copied, and its packets
// do not share memory with each other.
func TestMsgpackOwnership(t *testing.T) {
	d := MsgPack().NewDecoder(Limits{})
	p := Packet{Type: Event, Namespace: "/some", Args: Args{JSON: []byte(`["e",{"_placeholder":true,"num":0}]`), Attachments: [][]byte{[]byte("data")}}}
	msg, _, _ := MsgPack().AppendPacket(nil, &p)
	first, _, _ := d.Decode(true, msg)
	if _, _, err := d.Decode(true, bytes.Clone(msg)); err != nil {
		t.Fatal(err)
	}
	for i := range msg {
		msg[i] = 0xff
	}
	if !samePacket(first, p) {
		t.Errorf("got %+v", first)
	}
}

// The values of an event that came as MessagePack decode as those of one that
// came as text.
func TestMsgpackValues(t *testing.T) {
	type file struct {
		Name string `json:"name"`
		Size uint64 `json:"size"`
		Data []byte `json:"data"`
	}
	j := DefaultJSON()
	in := file{"a\n\"\u2028", math.MaxUint64, []byte{0, 255}}
	text, att, err := AppendEvent(j, nil, nil, "e", in, []any{[]byte("x"), 1.5})
	if err != nil {
		t.Fatal(err)
	}
	p := Packet{Type: Event, Args: Args{JSON: text, Attachments: att}}
	msg, _, _ := MsgPack().AppendPacket(nil, &p)
	got, _, err := MsgPack().NewDecoder(Limits{}).Decode(true, msg)
	if err != nil {
		t.Fatal(err)
	}
	var out file
	var rest any
	if err := errors.Join(j.Decode(got.Raw(1), got.Attachments, &out), j.Decode(got.Raw(2), got.Attachments, &rest)); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(out, in) || !reflect.DeepEqual(rest, []any{[]byte("x"), 1.5}) {
		t.Errorf("got %+v, %v", out, rest)
	}
}

// FuzzMsgpack feeds the decoder. What it takes is valid JSON within the limits,
// and comes back when it is encoded and decoded again.
func FuzzMsgpack(f *testing.F) {
	for _, name := range []string{"msgpack_encode.txt", "msgpack_decode.txt"} {
		for _, line := range goldenLines(f, name) {
			_, rest, _ := bytes.Cut(line, []byte(`"wire":"`))
			wire, _, _ := bytes.Cut(rest, []byte(`"`))
			if b, err := hex.DecodeString(string(wire)); err == nil && len(b) < 4096 {
				f.Add(b)
			}
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		const limit = 5
		p, ok, err := MsgPack().NewDecoder(Limits{Attachments: limit}).Decode(true, in)
		var e *Error
		if err != nil && (ok || !errors.As(err, &e) || e.Reason == "") || err == nil && !ok {
			t.Fatalf("ok %v, error %v", ok, err)
		}
		if err != nil {
			return
		}
		size := 0
		for _, b := range p.Attachments {
			size += len(b) + len(placeholderHead) + 8
		}
		if len(p.JSON) > 6*len(in)+size || len(p.Attachments) > limit || p.Namespace == "" {
			t.Fatalf("%d bytes of text from %d: %+v", len(p.JSON), len(in), p)
		}
		if p.JSON != nil && !validValue(p.JSON) {
			t.Fatalf("accepted %s", p.JSON)
		}
		if name, named := p.EventName(); p.Type == Event && (!named || Reserved(string(name))) {
			t.Fatalf("accepted the event name %q", name)
		}
		msg, binary, attachments := MsgPack().AppendPacket([]byte("pre"), &p)
		got, ok, err := MsgPack().NewDecoder(Limits{Attachments: limit}).Decode(binary, msg[3:])
		if err != nil || !ok || attachments != nil || !samePacket(got, p) {
			t.Fatalf("%+v %s comes back as %+v %s, %v, %v", p, p.JSON, got, got.JSON, ok, err)
		}
	})
}

// FuzzMsgpackText writes text of any kind: no panic, and valid MessagePack that
// means the same.
func FuzzMsgpackText(f *testing.F) {
	for _, line := range goldenLines(f, "encode.txt") {
		f.Add(line)
	}
	f.Add([]byte(` [ 1 , {"a":"\ud800\u0041\/"} , 1E400, -0 ] `))
	f.Fuzz(func(t *testing.T, text []byte) {
		p := Packet{Type: Ack, HasID: true, ID: 1, Args: Args{JSON: append(append([]byte("["), text...), ']'), Attachments: [][]byte{[]byte("a")}}}
		msg, _, _ := MsgPack().AppendPacket(nil, &p)
		got, ok, err := MsgPack().NewDecoder(Limits{Attachments: math.MaxInt}).Decode(true, msg)
		end, bad := skipValue(p.JSON, 0)
		if valid := bad == nil && end == len(p.JSON); valid != (ok && err == nil) && bad != errDepth {
			t.Fatalf("%q: valid %v, but %v", p.JSON, valid, err)
		}
		if err != nil {
			return
		}
		msg2, _, _ := MsgPack().AppendPacket(nil, &got)
		if again, _, err := MsgPack().NewDecoder(Limits{Attachments: math.MaxInt}).Decode(true, msg2); err != nil || !samePacket(again, got) {
			t.Fatalf("%s comes back as %s, %v", got.JSON, again.JSON, err)
		}
	})
}
