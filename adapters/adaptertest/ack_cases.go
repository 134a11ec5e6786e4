package adaptertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/socketio/parser"
)

func ackCases() []testCase {
	return []testCase{
		{name: "AckAllAnswer", body: ackAll},
		{name: "AckAnswersBeforeDeliverAckReturns", body: ackAtOnce},
		{name: "AckNobodyAsked", body: ackNobody},
		{name: "AckNobodyConnected", body: ackPendingOnly},
		{name: "AckFlagsTimeout", body: ackFlagsTimeout},
		{name: "AckContextDeadline", body: ackContextDeadline},
		{name: "AckContextCause", body: ackContextCause},
		{name: "AckEarlierOfTheTwo", body: ackEarlier},
		{name: "AckMemberThatLeaves", body: ackLeaver},
		{name: "AckWhoJoinsLaterIsNotAsked", body: ackJoiner},
		{name: "AckLateAnswersAreDropped", body: ackLate},
		{name: "AckAnswersRaceTheTimeout", body: ackRace},
		{name: "AckTargets", body: ackTargets},
	}
}

// replies collects answers; after end none may come.
type replies struct {
	mu    sync.Mutex // guards what follows
	got   []string
	over  bool
	later int
}

func (r *replies) each(a parser.Args) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		r.later++
	}
	r.got = append(r.got, string(a.JSON))
}

// end returns the answers that came, sorted.
func (r *replies) end() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = true
	slices.Sort(r.got)
	return slices.Clone(r.got)
}

func (r *replies) afterEnd() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.later
}

// ask broadcasts a packet from the node that asks for acks, and waits.
func (c *cluster) ask(node int, t adapters.Target) ([]string, error) {
	c.t.Helper()
	r := new(replies)
	err := c.nodes[node%len(c.nodes)].BroadcastAck(c.ctx, c.packet(), t, r.each)
	return r.end(), err
}

// asking is a BroadcastAck under way.
type asking struct {
	replies
	c    *cluster
	done chan error
}

// start asks in the background and returns when each of members was asked.
func (c *cluster) start(ctx context.Context, node int, t adapters.Target, members ...*member) *asking {
	c.t.Helper()
	a := &asking{c: c, done: make(chan error, 1)}
	p := c.packet()
	go func() { a.done <- c.nodes[node%len(c.nodes)].BroadcastAck(ctx, p, t, a.each) }() // ends with ctx, Flags.Timeout or the answers
	for _, m := range members {
		c.news.await(c.t, func() bool { return m.asked() > 0 }, "%s is asked", m.id)
	}
	return a
}

// want waits for the end and demands these answers, and an error with so many
// missing because of cause.
func (a *asking) want(missing int, cause error, answers ...string) {
	a.c.t.Helper()
	err := a.c.finish(a.done, "BroadcastAck")
	got := a.end()
	slices.Sort(answers)
	if !slices.Equal(got, answers) {
		a.c.t.Errorf("answers %q, want %q", got, answers)
	}
	wantPartial(a.c, err, missing, cause)
}

func wantPartial(c *cluster, err error, missing int, cause error) {
	c.t.Helper()
	if missing == 0 {
		if err != nil {
			c.t.Errorf("error %v, want none", err)
		}
		return
	}
	var partial *adapters.PartialError
	if !errors.As(err, &partial) {
		c.t.Fatalf("error %v, want a *PartialError", err)
	}
	// A node whose count was on its way when the wait ended is missing as one.
	if partial.Missing != missing && (partial.Nodes == 0 || partial.Missing > missing+len(c.nodes)-1) {
		c.t.Errorf("%d answers missing, want %d", partial.Missing, missing)
	}
	if !errors.Is(err, cause) {
		c.t.Errorf("error %v, want the cause %v", err, cause)
	}
}

