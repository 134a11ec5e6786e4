package adaptertest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/socketio/parser"
)

// cluster is what a case works on: the nodes and their fakes.
type cluster struct {
	t       testing.TB
	ctx     context.Context
	news    *signal
	locals  []*local
	nodes   []adapters.Adapter
	fences  []*member // one per node if there are several, see settle
	members atomic.Int64
	serial  atomic.Int64
}

const (
	namespace   = "/suite"
	fenceEvent  = `["fence:`
	fenceMember = "fence-"
)

func isFence(event string) bool { return strings.HasPrefix(event, fenceEvent) }

// plainFence returns a fence as it was sent, without the offset that it may
// have got.
func plainFence(fence string) string {
	name, _, _ := strings.Cut(fence[len(fenceEvent):], `"`)
	return fenceEvent + name + `"]`
}

func newCluster(t testing.TB, cfg Config, nodes int, recovery adapters.Recovery) *cluster {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 6*patience)
	t.Cleanup(cancel)
	c := &cluster{t: t, ctx: ctx, news: &signal{patience: cmp.Or(cfg.patience, patience)}}
	locals := make([]adapters.Local, nodes)
	for i := range locals {
		l := &local{name: namespace, news: c.news, recovery: recovery}
		c.locals = append(c.locals, l)
		locals[i] = l
	}
	c.nodes = cfg.New(t, locals)
	if len(c.nodes) != nodes {
		t.Fatalf("New made %d adapters, want %d", len(c.nodes), nodes)
	}
	t.Cleanup(c.close)
	for i := 0; nodes > 1 && i < nodes; i++ {
		m := &member{id: fmt.Sprint(fenceMember, i), node: i, news: c.news, fence: true}
		c.fences = append(c.fences, m)
		c.join(m, m.id)
	}
	return c
}

// close ends the adapters and looks for what no case may leave behind.
func (c *cluster) close() {
	for i, l := range c.locals {
		if err := c.nodes[i].Close(c.ctx); err != nil {
			c.t.Errorf("node %d: Close: %v", i, err)
		}
		if n := l.unstopped(); n != 0 {
			c.t.Errorf("node %d: %d calls of DeliverAck were not stopped", i, n)
		}
		if twice := l.repeated(); twice != nil {
			c.t.Errorf("node %d: one Deliver had a member twice: %q", i, twice)
		}
	}
}

// add makes a member of the node in a room named by its id and in rooms.
func (c *cluster) add(node int, rooms ...string) *member {
	c.t.Helper()
	m := c.newMember(node % len(c.nodes))
	c.join(m, append([]string{m.id}, rooms...)...)
	return m
}

func (c *cluster) newMember(node int) *member {
	return &member{id: fmt.Sprintf("member-%d", c.members.Add(1)), node: node, news: c.news}
}

func (c *cluster) join(m *member, rooms ...string) {
	c.t.Helper()
	if err := c.nodes[m.node].Join(c.ctx, m, rooms...); err != nil {
		c.t.Errorf("Join(%s, %q): %v", m.id, rooms, err)
	}
}

func (c *cluster) leave(m *member, rooms ...string) { c.nodes[m.node].Leave(m, rooms...) }

// packet makes an event that is like no other of this cluster.
func (c *cluster) packet() *parser.Packet {
	return &parser.Packet{
		Type:      parser.Event,
		Namespace: namespace,
		Args:      parser.Args{JSON: fmt.Appendf(nil, `["e",%d]`, c.serial.Add(1))},
	}
}

// emit broadcasts a new packet from the node and returns its event.
func (c *cluster) emit(node int, t adapters.Target) string {
	c.t.Helper()
	p := c.packet()
	if err := c.nodes[node%len(c.nodes)].Broadcast(p, t); err != nil {
		c.t.Fatalf("Broadcast(%+v): %v", t, err)
	}
	return string(p.JSON)
}

// settle waits until everything broadcast before was delivered on all nodes: a
// fence is sent after it on each way, and awaited. With one node a delivery is
// done when Broadcast returns.
func (c *cluster) settle(rooms ...string) {
	c.t.Helper()
	var sent []string
	for i := range c.fences {
		for _, t := range fenceTargets(rooms) {
			p := &parser.Packet{Type: parser.Event, Namespace: namespace}
			p.JSON = fmt.Appendf(nil, `%s%d"]`, fenceEvent, c.serial.Add(1))
			if err := c.nodes[i].Broadcast(p, t); err != nil {
				c.t.Fatalf("Broadcast(%+v): %v", t, err)
			}
			sent = append(sent, string(p.JSON))
		}
	}
	for i, m := range c.fences {
		for _, event := range sent {
			c.news.await(c.t, func() bool { return m.count(event) == 1 }, "node %d gets %s", i, event)
		}
	}
}

func fenceTargets(rooms []string) []adapters.Target {
	targets := []adapters.Target{{}}
	for _, r := range rooms {
		targets = append(targets, adapters.Target{Rooms: []string{r}})
	}
	return targets
}

// wantGot demands that of those in all exactly those in want get the event,
// once each.
func (c *cluster) wantGot(event, why string, all []*member, want ...*member) {
	c.t.Helper()
	for _, m := range want {
		c.news.await(c.t, func() bool { return m.count(event) > 0 }, "%s gets %s: %s", m.id, event, why)
	}
	c.settle()
	for _, m := range all {
		n, wanted := m.count(event), 0
		if slices.Contains(want, m) {
			wanted = 1
		}
		if n != wanted {
			c.t.Errorf("%s got %s %d times, want %d: %s", m.id, event, n, wanted, why)
		}
	}
}

// wantRooms demands that each node comes to see exactly these rooms, beside
// those named by members.
func (c *cluster) wantRooms(why string, want ...string) {
	c.t.Helper()
	slices.Sort(want)
	for i, node := range c.nodes {
		var got []string
		c.news.await(c.t, func() bool {
			rooms, err := node.Rooms(c.ctx)
			if err != nil {
				c.t.Fatalf("node %d: Rooms: %v", i, err)
			}
			got = visible(rooms)
			return slices.Equal(got, want)
		}, "node %d sees rooms %q: %s (%v)", i, want, why, lazily(func() string { return fmt.Sprintf("got %q", got) }))
	}
}

// wantRoomsOf demands that m is in exactly these rooms beside its own.
func (c *cluster) wantRoomsOf(m *member, why string, want ...string) {
	c.t.Helper()
	slices.Sort(want)
	if got := visible(c.nodes[m.node].RoomsOf(m)); !slices.Equal(got, want) {
		c.t.Errorf("%s is in %q, want %q: %s", m.id, got, want, why)
	}
}

// visible returns the rooms that are not named by a member, sorted.
func visible(rooms []string) []string {
	var names []string
	for _, r := range rooms {
		if !strings.HasPrefix(r, "member-") && !strings.HasPrefix(r, fenceMember) {
			names = append(names, r)
		}
	}
	slices.Sort(names)
	return names
}

// lazily is text that is made when it is printed.
type lazily func() string

func (f lazily) String() string { return f() }

// finish waits for a call that must end.
func (c *cluster) finish(done <-chan error, what string) error {
	c.t.Helper()
	timer := time.NewTimer(c.news.patience)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		c.t.Fatalf("not within %v: %s returns", c.news.patience, what)
		return nil
	}
}
