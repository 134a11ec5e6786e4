package socketio_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/memory"
	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/parser"
	"github.com/hermod-io/hermod/socketio/sioclient"
	"github.com/hermod-io/hermod/socketio/siotest"
)

// exit ends the goroutine, as FailNow of a test does in a handler.
func exit(context.Context, *socketio.Socket, *socketio.Event) error {
	runtime.Goexit()
	return nil
}

const exited = "socketio: runtime.Goexit was called"

// A handler that ends its goroutine is one that failed: its event is answered, the
// next ones are handled, and the server can be closed, which Serve sees to.
func TestHandlerEndsItsGoroutine(t *testing.T) {
	for name, register := range map[string]func(*socketio.Server){
		"handler":    func(srv *socketio.Server) { srv.On("exit", exit) },
		"concurrent": func(srv *socketio.Server) { srv.On("exit", socketio.Concurrent(exit)) },
		"catch-all": func(srv *socketio.Server) {
			srv.OnAny(func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
				if e.Name() == "exit" {
					return exit(ctx, s, e)
				}
				return nil
			})
		},
		"middleware": func(srv *socketio.Server) {
			srv.On("exit", socketio.Receive(func(context.Context, *socketio.Socket, int) error { return nil }))
			srv.UseEvent(func(next socketio.Handler) socketio.Handler {
				return func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
					if e.Name() == "exit" {
						return exit(ctx, s, e)
					}
					return next(ctx, s, e)
				}
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			siotest.Each(t, func(t *testing.T, mode siotest.Mode) {
				var j journal
				srv := siotest.Serve(t, func(srv *socketio.Server) {
					register(srv)
					srv.On("n", socketio.Reply(func(_ context.Context, _ *socketio.Socket, i int) (int, error) { return i, nil }))
					srv.OnError(func(_ *socketio.Socket, event string, err error) { j.add("%s: %v", event, err) })
					srv.OnDisconnect(func(*socketio.Socket, socketio.Reason) { j.add("left") })
				}, siotest.Config{Mode: mode})
				c := srv.Client(t, "/", sioclient.Config{})
				c.Open()
				for i := range 3 {
					var e *socketio.Error
					if err := c.Call(t.Context(), "exit", nil, 1); !errors.As(err, &e) || e.Code != "internal" {
						t.Fatalf("answered with %v", err)
					}
					var n int
					if err := c.Call(t.Context(), "n", &n, i); err != nil || n != i {
						t.Fatalf("%v, answer %d to %d", err, n, i)
					}
				}
				synctest.Wait() // the answer of a concurrent handler comes before its OnError
				c.Disconnect()
				synctest.Wait()
				j.want(t, "exit: "+exited, "exit: "+exited, "exit: "+exited, "left")
			})
		})
	}
}

// Nor does an OnError that ends the goroutine end the handling of events.
func TestOnErrorDoesNotEndTheHandling(t *testing.T) {
	siotest.Each(t, func(t *testing.T, mode siotest.Mode) {
		srv := siotest.Serve(t, func(srv *socketio.Server) {
			srv.On("fail", func(context.Context, *socketio.Socket, *socketio.Event) error { return errors.New("failed") })
			srv.On("exit", exit)
			srv.OnError(func(*socketio.Socket, string, error) { runtime.Goexit() })
		}, siotest.Config{Mode: mode})
		c := srv.Client(t, "/", sioclient.Config{})
		c.Open()
		for range 3 {
			for _, event := range []string{"fail", "exit"} {
				var e *socketio.Error
				if err := c.Call(t.Context(), event, nil); !errors.As(err, &e) || e.Code != "internal" {
					t.Fatalf("%s: answered with %v", event, err)
				}
			}
		}
	})
}

// So it is with the events of other nodes.
func TestServerSideHandlerEndsItsGoroutine(t *testing.T) {
	var local adapters.Local
	cfg := socketio.Config{Adapter: func(l adapters.Local) (adapters.Adapter, error) {
		local = l
		return memory.New()(l)
	}}
	runWebSocket(t, cfg, func(r *rig) {
		r.srv.OnServerSide("exit", func(context.Context, *socketio.Event) error { runtime.Goexit(); return nil })
		r.srv.OnServerSide("n", func(_ context.Context, e *socketio.Event) error { return e.Ack(1) })
		got := make(chan string, 2)
		for _, text := range []string{`["exit"]`, `["n"]`} {
			local.ServerSideEvent(parser.Args{JSON: []byte(text)}, func(a parser.Args) { got <- string(a.JSON) })
		}
		for _, want := range []string{`[{"error":{"code":"internal","message":"internal error"}}]`, "[1]"} {
			if text := <-got; text != want {
				r.Errorf("the other node is told %s, want %s", text, want)
			}
		}
	})
}

