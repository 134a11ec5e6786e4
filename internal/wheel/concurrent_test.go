package wheel

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// racer counts the expiries of a timer which several goroutines arm and stop.
type racer struct {
	timer Timer
	fired atomic.Int64
}

func (r *racer) Expire(*Timer) { r.fired.Add(1) }

// Several goroutines arm and stop the same timers while they expire: no more
// expiries than armings that were not stopped, and the wheel ends empty.
func TestConcurrentUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := New(minTick)
		timers := make([]racer, 8)
		var armed, stopped atomic.Int64
		var wg sync.WaitGroup
		for g := range 4 {
			wg.Go(func() {
				rng := rand.New(rand.NewPCG(uint64(g), 7))
				for range 20_000 {
					r := &timers[rng.IntN(len(timers))]
					switch rng.IntN(20) {
					case 0:
						time.Sleep(time.Duration(rng.Int64N(int64(minTick))))
					case 1, 2, 3, 4, 5, 6, 7:
						if w.Stop(&r.timer) {
							stopped.Add(1)
						}
					default:
						w.Start(&r.timer, r, time.Duration(rng.Int64N(int64(minTick))))
						armed.Add(1)
					}
				}
			})
		}
		wg.Wait()
		for i := range timers {
			if w.Stop(&timers[i].timer) {
				stopped.Add(1)
			}
		}
		wantLen(t, w, 0)
		synctest.Wait()
		var fired int64
		for i := range timers {
			fired += timers[i].fired.Load()
		}
		if fired+stopped.Load() > armed.Load() {
			t.Fatalf("%d expired and %d stopped of %d armed", fired, stopped.Load(), armed.Load())
		}
		if stopped.Load() < 1000 || fired < 100 {
			t.Fatalf("%d expired, %d stopped: the test races nothing", fired, stopped.Load())
		}
	})
}

// In real time, too, and with the ticks fighting with starts and stops of the
// only timer, the wheel always comes to life again.
func TestStartStopOfTheOnlyTimer(t *testing.T) {
	w := New(minTick)
	done := make(chan struct{})
	last := expirerFunc(func(*Timer) { close(done) })
	var timer Timer
	none := expirerFunc(func(*Timer) {})
	for end := time.Now().Add(5 * minTick); time.Now().Before(end); {
		w.Start(&timer, none, 0)
		w.Stop(&timer)
	}
	w.Start(&timer, last, 0)
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatal("the last timer did not expire")
	}
}

type expirerFunc func(*Timer)

func (f expirerFunc) Expire(t *Timer) { f(t) }
