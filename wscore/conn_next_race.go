//go:build race

package wscore

// nextFrom is from which read on something may be run next. The race detector is
// to see that in every test.
const nextFrom = 0
