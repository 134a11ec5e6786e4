package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/socketio"
)

// tag is a catch-all that notes that it was called.
func tag(l *list[string], name string) socketio.Handler {
	return func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
		l.add(name + " " + e.Name())
		return nil
	}
}

func ack(answer string) socketio.Handler {
	return func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error { return e.Ack(answer) }
}

// compat: socket.onAny
// compat: socket.prependAny
// compat: socket.offAny
// compat: socket.listenersAny
func TestCatchAllsOfSocket(t *testing.T) {
	runWebSocket(t, socketio.Config{}, func(r *rig) {
		var got list[string]
		offNamespace := r.srv.OnAny(tag(&got, "ns"))
		r.srv.PrependAny(tag(&got, "ns first"))
		r.srv.On("x", ack("x"))
		p, other := r.join("/"), r.join("/")
		s := p.socket()
		offA := s.OnAny(tag(&got, "a"))
		s.OnAny(tag(&got, "b"))
		s.PrependAny(tag(&got, "c"))
		check := func(why string, want ...string) {
			r.Helper()
			p.send(`421["x"]`)
			p.want(`431["x"]`, why)
			if all := got.all(); !slices.Equal(all, want) {
				r.Errorf("%s: %q, want %q", why, all, want)
			}
			got = list[string]{}
		}
		check("in order", "ns first x", "ns x", "c x", "a x", "b x")
		offA()
		offA()
		check("one is gone", "ns first x", "ns x", "c x", "b x")
		if n := len(s.ListenersAny()); n != 2 {
			r.Errorf("%d listeners", n)
		}
		offNamespace()
		s.OffAny()
		check("all are gone", "ns first x")
		if n := len(s.ListenersAny()); n != 0 {
			r.Errorf("%d listeners", n)
		}
		s.OnAny(func(context.Context, *socketio.Socket, *socketio.Event) error {
			return &socketio.Error{Code: "c", Message: "of a catch-all"}
		})
		p.send(`422["y"]`)
		p.want(`432[{"error":{"code":"c","message":"of a catch-all"}}]`, "its error is dealt with as a handler's")
		other.send(`421["x"]`)
		other.want(`431["x"]`, "another socket is not concerned")
	})
}

// compat: socket.onAnyOutgoing
// compat: socket.prependAnyOutgoing
// compat: socket.offAnyOutgoing
// compat: socket.listenersAnyOutgoing
func TestOutgoingOfSocket(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		var got list[string]
		hook := func(name string) func(*socketio.Socket, *socketio.Event) {
			return func(s *socketio.Socket, e *socketio.Event) { got.add(name + " " + e.Name()) }
		}
		r.srv.On("x", ack("x"))
		p, other := r.join("/"), r.join("/")
		s := p.socket()
		off := s.OnAnyOutgoing(hook("a"))
		s.PrependAnyOutgoing(hook("b"))
		offNamespace := r.srv.OnAnyOutgoing(hook("ns"))
		r.srv.PrependAnyOutgoing(hook("ns first"))
		err := errors.Join(s.Emit("one"), r.srv.To(s.ID()).Emit("two"))
		off()
		offNamespace()
		err = errors.Join(err, r.srv.To(s.ID(), other.sid).Except(other.sid).Emit("three"), s.Volatile().Emit("four"))
		if n := len(s.ListenersAnyOutgoing()); n != 1 || err != nil {
			r.Errorf("%d listeners, %v", n, err)
		}
		s.OffAnyOutgoing()
		if err := s.Emit("five"); err != nil || len(s.ListenersAnyOutgoing()) != 0 {
			r.Error(err)
		}
		p.send(`421["x"]`)
		for p.wantMatch("^4", "all of it") != `431["x"]` {
			continue
		}
		want := []string{"ns first one", "ns one", "b one", "a one", "ns first two", "ns two", "b two", "a two",
			"ns first three", "b three", "ns first four", "b four", "ns first five"}
		all := got.all()
		if !slices.Equal(all, want) {
			r.Errorf("got %q, want %q", all, want)
		}
		other.wantIdle("none of it was for others")
	})
}

