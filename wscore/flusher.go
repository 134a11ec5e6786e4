package wscore

import "runtime"

// backlog is how many connections must wait before another flusher starts.
const backlog = 64

// flushLater puts c on the dirty list. c.mu may be held.
func (g *group) flushLater(c *Conn) {
	g.mu.Lock()
	if len(g.dirty) == cap(g.dirty) && g.taken > len(g.dirty)/2 {
		rest := copy(g.dirty, g.dirty[g.taken:]) // a list that is never empty must not grow for ever
		clear(g.dirty[rest:])
		g.dirty, g.taken = g.dirty[:rest], 0
	}
	g.dirty = append(g.dirty, c)
	start := g.flushers == 0 || len(g.dirty)-g.taken >= backlog*g.flushers && g.flushers < runtime.GOMAXPROCS(0)
	if start {
		g.flushers++
		g.running++
	}
	g.mu.Unlock()
	if start {
		go g.flusher()
	}
}

// flusher writes what is queued until the dirty list is empty. It never waits.
func (g *group) flusher() {
	defer g.ended()
	b := g.pools.batch()
	defer g.pools.putBatch(b)
	for n := g.takeDirty(b.conns[:]); n > 0; n = g.takeDirty(b.conns[:]) {
		b.flush(n)
		runtime.Gosched() // a goroutine that runs for long makes the runtime watch it closely
	}
}

// takeDirty moves the first connections of the list to batch. When there are
// none the flusher that asked is counted off.
func (g *group) takeDirty(batch []*Conn) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := copy(batch, g.dirty[g.taken:])
	clear(g.dirty[g.taken : g.taken+n])
	g.taken += n
	if g.taken == len(g.dirty) {
		g.dirty, g.taken = g.dirty[:0], 0
		if cap(g.dirty) > maxIdleList {
			g.dirty = nil
		}
	}
	if n == 0 {
		g.flushers--
	}
	return n
}

// maxIdleList is the room that an empty dirty list keeps.
const maxIdleList = 4096
