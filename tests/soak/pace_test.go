package main

import (
	"testing"
	"time"
)

// Who is late waits longer, to a limit, and no more when it is in time again.
func TestGovernor(t *testing.T) {
	g := new(governor)
	if d := g.stretch(time.Second); d != time.Second {
		t.Errorf("at first %v", d)
	}
	for _, c := range []struct{ late, least, most time.Duration }{
		{lateTwice, 1900 * time.Millisecond, 2 * time.Second},
		{time.Minute, slowest * time.Second, slowest * time.Second},
		{0, time.Second, 1100 * time.Millisecond},
	} {
		for range 30 * lateTimers {
			g.note(c.late)
		}
		if d := g.stretch(time.Second); d < c.least || d > c.most {
			t.Errorf("%v late: a second takes %v, want %v to %v", c.late, d, c.least, c.most)
		}
	}
	if n := g.slowed(); n < 150 || n > 200 { // a third each of about 2, 5 and 1
		t.Errorf("slowed by %d %%", n)
	}
}

// The clock of the traffic goes with the real one, but does not run after a stall.
func TestClock(t *testing.T) {
	c := clock{tick: 10 * time.Millisecond}
	now := time.Now()
	for range 101 {
		c.advance(now)
		now = now.Add(c.tick)
	}
	if c.at != time.Second {
		t.Errorf("%v after a second", c.at)
	}
	if at := c.advance(now.Add(time.Minute)); at < time.Second || at > time.Second+5*c.tick {
		t.Errorf("%v after a stall", at)
	}
}
