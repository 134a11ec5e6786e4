package loglimit

import (
	"sync"

	"golang.org/x/time/rate"
)

// PerSecond is how many lines a Limiter allows of each second, and at once.
const PerSecond = 10

// Limiter counts the lines of one kind. Its methods may be called from any goroutine.
type Limiter struct {
	rate *rate.Limiter

	mu     sync.Mutex // over both: a line that is refused meanwhile belongs to the next one
	missed int64      // that were not allowed since the last one that was
}

// New returns a Limiter that has counted nothing.
func New() *Limiter { return &Limiter{rate: rate.NewLimiter(PerSecond, PerSecond)} }

// Allow reports whether a line may be written, and how many were not since the one
// before.
func (l *Limiter) Allow() (missed int64, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.rate.Allow() {
		l.missed++
		return 0, false
	}
	missed, l.missed = l.missed, 0
	return missed, true
}