// A middleware that ends its goroutine refuses the client, a function of OnConnect
// disconnects it, and those of the end are all called.
func TestHookEndsItsGoroutine(t *testing.T) {
	siotest.Each(t, func(t *testing.T, mode siotest.Mode) {
		var j journal
		srv := siotest.Serve(t, func(srv *socketio.Server) {
			srv.OnError(func(_ *socketio.Socket, event string, err error) { j.add("%s%v", event, err) })
			srv.Of("/refused").Use(func(context.Context, *socketio.Socket) error { runtime.Goexit(); return nil })
			srv.Of("/refused").OnError(func(_ *socketio.Socket, event string, err error) { j.add("refused%s: %v", event, err) })
			srv.OnConnect(func(context.Context, *socketio.Socket) error { runtime.Goexit(); return nil })
			srv.OnDisconnecting(func(*socketio.Socket, socketio.Reason) { runtime.Goexit() })
			srv.OnDisconnecting(func(s *socketio.Socket, _ socketio.Reason) { j.add("leaves %d rooms", len(s.Rooms())) })
			srv.OnDisconnect(func(*socketio.Socket, socketio.Reason) { runtime.Goexit() })
			srv.OnDisconnect(func(_ *socketio.Socket, r socketio.Reason) { j.add("left: %s", r) })
		}, siotest.Config{Mode: mode})
		refused := srv.Client(t, "/refused", sioclient.Config{})
		if err := refused.Connect(t.Context()); err == nil || err.Error() != "socketio: connect to /refused: internal error" {
			t.Errorf("a client is refused with %v", err)
		}
		synctest.Wait()
		j.want(t, "refused: "+exited)

		c := srv.Client(t, "/", sioclient.Config{})
		_ = c.Connect(t.Context())
		synctest.Wait()
		j.want(t, "refused: "+exited, exited, exited, "leaves 1 rooms", exited, "left: server namespace disconnect")
		for s := range srv.IO().Sockets() {
			t.Errorf("%s is left", s.ID())
		}
	})
}

// A function of OnError that ends its goroutine, as the Fatal of a test does, keeps
// nothing from being done that is due after it.
func TestOnErrorEndsItsGoroutine(t *testing.T) {
	siotest.Each(t, func(t *testing.T, mode siotest.Mode) {
		var j journal
		srv := siotest.Serve(t, func(srv *socketio.Server) {
			srv.OnError(func(_ *socketio.Socket, _ string, err error) {
				j.add("%v", err)
				runtime.Goexit()
			})
			srv.OnConnect(func(context.Context, *socketio.Socket) error { return errors.New("not here") })
			srv.OnDisconnecting(func(*socketio.Socket, socketio.Reason) { panic("leaving") })
			srv.OnDisconnecting(func(*socketio.Socket, socketio.Reason) { j.add("leaves") })
			srv.OnDisconnect(func(*socketio.Socket, socketio.Reason) { runtime.Goexit() })
			srv.OnDisconnect(func(_ *socketio.Socket, r socketio.Reason) { j.add("left: %s", r) })
		}, siotest.Config{Mode: mode})
		_ = srv.Client(t, "/", sioclient.Config{}).Connect(t.Context())
		synctest.Wait()
		j.want(t, "not here", "socketio: panic: leaving", "leaves", exited, "left: server namespace disconnect")
	})
}

// A function of OnRoom that ends its goroutine is told of the next rooms.
func TestOnRoomEndsItsGoroutine(t *testing.T) {
	siotest.Each(t, func(t *testing.T, mode siotest.Mode) {
		var j journal
		srv := siotest.Serve(t, func(srv *socketio.Server) {
			srv.OnRoom(func(e socketio.RoomEvent) {
				if e.Kind == socketio.RoomCreated && len(e.Room) < 6 {
					j.add("%s", e.Room)
					if e.Room == "bad" {
						runtime.Goexit()
					}
				}
			})
			srv.On("join", socketio.Receive(func(ctx context.Context, s *socketio.Socket, room string) error { return s.Join(ctx, room, room+"2") }))
		}, siotest.Config{Mode: mode})
		c := srv.Client(t, "/", sioclient.Config{})
		c.Open()
		for _, room := range []string{"bad", "good"} {
			_ = c.Call(t.Context(), "join", nil, room)
		}
		j.want(t, "bad", "bad2", "good", "good2")
	})
}

// A function of OnAnyOutgoing or of OnRoom that ends its goroutine does not end the
// one that broadcasts or joins, which may be the adapter's: the test's, here.
func TestAdapterOutlivesHooks(t *testing.T) {
	for name, cfg := range map[string]socketio.Config{"plain": {}, "recovery": {Recovery: &socketio.Recovery{}}} {
		t.Run(name, func(t *testing.T) {
			siotest.Each(t, func(t *testing.T, mode siotest.Mode) {
				var j journal
				var settled sync.WaitGroup
				settled.Add(2)
				srv := siotest.Serve(t, func(srv *socketio.Server) {
					srv.OnError(func(_ *socketio.Socket, event string, err error) { j.add("%s: %v", event, err) })
					srv.OnAnyOutgoing(func(*socketio.Socket, *socketio.Event) { runtime.Goexit() })
					srv.OnAnyOutgoing(func(*socketio.Socket, *socketio.Event) { j.add("next") })
					srv.OnConnect(func(_ context.Context, s *socketio.Socket) error {
						s.OnAnyOutgoing(func(*socketio.Socket, *socketio.Event) { j.add("own") })
						settled.Done()
						return nil
					})
					srv.OnRoom(func(e socketio.RoomEvent) {
						if e.Kind == socketio.RoomJoined && e.Room == "room" {
							j.add("joined")
							runtime.Goexit()
						}
					})
				}, siotest.Config{Mode: mode, Server: cfg})
				clients := []*siotest.Client{srv.Connect(t, "/", sioclient.Config{}), srv.Connect(t, "/", sioclient.Config{})}
				settled.Wait()
				if err := srv.IO().SocketsJoin(t.Context(), "room"); err != nil {
					t.Error(err)
				}
				if err := srv.IO().To("room").Emit("news"); err != nil {
					t.Error(err)
				}
				for _, c := range clients {
					siotest.ExpectEvent(t, c, "news")
				}
				heard := []string{"next", "own", "news: " + exited}
				j.want(t, slices.Concat([]string{"joined", "joined"}, heard, heard)...)
			})
		})
	}
}
