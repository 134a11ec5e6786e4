package main

import (
	"testing"
	"time"
)

// The server knows numbers that came before, also long ago.
func TestSeen(t *testing.T) {
	s := new(seen)
	for _, c := range []struct {
		n     uint64
		fresh bool
	}{{1, true}, {1, false}, {3, true}, {2, true}, {3, false}, {100_000, true}, {3, false}, {99_999, true}, {99_999, false}, {100_001, true}} {
		if got := s.add(c.n); got != c.fresh {
			t.Errorf("%d: new %v, want %v", c.n, got, c.fresh)
		}
	}
}

// Memory that grows in the last quarter is found, and memory that does not is not.
func TestFlat(t *testing.T) {
	for name, c := range map[string]struct {
		step uint64
		bad  bool
	}{"flat": {0, false}, "grows": {4 << 20, true}} {
		s := &soak{options: options{duration: 4 * time.Minute, timing: timing{ping: time.Second, window: 10 * time.Second}}}
		for i := range samples {
			at := time.Duration(i) * s.duration / samples
			s.series = append(s.series, sample{at, stats{RSS: 100<<20 + uint64(i)*c.step, Live: 50 << 20}})
		}
		if s.flat(); (s.faults.count() > 0) != c.bad {
			t.Errorf("%s: %q", name, s.faults.all())
		}
	}
}

// A server that keeps goroutines or memory has not come to rest.
func TestRested(t *testing.T) {
	s := &soak{base: stats{Goroutines: 10, Live: 1 << 20}}
	if !s.rested(stats{Goroutines: 12, Live: 2 << 20}) {
		t.Error("a little more is too much")
	}
	for _, x := range []stats{{Goroutines: 100, Live: 1 << 20}, {Goroutines: 10, Live: 10 << 20}, {Goroutines: 10, Clients: 1}, {Goroutines: 10, Rooms: 1}} {
		if s.rested(x) {
			t.Errorf("at rest: %v", x.text())
		}
	}
}
