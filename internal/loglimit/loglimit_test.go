package loglimit

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestAllow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New()
		ask := func(n int) (allowed int, missed int64) {
			for range n {
				if m, ok := l.Allow(); ok {
					allowed++
					missed += m
				}
			}
			return allowed, missed
		}
		for _, step := range []struct {
			after   time.Duration
			n, want int
			missed  int64
		}{
			{0, 1000, PerSecond, 0},
			{time.Second/PerSecond - time.Millisecond, 5, 0, 0},
			{time.Millisecond, 2, 1, 1000 - PerSecond + 5},
			{time.Hour, 11, PerSecond, 1},
			{time.Hour, 1, 1, 1},
		} {
			time.Sleep(step.after)
			if got, missed := ask(step.n); got != step.want || missed != step.missed {
				t.Errorf("of %d after %v: %d, and %d missed; want %d, %d", step.n, step.after, got, missed, step.want, step.missed)
			}
		}
	})
}
