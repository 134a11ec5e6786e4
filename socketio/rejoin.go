package socketio

import (
	"slices"
	"time"

	"github.com/hermod-io/hermod/engineio"
)

// A client that leaves a namespace may join it again at once, over the same
// connection, while handlers and hooks of its first stay still run. The second one
// begins behind them: who counts by OnConnect and OnDisconnect who is there would
// otherwise strike out who has just come.

// leaver is a Socket that has left and whose hooks have not returned yet. The client's
// mu guards it.
type leaver struct {
	s    *Socket
	next *Socket        // that waits for it; nil if there is none
	late engineio.Timer // of the end of its patience
}

// rejoinTimeout is how long a Socket waits for the one before it.
const rejoinTimeout = 10 * time.Second

// leaving notes that s has left. It needs mu.
func (c *client) leaving(s *Socket) {
	if c.ended.Load() {
		return // nobody joins any more
	}
	o := c.another()
	o.leaving = append(o.leaving, &leaver{s: s})
}

// follows makes s wait for the one that has left its namespace last, if that is not
// done yet. It needs mu.
func (c *client) follows(s *Socket) bool {
	if c.others == nil {
		return false
	}
	for _, l := range slices.Backward(c.others.leaving) {
		if l.s.ns.name == s.ns.name {
			l.next = s
			c.srv.engine.After(&l.late, rejoinTimeout, func() { c.goOn(l) })
			return true
		}
	}
	return false
}

// goOn begins the one that waits for l, if there still is one.
func (c *client) goOn(l *leaver) {
	c.mu.Lock()
	next := l.next
	l.next = nil
	c.mu.Unlock()
	if next != nil {
		c.srv.workers.run(next)
	}
}

// left is the end of s after it was live: nothing of it runs any more.
func (c *client) left(s *Socket) {
	c.mu.Lock()
	var l *leaver
	if o := c.others; o != nil {
		if i := slices.IndexFunc(o.leaving, func(l *leaver) bool { return l.s == s }); i >= 0 {
			l = o.leaving[i]
			o.leaving = slices.Delete(o.leaving, i, i+1)
			l.late.Stop()
		}
	}
	c.mu.Unlock()
	if l != nil {
		c.goOn(l)
	}
}