func ackAll(c *cluster) {
	a, b, d := c.add(0, "r"), c.add(1, "r"), c.add(2, "r")
	for node := range c.nodes {
		w := c.start(c.ctx, node, adapters.Target{Rooms: []string{"r"}}, a, b, d)
		if len(c.nodes) > 1 { // only the first argument comes from another node
			a.answer(`["a"]`)
			d.answer(`[{"d":1}]`)
			b.answer(`["b"]`)
			w.want(0, nil, `["a"]`, `[{"d":1}]`, `["b"]`)
			continue
		}
		a.answer(`["a",1]`)
		d.answer(`[]`)
		b.answer(`["b"]`)
		w.want(0, nil, `["a",1]`, `[]`, `["b"]`)
	}
}

func ackAtOnce(c *cluster) {
	c.add(0, "r")
	c.add(1, "r")
	for _, l := range c.locals {
		l.answerAtOnce(func(m *member, answer func(string)) { answer(fmt.Sprintf("[%q]", m.id)) })
	}
	got, err := c.ask(0, adapters.Target{Rooms: []string{"r"}, Flags: adapters.Flags{Timeout: patience}})
	if err != nil || !slices.Equal(got, []string{`["member-1"]`, `["member-2"]`}) {
		c.t.Errorf("answers %q, error %v", got, err)
	}
}

func ackNobody(c *cluster) {
	m := c.add(0, "r")
	for _, t := range []adapters.Target{{Rooms: []string{"nowhere"}}, {Rooms: []string{"r"}, Except: []string{m.id}}} {
		t.Flags.Timeout = patience
		began := time.Now()
		if got, err := c.ask(0, t); err != nil || len(got) != 0 {
			c.t.Errorf("answers %q, error %v; want none", got, err)
		}
		if len(c.nodes) == 1 && time.Since(began) > patience/2 {
			c.t.Errorf("it took %v, want no waiting", time.Since(began))
		}
	}
}

func ackPendingOnly(c *cluster) {
	m := c.add(0, "r")
	m.setPending(true)
	if got, err := c.ask(0, adapters.Target{Flags: adapters.Flags{Timeout: patience}}); err != nil || len(got) != 0 {
		c.t.Errorf("answers %q, error %v; want none", got, err)
	}
}

// short is a time after which something is given up, where that is the point.
const short = 250 * time.Millisecond

// long is a timeout for one thing asked of several nodes, when it will run out:
// all nodes must have said how many they asked before it does.
func (c *cluster) long() time.Duration {
	if len(c.nodes) > 1 {
		return 4 * short
	}
	return short
}

func ackFlagsTimeout(c *cluster) {
	a, b := c.add(0), c.add(1)
	w := c.start(c.ctx, 0, adapters.Target{Flags: adapters.Flags{Timeout: c.long()}}, a, b)
	b.answer(`["b"]`)
	w.want(1, context.DeadlineExceeded, `["b"]`)
}

func ackContextDeadline(c *cluster) {
	a, b := c.add(0), c.add(1)
	ctx, cancel := context.WithTimeout(c.ctx, c.long())
	defer cancel()
	w := c.start(ctx, 0, adapters.Target{}, a, b)
	a.answer(`["a"]`)
	w.want(1, context.DeadlineExceeded, `["a"]`)
}

func ackContextCause(c *cluster) {
	a := c.add(0)
	cause := errors.New("asker gone")
	ctx, cancel := context.WithCancelCause(c.ctx)
	defer cancel(nil)
	w := c.start(ctx, 0, adapters.Target{}, a)
	cancel(cause)
	w.want(1, cause)
}

func ackEarlier(c *cluster) {
	a := c.add(0)
	ctx, cancel := context.WithTimeout(c.ctx, c.long())
	defer cancel()
	c.start(ctx, 0, adapters.Target{Flags: adapters.Flags{Timeout: time.Hour}}, a).want(1, context.DeadlineExceeded)
	a.answer(`["late"]`)
	c.start(c.ctx, 0, adapters.Target{Flags: adapters.Flags{Timeout: c.long()}}, a).want(1, context.DeadlineExceeded)
}

