package wire

import (
	"bytes"
	"errors"
	"testing"

	"github.com/hermod-io/hermod/socketio/parser"
)

// FuzzDecode feeds the decoders. What is taken is written as bytes that mean the
// same and stay the same, and its arguments are valid JSON and come back.
func FuzzDecode(f *testing.F) {
	for i, r := range recordings(f) {
		if i%8 == 0 && len(r.wire) < 1024 {
			f.Add(byte(r.dialect), r.wire)
		}
	}
	for _, e := range readCodec(f).Encode {
		f.Add(byte(Notepack), unhex(f, e.NotepackHex))
		f.Add(byte(Msgpack), unhex(f, e.MsgpackHex))
	}
	for _, e := range readCodec(f).DecodeOnly {
		f.Add(byte(Notepack), unhex(f, e.Hex))
		f.Add(byte(Msgpack), unhex(f, e.Hex))
	}
	f.Add(byte(JSON), []byte(` {"_placeholder":true,"num":0,"\ud83d":[-0,1e400,"\u0041\/"]} `))
	f.Fuzz(func(t *testing.T, dialect byte, in []byte) {
		d := Dialect(dialect % 3)
		v, err := d.Decode(in)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Reason == "" {
				t.Fatalf("error %v", err)
			}
			return
		}
		if v.HasBinary(); len(in) < 4096 { // looking at all is slow where it is deep
			show(v)
		}
		once := d.Append(nil, v)
		again, err := d.Decode(once)
		if err != nil {
			t.Fatalf("%v %q is written as %q: %v", d, in, once, err)
		}
		if twice := d.Append(nil, again); !bytes.Equal(once, twice) {
			t.Fatalf("%v %q is written as %q and then as %q", d, in, once, twice)
		}
		for n := 0; d != JSON && n < len(in) && len(in) < 256; n++ {
			if _, err := d.Decode(in[:n]); err == nil {
				t.Fatalf("%v %x is taken, and %x too", d, in, in[:n])
			}
		}
		fuzzArgs(t, d, v, len(in))
	})
}

func fuzzArgs(t *testing.T, d Dialect, v Value, size int) {
	a, err := v.Ack()
	if err != nil {
		t.Fatal(err)
	}
	if end, err := parser.SkipJSON(a.JSON, 0); err != nil || end != len(a.JSON) {
		t.Fatalf("%v: %q is no JSON: %v", d, a.JSON, err)
	}
	if len(a.JSON) > 32*size+2 {
		t.Fatalf("%v: %d bytes become %d", d, size, len(a.JSON))
	}
	if v.Kind() == Undefined {
		return
	}
	if d == JSON {
		return
	}
	// Numbers beyond 2^53 may change between float and integer once, and so their
	// digits, though not their value.
	a = comeBack(t, d, a)
	if b := comeBack(t, d, a); !sameArgs(a, b) {
		t.Fatalf("%v: %s comes back as %s", d, a.JSON, b.JSON)
	}
}

// comeBack sends the first of the arguments.
func comeBack(t *testing.T, d Dialect, a parser.Args) parser.Args {
	t.Helper()
	one, ok := a.First()
	if !ok {
		t.Fatalf("%s has no first element", a.JSON)
	}
	v, err := d.Decode(d.AppendArgs(nil, one))
	if err != nil {
		t.Fatalf("%v: %s: %v", d, one.JSON, err)
	}
	b, err := v.Ack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}
