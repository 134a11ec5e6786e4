package wscore

import (
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
	c.tellLost(p, err, 0)
	if !c.settings.NoReconnect {
		c.running.Go(func() { c.reconnect(p) })
	}
}

// tellLost tells of the loss of p, and of attempts to replace it.
func (c *Client) tellLost(p *Process, err error, attempt int) {
	if f := c.settings.OnLost; f != nil {
		p.guard("OnLost", func() { f(err, attempt) })
	}
}

// reconnect tries until there is a connection again instead of lost, or the
// Client is closed.
func (c *Client) reconnect(lost *Process) {
	for attempt := 1; c.pause(); attempt++ {
		p, err := c.connect(c.stop)
		switch {
		case err == nil:
			if f := c.settings.OnReconnect; f != nil {
				p.guard("OnReconnect", func() { f(p) })
			}
			return
		case c.stop.Err() != nil:
			return
		}
		c.tellLost(lost, err, attempt)
	}
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
