//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"syscall"
	"time"
)

// scenarios are all there are, by name.
var scenarios = map[string]func(r *run) error{
	"connect": (*run).connects, // connections until the namespace is joined, in a warm server
	"idle":    (*run).idle,     // memory of connections that do nothing, or of GETs that wait
	"echo":    (*run).echoes,   // acks with the payload, over WebSocket or polling
	"rooms":   (*run).publish,  // broadcasts to rooms, or to one large one
	"upgrade": (*run).upgrades, // from polling to WebSocket
	"churn":   (*run).churn,    // memory after many connections came and went
	"stall":   (*run).stall,    // memory while one member of a room reads nothing
}

// stats asks how many clients there are.
func (r *run) stats() (clients int, err error) {
	text, err := r.ask(r.control, "stats")
	if err != nil {
		return 0, err
	}
	var answer []struct{ Clients *int }
	if err := json.Unmarshal([]byte(text), &answer); err != nil || len(answer) != 1 || answer[0].Clients == nil {
		return 0, fmt.Errorf("stats answered %s: %w", text, err)
	}
	return *answer[0].Clients, nil
}

// alone waits until the server has only the control connection.
func (r *run) alone() error {
	for end := time.Now().Add(patience); ; {
		n, err := r.stats()
		if err != nil || n == 1 {
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("the server still has %d clients", n)
		}
		if err := r.l.pass(20 * time.Millisecond); err != nil {
			return err
		}
	}
}

// connects opens and closes as many as it will measure, twice, before it
// measures: a compiler at run time is warm then.
func (r *run) connects() error {
	if err := r.dialControl(); err != nil {
		return err
	}
	for batch := range 3 {
		if batch == 2 {
			if err := r.begin(); err != nil {
				return err
			}
		}
		all, err := r.dialAll(r.o.clients, func(c *client) {
			ready := c.joined
			c.joined = func(c *client) error { r.counted(1, c.began); return ready(c) }
		})
		if err != nil {
			return err
		}
		if batch == 2 {
			if err := r.end(); err != nil {
				return err
			}
		}
		for _, c := range all {
			c.leave()
		}
		if err := r.alone(); err != nil {
			return err
		}
	}
	return nil
}

// idle measures the memory of connections: just connected, after a while, and
// after a garbage collection.
func (r *run) idle() (err error) {
	s := &r.result
	if err := r.dialControl(); err != nil {
		return err
	}
	if s.RSSBase, err = r.collected(); err != nil {
		return err
	}
	if err := r.begin(); err != nil {
		return err
	}
	if err := r.dialIdle(); err != nil {
		return err
	}
	if err := r.end(); err != nil {
		return err
	}
	if err := r.l.pass(r.o.dur); err != nil {
		return err
	}
	if s.RSSPeak, err = rssOf(r.o.pid); err != nil {
		return err
	}
	if s.RSSEnd, err = r.collected(); err != nil {
		return err
	}
	s.PerClient = float64(s.RSSEnd-s.RSSBase) / float64(r.o.clients)
	n, err := r.stats()
	if err == nil && n != r.o.clients+1 {
		err = fmt.Errorf("the server has %d clients, want %d and the control connection", n, r.o.clients)
	}
	return err
}

// dialIdle connects the clients of the scenario idle.
func (r *run) dialIdle() error {
	if r.o.polling {
		return r.dialWaiters()
	}
	_, err := r.dialAll(r.o.clients, func(c *client) {
		ready := c.joined
		c.joined = func(c *client) error { r.counted(1, c.began); return ready(c) }
	})
	return err
}

// echoes keeps o.window echoes under way on each client, or sends o.rate in a
// second over all of them.
func (r *run) echoes() error {
	var all []pipe
	var err error
	if r.o.polling {
		all, err = r.dialPolling()
	} else {
		all, err = r.dialEchoers()
	}
	if err != nil {
		return err
	}
	if r.o.rate > 0 {
		if r.o.gc {
			return r.collecting(func() error { r.schedule(all); return r.window() })
		}
		r.schedule(all)
		return r.window()
	}
	for _, p := range all {
		for slot := range r.o.window {
			r.next(p, slot, r.now())
		}
	}
	return r.window()
}

