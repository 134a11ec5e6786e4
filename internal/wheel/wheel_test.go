package wheel

import (
	"bytes"
	"math"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/internal/alloctest"
)

// owner is a Timer that knows when it was due and what to do then.
type owner struct {
	timer Timer
	due   time.Time
	fired atomic.Int64
	late  time.Duration
	do    func()
}

func (o *owner) Expire(t *Timer) {
	if t != &o.timer {
		panic("foreign timer")
	}
	o.fired.Add(1)
	o.late = time.Since(o.due)
	if o.do != nil {
		o.do()
	}
}

func (o *owner) start(w *Wheel, after time.Duration) {
	o.due = time.Now().Add(after)
	w.Start(&o.timer, o, after)
}

// pass lets fake time go by, and all that is due in it happen.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func wantLen(t *testing.T, w *Wheel, n int) {
	t.Helper()
	if w.Len() != n {
		t.Fatalf("Len = %d, want %d", w.Len(), n)
	}
}

func TestTickIsClamped(t *testing.T) {
	for in, want := range map[time.Duration]time.Duration{
		-1:                      minTick,
		0:                       minTick,
		11 * time.Millisecond:   11 * time.Millisecond,
		2500 * time.Millisecond: maxTick,
	} {
		if got := New(in).Tick(); got != want {
			t.Errorf("New(%v).Tick() = %v, want %v", in, got, want)
		}
	}
}

// Timers of every length, among them many turns of the wheel, armed at odd
// moments, expire once, never early and less than one tick late.
func TestNeverEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const tick = 10 * time.Millisecond
		w := New(tick)
		rng := rand.New(rand.NewPCG(1, 2))
		var all []*owner
		for range 2000 {
			o := new(owner)
			all = append(all, o)
			o.start(w, time.Duration(rng.Int64N(int64(10*slots*tick)))-5*time.Millisecond)
			pass(time.Duration(rng.Int64N(int64(5 * time.Millisecond))))
		}
		pass(10*slots*tick + tick)
		wantLen(t, w, 0)
		for i, o := range all {
			if o.fired.Load() != 1 {
				t.Fatalf("timer %d expired %d times", i, o.fired.Load())
			}
			if o.late < 0 || o.late > tick+5*time.Millisecond {
				t.Fatalf("timer %d expired %v after its time", i, o.late)
			}
		}
	})
}

func TestExactlyOnABoundary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := New(time.Second)
		o := new(owner)
		o.start(w, 3*time.Second)
		pass(3*time.Second - 1)
		if o.fired.Load() != 0 {
			t.Fatal("expired early")
		}
		pass(1)
		if o.fired.Load() != 1 {
			t.Fatal("a timer of three whole ticks did not expire on the third")
		}
	})
}

func TestNoWaitIsTheNextTick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := New(time.Second)
		var keep, zero, negative owner
		keep.start(w, time.Hour)
		pass(5 * time.Second)
		zero.start(w, 0)
		negative.start(w, math.MinInt64)
		pass(time.Second - 1)
		if zero.fired.Load()+negative.fired.Load() != 0 {
			t.Fatal("expired before the next tick")
		}
		pass(1)
		if zero.fired.Load() != 1 || negative.fired.Load() != 1 {
			t.Fatalf("expired %d and %d times", zero.fired.Load(), negative.fired.Load())
		}
		w.Stop(&keep.timer)
	})
}

func TestForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := New(time.Second)
		o := new(owner)
		o.start(w, math.MaxInt64)
		pass(24 * time.Hour)
		if o.fired.Load() != 0 {
			t.Fatal("expired")
		}
		if !w.Stop(&o.timer) {
			t.Fatal("was not armed")
		}
	})
}

func TestHundredThousand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 100_000
		w := New(time.Second)
		all := make([]owner, n)
		for i := range all {
			all[i].start(w, 25*time.Second+time.Duration(i)*time.Millisecond)
		}
		wantLen(t, w, n)
		for i := range all {
			if i%2 == 0 && !w.Stop(&all[i].timer) {
				t.Fatalf("timer %d was not armed", i)
			}
		}
		wantLen(t, w, n/2)
		pass(25*time.Second + n*time.Millisecond + time.Second)
		wantLen(t, w, 0)
		for i := range all {
			if all[i].fired.Load() != int64(i%2) {
				t.Fatalf("timer %d expired %d times", i, all[i].fired.Load())
			}
		}
	})
}

