package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/memory"
	"github.com/hermod-io/hermod/socketio"
)

// TestNamespaceOperators: what the server does for the main namespace, another
// one does for its own sockets. 0 and 1 are in room a, 1 and 2 in room b.
//
// compat: namespace.emit
// compat: namespace.to
// compat: namespace.in
// compat: namespace.except
// compat: namespace.local
// compat: namespace.volatile
// compat: namespace.compress
// compat: namespace.write
// compat: broadcast.to
// compat: broadcast.in
// compat: broadcast.except
// compat: broadcast.local
// compat: broadcast.volatile
// compat: broadcast.compress
// compat: broadcast.emit
func TestNamespaceOperators(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		n := r.srv.Of("/x")
		var peers []*peer
		for _, rooms := range [][]string{{"a"}, {"a", "b"}, {"b"}} {
			p := r.open()
			p.join("/x")
			peers = append(peers, p)
			if err := n.Socket(p.sid).Join(r.Context(), rooms...); err != nil {
				r.Fatal(err)
			}
		}
		main := r.join("/")
		b := n.To("a")
		for i, c := range []struct {
			emit func(name string, args ...any) error
			want []int
		}{
			{n.Emit, []int{0, 1, 2}},
			{n.To("a").Emit, []int{0, 1}},
			{n.In("b").Emit, []int{1, 2}},
			{n.Except("a").Emit, []int{2}},
			{n.Local().Emit, []int{0, 1, 2}},
			{n.Volatile().Emit, []int{0, 1, 2}},
			{n.Compress(false).Emit, []int{0, 1, 2}},
			{n.Timeout(time.Second).Emit, []int{0, 1, 2}},
			{b.To("b").Emit, []int{0, 1, 2}},
			{b.In("b").Emit, []int{0, 1, 2}},
			{b.Except("b").Emit, []int{0}},
			{b.Local().Emit, []int{0, 1}},
			{b.Volatile().Emit, []int{0, 1}},
			{b.Compress(true).Emit, []int{0, 1}},
			{b.Emit, []int{0, 1}}, // an operator is a value: none of the above changed it
		} {
			synctest.Wait() // the GETs wait again
			if err := c.emit("e", i); err != nil {
				r.Errorf("%d: %v", i, err)
			}
			for who, p := range peers {
				if slices.Contains(c.want, who) {
					p.want(fmt.Sprintf(`42/x,["e",%d]`, i), fmt.Sprintf("peer %d of operator %d", who, i))
				} else {
					p.wantIdle(fmt.Sprintf("peer %d of operator %d", who, i))
				}
			}
		}
		main.wantIdle("it is of another namespace")
	})
}

// manySockets are the calls that act on many sockets at once, of a server, a
// namespace and an operator.
type manySockets interface {
	SocketsJoin(ctx context.Context, rooms ...string) error
	SocketsLeave(ctx context.Context, rooms ...string) error
	FetchSockets(ctx context.Context) ([]*socketio.RemoteSocket, error)
	DisconnectSockets(ctx context.Context, closeConn bool) error
}

// compat: server.socketsJoin
// compat: server.socketsLeave
// compat: server.fetchSockets
// compat: server.disconnectSockets
// compat: namespace.socketsJoin
// compat: namespace.socketsLeave
// compat: namespace.fetchSockets
// compat: namespace.disconnectSockets
// compat: broadcast.socketsJoin
// compat: broadcast.socketsLeave
// compat: broadcast.fetchSockets
// compat: broadcast.disconnectSockets
func TestManySocketsOfEach(t *testing.T) {
	for name, of := range map[string]func(srv *socketio.Server) manySockets{
		"server":    func(srv *socketio.Server) manySockets { return srv },
		"namespace": func(srv *socketio.Server) manySockets { return srv.Of("/") },
		"operator":  func(srv *socketio.Server) manySockets { return srv.Except("nobody") },
	} {
		t.Run(name, func(t *testing.T) {
			run(t, socketio.Config{}, func(r *rig) {
				other := r.srv.Of("/other")
				p, q := r.join("/"), r.open()
				q.join("/other")
				many, ctx := of(r.srv), r.Context()
				if err := errors.Join(many.SocketsJoin(ctx, "x", "y"), many.SocketsLeave(ctx, "y")); err != nil {
					r.Error(err)
				}
				found, err := many.FetchSockets(ctx)
				if err != nil || len(found) != 1 || found[0].ID() != p.sid {
					r.Fatal(found, err)
				}
				if rooms := found[0].Rooms(); !slices.Contains(rooms, "x") || slices.Contains(rooms, "y") {
					r.Errorf("rooms %v", rooms)
				}
				if rooms := other.Socket(q.sid).Rooms(); len(rooms) != 1 {
					r.Errorf("rooms in another namespace: %v", rooms)
				}
				if err := many.DisconnectSockets(ctx, true); err != nil {
					r.Error(err)
				}
				p.want("41", "it is disconnected")
				p.wantClosed("with its connection")
				q.wantIdle("another namespace is left alone")
			})
		})
	}
}

