package bufpool

import (
	"bytes"
	"testing"

	"github.com/hermod-io/hermod/internal/alloctest"
)

func TestSizes(t *testing.T) {
	for _, c := range []struct{ want, got int }{
		{0, Tiny},
		{1, Tiny},
		{Tiny, Tiny},
		{Tiny + 1, Small},
		{Small, Small},
		{Small + 1, Medium},
		{Medium, Medium},
		{Medium + 1, Large},
		{Large, Large},
		{Large + 1, Large + 1},
		{1 << 20, 1 << 20},
	} {
		b := Get(c.want)
		if len(b.Bytes()) != c.got {
			t.Errorf("Get(%d) has %d bytes, want %d", c.want, len(b.Bytes()), c.got)
		}
		Put(b)
	}
	Put(nil)
}

// What a buffer holds survives Put unless the build poisons.
func TestPutPoisons(t *testing.T) {
	for _, size := range []int{Small, Large, Large + 1} {
		b := Get(size)
		kept := b.Bytes()
		clear(kept)
		want := byte(0)
		if Poisoned {
			want = Poison
		}
		Put(b)
		if !bytes.Equal(kept, bytes.Repeat([]byte{want}, size)) {
			t.Errorf("after Put a buffer of %d bytes begins with %x, want %x", size, kept[:4], want)
		}
	}
}

func TestNoAllocation(t *testing.T) {
	// A collection between Get and Put may empty the pool, and under the race
	// detector the pool drops some on purpose: hence not 0 but far below 1.
	n := alloctest.PerRun(2000, func() {
		b := Get(Small)
		Put(b)
	})
	if n >= 1 {
		t.Fatalf("%v allocations", n)
	}
}

func BenchmarkGetPut(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Put(Get(Medium))
	}
}
