// Package alloctest counts allocations for tests: [PerRun].
package alloctest

import "testing"

// tries is how often PerRun counts.
const tries = 5

// PerRun is testing.AllocsPerRun that is not misled by what other goroutines of the
// test's program allocate meanwhile, or by a garbage collection that empties the
// pools: the least of several counts. f is called more than five times as often as
// runs says.
func PerRun(runs int, f func()) float64 {
	least := testing.AllocsPerRun(runs, f)
	for range tries - 1 {
		least = min(least, testing.AllocsPerRun(runs, f))
	}
	return least
}