// compat: socket.use
func TestMiddlewareOfSocket(t *testing.T) {
	runWebSocket(t, socketio.Config{}, func(r *rig) {
		var got list[string]
		mw := func(name string) func(socketio.Handler) socketio.Handler {
			return func(next socketio.Handler) socketio.Handler {
				return func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
					got.add(name)
					if e.Name() == "stop" && name == "b" {
						return &socketio.Error{Code: "stop", Message: "no"}
					}
					return next(ctx, s, e)
				}
			}
		}
		r.srv.UseEvent(mw("ns"))
		r.srv.On("x", ack("namespace"))
		p, other := r.join("/"), r.join("/")
		s := p.socket()
		s.OnAny(tag(&got, "any"))
		s.UseEvent(mw("a"))
		s.UseEvent(mw("b"))
		s.On("own", ack("own"))
		check := func(send, answer string, want ...string) {
			r.Helper()
			p.send(send)
			p.want(answer, send)
			if all := got.all(); !slices.Equal(all, want) {
				r.Errorf("%s: %q, want %q", send, all, want)
			}
			got = list[string]{}
		}
		check(`421["x"]`, `431["namespace"]`, "any x", "ns", "a", "b")
		check(`422["own"]`, `432["own"]`, "any own", "ns", "a", "b")
		check(`423["stop"]`, `433[{"error":{"code":"stop","message":"no"}}]`, "any stop", "ns", "a", "b")
		r.srv.On("later", ack("later"))
		check(`424["later"]`, `434["later"]`, "any later", "ns", "a", "b")
		s.On("x", ack("in its place"))
		check(`425["x"]`, `435["in its place"]`, "any x", "ns", "a", "b")
		r.srv.UseEvent(mw("ns 2"))
		s.On("x", nil)
		check(`426["x"]`, `436["namespace"]`, "any x", "ns", "ns 2", "a", "b")
		other.send(`421["x"]`)
		other.want(`431["namespace"]`, "another socket")
		if all := got.all(); !slices.Equal(all, []string{"ns", "ns 2"}) {
			r.Errorf("another socket: %q", all)
		}
	})
}

// Whatever was set last holds, however often that was before an event comes.
func TestOnManyTimes(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		r.srv.On("x 1", ack("namespace"))
		r.srv.On("x 0", ack("namespace"))
		p := r.join("/")
		s := p.socket()
		set := func(round, names int) {
			for i := range names {
				s.On("x "+strconv.Itoa(i), ack(strconv.Itoa(round)))
			}
			s.On("x 1", nil)
		}
		for round := range 5 {
			for range 1 + 100*round { // far more calls than handlers
				set(-1, 3)
			}
			set(round, 150)
			for i, want := range map[int]string{0: strconv.Itoa(round), 1: "namespace", 77: strconv.Itoa(round), 149: strconv.Itoa(round)} {
				p.send(`421["x ` + strconv.Itoa(i) + `"]`)
				p.want(`431["`+want+`"]`, "handler "+strconv.Itoa(i))
			}
		}
		s.On("x 0", nil)
		p.send(`421["x 0"]`)
		p.want(`431["namespace"]`, "given back")
	})
}

// compat: socket.send
// compat: namespace.send
// compat: server.send
// compat: server.write
// compat: namespace.write
// compat: socket.write
func TestSend(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		r.srv.On("message", ack("heard"))
		p := r.join("/")
		err := errors.Join(p.socket().Send("a", 1), r.srv.Send("b"), r.srv.Of("/").Send(), p.socket().Compress(false).Send("c"))
		if err != nil {
			r.Error(err)
		}
		for _, want := range []string{`42["message","a",1]`, `42["message","b"]`, `42["message"]`, `42["message","c"]`} {
			p.want(want, "the event of send")
		}
		p.send(`421["message","x"]`)
		p.want(`431["heard"]`, "the client's send")
	})
}

// compat: socket.timeout
// compat: remoteSocket.timeout
// compat: remoteSocket.emitWithAck
func TestTimeouts(t *testing.T) {
	runWebSocket(t, socketio.Config{AckTimeout: -1}, func(r *rig) {
		p := r.join("/")
		s := p.socket()
		ctx, cancel := context.WithTimeout(r.Context(), time.Hour)
		defer cancel()
		found, err := r.srv.In(s.ID()).FetchSockets(r.Context())
		if err != nil || len(found) != 1 {
			r.Fatalf("%v, %v", found, err)
		}
		for name, ask := range map[string]func() error{
			"socket":        func() error { _, err := s.Timeout(time.Second).EmitWithAck(r.Context(), "q"); return err },
			"with deadline": func() error { _, err := s.Compress(false).Timeout(time.Second).EmitWithAck(ctx, "q"); return err },
			"remote socket": func() error { _, err := found[0].Timeout(time.Second).EmitWithAck(r.Context(), "q"); return err },
		} {
			began := time.Now()
			var missing *socketio.AckError
			if err := ask(); !errors.As(err, &missing) || missing.Missing != 1 || !missing.Timeout() {
				r.Errorf("%s: %v", name, err)
			}
			if d := time.Since(began); d < time.Second || d > 3*time.Second {
				r.Errorf("%s: it took %v", name, d)
			}
		}
	})
}

