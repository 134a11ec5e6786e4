//go:build linux

package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/hermod-io/hermod/tests/load/sio/report"
)

// patience bounds every wait for a server.
const patience = 60 * time.Second

// options are what the flags set.
type options struct {
	addr, scenario, label, server, payload, tlsCA string
	pid, round                                    int
	clients, ramp, before, window, size           int
	rooms, members                                int
	messages                                      int
	rate                                          float64
	warm, dur, settle                             time.Duration
	browser, msgpack, polling, gc                 bool
}

// run is the state of a scenario.
type run struct {
	o       options
	l       *loop
	start   time.Time
	trusted *tls.Config
	connect []byte // the frame of CONNECT
	receive int    // size of receive buffers of clients to be dialed, 0 for the system's
	failed  error  // found where it could not be returned
	pings   int64
	control *client

	measuring, stopping bool
	count               int64 // while measuring
	total               int64 // ever
	pending             int64 // messages under way
	late                histogram
	sent                histogram // how late echoes on a schedule were sent
	began               int64
	server, own         times
	steal               int64
	result              report.Result
}

// newRun returns a run to be closed.
func newRun(o options) (*run, error) {
	addr, err := net.ResolveTCPAddr("tcp4", o.addr)
	if err != nil {
		return nil, err
	}
	r := &run{o: o, start: time.Now()}
	r.result = report.Result{Server: o.server, Label: o.label, Scenario: o.scenario, Round: o.round, Clients: o.clients}
	r.connect = appendFrame(nil, textFrame, []byte("40"))
	if o.msgpack {
		r.connect = appendFrame(nil, binaryFrame, []byte("\x82"+packText("type")+"\x00"+packText("nsp")+packText("/")))
	}
	if o.tlsCA != "" {
		if r.trusted, err = trust(o.tlsCA); err != nil {
			return nil, err
		}
	}
	r.l, err = newLoop(addr)
	return r, err
}

func (r *run) close() { r.l.close() }

// now is the time since the start, in nanoseconds, never 0.
func (r *run) now() int64 { return int64(time.Since(r.start)) + 1 }

// isConnect reports whether a frame is the server's CONNECT.
func (r *run) isConnect(first byte, p []byte) bool {
	if r.o.msgpack {
		kind := -1
		err := packMap(p, func(name string, v []byte) {
			if name == "type" {
				kind = packInt(v)
			}
		})
		return first == binaryFrame && err == nil && kind == 0
	}
	return first == textFrame && strings.HasPrefix(string(p), "40{")
}

// dialControl connects the client that asks and publishes.
func (r *run) dialControl() error {
	done := false
	c, err := r.dial(-1, func(*client) error { done = true; return nil })
	if err != nil {
		return err
	}
	c.packet = surplus
	r.control = c
	return r.l.until("the control connection", patience, func() bool { return done })
}

// begin and end mark what is measured.
func (r *run) begin() (err error) {
	r.count, r.late, r.sent = 0, histogram{}, histogram{}
	if r.server, err = timesOf(r.o.pid); err != nil {
		return err
	}
	if r.own, err = timesOf(os.Getpid()); err != nil {
		return err
	}
	r.steal, r.began, r.measuring = stolen(), r.now(), true
	return nil
}

func (r *run) end() error {
	r.measuring = false
	ns := float64(r.now() - r.began)
	server, err := timesOf(r.o.pid)
	if err != nil {
		return err
	}
	own, err := timesOf(os.Getpid())
	if err != nil {
		return err
	}
	if r.count == 0 {
		return fmt.Errorf("nothing came back in %.1f s", ns/1e9)
	}
	s := &r.result
	s.Count, s.Seconds, s.PerSec = r.count, ns/1e9, float64(r.count)/ns*1e9
	s.CPU = float64(server.on-r.server.on) / 1e3 / float64(r.count)
	s.ServerBusy, s.ServerWait = float64(server.on-r.server.on)/ns, float64(server.waited-r.server.waited)/ns
	s.GenBusy, s.GenWait = float64(own.on-r.own.on)/ns, float64(own.waited-r.own.waited)/ns
	s.Steal = float64(stolen()-r.steal) / ns
	if h := &r.late; h.n > 0 {
		s.P50, s.P99, s.P999, s.Max = h.quantile(.5), h.quantile(.99), h.quantile(.999), float64(h.max)/1e3
	}
	if h := &r.sent; h.n > 0 {
		s.Sent99 = h.quantile(.99)
		for _, share := range report.Shares {
			s.Latency = append(s.Latency, r.late.quantile(share))
		}
	}
	return nil
}

// counted notes one that was checked, and how long it took since at.
func (r *run) counted(n, at int64) {
	r.total += n
	if r.measuring {
		r.count += n
		if at > 0 {
			r.late.add(r.now() - at)
		}
	}
}

// window warms up, measures and waits for what is under way.
func (r *run) window() error {
	if err := r.l.pass(r.o.warm); err != nil {
		return err
	}
	// A busy machine is warmed by work, not by time alone.
	enough := func() bool { return r.total >= int64(r.o.messages) }
	if err := r.l.until("warming up", max(10*r.o.warm, patience), enough); err != nil {
		return err
	}
	if err := r.begin(); err != nil {
		return err
	}
	if err := r.l.pass(r.o.dur); err != nil {
		return err
	}
	if err := r.end(); err != nil {
		return err
	}
	r.stopping = true
	if err := r.l.until("the last answers (some are lost)", r.o.settle, func() bool { return r.pending == 0 }); err != nil {
		return err
	}
	return r.l.pass(min(200*time.Millisecond, r.o.settle)) // what is surplus comes now
}

// collected has the server collect garbage and returns its resident set.
func (r *run) collected() (int64, error) {
	// What ended lately is still being cleaned up, and timers may hold it.
	if err := r.l.pass(min(time.Second, r.o.settle)); err != nil {
		return 0, err
	}
	for range 2 {
		if _, err := r.ask(r.control, "gc"); err != nil {
			return 0, err
		}
	}
	if err := r.l.pass(min(500*time.Millisecond, r.o.settle)); err != nil {
		return 0, err
	}
	return rssOf(r.o.pid)
}

// perform runs the scenario and returns its result.
func perform(o options) report.Result {
	r, err := newRun(o)
	if err != nil {
		return report.Result{Server: o.server, Label: o.label, Scenario: o.scenario, Round: o.round, Error: err.Error()}
	}
	defer r.close()
	s := scenarios[o.scenario]
	if s == nil {
		err = fmt.Errorf("no scenario %q", o.scenario)
	} else {
		err = errors.Join(r.failed, s(r))
	}
	r.result.Pings = r.pings
	if err != nil {
		r.result.Error = err.Error()
	}
	return r.result
}