// TestTimeoutOfEach: without an answer the wait ends when the timeout says so.
//
// compat: server.timeout
// compat: namespace.timeout
// compat: broadcast.timeout
// compat: broadcast.emitWithAck
// compat: socket.timeout
func TestTimeoutOfEach(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		p := r.join("/")
		s, ctx := p.socket(), r.Context()
		for name, ask := range map[string]func() (any, error){
			"server":    func() (any, error) { return r.srv.Timeout(time.Second).EmitWithAck(ctx, "q") },
			"namespace": func() (any, error) { return r.srv.Of("/").Timeout(time.Second).EmitWithAck(ctx, "q") },
			"operator":  func() (any, error) { return r.srv.To(p.sid).Timeout(time.Second).EmitWithAck(ctx, "q") },
			"socket":    func() (any, error) { return s.Timeout(time.Second).EmitWithAck(ctx, "q") },
		} {
			begun := time.Now()
			if _, err := ask(); !errors.Is(err, context.DeadlineExceeded) {
				r.Errorf("%s: %v", name, err)
			}
			if d := time.Since(begun); d < time.Second || d > 2*time.Second {
				r.Errorf("%s: after %v", name, d)
			}
			p.wantMatch(`^42\d+\["q"\]$`, name)
		}
	})
}

type requestKey struct{}

// compat: socket.id
// compat: socket.connected
// compat: socket.disconnected
// compat: socket.nsp
// compat: socket.conn
// compat: socket.request
// compat: socket.rooms
// compat: socket.join
// compat: socket.leave
// compat: socket.handshake.time
// compat: socket.handshake.issued
// compat: socket.handshake.secure
// compat: socket.handshake.xdomain
// compat: socket.handshake.headers
// compat: socket.handshake.url
// compat: socket.handshake.query
// compat: socket.handshake.address
// compat: namespace.name
// compat: namespace.sockets
// compat: server.sockets
// compat: engine.handleRequest
func TestSocketKnows(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		r.http.Handler = http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			r.srv.ServeHTTP(w, q.WithContext(context.WithValue(q.Context(), requestKey{}, "of the request")))
		})
		before := time.Now()
		n := r.srv.Of("/x")
		p := r.open()
		p.join("/x")
		s := n.Socket(p.sid)
		if s == nil || s.ID() != p.sid || s.Namespace() != n || n.Name() != "/x" || !slices.Equal(slices.Collect(n.Sockets()), []*socketio.Socket{s}) {
			r.Fatalf("socket %v of %s", s, n.Name())
		}
		if h := s.Handshake(); h.Time.Before(before) || h.Time.After(time.Now()) || h.Secure || h.Header.Get("Origin") != "" ||
			h.Header.Get("Host") != "server" || h.URL.Path != "/socket.io/" || h.Query().Get("transport") != r.transport || h.RemoteAddr == "" {
			r.Errorf("handshake %+v", h.Handshake)
		}
		if s.Session().Transport() != r.transport || s.Session().ID() == s.ID() || s.Session().Context().Value(requestKey{}) != "of the request" {
			r.Errorf("session %s over %s", s.Session().ID(), s.Session().Transport())
		}
		if err := s.Join(r.Context(), "a", "b"); err != nil {
			r.Error(err)
		}
		s.Leave("a")
		rooms := s.Rooms()
		slices.Sort(rooms)
		want := []string{s.ID(), "b"}
		slices.Sort(want)
		if !slices.Equal(rooms, want) || !s.Connected() {
			r.Errorf("rooms %v", rooms)
		}
		if r.srv.Socket(p.sid) != nil {
			r.Error("the main namespace knows it too")
		}
		p.send("41/x,")
		r.eventually("it has left", func() bool { return !s.Connected() })
		if len(s.Rooms()) != 0 {
			r.Errorf("rooms afterwards %v", s.Rooms())
		}
	})
}

