package chat

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hermod-io/hermod/socketio"
)

// Config bounds what the chat remembers.
type Config struct {
	History int // messages of a room; 0 means 50
	MaxFile int // bytes of a file; 0 means 512 KiB
}

func (c *Config) maxBytes() int { return 8 * c.MaxFile }

const (
	maxName  = 24   // characters of a name, of a room
	maxText  = 4000 // characters of a message
	maxRooms = 1000
	// linger is how long an empty room keeps its history.
	linger = 10 * time.Minute
)

// Chat is the state of all rooms.
type Chat struct {
	srv *socketio.Server
	cfg Config

	// mu guards what follows. Emits, which do not block, are made under it, so
	// that all see messages and people in the order of the history.
	mu    sync.Mutex
	rooms map[string]*room
}

// Register adds the chat to the main namespace of srv.
func Register(srv *socketio.Server, cfg Config) *Chat {
	if cfg.History == 0 {
		cfg.History = 50
	}
	if cfg.MaxFile == 0 {
		cfg.MaxFile = 512 << 10
	}
	c := &Chat{srv: srv, cfg: cfg, rooms: map[string]*room{}}
	socketio.HandleRequest(srv, Join, c.join)
	socketio.HandleRequest(srv, Say, c.say)
	socketio.HandleRequest(srv, Send, c.send)
	socketio.HandleMessage(srv, Type, c.typing)
	srv.OnDisconnecting(func(s *socketio.Socket, _ socketio.Reason) { c.leave(s) })
	return c
}

// member is where a socket is, and as whom.
type member struct{ room, name string }

// seat is the member in the data of its socket.
var seat = socketio.NewKey[member]("chat")

// join puts a socket into a room, out of the one it was in.
func (c *Chat) join(ctx context.Context, s *socketio.Socket, in JoinRequest) (JoinReply, error) {
	m := member{strings.TrimSpace(in.Room), strings.TrimSpace(in.Name)}
	switch {
	case !printable(m.name, maxName):
		return JoinReply{}, socketio.Errorf("bad_name", "a name has 1 to %d characters", maxName)
	case !printable(m.room, maxName):
		return JoinReply{}, socketio.Errorf("bad_room", "the name of a room has 1 to %d characters", maxName)
	}
	c.mu.Lock()
	r, err := c.room(m.room)
	switch {
	case err != nil:
	case r.taken(m.name, s.ID()):
		err = socketio.Errorf("name_taken", "somebody here is called %s already", m.name)
	default:
		r.people[s.ID()] = m.name
	}
	c.mu.Unlock()
	if err != nil {
		return JoinReply{}, err
	}
	if old, ok := seat.Get(s); ok && old != m {
		c.vacate(s, old, old.room != m.room)
	}
	seat.Set(s, m)
	if err := s.Join(ctx, channel(m.room)); err != nil {
		return JoinReply{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	reply := JoinReply{m.room, m.name, r.names(), slices.Clone(r.history)}
	return reply, People.Emit(s.To(channel(m.room)), reply.People)
}

// room returns the room of that name, made if need be. mu is held.
func (c *Chat) room(name string) (*room, error) {
	if r := c.rooms[name]; r != nil {
		return r, nil
	}
	for n, r := range c.rooms {
		if len(r.people) == 0 && time.Since(r.left) > linger {
			delete(c.rooms, n)
		}
	}
	if len(c.rooms) >= maxRooms {
		return nil, socketio.Errorf("too_many_rooms", "there are too many rooms")
	}
	r := &room{name: name, people: map[string]string{}}
	c.rooms[name] = r
	return r, nil
}

// channel is the Socket.IO room of a room of the chat.
func channel(name string) string { return "chat:" + name }

// leave takes a socket out of the chat.
func (c *Chat) leave(s *socketio.Socket) {
	if m, ok := seat.Get(s); ok {
		c.vacate(s, m, true)
	}
}

// vacate tells a room that somebody left it, or (gone false) changed names.
func (c *Chat) vacate(s *socketio.Socket, m member, gone bool) {
	if gone {
		s.Leave(channel(m.room))
	}
	c.mu.Lock()
	r := c.rooms[m.room]
	if r == nil {
		c.mu.Unlock()
		return
	}
	if gone {
		delete(r.people, s.ID())
		r.left = time.Now()
	}
	_ = People.Emit(c.srv.To(channel(m.room)), r.names())
	_ = Typing.Emit(c.srv.To(channel(m.room)), Typist{m.name, false})
	c.mu.Unlock()
}

// say posts a text.
func (c *Chat) say(_ context.Context, s *socketio.Socket, in Text) (Receipt, error) {
	text := strings.TrimSpace(in.Text)
	if text == "" || utf8.RuneCountInString(text) > maxText {
		return Receipt{}, socketio.Errorf("bad_text", "a message has 1 to %d characters", maxText)
	}
	return c.post(s, Message{ID: in.ID, Text: text})
}

// send posts a file.
func (c *Chat) send(_ context.Context, s *socketio.Socket, in File) (Receipt, error) {
	if len(in.Data) == 0 || len(in.Data) > c.cfg.MaxFile {
		return Receipt{}, socketio.Errorf("bad_file", "a file has 1 to %d bytes", c.cfg.MaxFile)
	}
	if !printable(in.Name, 120) || len(in.Type) > 100 {
		return Receipt{}, socketio.Errorf("bad_file", "that is no name for a file")
	}
	return c.post(s, Message{ID: in.ID, File: &File{Name: in.Name, Type: in.Type, Data: in.Data}})
}

// post gives a message to all in the room, its sender included. One that is
// there already is only confirmed again: its sender did not hear so.
func (c *Chat) post(s *socketio.Socket, m Message) (Receipt, error) {
	at, ok := seat.Get(s)
	if !ok {
		return Receipt{}, socketio.Errorf("no_room", "join a room first")
	}
	if !printable(m.ID, 64) {
		return Receipt{}, socketio.Errorf("bad_id", "a message needs an id")
	}
	m.From, m.At = at.name, time.Now().UnixMilli()
	c.mu.Lock()
	r := c.rooms[at.room]
	if old, ok := r.find(m.ID, m.From); ok {
		c.mu.Unlock()
		return Receipt{old.ID, old.At}, nil
	}
	r.add(m, &c.cfg)
	err := Posted.Emit(c.srv.To(channel(at.room)), m)
	c.mu.Unlock()
	return Receipt{m.ID, m.At}, err
}

// typing passes on that somebody types; it may be lost.
func (c *Chat) typing(_ context.Context, s *socketio.Socket, on bool) error {
	m, ok := seat.Get(s)
	if !ok {
		return nil
	}
	return Typing.Emit(s.To(channel(m.room)).Volatile(), Typist{m.name, on})
}

// printable reports whether s has 1 to n characters, all of them visible.
func printable(s string, n int) bool {
	return s != "" && utf8.RuneCountInString(s) <= n && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}
