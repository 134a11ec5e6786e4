package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/parser"
	"github.com/hermod-io/hermod/wscore"
)

// app is one server and what it remembers of its clients.
type app struct {
	name     string
	recovery bool
	srv      *socketio.Server
	slots    []*slot // by number, from 1
	rooms    []*room
	sessions sync.Map // *socketio.Socket → *session
	faults   *faults
	in, out  atomic.Uint64
	plant    int // drops one in so many broadcasts; 0 none
}

// room is a stream of broadcasts. Who numbers one holds mu until it is sent, and
// so does who joins or leaves.
type room struct {
	name string
	mu   sync.Mutex
	next uint64
}

// slot is a client, over all of its connections.
type slot struct {
	number int
	mu     sync.Mutex       // guards what follows, and the order of what is sent to the client
	cur    *socketio.Socket // of the latest connection; nil if it is known to have ended
	conn   int
	kicked bool   // since the client last said anything
	uni    uint64 // the next number
	asked  uint64 // the last number of a question
	asking bool
	seen   [1 + lanes]seen // of the events up and call
}

// session is one stay of a client.
type session struct {
	slot   *slot
	socket *socketio.Socket
	last   [1 + lanes]uint64 // as slot.seen; 0: none
}

// seen remembers numbers that are not far apart.
type seen struct {
	bits [seenWords]uint64
	most uint64
}

const seenWords = 64

// add reports whether n is new.
func (s *seen) add(n uint64) bool {
	const size = seenWords * 64
	if n+size <= s.most {
		return false
	}
	for ; s.most < n; s.most++ {
		i := (s.most + 1) % size
		s.bits[i/64] &^= 1 << (i % 64)
	}
	i := n % size
	fresh := s.bits[i/64]&(1<<(i%64)) == 0
	s.bits[i/64] |= 1 << (i % 64)
	return fresh
}

// timing is what the server process is told of time.
type timing struct {
	ping   time.Duration // interval; the timeout is twice that
	window time.Duration // of recovery
}

func newApp(kind, clients int, t timing, f *faults) (*app, error) {
	a := &app{name: appNames[kind], recovery: kind != appPlain, faults: f}
	cfg := socketio.Config{Engine: engineio.Config{PingInterval: t.ping, PingTimeout: 2 * t.ping}, AckTimeout: callTimeout}
	switch kind {
	case appMsgPack:
		cfg.Parser = parser.MsgPack()
	case appPlain:
		cfg.Engine.AllowEIO3 = true
		cfg.Engine.PerMessageDeflate = &wscore.Deflate{}
	}
	if a.recovery {
		cfg.Recovery = &socketio.Recovery{MaxDisconnection: t.window}
	}
	var err error
	if a.srv, err = socketio.New(cfg); err != nil {
		return nil, err
	}
	a.slots = make([]*slot, clients+1)
	for i := range a.slots {
		a.slots[i] = &slot{number: i, uni: 1}
	}
	for i := range roomCount(clients) {
		a.rooms = append(a.rooms, &room{name: roomName(i), next: 1})
	}
	a.register(a.srv.Of("/"))
	return a, nil
}

// roomCount is how many rooms there are on each server for so many clients of
// all of them.
func roomCount(clients int) int { return max(4, clients/20) }

func roomName(i int) string { return "room" + strconv.Itoa(i) }

func (a *app) room(name string) *room {
	i, err := strconv.Atoi(name[len("room"):])
	if err != nil || i < 0 || i >= len(a.rooms) {
		panic("soak: unknown room " + name)
	}
	return a.rooms[i]
}

func (a *app) complain(format string, args ...any) {
	a.faults.add("server %s: %s", a.name, fmt.Sprintf(format, args...))
}

func (a *app) register(n *socketio.Namespace) {
	n.OnConnect(a.connected)
	n.OnDisconnect(a.disconnected)
	n.OnError(func(s *socketio.Socket, event string, err error) {
		if !errors.Is(err, net.ErrClosed) {
			a.complain("%s: %v", event, err)
		}
	})
	for name, h := range map[string]func(*socketio.Socket, *session, note) (note, error){
		evUp: a.up, evCall: a.call, evJoin: a.join, evLeave: a.leave, evTotal: a.total,
	} {
		n.On(name, func(_ context.Context, s *socketio.Socket, e *socketio.Event) error { return a.handle(s, e, h) })
	}
}

// handle reads the arguments of an event and acks what h returns.
func (a *app) handle(s *socketio.Socket, e *socketio.Event, h func(*socketio.Socket, *session, note) (note, error)) error {
	a.in.Add(1)
	var n note
	var bytes []byte
	if err := e.Decode(0, &n); err != nil {
		return err
	}
	if n.Size > 0 {
		if err := e.Decode(1, &bytes); err != nil {
			return err
		}
	}
	if !intact(bytes, n.N, n.Size) {
		a.complain("%s %v came with %d bytes, or other ones", e.Name(), n, len(bytes))
	}
	v, ok := a.sessions.Load(s)
	if !ok {
		a.complain("%s %v before OnConnect or after OnDisconnect", e.Name(), n)
		return nil
	}
	answer, err := h(s, v.(*session), n)
	if err != nil || !e.WantsAck() {
		return err
	}
	return e.Ack(answer)
}

