package wire

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/hermod-io/hermod/socketio/parser"
)

var dialects = []Dialect{JSON, Notepack, Msgpack}

// placeholder0 stands for the first binary value.
const placeholder0 = `{"_placeholder":true,"num":0}`

func args(text string, att ...string) parser.Args {
	a := parser.Args{JSON: []byte(text)}
	for _, b := range att {
		a.Attachments = append(a.Attachments, []byte(b))
	}
	return a
}

// The arguments of a packet come back from each dialect.
func TestArgsRoundTrip(t *testing.T) {
	long := `["e",[` + strings.Repeat("1,", 70000) + `1],"` + strings.Repeat("s", 70000) + `"]`
	for _, a := range []parser.Args{
		args(`["e"]`), args(`[]`), args(long),
		args(`["e","a\"\\\n é☃😀",1,-5,1.5,null,true,{"z":1,"10":2,"a":{"b":[[]]}}]`),
		args(`["e",`+placeholder0+`,{"k":{"_placeholder":true,"num":1}}]`, "\x00\xff", ""),
		args(`["{\"_placeholder\":true,\"num\":0}",` + placeholder0 + `]`), // data of the application
		args(`["{\"_placeholder\":true,\"num\":0}",`+placeholder0+`,{"\u005fplaceholder":true,"num":0}]`, "x"),
	} {
		for _, d := range dialects {
			v, err := d.Decode(d.AppendArgs(nil, a))
			if err != nil {
				t.Fatalf("%v %.100s: %v", d, a.JSON, err)
			}
			want := a
			if d == JSON && len(a.Attachments) > 0 {
				want = parser.Args{JSON: d.AppendArgs(nil, a)}
			}
			if got, err := v.Args(); err != nil || !sameArgs(got, want) {
				t.Errorf("%v: %.200s comes back as %.200s %q, %v", d, a.JSON, got.JSON, got.Attachments, err)
			}
			ack := parser.Args{JSON: []byte("[" + string(want.JSON) + "]"), Attachments: want.Attachments}
			if got, err := v.Ack(); err != nil || !sameArgs(got, ack) {
				t.Errorf("%v: %.200s comes back in an ack as %.200s %q, %v", d, a.JSON, got.JSON, got.Attachments, err)
			}
		}
	}
}

// sameArgs compares, but for the escape that keeps a member named _placeholder
// apart from ours.
func sameArgs(a, b parser.Args) bool {
	plain := func(text []byte) string {
		return strings.ReplaceAll(string(text), `"\u005fplaceholder"`, `"_placeholder"`)
	}
	return plain(a.JSON) == plain(b.JSON) && slices.EqualFunc(a.Attachments, b.Attachments, bytes.Equal)
}

// In JSON a binary value is what a Buffer's toJSON gives, and stays that.
func TestArgsBinaryInJSON(t *testing.T) {
	a := args(`["e",{"_placeholder":true,"num":1},"{\"_placeholder\"",`+placeholder0+`,{"_placeholder":true,"num":2}]`, "", "\x01\xff")
	const want = `["e",{"type":"Buffer","data":[1,255]},"{\"_placeholder\"",{"type":"Buffer","data":[]},{"_placeholder":true,"num":2}]`
	if got := JSON.AppendArgs([]byte("pre"), a); string(got) != "pre"+want {
		t.Errorf("got %s", got)
	}
	v, err := JSON.Decode([]byte(want))
	if err != nil || v.At(1).Kind() != Dict || v.HasBinary() {
		t.Errorf("read as %s, %v", show(v), err)
	}
}

// Data that is not there, and text that is none.
func TestArgsNone(t *testing.T) {
	for d, want := range map[Dialect]string{JSON: "null", Notepack: "\xc0", Msgpack: "\xc0"} {
		if got := d.AppendArgs(nil, parser.Args{}); string(got) != want {
			t.Errorf("%v: no arguments are %q", d, got)
		}
	}
	if got := Notepack.AppendArgs(nil, args(`["e"`)); string(got) != "\xc0" {
		t.Errorf("half an array is %q", got)
	}
	if a, err := (Value{}).Args(); err != nil || a.JSON != nil {
		t.Errorf("undefined is %s, %v", a.JSON, err)
	}
	if a, err := (Value{}).Ack(); err != nil || string(a.JSON) != "[]" {
		t.Errorf("undefined is %s, %v in an ack", a.JSON, err)
	}
	if a, err := Nil().Ack(); err != nil || string(a.JSON) != "[null]" {
		t.Errorf("null is %s, %v in an ack", a.JSON, err)
	}
}

