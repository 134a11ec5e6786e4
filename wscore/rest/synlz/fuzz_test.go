package synlz

import (
	"bytes"
	"testing"

	"github.com/hermod-io/hermod/internal/mormotvectors"
)

// What strangers send makes no panic and no more than the limit; what is
// encoded comes back; and what is cut short is refused.
func FuzzSynLZDecode(f *testing.F) {
	for _, v := range recordings(f) {
		if plain := mormotvectors.Expand(f, v.Generator, v.PlainHex); len(plain) < 2000 {
			f.Add(plain, 1000)
			f.Add(Compress(nil, plain), 5000)
			f.Add(Encode(nil, plain, 0), 5000)
		}
	}
	f.Fuzz(func(t *testing.T, in []byte, limit int) {
		limit &= 1<<20 - 1
		for _, decode := range []func(dst, src []byte, limit int) ([]byte, error){Decode, Decompress} {
			out, err := decode([]byte("d"), in, limit)
			if out[0] != 'd' || len(out)-1 > limit || err != nil && len(out) != 1 {
				t.Fatalf("%d bytes above a limit of %d, or with an error: %v", len(out)-1, limit, err)
			}
		}
		framed := Encode(nil, in, 0)
		back, err := Decode(nil, framed, len(in))
		if err != nil || !bytes.Equal(back, in) {
			t.Fatalf("container: %v", err)
		}
		if len(framed) > 0 {
			cut, err := Decode(nil, framed[:len(framed)-1], len(in))
			if err == nil && Checksum(cut) != Checksum(in) { // ff ff ff ff has the sum of ff ff ff ff 00
				t.Fatal("a container cut short was accepted")
			}
		}
		if back, err = Decompress(nil, Compress(nil, in), len(in)); err != nil || !bytes.Equal(back, in) {
			t.Fatalf("stream: %v", err)
		}
	})
}
