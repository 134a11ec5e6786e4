package link

import "time"

// What a lane waits for while there is much to send.
const (
	gatherTime  = time.Millisecond // at most
	gatherCount = 128
	gatherBytes = 64 << 10
)

// gathering is what a lane knows of what is queued. What stands above the line
// belongs to its goroutine, what is below is guarded by the Writer's mutex.
type gathering struct {
	timer *time.Timer
	last  int // commands in the last batch

	// --
	on     bool  // it waits
	fresh  int64 // bytes that were queued since the last batch
	asked  bool  // somebody waits for an answer of what is queued
	behind bool  // the last batch could not take all
}

// note notes an entry that was queued behind others. It reports whether the lane
// has waited for it. Needs Writer.mu.
func (g *gathering) note(e *entry, queued int) bool {
	g.fresh += e.wire
	g.asked = g.asked || e.done != nil
	if !g.on || !g.enough(queued) {
		return false
	}
	g.on = false
	return true
}

// enough reports whether what is queued is worth a batch now. Needs Writer.mu.
func (g *gathering) enough(queued int) bool {
	return g.asked || g.behind || queued >= gatherCount || g.fresh >= gatherBytes
}

// taken notes what a batch has left. Needs Writer.mu.
func (g *gathering) taken(left int) { g.fresh, g.asked, g.behind = 0, false, left > 0 }

// gather lets commands come together for a moment, if the batch before had several
// and was answered just now, and several are queued again: then there are many,
// and Redis and who reads from it work for a batch as much as for the commands in
// it. A command that is alone never waits, nor does one whose answer is awaited.
func (l *lane) gather() {
	g, w := &l.gathering, l.w
	if g.last < 2 || time.Since(l.used) > gatherTime {
		return
	}
	w.mu.Lock()
	g.on = l.waiting > 1 && !g.enough(l.waiting) && !w.closed
	on := g.on
	w.mu.Unlock()
	if !on {
		return
	}
	if g.timer == nil {
		g.timer = time.NewTimer(gatherTime)
	} else {
		g.timer.Reset(gatherTime)
	}
	defer g.timer.Stop()
	for l.gathers() {
		select {
		case <-l.kick:
		case <-g.timer.C:
			return
		case <-w.closing:
			return
		case <-w.ctx.Done():
			return
		}
	}
}

// gathers reports whether there is not enough yet.
func (l *lane) gathers() bool {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	return l.gathering.on
}
