package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/socketio"
)

// refused expects that a CONNECT is answered with "Invalid namespace".
func (p *peer) refused(ns string) {
	p.r.Helper()
	p.send("40" + ns + ",")
	p.want("44"+ns+`,{"message":"Invalid namespace"}`, "nobody wants "+ns)
}

// compat: server.of
// compat: event new_namespace
// compat: socket.nsp
func TestPattern(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		var made list[string]
		r.srv.OnNewNamespace(func(n *socketio.Namespace) { made.add(n.Name()) })
		rooms := r.srv.OfPattern("room-{id}/{rest...}")
		rooms.On("where", socketio.Reply(func(ctx context.Context, s *socketio.Socket, _ int) ([]string, error) {
			return []string{s.Param("id"), s.Namespace().Param("rest"), s.Param("none"), s.Namespace().Parent().Name()}, nil
		}))
		p := r.join("/room-7/a/b")
		p.send(`42/room-7/a/b,1["where",0]`)
		p.want(`43/room-7/a/b,1[["7","a/b","","/room-{id}/{rest...}"]]`, "the parameters")
		for _, ns := range []string{"/room-7", "/room-7/", "/room-/x", "/xroom-7/a", "/room-{id}"} {
			p.refused(ns)
		}
		if got := made.all(); !slices.Equal(got, []string{"/room-7/a/b"}) {
			r.Errorf("made %v", got)
		}
		if n := r.srv.Of("/room-{id}"); n.Parent() != nil || n.Param("id") != "" || rooms.Param("id") != "" || rooms.Parent() != nil {
			r.Error("a literal name, or the parent itself, is no child")
		}
		p.join("/room-{id}")
		p.send(`41/room-7/a/b,`)
		p.join("/room-7/a/b") // without cleanup it stays
		if got := made.all(); !slices.Equal(got, []string{"/room-7/a/b", "/room-{id}"}) {
			r.Errorf("made %v", got)
		}
	})
}

