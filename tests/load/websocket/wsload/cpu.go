package main

import (
	"fmt"
	"path/filepath"
	"time"
)

// work is something a server does for a while; it returns how many messages that were.
type work func(p *poll) (int, error)

// loaded is a server with connections.
type loaded struct {
	*server
	poll *poll
}

// load starts a server of each library, with n connections each.
func (p plan) load(path string, n int) (all []loaded, end func(), err error) {
	end = func() {
		for _, l := range all {
			if l.poll != nil {
				closeAll(l.poll.conns)
				l.poll.close()
			}
			l.stop()
		}
	}
	for _, lib := range p.libs {
		s, err := start(p.program, lib, "off", p.pinned)
		if err != nil {
			end()
			return nil, nil, err
		}
		all = append(all, loaded{server: s})
		conns, err := dialAll(s.addr, path, n, false)
		if err == nil {
			all[len(all)-1].poll, err = newPoll(conns)
		}
		if err != nil {
			end()
			return nil, nil, fmt.Errorf("%s: %w", lib, err)
		}
	}
	return all, end, nil
}

// echoes measures echoing, with one message and with sixteen under way.
func (p plan) echoes() error {
	all, end, err := p.load("/echo", p.echoConns)
	if err != nil {
		return err
	}
	defer end()
	for _, flight := range []int{1, 16} {
		for _, size := range []int{64, 1024} {
			m := newMessage(size)
			name := fmt.Sprintf("echo %d B, %d in flight, %d connections", size, flight, p.echoConns)
			if err := p.compare(name, all, func(q *poll) (int, error) { return echo(q, m, flight, p.slice) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// fanOut measures one message to many connections.
func (p plan) fanOut() error {
	all, end, err := p.load("/fan", p.fanConns)
	if err != nil {
		return err
	}
	defer end()
	m := newMessage(200)
	return p.compare(fmt.Sprintf("200 B to %d connections, each delivery", p.fanConns), all, func(q *poll) (int, error) { return fan(q, m, p.fans) })
}

// compare lets the servers take turns at a work and prints what a message costs.
func (p plan) compare(name string, all []loaded, w work) error {
	t := newTable(name, "µs of processor a message", p.libs)
	for round := -1; round < p.rounds; round++ { // the first does not count
		for i := range all {
			l := all[(i+round+1)%len(all)]
			cost, err := l.cost(w)
			if err != nil {
				return fmt.Errorf("%s: %s: %w", name, l.lib, err)
			}
			if round >= 0 {
				t.add(l.lib, cost)
			}
		}
	}
	t.print()
	if p.profiles == "" {
		return nil
	}
	for _, l := range all {
		if err := l.profile(filepath.Join(p.profiles, l.lib+"-"+slug(name)+".pprof"), w); err != nil {
			return err
		}
	}
	return nil
}

// cost returns the processor time of a message in microseconds.
func (l loaded) cost(w work) (float64, error) {
	before, err := l.settled()
	if err != nil {
		return 0, err
	}
	n, err := w(l.poll)
	if err != nil {
		return 0, err
	}
	after, err := l.settled()
	return float64((after - before).Nanoseconds()) / 1e3 / float64(n), err
}

// settled waits until the server's threads are asleep, so that their account is exact.
func (l loaded) settled() (time.Duration, error) {
	last := time.Duration(-1)
	for end := time.Now().Add(patience); ; {
		now, err := l.cpu()
		if err != nil || now == last || time.Now().After(end) {
			return now, err
		}
		last = now
		time.Sleep(2 * time.Millisecond)
	}
}

// profile repeats a work with the profiler on, half a dozen times.
func (l loaded) profile(file string, w work) error {
	if _, err := l.command("profile " + file); err != nil {
		return err
	}
	for range 6 {
		if _, err := w(l.poll); err != nil {
			return err
		}
	}
	_, err := l.command("profile")
	return err
}
