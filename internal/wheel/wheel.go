package wheel

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

const (
	minTick = 10 * time.Millisecond
	maxTick = time.Second

	slots    = 256 // a power of two
	slotMask = slots - 1

	// idle is what Wheel.coarse holds while nothing ticks.
	idle = -1
)

// Expirer is what a Timer calls when its time has come.
type Expirer interface {
	// Expire is called on the wheel's goroutine, one timer after the other and
	// without any lock of the wheel, so it may call Start and Stop, also for t.
	// It must not block and must not panic: every other timer waits for it.
	// t is no longer armed when it is called.
	Expire(t *Timer)
}

// Timer is one deadline. The zero value is ready and not armed. It lives
// inside its owner, must not be copied while armed, and belongs to one Wheel at
// a time; an owner of several timers tells them apart by their addresses.
type Timer struct {
	next, prev *Timer
	e          Expirer

	// due is 0 while the timer is not armed, the number of its tick while it
	// is in a slot, and the negated number while it is in the list of those
	// whose time has come.
	due int64
}

// Wheel runs Timers. Use New to make one. All methods may be called from any
// goroutine and do not block.
//
// A tick owns nothing between its callbacks: every field but coarse is guarded
// by mu, and ticking says that a goroutine is between two takings of it.
type Wheel struct {
	tick   time.Duration
	start  time.Time
	coarse atomic.Int64 // nanoseconds since start at the last tick, or idle

	mu      sync.Mutex // guards what follows; never held in a callback
	slots   [slots]*Timer
	due     *Timer // those of the current tick that were not called yet
	cur     int64  // number of the last tick whose slot was collected
	n       int    // armed timers, those in due included
	running bool   // n was not 0 since the last time it was found 0
	ticking bool   // a goroutine runs advance
	clock   *time.Timer
}

// New returns a wheel that ticks every tick, which is raised to 10 ms or
// lowered to 1 s. It runs nothing until the first timer is armed.
func New(tick time.Duration) *Wheel {
	w := &Wheel{tick: min(max(tick, minTick), maxTick), start: time.Now()}
	w.coarse.Store(idle)
	return w
}

// Tick returns the length of a tick, the precision of the wheel.
func (w *Wheel) Tick() time.Duration { return w.tick }

// Len returns how many timers are armed.
func (w *Wheel) Len() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.n
}

// Now returns the time since New. While a timer is armed it costs one atomic
// load and is the time of the last tick, up to one tick (and the time that
// callbacks took) behind the clock; otherwise it reads the clock. The
// difference of two readings is therefore wrong by up to one tick either way,
// and around the arming of a first timer a reading may be smaller than an
// earlier one by the few nanoseconds that the two calls overlapped.
func (w *Wheel) Now() time.Duration {
	if c := w.coarse.Load(); c != idle {
		return time.Duration(c)
	}
	return w.elapsed()
}

// elapsed reads the clock.
func (w *Wheel) elapsed() time.Duration { return time.Since(w.start) }

// Start arms t: e.Expire(t) is called once, no earlier than after from now and
// at most about one tick later. A timer that is armed already is armed anew.
// With after ≤ 0 it expires at the next tick. It takes constant time and
// allocates nothing, except that the first timer armed after an idle period
// sets the wheel going.
//
// When Start overtakes the expiry of an earlier arming (Stop would have
// returned false), Expire is called for both; an owner to whom that matters
// looks at its own deadline in Expire.
func (w *Wheel) Start(t *Timer, e Expirer, after time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.elapsed()
	if !w.running {
		w.run(now)
	}
	if t.due != 0 {
		w.unlink(t)
	} else {
		w.n++
	}
	t.e = e
	t.due = w.dueTick(now, after)
	push(&w.slots[t.due&slotMask], t)
}

// dueTick returns the number of the first tick that is not earlier than after
// from now; with after > 0 that is always one that was not collected yet.
func (w *Wheel) dueTick(now, after time.Duration) int64 {
	if after <= 0 {
		return w.cur + 1
	}
	if after > math.MaxInt64-now-w.tick { // for ever
		after = math.MaxInt64 - now - w.tick
	}
	return int64((now + after + w.tick - 1) / w.tick)
}

// Stop disarms t and reports whether it was armed. If it returns true, Expire
// is not called for this arming. If it returns false, t was never armed, or
// was stopped, or has expired: then Expire may have returned, may be running,
// or may be about to be called once, on the wheel's goroutine. Either way the
// wheel keeps no reference to t or its Expirer once that call is over.
func (w *Wheel) Stop(t *Timer) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if t.due == 0 {
		return false
	}
	w.unlink(t)
	w.disarm(t)
	if w.n == 0 && !w.ticking {
		w.rest()
	}
	return true
}

// disarm makes an unlinked timer what it was before Start. Needs mu.
func (w *Wheel) disarm(t *Timer) {
	t.due = 0
	t.e = nil
	w.n--
}

// push puts t at the front of the list.
func push(head **Timer, t *Timer) {
	t.next = *head
	if t.next != nil {
		t.next.prev = t
	}
	*head = t
}

// unlink takes an armed timer out of the list that it is in. Needs mu.
func (w *Wheel) unlink(t *Timer) {
	switch {
	case t.prev != nil:
		t.prev.next = t.next
	case t.due < 0:
		w.due = t.next
	default:
		w.slots[t.due&slotMask] = t.next
	}
	if t.next != nil {
		t.next.prev = t.prev
	}
	t.next, t.prev = nil, nil
}
