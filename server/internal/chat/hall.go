package chat

import (
	"cmp"
	"slices"
	"sync"

	"github.com/hermod-io/hermod/socketio"
)

// hall is all rooms. It knows sockets by their ids only and sends nothing, so
// its lock is held for moments.
type hall struct {
	cfg Config

	mu    sync.Mutex // guards what follows
	rooms map[string]*room
	seats map[string]*seat // by socket
	bytes int              // of content in all rooms
}

func newHall(cfg Config) *hall {
	return &hall{cfg: cfg, rooms: make(map[string]*room), seats: make(map[string]*seat)}
}

// arrival is what enter has changed: replaced is the socket that had the seat
// before, or ""; came is false if the person was there already, by that name; left is where
// the socket came from, if anywhere.
type arrival struct {
	replaced string
	came     bool
	left     *Change
}

// enter gives a socket a seat, and takes the one that it had. After an error
// everything is as before.
func (h *hall) enter(socket, roomName string, p Person) (arrival, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sweep()
	r := h.rooms[roomName]
	if r == nil {
		if len(h.rooms) >= h.cfg.MaxRooms && !h.dropEmpty() {
			return arrival{}, socketio.Errorf(CodeFull, "There are too many rooms.")
		}
		r = newRoom(roomName)
	}
	s := r.byPerson(p.ID)
	if other := r.byName(p.Name); other != nil && other != s {
		return arrival{}, socketio.Errorf(CodeNameTaken, "Somebody in this room is called %s.", other.Name)
	}
	var a arrival
	if old := h.seats[socket]; old != nil && old != s {
		a.left = h.vacate(old)
	}
	h.rooms[roomName] = r
	if s == nil {
		s = &seat{Person: p, room: r}
		r.seats = append(r.seats, s)
		a.came = true
	} else {
		a.came = s.Name != p.Name
		if s.socket != socket {
			a.replaced = s.socket
			delete(h.seats, s.socket)
		}
	}
	s.socket, s.Name = socket, p.Name
	h.seats[socket] = s
	return a, nil
}

// vacate removes a seat.
func (h *hall) vacate(s *seat) *Change {
	r := s.room
	delete(h.seats, s.socket)
	r.seats = slices.DeleteFunc(r.seats, func(o *seat) bool { return o == s })
	h.settle(r)
	return &Change{Room: r.name, Person: s.Person, People: r.people()}
}

// look returns what somebody who has just entered is to see.
func (h *hall) look(socket string) (Joined, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.seats[socket]
	if s == nil {
		return Joined{}, false
	}
	return Joined{
		Room: s.room.name, You: s.Person, People: s.room.people(),
		History: s.room.history(), Rooms: h.list(), MaxFile: h.cfg.MaxFile,
	}, true
}

// leave gives a socket's seat up; nil if it had none.
func (h *hall) leave(socket string) *Change {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.seats[socket]
	if s == nil {
		return nil
	}
	defer h.sweep()
	return h.vacate(s)
}

// at returns where a socket is.
func (h *hall) at(socket string) (roomName string, p Person, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.seats[socket]
	if s == nil {
		return "", Person{}, false
	}
	return s.room.name, s.Person, true
}

// post gives a message its place. fresh is false if it has one already; then it
// is not to be sent again.
func (h *hall) post(socket string, p Post) (placed Post, fresh bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.seats[socket]
	if s == nil {
		return p, false, socketio.Errorf(CodeNoRoom, "Join a room first.")
	}
	r := s.room
	p.Room, p.From = r.name, s.Person
	if old, ok := r.known[messageID{s.ID, p.ID}]; ok {
		p.Receipt = old
		return p, false, nil
	}
	r.seq++
	p.Seq, p.At = r.seq, h.cfg.Now().UnixMilli()
	h.bytes += r.add(p, &h.cfg)
	h.shrink()
	return p, true, nil
}

// fetch returns the content of a file of the socket's room.
func (h *hall) fetch(socket string, q FetchRequest) (socketio.Owned, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.seats[socket]
	if s == nil {
		return nil, socketio.Errorf(CodeNoRoom, "Join a room first.")
	}
	for _, p := range s.room.posts {
		if p.ID == q.ID && p.From.ID == q.From && p.File != nil {
			return p.File.Data, nil
		}
	}
	return nil, socketio.Errorf(CodeGone, "This file is not kept any more.")
}

// roomList is list with the lock taken.
func (h *hall) roomList() []RoomInfo {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.list()
}

// listed is how many rooms a list has at most.
const listed = 50

// list returns the rooms that have people, the fullest first.
func (h *hall) list() []RoomInfo {
	list := []RoomInfo{}
	for _, r := range h.rooms {
		if len(r.seats) > 0 {
			list = append(list, RoomInfo{r.name, len(r.seats)})
		}
	}
	slices.SortFunc(list, func(a, b RoomInfo) int {
		return cmp.Or(b.People-a.People, cmp.Compare(a.Name, b.Name))
	})
	return list[:min(len(list), listed)]
}

// settle notes that a room is empty, or drops it if there is nothing to keep.
func (h *hall) settle(r *room) {
	switch {
	case len(r.seats) > 0:
	case len(r.posts) == 0 || h.cfg.Linger < 0:
		h.drop(r)
	default:
		r.empty = h.cfg.Now()
	}
}

func (h *hall) drop(r *room) {
	h.bytes -= r.bytes
	delete(h.rooms, r.name)
}

// sweep drops the rooms that have been empty for long.
func (h *hall) sweep() {
	now := h.cfg.Now()
	for _, r := range h.rooms {
		if len(r.seats) == 0 && now.Sub(r.empty) >= h.cfg.Linger {
			h.drop(r)
		}
	}
}

// dropEmpty drops the room that has been empty for longest.
func (h *hall) dropEmpty() bool {
	var oldest *room
	for _, r := range h.rooms {
		if len(r.seats) == 0 && (oldest == nil || r.empty.Before(oldest.empty)) {
			oldest = r
		}
	}
	if oldest != nil {
		h.drop(oldest)
	}
	return oldest != nil
}

// shrink forgets the oldest messages of all until the content is within bounds.
func (h *hall) shrink() {
	for h.bytes > h.cfg.TotalBytes {
		var oldest *room
		var at int64
		for _, r := range h.rooms {
			if len(r.posts) > 0 && (oldest == nil || r.posts[0].At < at) {
				oldest, at = r, r.posts[0].At
			}
		}
		if oldest == nil {
			return
		}
		h.bytes -= oldest.forget()
	}
}
