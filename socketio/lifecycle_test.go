package socketio_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/socketio"
)

// compat: server.of
// compat: socket.id
// compat: socket.conn
// compat: socket.handshake.auth
// compat: socket.handshake.query
func TestConnect(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		var seen *socketio.Handshake
		admin := r.srv.Of("admin")
		admin.Use(func(ctx context.Context, s *socketio.Socket) error {
			seen = s.Handshake()
			return nil
		})
		p := r.open()
		p.send(`40/nowhere,{"a":1}`)
		p.want(`44/nowhere,{"message":"Invalid namespace"}`, "nobody made it")
		p.send(`40/admin,{"token":"x"}`)
		p.wantMatch(`^40/admin,\{"sid":"[^"]{20}"\}$`, "joined")
		var auth struct {
			Token string `json:"token"`
		}
		if err := seen.DecodeAuth(&auth); err != nil || auth.Token != "x" || string(seen.Auth()) != `{"token":"x"}` {
			r.Errorf("auth %s, %v", seen.Auth(), err)
		}
		if q := seen.Query(); q.Get("EIO") != "4" || q.Get("transport") != r.transport || seen.RemoteAddr == "" {
			r.Errorf("handshake %+v", seen)
		}
		if id := p.join("/"); id == p.socket().Session().ID() {
			r.Error("the socket's id is the session's, which is a secret")
		}
		p.send(`42/admin,["x"]`, `41/admin`, `42["y"]`)
		p.wantIdle("both namespaces are there")
		if r.srv.Of("/admin") != admin {
			r.Error("a second namespace of one name")
		}
	})
}

// compat: namespace.use
// compat: socket.join
// compat: server.use
func TestRefusal(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		var mode string
		var ctx context.Context
		var refused *socketio.Socket
		r.srv.Use(func(c context.Context, s *socketio.Socket) error {
			ctx, refused = c, s
			return s.Join(c, "early")
		})
		r.srv.Use(func(_ context.Context, s *socketio.Socket) error {
			switch mode {
			case "auth of the wrong type":
				var auth struct{ Token []int }
				return fmt.Errorf("wrapped: %w", s.Handshake().DecodeAuth(&auth))
			case "own":
				return fmt.Errorf("wrapped: %w", &socketio.Error{Code: "c", Message: "no <entry>", Data: map[string]any{"why": 1}})
			case "plain":
				return errors.New("go away")
			case "panic":
				panic("secret")
			case "data that panic":
				return &socketio.Error{Message: "secret", Data: bomb{}}
			case "text that panics":
				return mute{}
			}
			return nil
		})
		p := r.open()
		for m, want := range map[string]string{
			"own":              `44{"message":"no <entry>","data":{"why":1}}`,
			"plain":            `44{"message":"go away"}`,
			"panic":            `44{"message":"internal error"}`,
			"data that panic":  `44{"message":"internal error"}`,
			"text that panics": `44{"message":"internal error"}`,

			"auth of the wrong type": `44{"message":"invalid auth"}`,
		} {
			mode = m
			p.send(`40{"Token":"x"}`)
			p.want(want, m)
			if rooms, _ := r.srv.Rooms(r.Context()); len(rooms) != 0 {
				r.Errorf("rooms are left: %v", rooms)
			}
			if ctx.Err() == nil || refused.Connected() || !errors.Is(refused.Join(r.Context(), "late"), socketio.ErrClosed) {
				r.Error("the refused socket lives")
			}
		}
		if rooms, _ := r.srv.Rooms(r.Context()); len(rooms) != 0 {
			r.Errorf("rooms are left: %v", rooms)
		}
		if n := r.srv.Stats().Panics; n != 3 {
			r.Errorf("%d panics", n)
		}
		mode = ""
		p.join("/")
		if rooms := p.socket().Rooms(); !slices.Contains(rooms, "early") || !slices.Contains(rooms, p.sid) || len(rooms) != 2 {
			r.Errorf("rooms %v", rooms)
		}
	})
}

// TestPendingHearsNoBroadcast: a client that may yet be refused must not hear
// what is said in a room that it joined in a middleware.
func TestPendingHearsNoBroadcast(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		r.srv.Use(func(ctx context.Context, s *socketio.Socket) error {
			if err := s.Join(ctx, "early"); err != nil {
				return err
			}
			time.Sleep(time.Second)
			return nil
		})
		p := r.open()
		p.send("40")
		synctest.Wait()
		if err := errors.Join(r.srv.Emit("a"), r.srv.To("early").Emit("b"), r.srv.To("early").Volatile().Emit("c")); err != nil {
			r.Error(err)
		}
		if n := len(slices.Collect(r.srv.Sockets())); n != 0 {
			r.Errorf("%d sockets are connected", n)
		}
		if found, err := r.srv.FetchSockets(r.Context()); err != nil || len(found) != 0 {
			r.Errorf("found %v, %v", found, err)
		}
		p.wantMatch("^40", "nothing came before the reply")
		_ = r.srv.To("early").Emit("d")
		p.want(`42["d"]`, "it is in the room")
	})
}

