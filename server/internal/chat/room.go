package chat

import (
	"slices"
	"strings"
	"time"
)

// room is one room: who is in it, what was said. It is guarded by hall.mu.
type room struct {
	name  string
	seats []*seat // in the order of coming
	posts []Post  // the oldest first
	bytes int     // of content in posts
	seq   int64
	empty time.Time // since when nobody is there
	// known are the receipts of recent messages, also of those that the history
	// has forgotten; order says which is the oldest.
	known map[messageID]Receipt
	order []messageID
}

// messageID names a message: ids of different people do not meet.
type messageID struct{ person, id string }

// seat is the place of a person in a room; socket is the id of whose it is now.
type seat struct {
	Person
	socket string
	room   *room
}

func newRoom(name string) *room {
	return &room{name: name, known: make(map[messageID]Receipt)}
}

// folded is a name as it is compared with others.
func folded(name string) string { return strings.ToLower(name) }

// byName returns the seat of that name, or nil.
func (r *room) byName(name string) *seat {
	i := slices.IndexFunc(r.seats, func(s *seat) bool { return folded(s.Name) == folded(name) })
	if i < 0 {
		return nil
	}
	return r.seats[i]
}

// byPerson returns the seat of that person, or nil.
func (r *room) byPerson(id string) *seat {
	i := slices.IndexFunc(r.seats, func(s *seat) bool { return s.ID == id })
	if i < 0 {
		return nil
	}
	return r.seats[i]
}

func (r *room) people() []Person {
	list := make([]Person, 0, len(r.seats))
	for _, s := range r.seats {
		list = append(list, s.Person)
	}
	return list
}

// history returns the messages without the content of files.
func (r *room) history() []Post {
	list := make([]Post, len(r.posts))
	for i, p := range r.posts {
		if p.File != nil {
			f := *p.File
			f.Data = nil
			p.File = &f
		}
		list[i] = p
	}
	return list
}

// add appends a message, and forgets what is above the bounds. It returns by
// how many bytes the room has grown.
func (r *room) add(p Post, cfg *Config) int {
	before := r.bytes
	r.posts = append(r.posts, p)
	r.bytes += weight(p)
	id := messageID{p.From.ID, p.ID}
	r.known[id] = p.Receipt
	r.order = append(r.order, id)
	for len(r.posts) > cfg.History || r.bytes > cfg.RoomBytes && len(r.posts) > 1 {
		r.forget()
	}
	for len(r.order) > remembered*cfg.History {
		delete(r.known, r.order[0])
		r.order = slices.Delete(r.order, 0, 1)
	}
	return r.bytes - before
}

// remembered says of how many histories the ids are kept.
const remembered = 8

// forget removes the oldest message and returns its weight.
func (r *room) forget() int {
	n := weight(r.posts[0])
	r.posts = slices.Delete(r.posts, 0, 1)
	r.bytes -= n
	return n
}

// weight is what a message costs in memory, about.
func weight(p Post) int {
	n := 256 + len(p.Text)
	if p.File != nil {
		n += len(p.File.Name) + len(p.File.Data)
	}
	return n
}
