package shrink

import (
	"iter"
	"maps"
)

const (
	small = 128 // what has had no more keeps its memory while there is anything in it
	tiny  = 8   // and this even when there is not
)

// Map is a map. The zero value is empty and ready for use. Like a map of Go it is for
// one goroutine at a time, or for several that only read.
type Map[K comparable, V any] struct {
	m    map[K]V
	most int // most since m was made
}

// Len returns how many there are.
func (t *Map[K, V]) Len() int { return len(t.m) }

// Get returns the value of k, the zero value if there is none.
func (t *Map[K, V]) Get(k K) V { return t.m[k] }

// Set gives k a value.
func (t *Map[K, V]) Set(k K, v V) {
	if t.m == nil {
		t.m = make(map[K]V)
	}
	t.m[k] = v
	t.most = max(t.most, len(t.m))
}

// Delete removes k, if it is there. Where an eighth is left of what there was once,
// it copies that: the removals before have paid for it, but this one takes some 2 ms
// where there were 100 000.
func (t *Map[K, V]) Delete(k K) {
	delete(t.m, k)
	switch n := len(t.m); {
	case n == 0 && t.most > tiny:
		t.Clear()
	case n <= t.most/8 && t.most > small:
		m := make(map[K]V, n)
		maps.Copy(m, t.m)
		t.m, t.most = m, n
	}
}

// Clear removes all.
func (t *Map[K, V]) Clear() { t.m, t.most = nil, 0 }

// All iterates over what there is, in no order. What is removed meanwhile may be
// iterated over all the same, and what is added may be or not.
func (t *Map[K, V]) All() iter.Seq2[K, V] { return maps.All(t.m) }

// Keys iterates over the keys, as All does.
func (t *Map[K, V]) Keys() iter.Seq[K] { return maps.Keys(t.m) }

// Values iterates over the values, as All does.
func (t *Map[K, V]) Values() iter.Seq[V] { return maps.Values(t.m) }
