package socketio_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/socketio"
)

var recovering = socketio.Config{Recovery: &socketio.Recovery{}}

// guest is a client that comes back, as the official one does: it remembers its
// pid and the last argument of the last event. It belongs to one goroutine.
type guest struct {
	*peer
	pid, id   string
	offset    string
	recovered bool
	got       []string // events, without their offsets; those before the reply to CONNECT count with it
}

var (
	connectReply = regexp.MustCompile(`^40\{"sid":"([\w-]{20})","pid":"([\w-]{20})"\}$`)
	withOffset   = regexp.MustCompile(`^42(\[.*),"([\w-]{8}-\d+)"\]$`)
)

// comeBack opens a connection and joins the main namespace.
func (r *rig) comeBack(g *guest) *guest {
	r.Helper()
	if g == nil {
		g = new(guest)
	}
	g.peer = r.open()
	g.send("40" + g.auth())
	var early []string
	for {
		m, ok := g.next("the reply to CONNECT")
		if !ok {
			r.Fatal("closed before the reply to CONNECT")
		}
		if reply := connectReply.FindStringSubmatch(string(m)); reply != nil {
			g.recovered = g.pid == reply[2]
			g.id, g.pid, g.peer.sid = reply[1], reply[2], reply[1]
			break
		}
		early = append(early, string(m))
	}
	for _, m := range early {
		g.take(m)
	}
	return g
}

func (g *guest) auth() string {
	auth := map[string]any{}
	if g.pid != "" {
		auth["pid"] = g.pid
	}
	if g.offset != "" {
		auth["offset"] = g.offset
	}
	text, _ := json.Marshal(auth)
	return string(text)
}

// take takes an event.
func (g *guest) take(m string) {
	g.r.Helper()
	parts := withOffset.FindStringSubmatch(m)
	if parts == nil {
		g.r.Fatalf("got %q, want an event with an offset", m)
	}
	g.got, g.offset = append(g.got, parts[1]+"]"), parts[2]
}

// hear takes the next events and expects these.
func (g *guest) hear(why string, want ...string) {
	g.r.Helper()
	for range want {
		m, ok := g.next(why)
		if !ok {
			g.r.Fatalf("closed, want %q: %s", want, why)
		}
		g.take(string(m))
	}
	g.wantGot(why, want...)
}

// wantGot expects that the events since the last look were these.
func (g *guest) wantGot(why string, want ...string) {
	g.r.Helper()
	if !slices.Equal(g.got, want) {
		g.r.Fatalf("got  %q\nwant %q: %s", g.got, want, why)
	}
	g.got = nil
}