func TestMalformedPatterns(t *testing.T) {
	srv, err := socketio.New(socketio.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{"/{", "/{a", "/{}", "/{1}", "/{a}{a}", "/{a...}/x", "/{a b}"} {
		func() {
			defer func() {
				if v := recover(); v == nil || !strings.HasPrefix(fmt.Sprint(v), "socketio: OfPattern: ") {
					t.Errorf("%s: %v", pattern, v)
				}
			}()
			srv.OfPattern(pattern)
		}()
	}
}

// compat: server.of
func TestRegexpParent(t *testing.T) {
	runWebSocket(t, socketio.Config{}, func(r *rig) {
		n := r.srv.OfRegexp(regexp.MustCompile(`dyn-(?P<n>\d+)$`))
		n.OnConnect(func(ctx context.Context, s *socketio.Socket) error { return s.Emit("you", s.Param("n")) })
		p := r.join("/any/dyn-12") // not anchored, as RegExp.test
		p.want(`42/any/dyn-12,["you","12"]`, "the group")
		p.refused("/dyn-")
		for _, ns := range []string{"/__proto__", "/constructor", "/toString"} {
			p.refused(ns)
		}
		r.srv.OfRegexp(regexp.MustCompile(`^/(__proto__|constructor)$`))
		p.join("/__proto__")
		p.join("/constructor")
	})
}

// TestParentsInOrder: they are asked in the order in which they were made,
// whatever their kind; the first that wants the name gets it. An error, a panic
// and false ask the next.
// compat: server.of
func TestParentsInOrder(t *testing.T) {
	runWebSocket(t, socketio.Config{}, func(r *rig) {
		var asked list[string]
		parent := func(name string, ok bool, err error) *socketio.Namespace {
			return r.srv.OfFunc(func(ctx context.Context, ns string, h *socketio.Handshake) (bool, error) {
				var auth struct {
					Key string `json:"key"`
				}
				if err := h.DecodeAuth(&auth); err != nil || ctx.Err() != nil || h.URL.Query().Get("EIO") != "4" {
					r.Errorf("%v, %v, %v", err, ctx.Err(), h.URL)
				}
				asked.add(name + ns + auth.Key)
				if name == "panics" {
					panic("on purpose")
				}
				return ok, err
			})
		}
		parent("errs", true, errors.New("no"))
		parent("panics", true, nil)
		parent("declines", false, nil)
		r.srv.OfPattern("/other-{x}")
		second := parent("takes", true, nil)
		parent("too late", true, nil)
		own := r.srv.Of("/own")
		p := r.open()
		p.send(`40/x,{"key":"k"}`)
		p.wantMatch(`^40/x,`, "joined")
		p.join("/own")
		p.join("/other-1")
		p.join("/x" + "y")
		if got, want := asked.all(), []string{"errs/xk", "panics/xk", "declines/xk", "takes/xk"}; !slices.Equal(got[:4], want) {
			r.Errorf("asked %v", got)
		}
		if n := len(asked.all()); n != 4+3+4 {
			r.Errorf("%d were asked: not for /own, three before the pattern, four for /xy", n)
		}
		if own.Parent() != nil || r.srv.Of("/x").Parent() != second {
			r.Error("not the parents that they should have")
		}
		if s := r.srv.Stats(); s.Panics != 3 {
			r.Errorf("%d panics", s.Panics)
		}
		q := r.open() // /x exists: nobody is asked
		q.join("/x")
		if n := len(asked.all()); n != 11 {
			r.Errorf("%d were asked", n)
		}
	})
}

// TestChildBeginsWithParentsHandlers, and keeps them: what the parent gets
// later is for later children.
// compat: server.of
func TestChildBeginsWithParentsHandlers(t *testing.T) {
	runWebSocket(t, socketio.Config{}, func(r *rig) {
		rooms := r.srv.OfPattern("/room-{id}")
		rooms.Use(func(ctx context.Context, s *socketio.Socket) error {
			if s.Param("id") == "closed" {
				return &socketio.Error{Message: "closed", Data: 1}
			}
			return s.Join(ctx, "in "+s.Param("id"))
		})
		rooms.OnConnect(func(ctx context.Context, s *socketio.Socket) error { return s.Emit("hello", s.Param("id")) })
		rooms.On("x", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error { return e.Ack("first") })
		of := r.srv.Of("room-1")
		of.On("y", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error { return e.Ack("its own") })
		if of.Parent() != rooms || r.srv.Of("/room-1") != of {
			r.Error("Of makes a child of the parent whose pattern matches, once")
		}
		p := r.join("/room-1")
		p.want(`42/room-1,["hello","1"]`, "OnConnect of the parent")
		p.send("40/room-closed,")
		p.want(`44/room-closed,{"message":"closed","data":1}`, "the middleware of the parent")
		rooms.On("x", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error { return e.Ack("second") })
		p.join("/room-2")
		p.want(`42/room-2,["hello","2"]`, "OnConnect of the parent")
		p.send(`42/room-1,1["x"]`, `42/room-1,2["y"]`)
		p.want(`43/room-1,1["first"]`, "as it was when the child was made")
		p.want(`43/room-1,2["its own"]`, "a handler of the child alone")
		p.send(`42/room-2,1["x"]`, `42/room-2,2["y"]`)
		p.want(`43/room-2,1["second"]`, "as it was then")
		p.wantIdle("the other child has no handler for y")
	})
}

// TestParentActsOnChildren: an operation of the parent is one of each child.
// compat: namespace.emit
func TestParentActsOnChildren(t *testing.T) {
	run(t, socketio.Config{AckTimeout: 5 * time.Second}, func(r *rig) {
		rooms := r.srv.OfPattern("/room-{id}")
		p := r.open()
		one, two := p.join("/room-1"), p.join("/room-2")
		check := func(err error) {
			r.Helper()
			if err != nil {
				r.Error(err)
			}
		}
		both := func(m, why string) {
			r.Helper()
			got := []string{}
			for range 2 {
				got = append(got, string(p.wantMatch(".", why)))
			}
			slices.Sort(got)
			want := []string{strings.ReplaceAll(m, "#", "/room-1,"), strings.ReplaceAll(m, "#", "/room-2,")}
			if !slices.Equal(got, want) {
				r.Errorf("got %q, want %q: %s", got, want, why)
			}
		}
		check(rooms.Emit("all", 1))
		both(`42#["all",1]`, "both hear it in their own namespace")
		check(rooms.To("r").Emit("none"))
		check(rooms.SocketsJoin(r.Context(), "r"))
		check(rooms.Local().To("r").Emit("room"))
		both(`42#["room"]`, "both were put into the room")
		check(rooms.Except(one).Emit("not one"))
		p.want(`42/room-2,["not one"]`, "one is excepted")
		check(rooms.SocketsLeave(r.Context(), "r"))
		check(rooms.To("r").Emit("none"))
		if n := len(slices.Collect(rooms.Sockets())); n != 2 || rooms.Socket(two) == nil || rooms.Socket("x") != nil {
			r.Errorf("%d sockets", n)
		}
		if n := len(slices.Collect(rooms.Children())); n != 2 || len(slices.Collect(r.srv.Of("/").Children())) != 0 {
			r.Errorf("%d children", n)
		}
		_, fetched := rooms.FetchSockets(r.Context())
		_, listed := rooms.Rooms(r.Context())
		for _, err := range []error{fetched, listed, rooms.ServerSideEmit(r.Context(), "x")} {
			if !errors.Is(err, socketio.ErrParent) {
				r.Errorf("%v is not supported on a parent", err)
			}
		}
		parentAcks(r, p, rooms)
		check(rooms.DisconnectSockets(r.Context(), false))
		both(`41#`, "both left")
	})
}

func parentAcks(r *rig, p *peer, rooms *socketio.Namespace) {
	r.Helper()
	answer := func() {
		m := string(p.wantMatch(`^42/room-\d,\d+\["ask"\]$`, "a question"))
		p.send(strings.Replace(strings.TrimSuffix(m, `["ask"]`), "42", "43", 1) + `["yes"]`)
	}
	done := make(chan error, 1)
	ask := func() {
		got, err := rooms.EmitWithAck(r.Context(), "ask")
		if want := 2; err == nil && len(got) != want {
			err = fmt.Errorf("%d acks", len(got))
		}
		done <- err
	}
	go ask()
	answer()
	answer()
	if err := <-done; err != nil {
		r.Error(err)
	}
	go ask()
	answer()
	var missing *socketio.AckError
	if err := <-done; !errors.As(err, &missing) || missing.Missing != 1 || !missing.Timeout() {
		r.Errorf("one did not answer: %v", err)
	}
	p.wantMatch(`^42/room-\d,\d+\["ask"\]$`, "the one that was not answered")
}

// TestFunctionMayBlock: it holds up neither the connection it is asked for nor
// anybody else's CONNECT, and its context ends with the connection.
func TestFunctionMayBlock(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		var ends list[error]
		r.srv.OfFunc(func(ctx context.Context, name string, h *socketio.Handshake) (bool, error) {
			if name == "/free" {
				return true, nil
			}
			<-ctx.Done()
			ends.add(context.Cause(ctx))
			return true, nil
		})
		p := r.open()
		p.send("40/stuck,", `42/stuck,["waits"]`)
		p.join("/free")
		p.join("/")
		q := r.join("/free")
		q.send("40/stuck,")
		synctest.Wait()
		if n := len(ends.all()); n != 0 {
			r.Errorf("%d contexts have ended", n)
		}
		p.hangUp()
		r.eventually("the function hears of it", func() bool { return len(ends.all()) == 1 })
		var left *socketio.DisconnectError
		if err := ends.all()[0]; !errors.As(err, &left) {
			r.Errorf("the cause is %v", err)
		}
	})
}

// TestEventsWaitForTheNamespace: those behind the CONNECT are handled when it
// has been made.
func TestEventsWaitForTheNamespace(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		n := r.srv.OfFunc(func(ctx context.Context, name string, h *socketio.Handshake) (bool, error) {
			time.Sleep(time.Second)
			return name == "/a", nil
		})
		n.On("x", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error { return e.Ack() })
		p := r.open()
		p.send("40/a,", `42/a,1["x"]`)
		p.wantMatch("^40/a,", "the reply")
		p.want("43/a,1[]", "the event that waited")
		p.send("40/b,")
		p.want(`44/b,{"message":"Invalid namespace"}`, "asked, and not wanted")
		p.send("40/c,", "41/c,")
		p.want(`44/c,{"message":"Invalid namespace"}`, "leaving early is no error")
		p.send("40/a,{}")
		p.wantClosed("another CONNECT")
	})
}
