package wscore

import (
	"errors"
	"math/rand/v2"
	"time"
)

// ended is told when a connection has ended.
func (c *Client) ended(p *Process, err error, try *attempt) {
	c.mu.Lock()
	if c.current == p {
		c.current = nil
	}
	lost := try.settled
	if lost && time.Since(try.since) >= c.settings.maxBackoff() {
		c.tries = 0
	}
	c.mu.Unlock()
	if !lost || c.stop.Err() != nil {
		return
	}
	c.running.Go(func() { c.replace(p, err, try) })
}

// replace tells that p was lost, and makes another connection.
func (c *Client) replace(p *Process, err error, try *attempt) {
	<-try.announced
	if c.stop.Err() != nil {
		return
	}
	normal := closedNormally(err)
	if normal {
		c.rest() // before OnLost, which may call Connect
	}
	c.tellLost(p, err, 0)
	if !normal && !c.settings.NoReconnect {
		c.reconnect(p)
	}
}

// closedNormally reports whether the peer said that the connection has served its
// purpose. RFC 6455 section 7.4.1.
func closedNormally(err error) bool {
	var ce *CloseError
	return errors.As(err, &ce) && ce.Remote && ce.Code == CloseNormal
}

// tellLost tells of the loss of p, and of attempts to replace it.
func (c *Client) tellLost(p *Process, err error, attempt int) {
	if f := c.settings.OnLost; f != nil {
		tell(p, "OnLost", func() { f(err, attempt) })
	}
}

// reconnect tries until there is a connection again instead of lost, or the
// Client is closed, or the server closes normally.
func (c *Client) reconnect(lost *Process) {
	for attempt := 1; c.pause(); attempt++ {
		_, err := c.connect(c.stop, c.tellReconnect)
		if err == nil || c.stop.Err() != nil {
			return
		}
		normal := closedNormally(err)
		if normal {
			c.rest() // before OnLost, as above
		}
		c.tellLost(lost, err, attempt)
		if normal {
			return
		}
	}
}

// tellReconnect tells of a new connection.
func (c *Client) tellReconnect(p *Process) {
	if f := c.settings.OnReconnect; f != nil {
		tell(p, "OnReconnect", func() { f(p) })
	}
}

// tell runs a callback of the application, on a goroutine that it may end.
func tell(p *Process, where string, f func()) {
	told := make(chan struct{})
	go func() { // it is waited for
		defer close(told)
		p.guard(where, f)
	}()
	<-told
}

// pause waits before an attempt; false is the end. A connection that was soon lost
// again is no reason to wait less.
func (c *Client) pause() bool {
	c.mu.Lock()
	tries := c.tries
	c.tries++
	c.mu.Unlock()
	limit := c.settings.minBackoff()
	for range tries {
		if limit *= 2; limit >= c.settings.maxBackoff() {
			limit = c.settings.maxBackoff()
			break
		}
	}
	t := time.NewTimer(rand.N(limit))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-c.stop.Done():
		return false
	}
}
