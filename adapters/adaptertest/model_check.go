package adaptertest

import (
	"slices"

	"github.com/hermod-io/hermod/adapters"
)

// truth is what the model knows of a member at the time of a broadcast, when
// both happened at the same time.
type truth int8

const (
	no truth = iota
	maybe
	yes
)

func (t truth) String() string { return [...]string{"no", "maybe", "yes"}[t] }

// actor is a member and the history of its rooms, the model of it. It belongs
// to its worker during a round.
type actor struct {
	m       *member
	history map[string][]change // by room; inNamespace for all of them
}

// change is a join or a leave that took effect between begin and end, times of
// the run's clock.
type change struct {
	begin, end int64
	in         bool
}

// inNamespace stands for the namespace among the rooms of a history.
const inNamespace = "\x00namespace"

// emission is a broadcast that was called at begin and returned at end.
type emission struct {
	event      string
	node       int
	target     adapters.Target
	begin, end int64
}

func newActor(m *member) *actor { return &actor{m: m, history: map[string][]change{}} }

func (a *actor) log(begin, end int64, in bool, rooms ...string) {
	for _, r := range rooms {
		a.history[r] = append(a.history[r], change{begin, end, in})
	}
}

// forget drops the changes that later ones have replaced.
func (a *actor) forget() {
	for r, changes := range a.history {
		a.history[r] = changes[len(changes)-1:]
	}
}

// everywhere returns all rooms that a was ever in, and the namespace.
func (a *actor) everywhere() (rooms []string) {
	for r := range a.history {
		rooms = append(rooms, r)
	}
	return rooms
}

// in reports whether a was in the room all the time from begin to end.
func (a *actor) in(room string, begin, end int64) truth {
	now := false
	for _, ch := range a.history[room] {
		switch {
		case ch.begin > end:
			return certain(now)
		case ch.end < begin:
			now = ch.in
		case ch.in != now:
			return maybe
		}
	}
	return certain(now)
}

func certain(v bool) truth {
	if v {
		return yes
	}
	return no
}

// any reports whether a was in one of rooms all the time from begin to end.
func (a *actor) any(rooms []string, begin, end int64) truth {
	t := no
	for _, r := range rooms {
		t = max(t, a.in(r, begin, end))
	}
	return t
}

// gets reports whether a is to get the emission, which all nodes had delivered
// at the time settled.
func (a *actor) gets(e emission, settled int64) truth {
	end := e.end
	if a.m.node != e.node {
		if e.target.Flags.Local {
			return no
		}
		end = settled
	}
	t := a.in(inNamespace, e.begin, end)
	if len(e.target.Rooms) > 0 {
		t = min(t, a.any(e.target.Rooms, e.begin, end))
	}
	return min(t, yes-a.any(e.target.Except, e.begin, end))
}

// check compares what the round did with the model, and forgets what cannot
// change any more.
func (r *run) check() {
	r.c.t.Helper()
	settled := r.clock.Add(1)
	var sure, open int
	for _, w := range r.workers {
		for _, e := range w.emissions {
			for _, other := range r.workers {
				for _, a := range slices.Concat(other.actors, other.gone) {
					switch r.checkDelivery(a, e, settled) {
					case maybe:
						open++
					default:
						sure++
					}
				}
			}
		}
		w.emissions = nil
	}
	r.c.t.Logf("sure of %d deliveries, unsure of %d", sure, open)
	if sure == 0 {
		r.c.t.Error("the model was sure of nothing")
	}
	for _, w := range r.workers {
		for _, a := range w.actors {
			a.forget()
			r.c.wantRoomsOf(a.m, "the model", r.roomsOf(a, settled)...)
		}
		for _, a := range w.gone {
			if rooms := r.c.nodes[a.m.node].RoomsOf(a.m); len(rooms) != 0 {
				r.c.t.Errorf("%s is gone and in %q", a.m.id, rooms)
			}
		}
		w.gone = nil
	}
	r.checkRooms(settled)
}

func (r *run) checkDelivery(a *actor, e emission, settled int64) truth {
	r.c.t.Helper()
	want := a.gets(e, settled)
	if want == yes {
		r.c.news.await(r.c.t, func() bool { return a.m.count(e.event) > 0 }, "%s of node %d gets %s of node %d, %+v", a.m.id, a.m.node, e.event, e.node, e.target)
	}
	n := a.m.count(e.event)
	if n > 1 || n == 1 && want == no {
		r.c.t.Errorf("%s of node %d got %s of node %d %d times; to get it: %v; %+v", a.m.id, a.m.node, e.event, e.node, n, want, e.target)
	}
	return want
}

// roomsOf returns the rooms a is in by the model, at rest, without its own.
func (r *run) roomsOf(a *actor, now int64) (rooms []string) {
	for _, room := range modelRooms {
		if a.in(room, now, now) == yes {
			rooms = append(rooms, room)
		}
	}
	return rooms
}

// checkRooms compares the rooms of all nodes, and who is in them.
func (r *run) checkRooms(now int64) {
	r.c.t.Helper()
	in, all := map[string][]*member{}, []*member{}
	for _, w := range r.workers {
		for _, a := range w.actors {
			all = append(all, a.m)
			for _, room := range r.roomsOf(a, now) {
				in[room] = append(in[room], a.m)
			}
		}
	}
	rooms := slices.DeleteFunc(slices.Clone(modelRooms), func(room string) bool { return in[room] == nil && len(r.c.fences) == 0 })
	r.c.wantRooms("the model", rooms...)
	for node := range r.c.nodes {
		r.c.wantFetched(node, adapters.Target{}, all...)
		for _, room := range modelRooms {
			r.c.wantFetched(node, adapters.Target{Rooms: []string{room}}, in[room]...)
		}
	}
}
