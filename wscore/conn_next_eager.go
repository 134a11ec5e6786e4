//go:build eager

package wscore

// nextFrom is from which read on something may be run next. With this tag the tests
// of all floors see that, however few messages they have.
const nextFrom = 0