// Of an ack the first argument is sent, with those binary values that are in it.
func TestFirst(t *testing.T) {
	for _, c := range []struct {
		a            parser.Args
		binary       bool
		json, packed string
	}{
		{args(`[]`), false, `{}`, "\x80"},
		{args(`[1,2]`), false, `{"packet":1}`, "\x81\xa6packet\x01"},
		{args(`["`+`{\"_placeholder\":true,\"num\":0}`+`",`+placeholder0+`]`, "x"), false,
			`{"packet":"{\"_placeholder\":true,\"num\":0}"}`, "\x81\xa6packet\xbd" + placeholder0},
		{args(`[{"a":{"_placeholder":true,"num":1}},`+placeholder0+`]`, "x", "y"), true,
			`{"packet":{"a":{"type":"Buffer","data":[121]}}}`, "\x81\xa6packet\x81\xa1a\xc4\x01y"},
	} {
		v := Map(M("packet", First(c.a)))
		if v.HasBinary() != c.binary {
			t.Errorf("%s: binary %v", c.a.JSON, v.HasBinary())
		}
		if got := JSON.Append(nil, v); string(got) != c.json {
			t.Errorf("%s: %s", c.a.JSON, got)
		}
		if got := Notepack.Append(nil, v); string(got) != c.packed {
			t.Errorf("%s: %q", c.a.JSON, got)
		}
	}
	if got := Msgpack.Append(nil, Map(M("packet", First(args(`[]`))))); string(got) != "\x81\xa6packet\xc0" {
		t.Errorf("no argument is %q in Msgpack", got)
	}
}

// Arguments can be looked into like any value, and built from one.
func TestArgsAsValue(t *testing.T) {
	a := args(`["e",`+placeholder0+`,{"k":[{"_placeholder":true,"num":1},null,true,2.50]},{"_placeholder":1}]`, "\x01", "\x02")
	v := Args(a)
	if got := show(v); got != `["e",bin 01,{"k":[bin 02,null,true,n2.5,],},{"_placeholder":n1,},]` {
		t.Errorf("got %s", got)
	}
	if b, ok := v.At(2).Get("k").At(0).Bin(); !ok || string(b) != "\x02" || !v.At(1).HasBinary() {
		t.Errorf("got %q, %v", b, ok)
	}
	// Placeholders are numbered anew where values of several origins meet.
	packed, err := Notepack.Decode(Notepack.AppendArgs(nil, args(`[`+placeholder0+`]`, "\x03")))
	if err != nil {
		t.Fatal(err)
	}
	got, err := Array(Bytes([]byte{0}), v, packed, Map(M("_placeholder", Boolean(true)), M("num", Int(0)), M("u", Value{}))).Args()
	want := args(`[`+placeholder0+`,["e",{"_placeholder":true,"num":1},{"k":[{"_placeholder":true,"num":2},null,true,2.50]},{"_placeholder":1}],[{"_placeholder":true,"num":3}],`+
		`{"\u005fplaceholder":true,"num":0}]`, "\x00", "\x01", "\x02", "\x03")
	if err != nil || string(got.JSON) != string(want.JSON) || !slices.EqualFunc(got.Attachments, want.Attachments, bytes.Equal) {
		t.Errorf("%s %q, %v", got.JSON, got.Attachments, err)
	}
	if got, err := v.Ack(); err != nil || string(got.JSON) != "["+string(a.JSON)+"]" {
		t.Errorf("in an ack: %s, %v", got.JSON, err)
	}
}

// Arguments share no memory with the message.
func TestArgsOwnership(t *testing.T) {
	a := args(`["e","text",`+placeholder0+`]`, "data")
	for _, d := range dialects {
		msg := d.AppendArgs(nil, a)
		v, err := d.Decode(msg)
		if err != nil {
			t.Fatal(err)
		}
		want := d.AppendArgs(nil, a)
		got, err := v.Args()
		if err != nil {
			t.Fatal(err)
		}
		name := v.At(1).Str()
		clear(msg)
		if !bytes.Equal(d.AppendArgs(nil, got), want) || name != "text" {
			t.Errorf("%v: arguments change with the message: %s %q", d, got.JSON, name)
		}
	}
}

func TestArgsAttachmentLimit(t *testing.T) {
	for n, want := range map[int]bool{maxAttachments: true, maxAttachments + 1: false} {
		msg := append([]byte{0xdd, 0, byte(n >> 16), byte(n >> 8), byte(n)}, bytes.Repeat([]byte{0xc4, 0}, n)...)
		v, err := Notepack.Decode(msg)
		if err != nil {
			t.Fatal(err)
		}
		a, err := v.Args()
		_, ackErr := v.Ack()
		var e *Error
		if (err == nil) != want || (ackErr == nil) != want || !want && !errors.As(err, &e) || want && len(a.Attachments) != n {
			t.Errorf("%d: %v, %v", n, err, ackErr)
		}
	}
}
