package chat

import (
	"slices"
	"time"
)

// room is one room. The Chat's mu guards it.
type room struct {
	name    string
	people  map[string]string // socket id → name
	history []Message
	bytes   int       // of the files in history
	left    time.Time // when the last one left
}

// taken reports whether somebody else has the name.
func (r *room) taken(name, id string) bool {
	for other, n := range r.people {
		if n == name && other != id {
			return true
		}
	}
	return false
}

// names returns who is here, sorted.
func (r *room) names() []string {
	names := make([]string, 0, len(r.people))
	for _, n := range r.people {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// find returns the message of that id and sender.
func (r *room) find(id, from string) (Message, bool) {
	for i := len(r.history) - 1; i >= 0; i-- {
		if m := r.history[i]; m.ID == id && m.From == from {
			return m, true
		}
	}
	return Message{}, false
}

// add remembers a message and forgets the oldest beyond the bounds.
func (r *room) add(m Message, cfg *Config) {
	r.history = append(r.history, m)
	r.bytes += m.size()
	for len(r.history) > cfg.History || r.bytes > cfg.maxBytes() {
		r.bytes -= r.history[0].size()
		r.history = slices.Delete(r.history, 0, 1)
	}
}

func (m *Message) size() int {
	if m.File == nil {
		return len(m.Text)
	}
	return len(m.File.Data)
}
