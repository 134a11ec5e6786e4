//go:build !eager

package wscore

// nextFrom is from which read on something may be run next.
const nextFrom = youngReads