// slotsOfSchedule is how many echoes of a client on a schedule may be unanswered.
const slotsOfSchedule = 500

// pipe is a client as echoes see it.
type pipe interface {
	echoes() *echoer
	// push sends what f appends.
	push(f func(dst []byte) []byte)
}

func (c *client) echoes() *echoer                { return c.echo }
func (c *client) push(f func(dst []byte) []byte) { c.conn.send(f) }

func (r *run) dialEchoers() (all []pipe, err error) {
	var d *deflater
	if r.o.payload == "deflate" {
		if d, err = newDeflater(); err != nil {
			return nil, err
		}
	}
	slots := r.o.window
	if r.o.rate > 0 {
		slots = slotsOfSchedule
	}
	clients, err := r.dialAll(r.o.clients, func(c *client) {
		who := c.id
		if d != nil {
			who = 0
		}
		m, err := newMessage(r.o.payload, r.o.size, who, false)
		if err != nil {
			r.failed = err
			return
		}
		c.echo = newEchoer(m, slots)
		c.echo.deflate = d
		c.packet = echoed
	})
	for _, c := range clients {
		all = append(all, c)
	}
	return all, err
}

// echoed handles an answer, and sends the next.
func echoed(c *client, first byte, payload []byte) error {
	at, slot, err := c.echo.receive(first, payload)
	if err == nil && at != 0 {
		c.r.answered(c, at, slot)
	}
	return err
}

// answered notes that an echo came back, and sends the next in its place.
func (r *run) answered(p pipe, at int64, slot int) {
	r.pending--
	r.counted(1, at)
	if !r.stopping && r.o.rate == 0 {
		r.next(p, slot, r.now())
	}
}

// next sends an echo that is due at a time, in a slot that is free.
func (r *run) next(p pipe, slot int, at int64) {
	r.pending++
	p.push(func(dst []byte) []byte { return p.echoes().send(dst, slot, at) })
}

// collecting notes the share of garbage collection in the server's processor
// time while f runs, and its memory behind that.
func (r *run) collecting(f func() error) error {
	if err := r.dialControl(); err != nil {
		return err
	}
	look := func() (gc, all float64, err error) {
		text, err := r.ask(r.control, "stats")
		if err != nil {
			return 0, 0, err
		}
		var answer []struct{ GC *float64 }
		if err := json.Unmarshal([]byte(text), &answer); err != nil || len(answer) != 1 || answer[0].GC == nil {
			return 0, 0, fmt.Errorf("stats answered %s: %w", text, err)
		}
		t, err := timesOf(r.o.pid)
		return *answer[0].GC, float64(t.on) / 1e9, err
	}
	gc, all, err := look()
	if err != nil {
		return err
	}
	if err := f(); err != nil {
		return err
	}
	gcEnd, allEnd, err := look()
	if err != nil {
		return err
	}
	r.result.GC = (gcEnd - gc) / (allEnd - all)
	r.result.RSSPeak, err = rssOf(r.o.pid)
	return err
}

// timerSlack is the option of prctl(2) that says how late a wait may end.
const timerSlack = 29

// schedule sends o.rate echoes in a second, to all clients in turn. It never
// waits for answers: a server that falls behind shows in the latencies, which
// begin when an echo was due.
func (r *run) schedule(all []pipe) {
	begin, sent := r.now(), 0
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, timerSlack, 1, 0) // at worst the waits are longer
	due := func() int64 { return begin + int64(float64(sent)*1e9/r.o.rate) }
	r.l.tick = func() error {
		now := r.now()
		for ; !r.stopping && due() <= now; sent++ {
			p, slot := all[sent%len(all)], sent/len(all)%slotsOfSchedule
			if p.echoes().slots[slot].at != 0 {
				return fmt.Errorf("%d echoes of a client are unanswered", slotsOfSchedule)
			}
			if r.measuring {
				r.sent.add(now - due())
			}
			r.next(p, slot, due())
			now = r.now()
		}
		r.l.patience = min(time.Duration(due()-now), longest)
		return nil
	}
}