// lose cuts the connection and waits until the server has seen it.
func (g *guest) lose() {
	g.r.Helper()
	g.hangUp()
	g.r.eventually("the loss is seen", func() bool { return g.r.srv.Socket(g.id) == nil && g.r.srv.Engine().Clients() == 0 })
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// pass lets time pass in the bubble.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// quick makes the server notice soon that polling clients are gone.
func quick(cfg socketio.Config) socketio.Config {
	cfg.Engine.PingInterval, cfg.Engine.PingTimeout = 2*time.Second, time.Second
	return cfg
}

// TestRecovery: the same id, pid, rooms and data, and what was missed, before
// the reply to CONNECT.
//
// compat: option connectionStateRecovery
// compat: socket.recovered
// compat: adapter.restoreSession
func TestRecovery(t *testing.T) {
	type custom struct{ N int }
	run(t, quick(recovering), func(r *rig) {
		var seen list[string]
		r.srv.OnConnect(func(ctx context.Context, s *socketio.Socket) error {
			seen.add(fmt.Sprint(s.ID(), s.Recovered()))
			return nil
		})
		g := r.comeBack(nil)
		s := g.socket()
		s.Data().Set("custom", custom{7})
		must(r.T, s.Join(r.Context(), "room"), s.Emit("a"), r.srv.To("room").Emit("b", "text"), r.srv.Emit("c"))
		g.hear("events with offsets", `["a"]`, `["b","text"]`, `["c"]`)
		id, pid := g.id, g.pid
		g.lose()
		must(r.T, s.Emit("d"), r.srv.To("room").Emit("e"), r.srv.To("other").Emit("f"), r.srv.Except("room").Emit("g"),
			r.srv.Emit("h"), r.srv.Volatile().Emit("i"), r.srv.To("other", "room").Emit("j"))
		r.comeBack(g)
		g.wantGot("what was missed", `["d"]`, `["e"]`, `["h"]`, `["j"]`)
		if !g.recovered || g.id != id || g.pid != pid {
			r.Fatalf("recovered %v, id %s, pid %s", g.recovered, g.id, g.pid)
		}
		back := g.socket()
		rooms := back.Rooms()
		slices.Sort(rooms)
		want := []string{id, "room"}
		slices.Sort(want)
		v, _ := back.Data().Get("custom")
		if !back.Recovered() || back == s || !slices.Equal(rooms, want) || v != (custom{7}) {
			r.Errorf("recovered %v, rooms %v, data %v", back.Recovered(), rooms, v)
		}
		must(r.T, back.Emit("k"), r.srv.To("room").Emit("l"))
		g.hear("it goes on", `["k"]`, `["l"]`)
		r.eventually("OnConnect", func() bool { return len(seen.all()) == 2 })
		if got := seen.all(); got[0] != id+"false" || got[1] != id+"true" {
			r.Errorf("OnConnect saw %v", got)
		}
	})
}

// TestRecoveryOnTheWire: which packets carry an offset.
func TestRecoveryOnTheWire(t *testing.T) {
	run(t, recovering, func(r *rig) {
		g := r.comeBack(nil)
		s := g.socket()
		must(r.T, s.Emit("bin", []byte{1}, "x"))
		g.wantMatch(`^451-\["bin",\{"_placeholder":true,"num":0\},"x","[\w-]{8}-1"\]$`, "a binary event")
		g.want("b\x01", "its attachment")
		synctest.Wait() // until a GET waits
		must(r.T, s.Volatile().Emit("v"))
		g.wantMatch(`^42\["v","[\w-]{8}-1"\]$`, "a volatile event stands for what was before")
		synctest.Wait()
		must(r.T, r.srv.Volatile().Emit("w"), s.Emit("x"))
		g.wantMatch(`^42\["w","[\w-]{8}-1"\]$`, "so does a volatile broadcast")
		g.wantMatch(`^42\["x","[\w-]{8}-2"\]$`, "the next event")
		go func() { _, _ = s.EmitWithAck(s.Context(), "ask", "text") }()
		g.want(`420["ask","text"]`, "an event that asks for an ack has none")
		go func() { _, _ = r.srv.EmitWithAck(s.Context(), "all", "text") }()
		g.want(`421["all","text"]`, "nor has a broadcast that asks")
		r.srv.On("ack", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error { return e.Ack("text") })
		g.send(`425["ack"]`)
		g.want(`435["text"]`, "nor has an ack")
	})
	run(t, socketio.Config{}, func(r *rig) {
		p := r.join("/") // whose pattern has no pid
		must(r.T, p.socket().Emit("a"))
		p.want(`42["a"]`, "off: no offset")
		if p.socket().Recovered() {
			r.Error("recovered")
		}
	})
}

// TestRecoveryBeforeTheFirstEvent: a pid without an offset means that nothing
// was received since CONNECT.
//
// compat: 5.7.10
func TestRecoveryBeforeTheFirstEvent(t *testing.T) {
	run(t, quick(recovering), func(r *rig) {
		must(r.T, r.srv.Emit("before"))
		g := r.comeBack(nil)
		g.lose()
		must(r.T, r.srv.Emit("a"), r.srv.To(g.id).Emit("b"))
		for range 2 { // the second time it still has none
			h := *g
			r.comeBack(&h)
			h.wantGot("all since CONNECT", `["a"]`, `["b"]`)
			if !h.recovered {
				r.Fatal("not recovered")
			}
			h.lose()
		}
		// An offset of before the CONNECT, as a client shows that was refused
		// recovery, means the same; so does one of a server that is no more.
		for _, offset := range []string{"AAAAAAAA-77", "AAAAAAA--77"} {
			g.offset = offset
			h := *g
			r.comeBack(&h)
			h.wantGot("all since CONNECT", `["a"]`, `["b"]`)
			h.lose()
		}
	})
}

// TestRecoveryWithVolatile: the offset of a volatile event leads to what was
// missed after it.
//
// compat: 5.7.10
func TestRecoveryWithVolatile(t *testing.T) {
	run(t, quick(recovering), func(r *rig) {
		g := r.comeBack(nil)
		must(r.T, r.srv.Emit("a"))
		g.hear("an event", `["a"]`)
		synctest.Wait() // until a GET waits
		must(r.T, r.srv.Volatile().Emit("v", "text"))
		g.hear("a volatile one", `["v","text"]`)
		g.lose()
		must(r.T, r.srv.Volatile().Emit("w"), r.srv.Emit("b"))
		r.comeBack(g)
		g.wantGot("what is not volatile", `["b"]`)
	})
}

// TestRecoveryOfALivingSocket: a client that comes back before its first
// connection was seen to be dead ends that one, hooks and all, and then goes on;
// the pid is used up with each use.
//
// compat: 5.7.10
func TestRecoveryOfALivingSocket(t *testing.T) {
	run(t, recovering, func(r *rig) {
		var j journal
		r.srv.OnConnect(func(ctx context.Context, s *socketio.Socket) error {
			j.add("connect %v", s.Recovered())
			return nil
		})
		r.srv.On("slow", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
			<-ctx.Done()
			time.Sleep(time.Second)
			return nil
		})
		r.srv.OnDisconnecting(func(s *socketio.Socket, reason socketio.Reason) { j.add("disconnecting, %d rooms", len(s.Rooms())) })
		r.srv.OnDisconnect(func(s *socketio.Socket, reason socketio.Reason) {
			time.Sleep(time.Second)
			j.add("disconnect %s", reason)
		})
		g := r.comeBack(nil)
		id := g.id
		g.send(`42["slow"]`)
		synctest.Wait()
		first := g.peer
		must(r.T, r.srv.Emit("a"))
		r.comeBack(g)
		g.wantGot("what the first connection was sent counts as lost", `["a"]`)
		if g.id != id || !g.recovered {
			r.Fatal("not recovered")
		}
		first.wantMatch(`^42\["a"`, "the event was sent there, too")
		first.wantClosed("the first connection is ended")
		synctest.Wait() // for OnConnect, which follows the reply
		j.want(r.T, "connect false", "disconnecting, 1 rooms", "disconnect transport close", "connect true")
		r.eventually("one socket", func() bool { return len(slices.Collect(r.srv.Sockets())) == 1 })
	})
}

