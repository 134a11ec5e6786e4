package link

import (
	"log/slog"
	"time"
)

// gap is an outage that is over.
type gap struct{ from, to time.Time }

// suffer makes an outage one of the subscription as well. Needs the
// Subscriber's mutex.
func (u *sub) suffer(o *outage) {
	if u.outage == nil && u.known && !u.gone {
		u.outage = o
		o.waiting++
	}
}

// recover ends the outage for the subscription, and adds the gap to the list if
// it was the last. Needs the Subscriber's mutex.
func (u *sub) recover(gaps []gap, now time.Time) []gap {
	o := u.outage
	if o == nil {
		return gaps
	}
	u.outage = nil
	if o.waiting--; o.waiting == 0 {
		gaps = append(gaps, gap{o.from, now})
	}
	return gaps
}

// report calls OnGap.
func (s *Subscriber) report(gaps []gap) {
	if len(gaps) == 0 {
		return
	}
	s.reporting.Lock()
	defer s.reporting.Unlock()
	for _, g := range gaps {
		s.count.gaps.Add(1)
		s.log(slog.LevelWarn, "messages may have been lost", "since", g.from, "dur_ms", g.to.Sub(g.from).Milliseconds())
		if s.c.OnGap != nil {
			s.guard(func() { s.c.OnGap(g.from, g.to) })
		}
	}
}

// guard runs code of others.
func (s *Subscriber) guard(f func()) {
	defer func() {
		if v := recover(); v != nil {
			s.count.panics.Add(1)
			s.log(slog.LevelError, "a handler panicked", "err", v)
		}
	}()
	f()
}