func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := New(time.Second)
		o := new(owner)
		if w.Stop(&o.timer) {
			t.Fatal("a timer never armed was armed")
		}
		o.start(w, 2*time.Second)
		if !w.Stop(&o.timer) || w.Stop(&o.timer) {
			t.Fatal("Stop must return true once")
		}
		if o.timer != (Timer{}) {
			t.Fatalf("a stopped timer still holds %+v", o.timer)
		}
		pass(time.Minute)
		if o.fired.Load() != 0 {
			t.Fatal("a stopped timer expired")
		}
		o.start(w, 2*time.Second)
		pass(time.Minute)
		if o.fired.Load() != 1 || w.Stop(&o.timer) {
			t.Fatal("an expired timer must have expired once and not be armed")
		}
	})
}

func TestRearmMovesTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := New(10 * time.Millisecond)
		o := new(owner)
		for range 100 {
			o.start(w, time.Second)
			wantLen(t, w, 1)
			pass(999 * time.Millisecond)
		}
		if o.fired.Load() != 0 {
			t.Fatal("expired although it was armed anew in time")
		}
		pass(20 * time.Millisecond)
		if o.fired.Load() != 1 {
			t.Fatalf("expired %d times", o.fired.Load())
		}
	})
}

// Timers in one slot are unlinked from the front, the middle and the end.
func TestStopInEveryPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := New(time.Second)
		for stop := range 5 {
			var all [5]owner
			for i := range all {
				all[i].start(w, 1500*time.Millisecond)
			}
			w.Stop(&all[stop].timer)
			pass(3 * time.Second)
			for i := range all {
				if fired := all[i].fired.Load(); (fired == 1) == (i == stop) {
					t.Fatalf("with timer %d stopped, timer %d expired %d times", stop, i, fired)
				}
			}
		}
	})
}

// Of timers that are due together, the first one called stops the others: none
// of these is called any more.
func TestStopInCallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := New(time.Second)
		all := make([]owner, 10)
		for i := range all {
			all[i].do = func() {
				for j := range all {
					if stopped := w.Stop(&all[j].timer); stopped != (j != i) {
						t.Errorf("in the callback of %d, Stop(%d) = %v", i, j, stopped)
					}
				}
			}
			all[i].start(w, 3*time.Second)
		}
		pass(10 * time.Second)
		var fired int64
		for i := range all {
			fired += all[i].fired.Load()
		}
		if fired != 1 {
			t.Fatalf("%d timers expired, want the first alone", fired)
		}
		wantLen(t, w, 0)
	})
}

// A tick that comes while the last one still runs, which a stop and a start at
// the wrong moment can bring about, calls nothing.
func TestOneCallbackAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := New(time.Second)
		var a, b owner
		a.do = func() {
			time.Sleep(time.Second)
			w.advance()
			if b.fired.Load() != 0 {
				t.Error("another callback ran within a callback")
			}
		}
		a.start(w, time.Second)
		b.start(w, time.Second)
		pass(3 * time.Second)
		if a.fired.Load() != 1 || b.fired.Load() != 1 {
			t.Fatalf("expired %d and %d times", a.fired.Load(), b.fired.Load())
		}
	})
}

func TestRearmInCallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := New(time.Second)
		o := new(owner)
		o.do = func() {
			if o.fired.Load() < 10 {
				o.start(w, 0)
			}
		}
		o.start(w, 0)
		pass(9 * time.Second)
		if o.fired.Load() != 9 {
			t.Fatalf("expired %d times in 9 ticks", o.fired.Load())
		}
		pass(time.Minute)
		if o.fired.Load() != 10 {
			t.Fatalf("expired %d times", o.fired.Load())
		}
		wantLen(t, w, 0)
	})
}

