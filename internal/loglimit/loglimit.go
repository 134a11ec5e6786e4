package loglimit

import (
	"sync/atomic"

	"golang.org/x/time/rate"
)

// PerSecond is how many lines a Limiter allows of each second, and at once.
const PerSecond = 10

// Limiter counts the lines of one kind. Its methods may be called from any goroutine.
type Limiter struct {
	rate   *rate.Limiter
	missed atomic.Int64 // that were not allowed since the last one that was
}

// New returns a Limiter that has counted nothing.
func New() *Limiter { return &Limiter{rate: rate.NewLimiter(PerSecond, PerSecond)} }

// Allow reports whether a line may be written, and how many were not since the one
// before.
func (l *Limiter) Allow() (missed int64, ok bool) {
	if !l.rate.Allow() {
		l.missed.Add(1)
		return 0, false
	}
	return l.missed.Swap(0), true
}
