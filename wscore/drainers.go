package wscore

import "time"

const (
	// maxIdleDrainers is how many goroutines are kept for the next connection.
	maxIdleDrainers = 64
	// idleDrainerSweep: a drainer that was idle for a whole sweep ends, so after at
	// most twice this time.
	idleDrainerSweep = 500 * time.Millisecond
)

// drainers are the goroutines that write to streams that can only wait, as those of
// TLS: each begins with the first message of a queue and has done when it is empty,
// which is one message later where they come one by one. A fresh goroutine would have
// to grow its stack each time (BenchmarkSecured: about a tenth of a message, on one
// processor). Those that have done are kept for a while, but not beyond the last
// connection, and taken last in, first out. The group's mu guards them.
type drainers struct {
	idle    []chan *Conn
	low     int // fewest idle ones since the last sweep
	sweeper *time.Timer
}

// goDrain has c drained on another goroutine, which Close waits for. c.mu may be held.
func (g *group) goDrain(c *Conn) {
	if _, ok := c.raw.(plain); !ok {
		g.goFunc(c.drain)
		return
	}
	g.mu.Lock()
	g.running++
	d := &g.drainers
	n := len(d.idle)
	if n == 0 {
		g.mu.Unlock()
		go g.drainer(c)
		return
	}
	ch := d.idle[n-1]
	d.idle[n-1] = nil
	d.idle = d.idle[:n-1]
	d.low = min(d.low, n-1)
	g.mu.Unlock()
	ch <- c // has room for one
}

// drainer ends when it is needed no more, or the group is closed.
func (g *group) drainer(c *Conn) {
	ch, working := make(chan *Conn, 1), true
	defer func() {
		if working { // the stream has ended the goroutine
			g.ended()
		}
	}()
	for ok := true; ok; {
		c.drain()
		working = false
		if !g.keep(ch) {
			return
		}
		c, ok = <-ch
		working = ok
	}
}

// keep counts a drainer out and keeps it, if there is need for more.
func (g *group) keep(ch chan *Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.endedLocked()
	d := &g.drainers
	if g.closed || len(g.conns) == 0 || len(d.idle) == maxIdleDrainers {
		return false
	}
	d.idle = append(d.idle, ch)
	switch {
	case d.sweeper == nil:
		d.sweeper = time.AfterFunc(idleDrainerSweep, g.sweepDrainers)
	case len(d.idle) == 1:
		d.sweeper.Reset(idleDrainerSweep)
	}
	return true
}

// sweepDrainers ends those that nobody needed since the last sweep.
func (g *group) sweepDrainers() {
	g.mu.Lock()
	defer g.mu.Unlock()
	d := &g.drainers
	d.end(d.low)
	d.low = len(d.idle)
	if d.low > 0 {
		d.sweeper.Reset(idleDrainerSweep)
	}
}

// end ends the n that have been idle for longest. The group's mu is held.
func (d *drainers) end(n int) {
	for _, ch := range d.idle[:n] {
		close(ch)
	}
	rest := copy(d.idle, d.idle[n:])
	clear(d.idle[rest:])
	d.idle = d.idle[:rest]
}

// close ends all that are idle; the others end when they have done. The group's mu is
// held.
func (d *drainers) close() {
	d.end(len(d.idle))
	d.low = 0
	if d.sweeper != nil {
		d.sweeper.Stop()
	}
}