// TestSequenceErrors: each closes the whole connection. Socket.IO v5.
func TestSequenceErrors(t *testing.T) {
	for name, packets := range map[string][]string{
		"another CONNECT":                 {"40", "40{}"},
		"another CONNECT, pending":        {"40/slow,\x1e40/slow,{}"},
		"another CONNECT, departing":      {"40/slow,\x1e41/slow,\x1e40/slow,"},
		"EVENT without CONNECT":           {`42["x"]`},
		"EVENT of another namespace":      {"40", `42/slow,["x"]`},
		"empty EVENT of no namespace":     {"40", `42/slow["x"]`},
		"ACK without CONNECT":             {`430[]`},
		"DISCONNECT without CONNECT":      {"41"},
		"CONNECT_ERROR":                   {"40", `44{"message":"x"}`},
		"EVENT behind a refused CONNECT":  {"40/nowhere,", `42/nowhere,["x"]`},
		"binary EVENT without CONNECT":    {`451-["x",{"_placeholder":true,"num":0}]`, "b\x01"},
		"no namespace within the timeout": {},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, socketio.Config{}, func(r *rig) {
				r.srv.Of("/slow").Use(func(ctx context.Context, s *socketio.Socket) error {
					<-ctx.Done()
					return ctx.Err()
				})
				p := r.open()
				p.send(packets...)
				for m, ok := p.next("the end"); ok; m, ok = p.next("the end") {
					if m[0] != '4' && m != "1" || len(m) > 1 && m[1] == '2' {
						r.Fatalf("got %q", m)
					}
				}
				r.eventually("the session's end", func() bool { return r.srv.Engine().Clients() == 0 })
			})
		})
	}
}

// TestConnectTimeout: a refused CONNECT does not stop it, the first join does,
// for ever.
// compat: option connectTimeout
// compat: server.connectTimeout
func TestConnectTimeout(t *testing.T) {
	run(t, socketio.Config{ConnectTimeout: time.Second}, func(r *rig) {
		start := time.Now()
		p := r.open()
		p.send("40/nowhere,")
		p.want(`44/nowhere,{"message":"Invalid namespace"}`, "refused")
		p.wantClosed("it joined nothing")
		if d := time.Since(start); d < time.Second {
			r.Errorf("closed after %v", d)
		}
		q := r.join("/")
		q.send("41")
		for range 5 {
			time.Sleep(time.Second)
			q.wantIdle("it had joined once")
		}
		q.join("/")
	})
}

// compat: event disconnect
// compat: event disconnecting
// compat: socket.disconnect
// compat: reason transport close
// compat: reason transport error
// compat: reason ping timeout
// compat: reason parse error
// compat: reason forced close
// compat: reason client namespace disconnect
// compat: reason server namespace disconnect
// compat: reason server shutting down
func TestReasons(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(r *rig, p *peer)
		want map[string]socketio.Reason
	}{
		"client leaves":        {func(r *rig, p *peer) { p.send("41") }, same(socketio.ClientNamespaceDisconnect)},
		"client hangs up":      {func(r *rig, p *peer) { p.hangUp() }, map[string]socketio.Reason{engineio.WebSocket: socketio.TransportClose, engineio.Polling: socketio.TransportError}},
		"engine close packet":  {func(r *rig, p *peer) { _ = p.write("1") }, same(socketio.TransportClose)},
		"silence":              {func(r *rig, p *peer) { time.Sleep(2 * time.Minute) }, same(socketio.PingTimeout)},
		"engine parse error":   {func(r *rig, p *peer) { _ = p.write("x") }, same(socketio.ParseError)},
		"socket.io error":      {func(r *rig, p *peer) { _ = p.write("42{}") }, same(socketio.ForcedClose)},
		"server leaves":        {func(r *rig, p *peer) { p.socket().Disconnect(false) }, same(socketio.ServerNamespaceDisconnect)},
		"server closes":        {func(r *rig, p *peer) { p.socket().Disconnect(true) }, same(socketio.ServerNamespaceDisconnect)},
		"engine session close": {func(r *rig, p *peer) { p.socket().Session().Close(false) }, same(socketio.ForcedClose)},
		"Close":                {func(r *rig, p *peer) { _ = r.srv.Close(context.Background()) }, same(socketio.ServerShuttingDown)},
		"Shutdown":             {func(r *rig, p *peer) { _ = r.srv.Shutdown(context.Background()) }, same(socketio.ServerShuttingDown)},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, socketio.Config{}, func(r *rig) {
				var j journal
				r.srv.OnDisconnecting(func(s *socketio.Socket, why socketio.Reason) {
					j.add("disconnecting %s %d", why, len(s.Rooms()))
				})
				r.srv.OnDisconnect(func(s *socketio.Socket, why socketio.Reason) { j.add("disconnect %s %d", why, len(s.Rooms())) })
				p := r.join("/")
				s := p.socket()
				_ = s.Join(r.Context(), "room")
				ctx := s.Context()
				synctest.Wait()
				c.do(r, p)
				why := c.want[r.transport]
				r.eventually("the end", func() bool { return len(j.all()) == 2 })
				j.want(r.T, fmt.Sprintf("disconnecting %s 2", why), fmt.Sprintf("disconnect %s 0", why))
				var left *socketio.DisconnectError
				if !errors.As(context.Cause(ctx), &left) || left.Reason != why {
					r.Errorf("cause of the context: %v", context.Cause(ctx))
				}
				s.Disconnect(true)
				synctest.Wait()
				if n := len(j.all()); n != 2 {
					r.Errorf("%d calls", n)
				}
			})
		})
	}
}

