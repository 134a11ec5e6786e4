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
	c.mu.Unlock()
	if !lost || c.stop.Err() != nil {
		return
	}
	c.tellLost(p, err, 0)
	if !c.settings.NoReconnect {
		c.running.Go(c.reconnect)
	}
}

func (c *Client) tellLost(p *Process, err error, attempt int) {
	f := c.settings.OnLost
	if f == nil {
		return
	}
	if p == nil {
		f(err, attempt)
		return
	}
	p.guard("OnLost", func() { f(err, attempt) })
}

// reconnect tries until there is a connection again, or the Client is closed.
func (c *Client) reconnect() {
	for attempt := 1; c.pause(attempt); attempt++ {
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
		c.tellLost(nil, err, attempt)
	}
}

// pause waits before an attempt; false is the end.
func (c *Client) pause(attempt int) bool {
	limit := c.settings.minBackoff()
	for range attempt - 1 {
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
