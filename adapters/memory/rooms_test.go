package memory

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"testing"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/socketio/parser"
)

// quiet is a Local that counts the members it is given, and allocates nothing.
type quiet struct {
	n        int
	one      func(adapters.Member) bool
	recovery adapters.Recovery
}

func newQuiet() *quiet {
	q := new(quiet)
	q.one = func(adapters.Member) bool { q.n++; return true }
	return q
}

func (q *quiet) Name() string { return "/" }

func (q *quiet) Deliver(_ *parser.Packet, _ adapters.Flags, to iter.Seq[adapters.Member]) int {
	q.n = 0
	to(q.one)
	return q.n
}

func (q *quiet) DeliverAck(p *parser.Packet, f adapters.Flags, to iter.Seq[adapters.Member], _ func(adapters.Member, parser.Args)) (int, func()) {
	return q.Deliver(p, f, to), func() {}
}

func (q *quiet) ServerSideEvent(parser.Args, func(parser.Args)) {}

func (q *quiet) Recovery() adapters.Recovery { return q.recovery }

func (q *quiet) SessionExpired(adapters.Session) {}

type dummy struct{ id string }

func (d *dummy) ID() string                { return d.id }
func (d *dummy) Info() adapters.SocketInfo { return adapters.SocketInfo{ID: d.id} }
func (d *dummy) Pending() bool             { return false }
func (d *dummy) Disconnect(bool)           {}
func (d *dummy) Supersede()                {}

func newAdapter(t testing.TB) *Adapter {
	t.Helper()
	a, err := New()(newQuiet())
	if err != nil {
		t.Fatal(err)
	}
	return a.(*Adapter)
}

// consistent checks that places and seats lead to one another.
func (a *Adapter) consistent(t *testing.T) {
	t.Helper()
	check := func(r *room) {
		if len(r.members) != len(r.who) {
			t.Fatalf("room %q: %d members, %d tenancies", r.name, len(r.members), len(r.who))
		}
		for i, w := range r.who {
			if w.o != a.members.Get(r.members[i]) || w.o.seats[w.seat].room != r || w.o.seats[w.seat].at != i {
				t.Fatalf("room %q: place %d does not lead back", r.name, i)
			}
		}
	}
	check(&a.everyone)
	for name, r := range a.rooms.All() {
		if r.name != name || len(r.members) == 0 {
			t.Fatalf("room %q under the name %q with %d members", r.name, name, len(r.members))
		}
		check(r)
	}
	if a.members.Len() != len(a.everyone.members) {
		t.Fatalf("%d members, %d of them in the room of everyone", a.members.Len(), len(a.everyone.members))
	}
	for o := range a.members.Values() {
		if o.seats[0].room != &a.everyone {
			t.Fatal("seat 0 is not the one among everyone")
		}
		if o.index != nil && len(o.index) != len(o.seats) {
			t.Fatalf("%d seats, %d in the index", len(o.seats), len(o.index))
		}
		for r, i := range o.index {
			if o.seats[i].room != r {
				t.Fatalf("the index leads to another room's seat")
			}
		}
	}
}

// TestPlacesAndSeats: random work over few and many rooms, with the index of
// long lists made and dropped, leaves everything linked.
func TestPlacesAndSeats(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	a := newAdapter(t)
	var all []*dummy
	for i := range 40 {
		all = append(all, &dummy{fmt.Sprint(i)})
	}
	for step := range 20000 {
		m := all[rnd.IntN(len(all))]
		spread := []int{3, 60}[step/2000%2] // times of few rooms, times of many
		rooms := []string{fmt.Sprint("r", rnd.IntN(spread)), fmt.Sprint("r", rnd.IntN(spread))}
		switch p := rnd.IntN(100); {
		case p < 2:
			a.LeaveAll(m)
		case p < 50+spread/3:
			_ = a.Join(t.Context(), m, rooms...) // it is not closed
		default:
			a.Leave(m, rooms...)
		}
		if step%100 == 0 {
			a.consistent(t)
		}
	}
	for _, m := range all {
		a.LeaveAll(m)
	}
	a.consistent(t)
	if a.rooms.Len() != 0 || a.members.Len() != 0 {
		t.Errorf("%d rooms and %d members are left", a.rooms.Len(), a.members.Len())
	}
}

// TestMemoryIsGivenBack: neither the slices of a room nor the maps stay as
// large as they once were, and no member is held by a place it left.
func TestMemoryIsGivenBack(t *testing.T) {
	a := newAdapter(t)
	var all []*dummy
	for i := range 5000 {
		m := &dummy{fmt.Sprint(i)}
		all = append(all, m)
		if err := a.Join(t.Context(), m, m.id, "lobby"); err != nil {
			t.Fatal(err)
		}
	}
	lobby := a.rooms.Get("lobby")
	for _, m := range all[10:] {
		a.LeaveAll(m)
	}
	a.consistent(t)
	for _, r := range []*room{lobby, &a.everyone} {
		if c := cap(r.members); c > 2*smallRoom {
			t.Errorf("room %q: room for %d members, 10 are there", r.name, c)
		}
		for _, m := range r.members[len(r.members):cap(r.members)] {
			if m != nil {
				t.Fatalf("room %q holds a member that left", r.name)
			}
		}
	}
}

// TestScratchHoldsNobody: what a broadcast used keeps no member alive.
func TestScratchHoldsNobody(t *testing.T) {
	a := newAdapter(t)
	for i := range 10 {
		m := &dummy{fmt.Sprint(i)}
		if err := a.Join(t.Context(), m, m.id, "r", fmt.Sprint("s", i%2)); err != nil {
			t.Fatal(err)
		}
	}
	s := a.pick(adapters.Target{Rooms: []string{"r", "s0"}, Except: []string{"s1", "3"}})
	if len(s.members) != 5 {
		t.Errorf("%d members picked, want 5", len(s.members))
	}
	a.release(s)
	for _, m := range s.members[:cap(s.members)] {
		if m != nil {
			t.Fatal("a member is held")
		}
	}
	for _, r := range append(s.rooms[:cap(s.rooms)], s.except[:cap(s.except)]...) {
		if r != nil {
			t.Fatal("a room is held")
		}
	}
	for _, word := range s.marks {
		if word != 0 {
			t.Fatal("a mark is left")
		}
	}
}
