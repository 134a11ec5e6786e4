package shrink

import (
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
)

// It has what a map has, however large and small it becomes.
func TestMap(t *testing.T) {
	seed := rand.Uint64()
	t.Log("seed", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	var got Map[int, int]
	want := map[int]int{}
	for _, most := range []int{0, 1, tiny, tiny + 1, 100, small, small + 1, 20 * small, 10, 3 * small, 0} {
		for got.Len() != most {
			k, v := r.IntN(40*small), r.Int()
			switch {
			case got.Len() < most:
				got.Set(k, v)
				want[k] = v
			default:
				for k = range want {
					break
				}
				got.Delete(k)
				delete(want, k)
			}
			if got.Get(k) != want[k] || got.Len() != len(want) {
				t.Fatalf("%d of %d: %d, want %d", got.Len(), len(want), got.Get(k), want[k])
			}
		}
		got.Delete(-1) // is not there
		if !maps.Equal(maps.Collect(got.All()), want) {
			t.Fatalf("at %d there is something else", most)
		}
		keys, values := slices.Sorted(got.Keys()), slices.Sorted(got.Values())
		if !slices.Equal(keys, slices.Sorted(maps.Keys(want))) || !slices.Equal(values, slices.Sorted(maps.Values(want))) {
			t.Fatalf("at %d there are other keys or values", most)
		}
	}
	got.Set(1, 1)
	got.Clear()
	if got.Len() != 0 || got.Get(1) != 0 {
		t.Error("something is left")
	}
}

// All may be removed while it is iterated over.
func TestMapDeleteWhileIterating(t *testing.T) {
	const n = 3 * small
	var m Map[int, int]
	for i := range n {
		m.Set(i, i)
	}
	seen := map[int]bool{}
	for k := range m.All() {
		seen[k] = true
		m.Delete(k)
	}
	if len(seen) != n || m.Len() != 0 {
		t.Errorf("%d of %d were seen, %d are left", len(seen), n, m.Len())
	}
}

// What is needed no more is given back.
func TestMapShrinks(t *testing.T) {
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	const n = 200 * small
	var m Map[int, [2]uint64]
	before := heap()
	for i := range n {
		m.Set(i, [2]uint64{})
	}
	full := heap() - before
	for i := range n - small/2 {
		m.Delete(i)
	}
	if rest := heap() - before; rest > full/20 {
		t.Errorf("%d are left of %d: %d bytes of %d", m.Len(), n, rest, full)
	}
	for i := range n {
		m.Delete(i)
	}
	if rest := heap() - before; rest > full/50 {
		t.Errorf("none is left: %d bytes", rest)
	}
	runtime.KeepAlive(&m)
}

// One that comes and goes alone costs nothing.
func TestMapKeepsLittle(t *testing.T) {
	var m Map[int, int]
	m.Set(0, 0)
	if n := testing.AllocsPerRun(100, func() { m.Delete(0); m.Set(0, 0) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
