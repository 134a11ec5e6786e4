//go:build linux

package main

import (
	"strings"
	"testing"
	"time"
)

// small are the options of a short run against addr. Nothing waits for as long
// as settle but what finds that an answer is lost.
func small(addr, scenario string) options {
	return options{
		addr: addr, scenario: scenario, payload: "text", clients: 5, ramp: 5, window: 1, size: 64, rooms: 1, members: 5,
		messages: 200, dur: 20 * time.Millisecond, settle: 20 * time.Second,
	}
}

// A server that does nothing wrong passes.
func TestFaultless(t *testing.T) {
	addr := serveFake(t, fault{})
	for _, s := range []string{"connect", "echo", "rooms", "idle", "churn", "stall"} {
		o := small(addr, s)
		o.settle = 100 * time.Millisecond // how long memory settles
		if s == "echo" || s == "rooms" {
			o.settle = 20 * time.Second
		}
		if r := perform(o); r.Error != "" || r.Count == 0 {
			t.Errorf("%s: %d counted, %s", s, r.Count, r.Error)
		}
	}
}

// A server that sends its messages in three frames each passes.
func TestFragments(t *testing.T) {
	for _, s := range []string{"echo", "rooms"} {
		if r := perform(small(serveFake(t, fault{kind: "split"}), s)); r.Error != "" || r.Count == 0 {
			t.Errorf("%s: %d counted, %s", s, r.Count, r.Error)
		}
	}
}

// Each fault is found in the middle of a run and named, in echoes with one and
// with several under way, and in broadcasts to one room and to many.
func TestPlantedFaults(t *testing.T) {
	for _, c := range []struct {
		name   string
		fault  fault
		change func(o *options)
		want   string
	}{
		{"a lost ack", fault{"ack", "lose", 77}, nil, "some are lost"},
		{"a lost ack of several", fault{"ack", "lose", 77}, func(o *options) { o.window = 10 }, "some are lost"},
		{"a doubled ack", fault{"ack", "double", 77}, nil, "twice"},
		{"a changed ack", fault{"ack", "change", 77}, nil, "came back, want"},
		{"a changed ack with an object", fault{"ack", "change", 77}, func(o *options) { o.payload = "json" }, "came back, want"},
		{"a lost delivery", fault{"msg", "lose", 78}, nil, "some are lost"},
		{"a lost delivery of several", fault{"msg", "lose", 78}, func(o *options) { o.window = 8 }, "lost or out of order"},
		{"a doubled delivery", fault{"msg", "double", 78}, nil, "came twice"},
		{"swapped deliveries", fault{"msg", "swap", 78}, func(o *options) { o.window = 8 }, "lost or out of order"},
		{"a changed delivery", fault{"msg", "change", 78}, nil, "changed"},
		{"a doubled delivery to one of many rooms", fault{"msg", "double", 78}, func(o *options) { o.rooms, o.members, o.window = 4, 3, 4 }, "came twice"},
		{"a lost delivery to one of many rooms", fault{"msg", "lose", 78}, func(o *options) { o.rooms, o.members, o.window = 4, 3, 4 }, "lost"},
	} {
		t.Run(c.name, func(t *testing.T) {
			scenario := "echo"
			if c.fault.on == "msg" {
				scenario = "rooms"
			}
			o := small(serveFake(t, c.fault), scenario)
			if c.change != nil {
				c.change(&o)
			}
			if c.fault.kind == "lose" {
				o.settle = 300 * time.Millisecond
				if scenario == "rooms" && o.window == 1 {
					o.messages = 0 // else the run waits long for what does not come
					o.dur = time.Second
				}
			}
			r := perform(o)
			if !strings.Contains(r.Error, c.want) {
				t.Errorf("found %q, want %q", r.Error, c.want)
			}
		})
	}
}

// A surplus message behind the last one is found.
func TestSurplusAtTheEnd(t *testing.T) {
	o := small(serveFake(t, fault{"ack", "double", 1}), "echo")
	o.clients, o.messages, o.dur = 1, 0, 0
	r, err := newRun(o)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	all, err := r.dialEchoers()
	if err != nil {
		t.Fatal(err)
	}
	r.stopping = true
	r.next(all[0], 0, r.now())
	if err := r.l.until("a fault", 20*time.Second, func() bool { return false }); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("%v", err)
	}
}
