package main

import (
	"math"
	"sync"
	"time"
)

// governor slows the traffic down while the machine cannot keep up, so that a
// run shows faults and not how fast the machine is: whoever makes traffic waits
// longer when its timers come late.
type governor struct {
	mu   sync.Mutex    // guards what follows
	late time.Duration // smoothed
	n    int           // timers
	sum  float64       // of the factors at each
}

// The traffic takes twice the time when timers are lateTwice late, and at most
// slowest times as long. Lateness is smoothed over so many timers.
const (
	lateTwice  = 50 * time.Millisecond
	slowest    = 5
	lateTimers = 64
)

// note takes how late a timer was.
func (g *governor) note(late time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.late += (late - g.late) / lateTimers
	g.n++
	g.sum += g.factor()
}

// factor is how many times longer things take now. mu is held.
func (g *governor) factor() float64 {
	return min(1+float64(g.late)/float64(lateTwice), slowest)
}

// stretch makes d longer.
func (g *governor) stretch(d time.Duration) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return time.Duration(float64(d) * g.factor())
}

// slowed is by how many percent things took longer, on average.
func (g *governor) slowed() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.n == 0 {
		return 0
	}
	return int(math.Round(100 * (g.sum/float64(g.n) - 1)))
}

// clock is the time of a traffic: slower than the real one when the machine
// cannot keep up, and what a stall has taken is not made up for.
type clock struct {
	pace governor
	tick time.Duration // nominal time between two calls of advance
	last time.Time
	at   time.Duration // since the beginning
}

// advance is called at each tick and returns the time.
func (c *clock) advance(now time.Time) time.Duration {
	if !c.last.IsZero() {
		passed := now.Sub(c.last)
		c.pace.note(max(passed-c.tick, 0))
		passed = min(passed, 5*c.tick)
		c.at += time.Duration(float64(passed) * float64(c.tick) / float64(c.pace.stretch(c.tick)))
	}
	c.last = now
	return c.at
}
