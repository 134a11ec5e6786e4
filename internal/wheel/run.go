package wheel

import "time"

// The wheel's goroutine is the one that a runtime timer starts at every tick.
// So nothing is parked between two ticks, and an idle wheel is only a value.
// A tick that fires although the wheel was stopped, or while the last one still
// runs, finds out under mu and returns: at most one goroutine is in advance.

// run sets the ticks going. Needs mu.
func (w *Wheel) run(now time.Duration) {
	w.running = true
	w.coarse.Store(int64(now))
	w.cur = int64(now / w.tick)
	wait := w.untilNext(now)
	if w.clock == nil {
		w.clock = time.AfterFunc(wait, w.advance)
		return
	}
	w.clock.Reset(wait)
}

// rest ends the ticks. Needs mu.
func (w *Wheel) rest() {
	w.running = false
	w.coarse.Store(idle)
	w.clock.Stop()
}

// untilNext returns how long to wait for the tick after cur.
func (w *Wheel) untilNext(now time.Duration) time.Duration {
	return time.Duration(w.cur+1)*w.tick - now
}

// advance calls everything that is due and arranges the next tick.
func (w *Wheel) advance() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.running || w.ticking {
		return
	}
	w.ticking = true
	now := w.elapsed()
	for w.n > 0 && w.untilNext(now) <= 0 {
		w.coarse.Store(int64(now))
		w.collect(int64(now / w.tick))
		w.callDue()
		now = w.elapsed()
	}
	w.ticking = false
	if w.n == 0 {
		w.rest()
		return
	}
	w.clock.Reset(w.untilNext(now))
}

// collect moves one more tick, and all timers that are due at it, to due; when
// the wheel is a whole turn behind, all ticks up to last at once. Needs mu.
func (w *Wheel) collect(last int64) {
	if last-w.cur < slots {
		w.cur++
		w.collectSlot(w.cur & slotMask)
		return
	}
	w.cur = last
	for i := range int64(slots) {
		w.collectSlot(i)
	}
}

func (w *Wheel) collectSlot(i int64) {
	for t := w.slots[i]; t != nil; {
		next := t.next
		if t.due <= w.cur {
			w.unlink(t)
			t.due = -t.due
			push(&w.due, t)
		}
		t = next
	}
}

// callDue calls the timers in due, each without mu, which it needs and gives
// back. A timer that is stopped meanwhile leaves the list and is not called.
func (w *Wheel) callDue() {
	for w.due != nil {
		t := w.due
		e := t.e
		w.unlink(t)
		w.disarm(t)
		w.mu.Unlock()
		e.Expire(t)
		w.mu.Lock()
	}
}