func same(why socketio.Reason) map[string]socketio.Reason {
	return map[string]socketio.Reason{engineio.WebSocket: why, engineio.Polling: why}
}

// TestForcedServerClose: a polling client without a waiting GET will hear of the
// close later. A packet that cannot be read has the same reason as ever.
// compat: event disconnect
// compat: reason forced server close
func TestForcedServerClose(t *testing.T) {
	for packet, want := range map[string]socketio.Reason{`42/nowhere,["x"]`: socketio.ForcedServerClose, "42{}": socketio.ForcedClose} {
		bubble(t, engineio.Polling, socketio.Config{}, func(r *rig) {
			var got list[socketio.Reason]
			r.srv.OnDisconnect(func(s *socketio.Socket, why socketio.Reason) { got.add(why) })
			p := r.quietPolling()
			p.send("40")
			synctest.Wait() // it has joined
			p.send(packet)
			r.eventually("the end", func() bool { return len(got.all()) == 1 })
			if got.all()[0] != want {
				r.Error(packet, got.all())
			}
		})
	}
}

// TestServerDisconnect: what was sent before is delivered, what waits is not
// handled, the connection stays.
// compat: socket.disconnect
// compat: reason server namespace disconnect
func TestServerDisconnect(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		var j journal
		r.srv.On("kick", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
			_ = s.Emit("last words")
			s.Disconnect(false)
			j.add("%v %v", s.Emit("too late"), e.Ack("too late"))
			return nil
		})
		r.srv.On("after", func(context.Context, *socketio.Socket, *socketio.Event) error {
			j.add("after")
			return nil
		})
		r.srv.Of("/x")
		p := r.join("/")
		p.send("421[\"kick\"]\x1e42[\"after\"]")
		p.want(`42["last words"]`, "what was sent before")
		p.want("41", "DISCONNECT")
		p.send(`42["after"]`, "41")
		p.join("/x")
		r.eventually("the handler's end", func() bool { return len(j.all()) > 0 })
		j.want(r.T, "engineio: session closed engineio: session closed")
	})
}

// TestOnConnectError: it disconnects the socket.
//
// compat: event error
// compat: event connection
func TestOnConnectError(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		var j journal
		r.srv.OnConnect(func(ctx context.Context, s *socketio.Socket) error { return errors.New("full") })
		r.srv.OnConnect(func(ctx context.Context, s *socketio.Socket) error { panic("not called") })
		r.srv.OnError(func(s *socketio.Socket, event string, err error) { j.add("%q %v", event, err) })
		r.srv.OnDisconnect(func(s *socketio.Socket, why socketio.Reason) { j.add("%s", why) })
		p := r.open()
		p.send("40")
		p.wantMatch(`^40\{"sid"`, "it has joined")
		p.want("41", "and leaves")
		r.eventually("the end", func() bool { return len(j.all()) == 2 })
		j.want(r.T, `"" full`, "server namespace disconnect")
	})
}

