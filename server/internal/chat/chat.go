package chat

import (
	"context"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/event"
)

// chat connects the hall with the sockets.
type chat struct {
	cfg     Config
	hall    *hall
	srv     *socketio.Server
	listing atomic.Bool // the list of rooms is about to be sent
}

// Register gives the main namespace of srv the chat. It is called once, before
// the server serves, and does not block.
func Register(srv *socketio.Server, cfg Config) { register(srv, cfg) }

func register(srv *socketio.Server, cfg Config) *chat {
	cfg = cfg.settled()
	c := &chat{cfg: cfg, hall: newHall(cfg), srv: srv}
	socketio.HandleRequest(srv, Join, c.join)
	socketio.HandleRequest(srv, Leave, c.leave)
	socketio.HandleRequest(srv, Say, c.say)
	socketio.HandleRequest(srv, Send, c.send)
	socketio.HandleRequest(srv, Fetch, c.fetch)
	socketio.HandleMessage(srv, Typing, c.typing)
	srv.OnDisconnect(func(s *socketio.Socket, _ socketio.Reason) { c.part(s) })
	return c
}

// channel is the Socket.IO room of a chat room. Ids of sockets have no colon,
// so no room of the chat can be the room of one socket.
func channel(room string) string { return "chat:" + room }

func (c *chat) join(ctx context.Context, s *socketio.Socket, q JoinRequest) (Joined, error) {
	room, err := cleanRoom(q.Room)
	if err != nil {
		return Joined{}, err
	}
	name, err := cleanName(q.Name)
	if err != nil {
		return Joined{}, err
	}
	if len(q.Key) > maxID {
		return Joined{}, socketio.Errorf(CodeBadID, "A key has at most %d bytes.", maxID)
	}
	a, err := c.hall.enter(s.ID(), room, person(name, q.Key, s.ID()))
	if err != nil {
		return Joined{}, err
	}
	c.tellLeft(s, a.left)
	c.replace(a.replaced, room)
	// The socket hears the room before it looks: what is posted in between comes
	// twice, and its number tells; the other way round it would be missed.
	if err := s.Join(ctx, channel(room)); err != nil {
		c.part(s)
		return Joined{}, err
	}
	seen, ok := c.hall.look(s.ID())
	if !ok { // another client has shown the key meanwhile
		s.Leave(channel(room))
		return Joined{}, socketio.Errorf(CodeNoRoom, "Your seat was taken over.")
	}
	if a.came {
		c.listRooms()
		_ = Entered.Emit(s.To(channel(room)).Local(), Change{room, seen.You, seen.People}) // without other nodes there are no errors
	}
	return seen, nil
}

// replace sends the socket away that had somebody's seat.
func (c *chat) replace(id, room string) {
	if id == "" {
		return
	}
	if old := c.srv.Socket(id); old != nil {
		old.Leave(channel(room))
		_ = Replaced.Emit(old, event.None{}) // it may be gone
		old.Disconnect(true)
	}
}

func (c *chat) leave(_ context.Context, s *socketio.Socket, _ event.None) (event.None, error) {
	c.part(s)
	return event.None{}, nil
}

// part takes a socket out of its room, if it is in one, and tells the others.
func (c *chat) part(s *socketio.Socket) {
	c.tellLeft(s, c.hall.leave(s.ID()))
}

// tellLeft tells the others of a room that a socket has left it; nil is no room.
func (c *chat) tellLeft(s *socketio.Socket, gone *Change) {
	if gone == nil {
		return
	}
	s.Leave(channel(gone.Room))
	_ = Left.Emit(c.srv.To(channel(gone.Room)).Local(), *gone) // without other nodes there are no errors
	c.listRooms()
}

func (c *chat) say(_ context.Context, s *socketio.Socket, q Text) (Receipt, error) {
	if err := checkID(q.ID); err != nil {
		return Receipt{}, err
	}
	switch {
	case strings.TrimSpace(q.Text) == "" || !utf8.ValidString(q.Text):
		return Receipt{}, socketio.Errorf(CodeBadText, "There is nothing to say.")
	case len(q.Text) > c.cfg.MaxText:
		return Receipt{}, socketio.Errorf(CodeTooLarge, "This text is too long.")
	}
	return c.post(s, Post{Receipt: Receipt{ID: q.ID}, Text: q.Text})
}

func (c *chat) send(_ context.Context, s *socketio.Socket, q Upload) (Receipt, error) {
	if err := checkID(q.ID); err != nil {
		return Receipt{}, err
	}
	switch {
	case len(q.Data) == 0:
		return Receipt{}, socketio.Errorf(CodeBadFile, "This file is empty.")
	case len(q.Data) > c.cfg.MaxFile:
		return Receipt{}, socketio.Errorf(CodeTooLarge, "A file has at most %d KB.", c.cfg.MaxFile>>10)
	}
	name, media := cleanFile(q.Name, q.Type)
	return c.post(s, Post{
		Receipt: Receipt{ID: q.ID},
		File:    &File{Name: name, Type: media, Size: len(q.Data), Data: q.Data},
	})
}

// post sends a message to the others in the room unless they have it already.
func (c *chat) post(s *socketio.Socket, p Post) (Receipt, error) {
	p, fresh, err := c.hall.post(s.ID(), p)
	if err != nil || !fresh {
		return p.Receipt, err
	}
	return p.Receipt, Posted.Emit(s.To(channel(p.Room)), p)
}

func (c *chat) fetch(_ context.Context, s *socketio.Socket, q FetchRequest) (Content, error) {
	data, err := c.hall.fetch(s.ID(), q)
	return Content{data}, err
}

func (c *chat) typing(_ context.Context, s *socketio.Socket, on bool) error {
	room, who, ok := c.hall.at(s.ID())
	if !ok {
		return nil
	}
	return Types.Emit(s.To(channel(room)).Volatile(), TypingNotice{room, who, on})
}

// listDelay is how long changes of the list of rooms are gathered.
const listDelay = 200 * time.Millisecond

// listRooms sends the list of rooms to everyone, once for many changes. The
// timer is the only one, and ends by itself.
func (c *chat) listRooms() {
	if c.listing.Swap(true) {
		return
	}
	time.AfterFunc(listDelay, func() {
		c.listing.Store(false)
		_ = Rooms.Emit(c.srv.Local(), c.hall.roomList()) // without other nodes there are no errors
	})
}