// who reads what the client says of itself: when it joins, or in the query of
// its URL.
func (a *app) who(s *socketio.Socket) (who auth, err error) {
	h := s.Handshake()
	if err := h.DecodeAuth(&who); err != nil {
		return who, err
	}
	if who.Slot == 0 {
		q := h.URL.Query()
		who.Slot, _ = strconv.Atoi(q.Get("slot"))
		who.Conn, _ = strconv.Atoi(q.Get("conn"))
	}
	if who.Slot < 1 || who.Slot >= len(a.slots) {
		return who, fmt.Errorf("soak: client %d is unknown", who.Slot)
	}
	return who, nil
}

// connected says hello, unless a later connection of the client was here first.
func (a *app) connected(_ context.Context, s *socketio.Socket) error {
	who, err := a.who(s)
	if err != nil {
		return err
	}
	sl := a.slots[who.Slot]
	sl.mu.Lock()
	defer sl.mu.Unlock()
	a.sessions.Store(s, &session{slot: sl, socket: s})
	hello := note{N: sl.uni, Conn: who.Conn, Recovered: s.Recovered(), Kicked: sl.kicked}
	if s.Recovered() {
		hello.Rooms = make(map[string]uint64)
		for _, name := range s.Rooms() {
			if name != s.ID() {
				hello.Rooms[name] = 0
			}
		}
	}
	if who.Conn < sl.conn && !s.Recovered() {
		return nil // it is lost already
	}
	sl.cur, sl.conn = s, max(sl.conn, who.Conn)
	a.sent(s.Emit(evHello, hello))
	return nil
}

// sent counts an event that was sent, and reports whether it was.
func (a *app) sent(err error) bool {
	if err != nil {
		if !errors.Is(err, net.ErrClosed) && !errors.Is(err, socketio.ErrQueueFull) {
			a.complain("emit: %v", err)
		}
		return false
	}
	a.out.Add(1)
	return true
}

// disconnected forgets what will not come back.
func (a *app) disconnected(s *socketio.Socket, r socketio.Reason) {
	v, ok := a.sessions.LoadAndDelete(s)
	if !ok {
		a.complain("OnDisconnect twice, or without OnConnect")
		return
	}
	sl := v.(*session).slot
	sl.mu.Lock()
	defer sl.mu.Unlock()
	lasting := a.recovery && r != socketio.ClientNamespaceDisconnect && r != socketio.ServerNamespaceDisconnect
	if sl.cur == s && !lasting {
		sl.cur = nil
	}
}

// take notes a numbered event of a client. A client may have lost some with its
// connection, and only then.
func (a *app) take(what string, ss *session, lane int, n uint64) {
	last := ss.last[lane]
	if last != 0 && n != last+1 {
		a.complain("client %d: %s %d follows %d", ss.slot.number, what, n, last)
	}
	ss.last[lane] = n
	ss.slot.mu.Lock()
	fresh := ss.slot.seen[lane].add(n)
	if ss.slot.cur == ss.socket {
		ss.slot.kicked = false // it knows of this session
	}
	ss.slot.mu.Unlock()
	if !fresh {
		a.complain("client %d: %s %d came twice", ss.slot.number, what, n)
	}
}

func (a *app) up(_ *socketio.Socket, ss *session, n note) (note, error) {
	a.take(evUp, ss, 0, n.N)
	return note{}, nil
}

func (a *app) call(_ *socketio.Socket, ss *session, n note) (note, error) {
	a.take(evCall, ss, 1+n.Lane, n.N)
	return note{N: reply(n.N)}, nil
}

func (a *app) join(s *socketio.Socket, _ *session, n note) (note, error) {
	r := a.room(n.Room)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := s.Join(context.Background(), r.name); err != nil {
		return note{}, err
	}
	a.sent(s.Emit(evJoined, note{Room: r.name, N: r.next}))
	return note{N: reply(n.N)}, nil
}

func (a *app) leave(s *socketio.Socket, _ *session, n note) (note, error) {
	r := a.room(n.Room)
	r.mu.Lock()
	defer r.mu.Unlock()
	s.Leave(r.name)
	a.sent(s.Emit(evLeft, note{Room: r.name, N: r.next}))
	return note{N: reply(n.N)}, nil
}

// total tells the final numbers, and compares those of the client.
func (a *app) total(s *socketio.Socket, ss *session, n note) (note, error) {
	if last := ss.last[0]; last != 0 && last+1 != n.N {
		a.complain("client %d: at the end the next is %d, want %d", ss.slot.number, last+1, n.N)
	}
	sum := note{Rooms: make(map[string]uint64)}
	for _, name := range s.Rooms() {
		if name != s.ID() {
			r := a.room(name)
			r.mu.Lock()
			sum.Rooms[name] = r.next
			r.mu.Unlock()
		}
	}
	ss.slot.mu.Lock()
	defer ss.slot.mu.Unlock()
	sum.N = ss.slot.uni
	a.sent(s.Emit(evSum, sum))
	return note{N: reply(n.N)}, nil
}

// drop forgets the sockets of clients that are gone for good.
func (a *app) drop() {
	for _, sl := range a.slots {
		sl.mu.Lock()
		sl.cur = nil
		sl.mu.Unlock()
	}
}