// TestNamespacesOfOneConnection leave one by one, and all at its end.
// compat: server.of
func TestNamespacesOfOneConnection(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		var j journal
		p := r.open()
		for _, ns := range []string{"/a", "/b", "/c", "/d"} {
			r.srv.Of(ns).OnDisconnect(func(s *socketio.Socket, why socketio.Reason) { j.add("%s %s", ns, why) })
			p.join(ns)
		}
		p.send("41/b,")
		r.eventually("one left", func() bool { return len(j.all()) == 1 })
		p.send(`42/a,["x"]`, "41/a,")
		r.eventually("another", func() bool { return len(j.all()) == 2 })
		_ = r.srv.Of("/c").Emit("x")
		p.want(`42/c,["x"]`, "the others stay")
		synctest.Wait() // the next GET waits
		p.hangUp()
		r.eventually("the rest", func() bool { return len(j.all()) == 4 })
		got := j.all()
		slices.Sort(got)
		if got[1] != "/b client namespace disconnect" {
			r.Error(got)
		}
	})
}

// TestConcurrentOf makes one namespace.
//
// compat: 5.7.6
func TestConcurrentOf(t *testing.T) {
	srv, err := socketio.New(socketio.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	made := 0
	srv.OnNewNamespace(func(*socketio.Namespace) {
		mu.Lock()
		defer mu.Unlock()
		made++
	})
	got := make([]*socketio.Namespace, 16)
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() { got[i] = srv.Of("chat") })
	}
	wg.Wait()
	for _, n := range got {
		if n != got[0] || n.Name() != "/chat" {
			t.Fatal("several namespaces")
		}
	}
	if made != 1 {
		t.Errorf("the hook was called %d times", made)
	}
}

// TestCloseWaits for handlers and hooks, or for its context.
//
// compat: server.close
func TestCloseWaits(t *testing.T) {
	runWebSocket(t, socketio.Config{}, func(r *rig) {
		var j journal
		release := make(chan struct{})
		r.srv.On("stuck", func(context.Context, *socketio.Socket, *socketio.Event) error {
			<-release
			j.add("handler")
			return nil
		})
		r.srv.OnDisconnect(func(s *socketio.Socket, why socketio.Reason) { j.add("%s", why) })
		p := r.join("/")
		p.send(`42["stuck"]`)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(r.Context(), time.Second)
		defer cancel()
		err := r.srv.Close(ctx)
		if want := "socketio: handlers or hooks still run: context deadline exceeded"; !errors.Is(err, context.DeadlineExceeded) || err.Error() != want {
			r.Errorf("Close with a handler that is stuck: %v", err)
		}
		p.wantClosed("the connection is gone all the same")
		close(release)
		if err := r.srv.Close(r.Context()); err != nil {
			r.Error(err)
		}
		j.want(r.T, "handler", "server shutting down")
	})
}

// TestData is safe for concurrent use and can be encoded.
//
// compat: socket.data
func TestData(t *testing.T) {
	runWebSocket(t, socketio.Config{}, func(r *rig) {
		type user struct {
			Name string `json:"name"`
		}
		key := socketio.NewKey[user]("user")
		p := r.join("/")
		s := p.socket()
		if _, ok := key.Get(s); ok {
			r.Error("a value before it was set")
		}
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() { s.Data().Set(fmt.Sprint("k", i), i) })
		}
		wg.Wait()
		for i := range 8 {
			s.Data().Delete(fmt.Sprint("k", i))
		}
		key.Set(s, user{"ada"})
		if u, ok := key.Get(s); !ok || u.Name != "ada" {
			r.Error(u, ok)
		}
		text, err := json.Marshal(s.Data())
		if err != nil || string(text) != `{"user":{"name":"ada"}}` {
			r.Errorf("%s, %v", text, err)
		}
		found, err := r.srv.FetchSockets(r.Context())
		if err != nil || len(found) != 1 {
			r.Fatal(found, err)
		}
		var data struct {
			User user `json:"user"`
		}
		if err := found[0].DecodeData(&data); err != nil || data.User.Name != "ada" || string(found[0].Info().Data) != string(text) {
			r.Errorf("%s, %v", found[0].Info().Data, err)
		}
		s.Data().Set("user", []byte{1, 255})
		if found, _ = r.srv.FetchSockets(r.Context()); string(found[0].Info().Data) != `{"user":{"type":"Buffer","data":[1,255]}}` {
			r.Errorf("bytes in the data: %s", found[0].Info().Data)
		}
		if h := found[0].Info().Handshake; h.Query["EIO"] != "4" || h.Headers["host"] != "server" || h.Address != "127.0.0.1" {
			r.Errorf("%+v", h)
		}
	})
}
