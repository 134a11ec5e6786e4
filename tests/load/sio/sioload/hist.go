//go:build linux

package main

import "math/bits"

// histogram counts durations in nanoseconds in classes that are 1.6 % wide.
type histogram struct {
	counts [64 * 64]int64
	n, max int64
}

// class returns the class of v: exact below 64, then 64 for each power of two.
func class(v int64) int {
	if v < 64 {
		return int(max(v, 0))
	}
	shift := bits.Len64(uint64(v)) - 7
	return (shift+1)<<6 + int(v>>shift)&63
}

// lower returns the smallest value of a class.
func lower(c int) int64 {
	if c < 64 {
		return int64(c)
	}
	return (64 + int64(c&63)) << (c>>6 - 1)
}

func (h *histogram) add(v int64) {
	h.counts[class(v)]++
	h.n++
	h.max = max(h.max, v)
}

// quantile returns the value that a share q is not above, in microseconds.
func (h *histogram) quantile(q float64) float64 {
	rank, sum := int64(q*float64(h.n)), int64(0)
	for c, n := range h.counts {
		if sum += n; n > 0 && sum > rank {
			return float64(lower(c)) / 1e3
		}
	}
	return float64(h.max) / 1e3
}