// hearing is the adapter of one namespace that tells of rooms.
type hearing struct {
	adapters.Adapter
	tell func(format string, args ...any)
	mu   sync.Mutex // guards what follows, and keeps joins and leaves apart
	size map[string]int
}

func (h *hearing) Join(ctx context.Context, m adapters.Member, rooms ...string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	in := h.Adapter.RoomsOf(m)
	for _, room := range rooms {
		if slices.Contains(in, room) {
			continue
		}
		if h.size[room]++; h.size[room] == 1 {
			h.tell("create-room %s", room)
		}
		h.tell("join-room %s", room)
	}
	return h.Adapter.Join(ctx, m, rooms...)
}

func (h *hearing) Leave(m adapters.Member, rooms ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.left(m, rooms)
	h.Adapter.Leave(m, rooms...)
}

func (h *hearing) LeaveAll(m adapters.Member) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.left(m, h.Adapter.RoomsOf(m))
	h.Adapter.LeaveAll(m)
}

func (h *hearing) left(m adapters.Member, rooms []string) {
	in := h.Adapter.RoomsOf(m)
	for _, room := range rooms {
		if !slices.Contains(in, room) {
			continue
		}
		h.tell("leave-room %s", room)
		if h.size[room]--; h.size[room] == 0 {
			h.tell("delete-room %s", room)
		}
	}
}

// TestRoomEvents: an adapter that wraps another one hears of its rooms.
//
// compat: option adapter
// compat: server.adapter
func TestRoomEvents(t *testing.T) {
	var j journal
	cfg := socketio.Config{Adapter: func(l adapters.Local) (adapters.Adapter, error) {
		a, err := memory.New()(l)
		return &hearing{Adapter: a, tell: j.add, size: map[string]int{}}, err
	}}
	runWebSocket(t, cfg, func(r *rig) {
		p, q := r.join("/"), r.join("/")
		for _, s := range []*socketio.Socket{p.socket(), p.socket(), q.socket()} {
			if err := s.Join(r.Context(), "room"); err != nil {
				r.Error(err)
			}
		}
		p.socket().Leave("room")
		p.socket().Leave("room")
		q.send("41")
		r.eventually("it has left", func() bool { return len(j.all()) >= 12 })
		var ofRoom []string
		for _, line := range j.all() {
			if slices.Contains([]string{"create-room room", "join-room room", "leave-room room", "delete-room room"}, line) {
				ofRoom = append(ofRoom, line)
			}
		}
		if want := []string{"create-room room", "join-room room", "join-room room", "leave-room room", "leave-room room", "delete-room room"}; !slices.Equal(ofRoom, want) {
			r.Errorf("heard %v", ofRoom)
		}
	})
}

// TestSecureHandshake: the handshake tells that the request came over TLS, and
// from a page of which origin.
//
// compat: socket.handshake.secure
// compat: socket.handshake.xdomain
func TestSecureHandshake(t *testing.T) {
	srv, err := socketio.New(socketio.Config{})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(method, query, body string) string {
		w := httptest.NewRecorder()
		q := httptest.NewRequest(method, "https://server/socket.io/?EIO=4&transport=polling"+query, strings.NewReader(body))
		q.Header.Set("Origin", "https://page.example")
		srv.ServeHTTP(w, q)
		return w.Body.String()
	}
	_, rest, _ := strings.Cut(ask(http.MethodGet, "", ""), `"sid":"`)
	sid, _, _ := strings.Cut(rest, `"`)
	ask(http.MethodPost, "&sid="+sid, "40")
	if reply := ask(http.MethodGet, "&sid="+sid, ""); !strings.HasPrefix(reply, `40{"sid"`) {
		t.Fatalf("reply to CONNECT %q", reply)
	}
	for s := range srv.Sockets() {
		if h := s.Handshake(); !h.Secure || h.Header.Get("Origin") != "https://page.example" {
			t.Errorf("handshake %+v", h.Handshake)
		}
	}
	if err := srv.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestHandlersOfEach: handlers of the server are those of its main namespace;
// each socket meets the connection handlers of its own namespace.
//
// compat: server.on
// compat: namespace.on
// compat: event connection
// compat: event connect
func TestHandlersOfEach(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		other := r.srv.Of("/other")
		greet := func(text string) func(context.Context, *socketio.Socket) error {
			return func(_ context.Context, s *socketio.Socket) error { return s.Emit("hello", text) }
		}
		r.srv.OnConnect(greet("main"))
		r.srv.Of("/").OnConnect(greet("main again"))
		other.OnConnect(greet("other"))
		answer := func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
			return s.Emit("answer", s.Namespace().Name())
		}
		r.srv.On("ask", answer)
		other.On("ask", answer)
		p, q := r.join("/"), r.open()
		q.join("/other")
		p.want(`42["hello","main"]`, "the first handler")
		p.want(`42["hello","main again"]`, "the second one")
		q.want(`42/other,["hello","other"]`, "the handler of the other namespace")
		p.send(`42["ask"]`)
		p.want(`42["answer","/"]`, "an event")
		q.send(`42/other,["ask"]`)
		q.want(`42/other,["answer","/other"]`, "an event of the other namespace")
	})
}