// A callback that stops the last timer, or arms the only one, in the middle of
// a tick leaves the wheel in order.
func TestStopTheLastAndStartInCallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := New(time.Second)
		var a, b, c owner
		a.do = func() {
			w.Stop(&b.timer)
			c.start(w, 5*time.Second)
		}
		b.start(w, 10*time.Second)
		a.start(w, 2*time.Second)
		pass(time.Minute)
		if a.fired.Load() != 1 || b.fired.Load() != 0 || c.fired.Load() != 1 {
			t.Fatalf("expired %d, %d, %d times", a.fired.Load(), b.fired.Load(), c.fired.Load())
		}
		wantLen(t, w, 0)
	})
}

func TestRestartAfterIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := New(time.Second)
		for range 5 {
			o := new(owner)
			o.start(w, 1700*time.Millisecond)
			pass(7300 * time.Millisecond)
			if o.fired.Load() != 1 || o.late < 0 || o.late > time.Second {
				t.Fatalf("expired %d times, %v late", o.fired.Load(), o.late)
			}
			o.start(w, time.Minute)
			w.Stop(&o.timer)
			pass(300 * time.Millisecond)
		}
	})
}

// stacks reports whether a goroutine has a method of a Wheel on its stack.
func stacks() bool {
	buf := make([]byte, 1<<20)
	return bytes.Contains(buf[:runtime.Stack(buf, true)], []byte("wheel.(*Wheel)"))
}

// A wheel that waits for its next tick has no goroutine: the bubble ends with a
// timer armed.
func TestNoGoroutineIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := New(time.Second)
		var o, keep owner
		var seen bool
		o.do = func() { seen = stacks() }
		o.start(w, 0)
		keep.start(w, time.Hour)
		pass(time.Minute)
		w.Stop(&o.timer) // what the callback wrote is now ours to read
		if !seen {
			t.Fatal("a callback does not show on the stacks")
		}
		if stacks() {
			t.Fatal("a goroutine of the wheel waits for the next tick")
		}
	})
}

func TestNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := New(time.Second)
		pass(1234 * time.Millisecond)
		if got := w.Now(); got != 1234*time.Millisecond {
			t.Fatalf("idle: Now = %v, want the exact time", got)
		}
		o := new(owner)
		o.start(w, 10*time.Second)
		if got := w.Now(); got != 1234*time.Millisecond {
			t.Fatalf("just started: Now = %v, want the exact time", got)
		}
		pass(1266 * time.Millisecond) // 2.5 s
		if got := w.Now(); got != 2*time.Second {
			t.Fatalf("running: Now = %v, want that of the last tick", got)
		}
		w.Stop(&o.timer)
		if got := w.Now(); got != 2500*time.Millisecond {
			t.Fatalf("idle again: Now = %v, want the exact time", got)
		}
	})
}

// A callback that takes many turns of the wheel delays the others, but each
// still expires once and none early.
func TestWheelThatFellBehind(t *testing.T) {
	for _, behind := range []time.Duration{50 * minTick, 3 * slots * minTick} {
		synctest.Test(t, func(t *testing.T) {
			w := New(minTick)
			slow := &owner{do: func() { time.Sleep(behind) }}
			slow.start(w, minTick)
			all := make([]owner, 2*slots)
			for i := range all {
				all[i].start(w, time.Duration(i)*minTick)
			}
			pass(behind + 3*slots*minTick)
			for i := range all {
				if all[i].fired.Load() != 1 || all[i].late < 0 {
					t.Fatalf("timer %d expired %d times, %v late", i, all[i].fired.Load(), all[i].late)
				}
			}
		})
	}
}

func TestStartAndStopDoNotAllocate(t *testing.T) {
	w := New(time.Second)
	keep, o := new(owner), new(owner)
	keep.start(w, time.Hour)
	defer w.Stop(&keep.timer)
	if n := alloctest.PerRun(1000, func() {
		w.Start(&o.timer, o, time.Minute)
		w.Start(&o.timer, o, time.Hour)
		w.Stop(&o.timer)
	}); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

func TestTickDoesNotAllocate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := New(minTick)
		o := new(owner)
		o.do = func() { o.start(w, 5*minTick) }
		o.start(w, 0)
		pass(100 * minTick)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		pass(10_000 * minTick)
		runtime.ReadMemStats(&after)
		w.Stop(&o.timer)
		if n := after.Mallocs - before.Mallocs; n > 1000 {
			t.Fatalf("%d allocations in 10000 ticks", n)
		}
	})
}
