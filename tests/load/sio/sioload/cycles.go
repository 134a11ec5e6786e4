//go:build linux

package main

import (
	"fmt"
	"time"
)

// upgrades has o.clients connect over polling, go on over a WebSocket, join a room,
// send an echo, leave the room and go, o.ramp of them at a time; whole cycles are
// counted. o.before of them come and go before the measurement begins.
func (r *run) upgrades() error {
	if err := r.dialControl(); err != nil {
		return err
	}
	if err := r.cycles(r.o.before); err != nil {
		return err
	}
	if err := r.begin(); err != nil {
		return err
	}
	if err := r.cycles(r.o.clients); err != nil {
		return err
	}
	if err := r.end(); err != nil {
		return err
	}
	return r.alone()
}

// cycles has n clients come and go.
func (r *run) cycles(n int) error {
	started, live, done := 0, 0, 0
	gone := func(c *client) {
		c.leave()
		live--
		done++
		r.counted(1, c.began)
	}
	r.l.tick = func() error {
		for ; started < n && live < r.o.ramp; started++ {
			live++
			if err := r.dialUpgrade(started, func(c *client) error { return c.visit(gone) }); err != nil {
				return err
			}
		}
		return nil
	}
	defer func() { r.l.tick = nil }()
	return r.l.until("upgrades", 2*patience, func() bool { return done == n })
}

// visit joins a room, sends an echo, leaves the room, and calls then.
func (c *client) visit(then func(c *client)) error {
	room := fmt.Sprintf(`,"visit%d"`, c.id%64)
	c.call("join", room, func(string) error {
		return c.once(func(c *client) {
			c.call("leave", room, func(string) error { then(c); return nil })
		})
	})
	return nil
}

// once sends one echo and calls then.
func (c *client) once(then func(c *client)) error {
	m, err := newMessage("text", 64, c.id, false)
	if err != nil {
		return err
	}
	c.echo = newEchoer(m, 1)
	c.packet = func(c *client, first byte, payload []byte) error {
		at, _, err := c.echo.receive(first, payload)
		if err == nil && at != 0 {
			then(c)
		}
		return err
	}
	c.conn.send(func(dst []byte) []byte { return c.echo.send(dst, 0, c.r.now()) })
	return nil
}

// churn has o.clients connect, join a room, send an echo and go, in waves of a
// thirtieth of them; of a wave half say good-bye. The server's memory after all of
// them is compared with what it was when it was fresh, and after three waves.
func (r *run) churn() (err error) {
	s := &r.result
	const waves, first = 30, 3
	if err := r.dialControl(); err != nil {
		return err
	}
	if s.RSSFresh, err = r.collected(); err != nil {
		return err
	}
	if err := r.begin(); err != nil {
		return err
	}
	for wave := range waves {
		if err := r.wave(max(1, r.o.clients/waves), wave); err != nil {
			return fmt.Errorf("wave %d: %w", wave, err)
		}
		now, err := rssOf(r.o.pid)
		if err != nil {
			return err
		}
		s.RSSPeak = max(s.RSSPeak, now)
		if wave == first-1 {
			if s.RSSBase, err = r.collected(); err != nil {
				return err
			}
		}
	}
	if err := r.end(); err != nil {
		return err
	}
	if s.RSSEnd, err = r.collected(); err != nil {
		return err
	}
	s.Left, err = r.stats()
	return err
}

// wave has n clients come, and go when all are there.
func (r *run) wave(n, wave int) error {
	all, err := r.dialAll(n, nil)
	if err != nil {
		return err
	}
	left := n
	for i, c := range all {
		c.call("join", fmt.Sprintf(`,"wave%d-%d"`, wave, i%64), func(string) error {
			return c.once(func(*client) { left--; c.packet = surplus; r.counted(1, c.began) })
		})
	}
	if err := r.l.until("joining and echoing", 2*patience, func() bool { return left == 0 }); err != nil {
		return err
	}
	for i, c := range all {
		if i%2 == 0 {
			c.leave()
		} else {
			c.drop()
		}
	}
	return r.alone()
}

// stall publishes o.messages large messages to a room of two, of whom one reads
// nothing at all, and watches the server's memory; that member's connection is
// as the server sees fit. RSSPeak is the most while publishing, RSSEnd what is
// left after a garbage collection with the member still not reading.
func (r *run) stall() error {
	s := &r.result
	r.o.clients, r.o.rooms, r.o.members = 1, 1, 1
	b, _, err := r.newPublisher()
	if err != nil {
		return err
	}
	in := false
	r.receive = 4096
	deaf, err := r.dial(1, func(c *client) error {
		c.leaving = true // it may be cut
		c.call("join", `,"r0"`, func(string) error { in = true; return c.conn.setDeaf() })
		return nil
	})
	if err != nil {
		return err
	}
	if err := r.l.until("the deaf member", patience, func() bool { return in }); err != nil {
		return err
	}
	if s.RSSBase, err = r.collected(); err != nil {
		return err
	}
	if err := r.begin(); err != nil {
		return err
	}
	for range r.o.window {
		b.send()
	}
	next := time.Now()
	r.l.tick = func() error {
		if now := time.Now(); now.After(next) {
			next = now.Add(20 * time.Millisecond)
			rss, err := rssOf(r.o.pid)
			s.RSSPeak = max(s.RSSPeak, rss)
			return err
		}
		return nil
	}
	goal := int64(r.o.messages)
	if err := r.l.until("publishing", 2*patience, func() bool {
		r.stopping = r.total+r.pending >= goal
		return r.total >= goal
	}); err != nil {
		return err
	}
	r.l.tick = nil
	if err := r.end(); err != nil {
		return err
	}
	if s.RSSEnd, err = r.collected(); err != nil {
		return err
	}
	s.Left, err = r.stats()
	deaf.drop()
	return err
}