// TestServerSideOfNamespace: alone there is no other node that would answer.
//
// compat: namespace.serverSideEmit
// compat: namespace.serverSideEmitWithAck
func TestServerSideOfNamespace(t *testing.T) {
	runWebSocket(t, socketio.Config{}, func(r *rig) {
		n := r.srv.Of("/x")
		n.OnServerSide("x", func(context.Context, *socketio.Event) error {
			r.Error("an event of our own")
			return nil
		})
		if err := n.ServerSideEmit(r.Context(), "x", 1); err != nil {
			r.Error(err)
		}
		if replies, err := n.ServerSideEmitWithAck(r.Context(), "x"); err != nil || len(replies) != 0 {
			r.Errorf("no other node: %v, %v", replies, err)
		}
		for _, name := range []string{"connect", "connection", "new_namespace"} {
			if err := n.ServerSideEmit(r.Context(), name); !errors.Is(err, socketio.ErrReserved) {
				r.Errorf("%s: %v", name, err)
			}
		}
	})
}

// TestEmitWithAckOfEach: one answer for each socket.
//
// compat: server.emitWithAck
// compat: namespace.emitWithAck
func TestEmitWithAckOfEach(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		p, q := r.join("/"), r.join("/")
		for name, ask := range map[string]func(context.Context, string, ...any) (socketio.Replies, error){
			"server": r.srv.EmitWithAck, "namespace": r.srv.Of("/").EmitWithAck,
		} {
			done := make(chan socketio.Replies, 1)
			go func() {
				replies, err := ask(r.Context(), "q")
				if err != nil {
					r.Errorf("%s: %v", name, err)
				}
				done <- replies
			}()
			for _, who := range []*peer{p, q} {
				m := string(who.wantMatch(`^42\d+\["q"\]$`, name))
				who.send("43" + strings.TrimSuffix(m[2:], `["q"]`) + `["yes"]`)
			}
			if replies := <-done; len(replies) != 2 || string(replies[0].Raw(0)) != `"yes"` || string(replies[1].Raw(0)) != `"yes"` {
				r.Errorf("%s: %v", name, replies)
			}
		}
	})
}

// TestHandlerTakenAway: a socket's own handler stands in front of that of its
// namespace until it is taken away; one that takes itself away acts once.
//
// compat: socket.on
// compat: socket.off
// compat: socket.once
func TestHandlerTakenAway(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		say := func(text string) socketio.Handler {
			return func(_ context.Context, s *socketio.Socket, _ *socketio.Event) error { return s.Emit("said", text) }
		}
		r.srv.On("x", say("namespace"))
		p := r.join("/")
		s := p.socket()
		s.On("x", say("socket"))
		p.send(`42["x"]`)
		p.want(`42["said","socket"]`, "its own handler")
		s.On("x", nil)
		p.send(`42["x"]`)
		p.want(`42["said","namespace"]`, "the handler of the namespace")
		s.On("x", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
			s.On("x", nil)
			return say("once")(ctx, s, e)
		})
		p.send(`42["x"]`, `42["x"]`)
		p.want(`42["said","once"]`, "the handler that acts once")
		p.want(`42["said","namespace"]`, "and not again")
	})
}