// compat: namespace.fetchSockets
// compat: remoteSocket.id
// compat: remoteSocket.handshake
// compat: remoteSocket.rooms
// compat: remoteSocket.data
// compat: remoteSocket.emit
// compat: remoteSocket.join
// compat: remoteSocket.leave
// compat: remoteSocket.disconnect
func TestRemoteSocket(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		r.srv.OnConnect(func(ctx context.Context, s *socketio.Socket) error {
			s.Data().Set("name", "ada")
			return s.Join(ctx, "lobby")
		})
		p := r.open()
		p.send(`40{"token":"t"}`)
		p.wantMatch("^40", "joined")
		r.eventually("it is in the room", func() bool {
			found, err := r.srv.In("lobby").FetchSockets(r.Context())
			return err == nil && len(found) == 1
		})
		found, _ := r.srv.FetchSockets(r.Context())
		remote := found[0]
		var data struct {
			Name string `json:"name"`
		}
		if err := remote.DecodeData(&data); err != nil || data.Name != "ada" {
			r.Errorf("data %+v, %v", data, err)
		}
		if h := remote.Handshake(); h.Query["EIO"] != "4" || string(h.Auth) != `{"token":"t"}` || h.Issued == 0 {
			r.Errorf("handshake %+v", h)
		}
		if rooms := remote.Rooms(); len(rooms) != 2 || !slices.Contains(rooms, remote.ID()) {
			r.Errorf("rooms %v", rooms)
		}
		local := r.srv.Socket(remote.ID())
		if err := errors.Join(remote.Emit("hello"), remote.Join(r.Context(), "more"), remote.Leave(r.Context(), "lobby")); err != nil {
			r.Error(err)
		}
		p.want(`42["hello"]`, "the emit")
		if rooms := local.Rooms(); !slices.Contains(rooms, "more") || slices.Contains(rooms, "lobby") {
			r.Errorf("rooms %v", rooms)
		}
		if err := remote.Disconnect(r.Context(), false); err != nil {
			r.Error(err)
		}
		p.want("41", "it is disconnected")
	})
}

// compat: server.attach
// compat: server.path
// compat: server.engine
// compat: option path
// compat: option addTrailingSlash
// compat: server constructor
func TestAttach(t *testing.T) {
	for path, cfg := range map[string]socketio.Config{
		"/socket.io/":  {},
		"/mine/":       {Engine: engineio.Config{Path: "/mine"}},
		"/slash":       {Engine: engineio.Config{Path: "/slash/", NoTrailingSlash: true}},
		"/socket.io/x": {},
	} {
		srv, err := socketio.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		mux := http.NewServeMux()
		mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "page") })
		hs := &http.Server{Handler: mux}
		srv.Attach(hs)
		get := func(url string) string {
			w := httptest.NewRecorder()
			hs.Handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, url, nil))
			return w.Body.String()
		}
		if body := get(path + "?EIO=4&transport=polling"); len(body) < 10 || body[:7] != `0{"sid"` {
			t.Errorf("%s: %q", path, body)
		}
		for _, other := range []string{"/", "/other/?EIO=4&transport=polling"} {
			if body := get(other); body != "page" {
				t.Errorf("%s: %q", other, body)
			}
		}
		if srv.Path() == "" || srv.Engine().Clients() != 1 || srv.Pattern() != srv.Engine().Pattern() {
			t.Errorf("path %q, %d clients", srv.Path(), srv.Engine().Clients())
		}
		if err := srv.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	srv, _ := socketio.New(socketio.Config{})
	hs := &http.Server{}
	srv.Attach(hs)
	if hs.Handler == nil {
		t.Error("a server without a handler")
	}
}

// TestErrorFromClient: "error" is a name as any other.
//
// compat: event error
func TestErrorFromClient(t *testing.T) {
	runWebSocket(t, socketio.Config{}, func(r *rig) {
		p := r.join("/")
		p.send(`42["error","x"]`, `42["error"]`)
		r.srv.On("error", ack("an event"))
		p.send(`421["error","x"]`)
		p.want(`431["an event"]`, "it arrives")
	})
}