// TestRecoveryOfAStuckSocket: a handler that does not end costs its client the
// recovery, not the connection.
func TestRecoveryOfAStuckSocket(t *testing.T) {
	run(t, recovering, func(r *rig) {
		release := make(chan struct{})
		r.srv.On("stuck", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
			<-release
			return nil
		})
		g := r.comeBack(nil)
		id := g.id
		g.send(`42["stuck"]`)
		synctest.Wait()
		start := time.Now()
		r.comeBack(g)
		if g.recovered || g.id == id || time.Since(start) < 10*time.Second {
			r.Errorf("recovered %v after %v", g.recovered, time.Since(start))
		}
		close(release)
	})
}

// TestEmitsToALostSocket: they are kept for its client as long as it may come
// back, and refused otherwise.
func TestEmitsToALostSocket(t *testing.T) {
	run(t, quick(recovering), func(r *rig) {
		done := make(chan error, 1)
		r.srv.On("work", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
			<-ctx.Done()
			done <- s.Emit("result")
			return nil
		})
		g := r.comeBack(nil)
		g.send(`42["work"]`)
		synctest.Wait()
		g.lose()
		must(r.T, <-done)
		r.comeBack(g)
		g.wantGot("the handler's result", `["result"]`)
		s := g.socket()
		s.Disconnect(false)
		if err := s.Emit("late"); !errors.Is(err, socketio.ErrClosed) {
			r.Errorf("emit after the end: %v", err)
		}
		if _, err := s.EmitWithAck(r.Context(), "late"); err == nil {
			r.Error("an ack is waited for")
		}
	})
}

