package adaptertest

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"slices"

	"github.com/hermod-io/hermod/adapters"
)

// restorer is a cluster whose adapters are Recoverers.
type restorer struct {
	*cluster
	nodes []adapters.Recoverer
}

func newRestorer(c *cluster) *restorer {
	r := &restorer{cluster: c}
	for _, n := range c.nodes {
		rec, ok := n.(adapters.Recoverer)
		if !ok {
			return nil
		}
		r.nodes = append(r.nodes, rec)
	}
	return r
}

// values are the data of a session, as a value.
type values map[string]int

// MarshalJSON implements json.Marshaler.
func (v values) MarshalJSON() ([]byte, error) { return json.Marshal(map[string]int(v)) }

// connect makes a member with a session.
func (r *restorer) connect(node int, rooms ...string) (*member, adapters.Session) {
	r.t.Helper()
	m := r.add(node, rooms...)
	s := adapters.Session{ID: m.id, PID: "pid-of-" + m.id, Values: values{"n": 1}}
	s.Rooms = r.nodes[m.node].RoomsOf(m)
	r.nodes[m.node].Save(m, s)
	return m, s
}

// lose ends a member whose client may come back.
func (r *restorer) lose(m *member, s adapters.Session) {
	n := r.nodes[m.node]
	s.Rooms = n.RoomsOf(m)
	n.LeaveAll(m)
	n.Save(nil, s)
}

// restoration is what Restore gave.
type restoration struct {
	session adapters.Session
	m       *member
	missed  []string // events, with their offsets
	err     error
}

// restore restores a session on a node.
func (r *restorer) restore(ctx context.Context, node int, pid, offset string) (got restoration) {
	node %= len(r.nodes)
	seq, err := r.nodes[node].Restore(ctx, pid, offset, func(s adapters.Session) adapters.Member {
		got.session = s
		got.m = &member{id: s.ID, node: node, news: r.news}
		return got.m
	})
	if got.err = err; err != nil {
		return got
	}
	for p := range seq {
		if event := string(p.JSON); !isFence(event) {
			got.missed = append(got.missed, event)
		}
	}
	return got
}

var offsetPattern = regexp.MustCompile(`,"([^"\\]+)"\]$`)

// offsetOf is the offset of an event.
func (r *restorer) offsetOf(event string) string {
	r.t.Helper()
	found := offsetPattern.FindStringSubmatch(event)
	if found == nil {
		r.t.Fatalf("%s has no offset", event)
	}
	return found[1]
}

// without takes the offsets off.
func without(events []string) (plain []string) {
	for _, e := range events {
		plain = append(plain, offsetPattern.ReplaceAllString(e, "]"))
	}
	return plain
}

// heard waits for a number of deliveries and returns them.
func (r *restorer) heard(m *member, n int) (events []string) {
	r.t.Helper()
	r.news.await(r.t, func() bool { return len(m.deliveries()) >= n }, "%s gets %d packets", m.id, n)
	for _, d := range m.deliveries() {
		events = append(events, d.event)
	}
	return events
}

// wantMissed expects a restoration that yields these events.
func (r *restorer) wantMissed(got restoration, why string, want ...string) {
	r.t.Helper()
	if got.err != nil {
		r.t.Fatalf("Restore: %v: %s", got.err, why)
	}
	if plain := without(got.missed); !slices.Equal(plain, want) {
		r.t.Fatalf("missed %q, want %q: %s", plain, want, why)
	}
}

// wantRefused expects that there is no such session, and reports of so many.
func (r *restorer) wantRefused(got restoration, why string, expired int) {
	r.t.Helper()
	if !errors.Is(got.err, adapters.ErrNoSession) {
		r.t.Fatalf("Restore: %v, want %v: %s", got.err, adapters.ErrNoSession, why)
	}
	r.news.await(r.t, func() bool { return len(r.expirations()) == expired }, "%d sessions are reported: %s", expired, why)
}

// expirations are the sessions that were reported, on all nodes.
func (r *restorer) expirations() (all []adapters.Session) {
	for _, l := range r.locals {
		all = append(all, l.expirations()...)
	}
	return all
}
