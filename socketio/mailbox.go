package socketio

import "errors"

// mailboxes counts the events of one client that wait for their handlers. It
// is guarded by client.mu.
type mailboxes struct {
	packets, bytes int
	reader         chan struct{} // wakes the reader that waits; nil while none does
	asking         int32         // waits for an ack of this client
	handlers       int32         // those of them that a handler of this client is in
}

// tooMany is how many times the bound may be exceeded while a handler waits for
// an ack that is behind the events.
const tooMany = 4

var errFlood = errors.New("socketio: too many events while a handler waits for an ack")

// over reports whether more waits than times the bound.
func (c *client) over(times int) bool {
	m := &c.srv.cfg.Mailbox
	return c.box.packets > times*m.Packets || c.box.bytes > times*m.Bytes
}

// halfEmpty reports whether a reader that stopped may go on.
func (c *client) halfEmpty() bool {
	m := &c.srv.cfg.Mailbox
	return c.box.packets <= m.Packets/2 && c.box.bytes <= m.Bytes/2
}

// post puts an event into the mailbox of s. It runs on the receiving goroutine
// and waits there while the mailboxes of the client are full.
func (c *client) post(s *Socket, e *Event) {
	c.mu.Lock()
	if s.departing || s.state.Load() >= stateLeaving {
		c.mu.Unlock()
		return
	}
	if s.tail == nil {
		s.head = e
	} else {
		s.tail.next = e
	}
	s.tail = e
	c.box.packets++
	c.box.bytes += e.size()
	c.waiting.Add(1)
	start := !s.working
	s.working = true
	over := c.over(1)
	c.mu.Unlock()
	if start {
		c.srv.workers.runNext(s)
	}
	if over {
		c.pause()
	}
}

// verdict says what a reader in front of full mailboxes does.
type verdict uint8

const (
	goOn verdict = iota
	stop
	cut
)

// judge needs mu. paused tells that the reader has stopped.
func (c *client) judge(paused bool) verdict {
	switch {
	case c.ended.Load() || !c.over(1) && (!paused || c.halfEmpty()):
		return goOn
	case c.srv.closing.Load() && c.over(tooMany):
		return cut
	case c.srv.closing.Load():
		return goOn // so that it comes to the end of the connection
	case c.box.asking > 0 && !c.over(tooMany):
		return goOn
	case c.box.handlers > 0 && c.over(tooMany):
		return cut
	}
	return stop
}

// pause holds the reader up until the mailboxes are half empty, unless an ack
// must be read. The heartbeat is suspended meanwhile.
func (c *client) pause() {
	suspended := false
	for {
		c.mu.Lock()
		v := c.judge(suspended)
		if v != stop {
			c.box.reader = nil
			c.mu.Unlock()
			if suspended {
				c.session.Resume()
			}
			if v == cut {
				c.close(errFlood)
			}
			return
		}
		if c.box.reader == nil {
			c.box.reader = make(chan struct{}, 1)
		}
		woken := c.box.reader
		c.mu.Unlock()
		if !suspended {
			suspended = true
			c.session.ReadOn() // what would empty them is not to wait for this goroutine
			c.session.Suspend()
		}
		select {
		case <-woken:
		case <-c.session.Done():
			c.session.Resume()
			return
		}
	}
}

// wake wakes the reader, who looks again whether it may go on. It needs mu.
func (c *client) wake() {
	if c.box.reader != nil {
		select {
		case c.box.reader <- struct{}{}:
		default:
		}
	}
}

// asks notes that somebody waits for an ack of this client: the reader must go
// on, for the ack may be behind the events.
func (c *client) asks(handler bool) {
	c.session.ReadOn()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.box.asking++
	if handler {
		c.box.handlers++
	}
	c.wake()
}

// asked undoes asks.
func (c *client) asked(handler bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.box.asking--
	if handler {
		c.box.handlers--
	}
}

// take returns the next event of s, or nil. It needs mu.
func (s *Socket) take() *Event {
	e := s.head
	if e == nil {
		return nil
	}
	if s.head = e.next; s.head == nil {
		s.tail = nil
	}
	e.next = nil
	c := s.client
	c.waiting.Add(-1)
	c.uncount(e.size())
	return e
}

// drop forgets the events that wait. It needs mu.
func (s *Socket) drop() {
	for s.take() != nil {
	}
}

// uncount needs mu.
func (c *client) uncount(size int) {
	c.box.packets--
	c.box.bytes -= size
	if c.box.reader != nil && c.halfEmpty() {
		c.wake()
	}
}

// hold counts an event again while a concurrent handler has it, so that their
// number is bounded as well. release undoes it: the handler may replace Event.Args,
// and there may be two of them, so the event does not know what was counted.
func (c *client) hold(e *Event) (release func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	size := e.size()
	c.box.packets++
	c.box.bytes += size
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.uncount(size)
	}
}
