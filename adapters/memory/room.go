package memory

import (
	"slices"

	"github.com/hermod-io/hermod/adapters"
)

// room holds its members in no order. A member's place is known to the member
// itself (its seat), so that leaving is a swap with the last one and needs no
// search and no map of positions.
type room struct {
	name    string
	members []adapters.Member
	who     []tenancy // who[i] is the holder of members[i]
}

// tenancy leads from a place in a room to the occupant and its seat for it.
type tenancy struct {
	o    *occupant
	seat int // index in o.seats
}

// occupant is a Member within the adapter.
type occupant struct {
	seats []seat        // seats[0] is the place in Adapter.everyone
	index map[*room]int // room → index in seats; nil while seats is short
}

// seat leads from an occupant to its place in a room.
type seat struct {
	room  *room
	at    int    // index in room.members and room.who
	since uint64 // with recovery: the newest packet when it was taken, or when an earlier socket took it
}

const (
	// longSeats is the number of seats above which an index is kept.
	longSeats = 16
	// smallRoom is the size below which nothing is given back.
	smallRoom = 64
)

// find returns the index of o's seat in r, or -1.
func (o *occupant) find(r *room) int {
	if o.index != nil {
		if i, ok := o.index[r]; ok {
			return i
		}
		return -1
	}
	for i := range o.seats {
		if o.seats[i].room == r {
			return i
		}
	}
	return -1
}

// names returns the names of o's rooms, without the room of everyone.
func (o *occupant) names() []string {
	names := make([]string, 0, len(o.seats)-1)
	for _, s := range o.seats[1:] {
		names = append(names, s.room.name)
	}
	return names
}

// take gives m, held by o, a place in r. It is not in r yet.
func (r *room) take(o *occupant, m adapters.Member) {
	if o.index != nil {
		o.index[r] = len(o.seats)
	}
	r.who = append(r.who, tenancy{o, len(o.seats)})
	o.seats = append(o.seats, seat{room: r, at: len(r.members)})
	r.members = append(r.members, m)
	if o.index == nil && len(o.seats) > longSeats {
		o.index = make(map[*room]int, 2*longSeats)
		for i, s := range o.seats {
			o.index[s.room] = i
		}
	}
}

// drop removes the place at: the last member moves there.
func (r *room) drop(at int) {
	last := len(r.members) - 1
	if at != last {
		r.members[at], r.who[at] = r.members[last], r.who[last]
		moved := r.who[at]
		moved.o.seats[moved.seat].at = at
	}
	r.members[last], r.who[last] = nil, tenancy{}
	r.members, r.who = r.members[:last], r.who[:last]
	if c := cap(r.members); c > smallRoom && last < c/4 {
		r.members = append(make([]adapters.Member, 0, c/2), r.members...)
		r.who = append(make([]tenancy, 0, c/2), r.who...)
	}
}

// admit returns the occupant of m, made at its first join.
func (a *Adapter) admit(m adapters.Member) *occupant {
	o := a.members.Get(m)
	if o == nil {
		o = &occupant{seats: make([]seat, 0, 3)}
		a.members.Set(m, o)
		a.everyone.take(o, m)
		if a.ledger != nil {
			a.ledger.Came(m)
		}
	}
	return o
}

// join gives o a seat in each of the rooms it is not in, and makes the rooms
// that are missing. The caller holds mu for writing.
func (a *Adapter) join(o *occupant, rooms []string) {
	m := a.everyone.members[o.seats[0].at]
	for _, name := range rooms {
		r := a.rooms.Get(name)
		switch {
		case r == nil:
			r = &room{name: name}
			a.rooms.Set(name, r)
			a.note(adapters.RoomCreated, name, nil)
		case o.find(r) >= 0:
			continue
		}
		r.take(o, m)
		a.note(adapters.RoomJoined, name, m)
		if a.recovery != nil {
			o.seats[len(o.seats)-1].since = a.recovery.log.head
		}
	}
}

// leave gives up o's seats in rooms. The caller holds mu for writing.
func (a *Adapter) leave(o *occupant, rooms []string) {
	for _, name := range rooms {
		r := a.rooms.Get(name)
		if r == nil {
			continue
		}
		i := o.find(r)
		if i < 0 {
			continue
		}
		if a.recovery != nil {
			a.recovery.left(a.everyone.members[o.seats[0].at], &o.seats[i])
		}
		a.vacate(o.seats[i])
		o.forget(i)
	}
}

// forget removes the seat i, whose place in the room is gone already: the last
// seat moves there.
func (o *occupant) forget(i int) {
	if o.index != nil {
		delete(o.index, o.seats[i].room)
	}
	last := len(o.seats) - 1
	if i != last {
		s := o.seats[last]
		o.seats[i] = s
		s.room.who[s.at].seat = i
		if o.index != nil {
			o.index[s.room] = i
		}
	}
	o.seats[last] = seat{}
	o.seats = o.seats[:last]
	if o.index != nil && last <= longSeats/2 {
		o.index, o.seats = nil, slices.Clone(o.seats)
	}
}

// vacate removes the place of s from its room; a room dies with its last
// member.
func (a *Adapter) vacate(s seat) {
	if s.room != &a.everyone {
		a.note(adapters.RoomLeft, s.room.name, s.room.members[s.at])
	}
	s.room.drop(s.at)
	if len(s.room.members) == 0 && s.room != &a.everyone {
		a.rooms.Delete(s.room.name)
		a.note(adapters.RoomDeleted, s.room.name, nil)
		if a.recovery != nil {
			delete(a.recovery.newest, s.room)
		}
	}
}