// ackLeaver: the number asked is fixed when the packet is sent.
func ackLeaver(c *cluster) {
	a, leaver := c.add(0, "r"), c.add(0, "r")
	w := c.start(c.ctx, 0, adapters.Target{Rooms: []string{"r"}, Flags: adapters.Flags{Timeout: c.long()}}, a, leaver)
	c.nodes[0].LeaveAll(leaver)
	a.answer(`["a"]`)
	w.want(1, context.DeadlineExceeded, `["a"]`)
}

func ackJoiner(c *cluster) {
	a := c.add(0, "r")
	w := c.start(c.ctx, 0, adapters.Target{Rooms: []string{"r"}}, a)
	joiner := c.add(0, "r")
	a.answer(`["a"]`)
	w.want(0, nil, `["a"]`)
	if joiner.asked() != 0 {
		c.t.Errorf("who joined later was asked")
	}
}

func ackLate(c *cluster) {
	a, b := c.add(0), c.add(1)
	w := c.start(c.ctx, 0, adapters.Target{Flags: adapters.Flags{Timeout: c.long()}}, a, b)
	a.answer(`["a"]`)
	w.want(1, context.DeadlineExceeded, `["a"]`)
	b.answer(`["b"]`)
	c.settle()
	if n := w.afterEnd(); n != 0 {
		c.t.Errorf("%d answers came after BroadcastAck returned", n)
	}
}

// ackRace: answers that come at the moment of the timeout count or do not, but
// the counts fit, and none comes afterwards.
func ackRace(c *cluster) {
	const members = 8
	for round := range 20 {
		var asked []*member
		for i := range members {
			asked = append(asked, c.add(i))
		}
		ctx, cancel := context.WithCancel(c.ctx)
		w := c.start(ctx, 0, adapters.Target{}, asked...)
		var answers sync.WaitGroup
		for _, m := range asked {
			answers.Go(func() { m.answer(`[1]`) })
		}
		cancel()
		err := c.finish(w.done, "BroadcastAck")
		got := w.end()
		answers.Wait()
		c.settle()
		var partial *adapters.PartialError
		switch errors.As(err, &partial) {
		case true:
			// A node that had no time to say whom it asked counts as one.
			if n := partial.Missing + len(got); n != members && (partial.Nodes == 0 || n > members) {
				c.t.Fatalf("round %d: %d answers and %d missing of %d", round, len(got), partial.Missing, members)
			}
		default:
			if err != nil || len(got) != members {
				c.t.Fatalf("round %d: %d answers of %d with error %v", round, len(got), members, err)
			}
		}
		if n := w.afterEnd(); n != 0 {
			c.t.Fatalf("round %d: %d answers came after BroadcastAck returned", round, n)
		}
		for _, m := range asked {
			c.nodes[m.node].LeaveAll(m)
		}
	}
}

func ackTargets(c *cluster) {
	ab, a, far, none := c.add(0, "a", "b"), c.add(0, "a"), c.add(1, "b"), c.add(1)
	for _, l := range c.locals {
		l.answerAtOnce(func(m *member, answer func(string)) { answer(`["` + m.id + `"]`) })
	}
	for _, tc := range []struct {
		t    adapters.Target
		want []*member
	}{
		{adapters.Target{Rooms: []string{"a", "b"}}, []*member{ab, a, far}},
		{adapters.Target{Rooms: []string{"a", "b"}, Except: []string{ab.id}}, []*member{a, far}},
		{adapters.Target{Except: []string{"a"}}, []*member{far, none}},
		{adapters.Target{Rooms: []string{none.id}}, []*member{none}},
	} {
		tc.t.Flags.Timeout = patience
		got, err := c.ask(0, tc.t)
		if want := quotedIDs(tc.want); err != nil || !slices.Equal(got, want) {
			c.t.Errorf("%+v: %q answered (%v), want %q", tc.t, got, err, want)
		}
	}
}

// quotedIDs returns the members' ids as the arguments of acks, sorted.
func quotedIDs(members []*member) []string {
	names := ids(members)
	for i, name := range names {
		names[i] = `["` + name + `"]`
	}
	return names
}

// ids returns the members' ids, sorted.
func ids(members []*member) []string {
	var names []string
	for _, m := range members {
		names = append(names, m.id)
	}
	slices.Sort(names)
	return names
}