// TestRecoveryFollowsRooms: what was sent to a room counts as missed only for
// the time in which the socket was in it.
func TestRecoveryFollowsRooms(t *testing.T) {
	run(t, quick(recovering), func(r *rig) {
		g := r.comeBack(nil)
		s, ctx := g.socket(), r.Context()
		must(r.T, r.srv.To("a").Emit("a", 1), s.Join(ctx, "a"), r.srv.To("a").Emit("a", 2))
		s.Leave("a")
		must(r.T, r.srv.To("a").Emit("a", 3), r.srv.SocketsJoin(ctx, "b"), r.srv.To("b").Emit("b", 1), s.Broadcast().Emit("not to itself"))
		h := *g
		h.offset = ""
		g.lose()
		must(r.T, r.srv.To("a").Emit("a", 4), r.srv.To("a", "b").Emit("b", 2), r.srv.Except("b").Emit("b", 3))
		r.comeBack(&h)
		h.wantGot("by the rooms of the time", `["a",2]`, `["b",1]`, `["b",2]`)
	})
}

// TestOutgoingHooksWithRecovery: they see the offset, may emit, and hear of each
// event once.
func TestOutgoingHooksWithRecovery(t *testing.T) {
	run(t, quick(recovering), func(r *rig) {
		var seen list[string]
		r.srv.OnAnyOutgoing(func(s *socketio.Socket, e *socketio.Event) {
			seen.add(fmt.Sprint(e.Name(), e.Len()))
			if e.Name() == "a" {
				must(r.T, r.srv.Emit("b"))
			}
		})
		g := r.comeBack(nil)
		must(r.T, r.srv.Emit("a", 1), g.socket().Emit("c"))
		g.hear("the emit of a hook", `["a",1]`, `["b"]`, `["c"]`)
		if got := seen.all(); !slices.Equal(got, []string{"a2", "b1", "c1"}) {
			r.Errorf("hooks saw %v", got)
		}
	})
}

// plain is an adapter that cannot restore sessions.
type plain struct{ adapters.Adapter }

// TestRecoveryNeedsARecoverer: an adapter that cannot do it is an error of New.
func TestRecoveryNeedsARecoverer(t *testing.T) {
	cfg := socketio.Config{Recovery: &socketio.Recovery{}}
	cfg.Adapter = wrapped(func(s *stored) adapters.Adapter { return plain{s} })
	if _, err := socketio.New(cfg); err == nil {
		t.Error("an adapter that is no Recoverer is taken")
	}
	cfg.Recovery = nil
	if _, err := socketio.New(cfg); err != nil {
		t.Error(err)
	}
	for _, bad := range []socketio.Recovery{{MaxDisconnection: -1}, {Bytes: -1}} {
		if _, err := socketio.New(socketio.Config{Recovery: &bad}); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}

// TestSessionsAreSaved: at CONNECT, soon after changes, several as one, and at
// the end, for an adapter that keeps them as JSON: also when the server closes.
//
// compat: adapter.persistSession
func TestSessionsAreSaved(t *testing.T) {
	var st *stored
	cfg := quick(recovering)
	cfg.Adapter = wrapped(func(s *stored) adapters.Adapter { st = s; return s })
	run(t, cfg, func(r *rig) {
		g := r.comeBack(nil)
		want := []string{"save " + g.pid + " []"}
		st.saves.want(r.T, want...)
		s := g.socket()
		for i := range 10 {
			s.Data().Set("i", i)
			time.Sleep(time.Millisecond)
		}
		s.Data().Delete("x")
		time.Sleep(100 * time.Millisecond)
		want = append(want, `save `+g.pid+` [{"i":9}]`)
		st.saves.want(r.T, want...)
		s.Data().Set("late", "text")
		g.lose()
		want = append(want, `lost `+g.pid+` [{"i":9,"late":"text"}]`)
		r.eventually("the last save", func() bool { return len(st.saves.all()) == len(want) })
		st.saves.want(r.T, want...)
		r.comeBack(g)
		v := g.socket().Data().All()
		if !g.recovered || !maps.Equal(v, map[string]any{"i": 9.0, "late": "text"}) {
			r.Errorf("recovered %v, data %v", g.recovered, v)
		}
		time.Sleep(time.Second)
		n := len(st.saves.all())
		must(r.T, r.srv.Close(r.Context()))
		if got := st.saves.all()[n:]; len(got) != 1 || !strings.HasPrefix(got[0], "lost "+g.pid) {
			r.Errorf("at the end of the server: %q", got)
		}
	})
}
