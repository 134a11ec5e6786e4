package synlz

import (
	"testing"

	"github.com/hermod-io/hermod/internal/alloctest"
	"github.com/hermod-io/hermod/internal/mormotvectors"
)

func BenchmarkEncode(b *testing.B) {
	plain := mormotvectors.Expand(b, "json(20000)", "")
	dst := make([]byte, 0, 2*len(plain))
	b.SetBytes(int64(len(plain)))
	b.ReportAllocs()
	for b.Loop() {
		dst = Encode(dst[:0], plain, 0)
	}
}

func BenchmarkDecode(b *testing.B) {
	plain := mormotvectors.Expand(b, "json(20000)", "")
	in := Encode(nil, plain, 0)
	dst := make([]byte, 0, 2*len(plain))
	b.SetBytes(int64(len(plain)))
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if dst, err = Decode(dst[:0], in, 1<<20); err != nil {
			b.Fatal(err)
		}
	}
}

// Into a buffer that is large enough both ways cost no allocation.
func TestAllocs(t *testing.T) {
	plain := mormotvectors.Expand(t, "json(20000)", "")
	in, dst := Encode(nil, plain, 0), make([]byte, 0, 2*len(plain))
	if n := alloctest.PerRun(50, func() { Encode(dst, plain, 0) }); n != 0 {
		t.Errorf("Encode: %v allocations", n)
	}
	if n := alloctest.PerRun(50, func() { _, _ = Decode(dst, in, 1<<20) }); n != 0 {
		t.Errorf("Decode: %v allocations", n)
	}
}
