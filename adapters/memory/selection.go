package memory

import (
	"iter"

	"github.com/hermod-io/hermod/adapters"
)

// selection is the scratch of one operation: the members it reaches. It
// belongs to the operation between pick and release.
type selection struct {
	members []adapters.Member
	all     iter.Seq[adapters.Member] // over members; made once, so that a broadcast allocates nothing
	rooms   []*room
	except  []*room
	marks   []uint64 // a bit per place in Adapter.everyone; all zero between uses
}

func newSelection() *selection {
	s := new(selection)
	s.all = func(yield func(adapters.Member) bool) {
		for _, m := range s.members {
			if !yield(m) {
				return
			}
		}
	}
	return s
}

// pick returns the members of t as they are now. The caller releases them.
func (a *Adapter) pick(t adapters.Target) *selection {
	s := a.scratch.Get().(*selection)
	a.mu.RLock()
	a.fill(s, t)
	a.mu.RUnlock()
	return s
}

// release gives s back, without the members it held.
func (a *Adapter) release(s *selection) {
	clear(s.members)
	s.members = s.members[:0]
	a.scratch.Put(s)
}

// fill selects the members of t. The caller holds mu, for reading at least.
func (a *Adapter) fill(s *selection, t adapters.Target) {
	s.rooms = a.find(s.rooms, t.Rooms)
	s.except = a.find(s.except, t.Except)
	if len(t.Rooms) == 0 {
		s.rooms = append(s.rooms, &a.everyone)
	}
	switch {
	case len(s.rooms) == 0:
	case len(s.rooms) == 1 && len(s.except) == 0:
		s.members = append(s.members, s.rooms[0].members...)
	case len(s.rooms) == 1 && len(s.except) == 1 && len(s.except[0].members) == 1:
		s.allBut(s.rooms[0], s.except[0].who[0].o)
	default:
		s.union(len(a.everyone.members))
	}
	clear(s.rooms)
	clear(s.except)
	s.rooms, s.except = s.rooms[:0], s.except[:0]
}

// find appends the rooms that exist to dst.
func (a *Adapter) find(dst []*room, names []string) []*room {
	for _, name := range names {
		if r := a.rooms.Get(name); r != nil {
			dst = append(dst, r)
		}
	}
	return dst
}

// allBut selects the members of r other than o: what a socket that addresses
// others asks for.
func (s *selection) allBut(r *room, o *occupant) {
	i := o.find(r)
	if i < 0 {
		s.members = append(s.members, r.members...)
		return
	}
	at := o.seats[i].at
	s.members = append(s.members, r.members[:at]...)
	s.members = append(s.members, r.members[at+1:]...)
}

// union selects the members of all rooms, each once, that are in none of
// except. Everyone's places number the members, so a bit for each is enough to
// know whom to pass over; only bits that were set are cleared.
func (s *selection) union(everyone int) {
	if words := (everyone + 63) / 64; len(s.marks) < words {
		s.marks = append(s.marks, make([]uint64, words-len(s.marks))...)
	}
	for _, r := range s.except {
		for i := range r.who {
			s.mark(r.who[i].o)
		}
	}
	for _, r := range s.rooms {
		for i := range r.who {
			if s.mark(r.who[i].o) {
				s.members = append(s.members, r.members[i])
			}
		}
	}
	s.unmark(s.except)
	s.unmark(s.rooms)
}

// mark sets the bit of o and reports whether it was clear.
func (s *selection) mark(o *occupant) bool {
	at := o.seats[0].at
	word, bit := &s.marks[at>>6], uint64(1)<<(at&63)
	if *word&bit != 0 {
		return false
	}
	*word |= bit
	return true
}

func (s *selection) unmark(rooms []*room) {
	for _, r := range rooms {
		for i := range r.who {
			s.marks[r.who[i].o.seats[0].at>>6] = 0
		}
	}
}
