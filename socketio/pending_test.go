package socketio_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/hermod-io/hermod/socketio"
)

// A socket that the program disconnected while its middlewares ran left its client
// without an answer to CONNECT, waiting for ever over an open connection.
//
// compat: socket.disconnect
func TestDisconnectWhilePending(t *testing.T) {
	for name, c := range map[string]struct {
		do     func(s *socketio.Socket)
		err    error
		want   string
		closed bool
	}{
		"then an error":             {func(s *socketio.Socket) { s.Disconnect(false) }, errors.New("no"), `44/x,{"message":"no"}`, false},
		"then nothing":              {func(s *socketio.Socket) { s.Disconnect(false) }, nil, `44/x,{"message":"disconnected"}`, false},
		"twice":                     {func(s *socketio.Socket) { s.Disconnect(false); s.Disconnect(false) }, nil, `44/x,{"message":"disconnected"}`, false},
		"connection, then an error": {func(s *socketio.Socket) { s.Disconnect(true) }, errors.New("no"), `44/x,{"message":"disconnected"}`, true},
		"connection, then nothing":  {func(s *socketio.Socket) { s.Disconnect(true) }, nil, `44/x,{"message":"disconnected"}`, true},
		"connection afterwards":     {func(s *socketio.Socket) { s.Disconnect(false); s.Disconnect(true) }, nil, `44/x,{"message":"disconnected"}`, true},
		"connection before":         {func(s *socketio.Socket) { s.Disconnect(true); s.Disconnect(false) }, nil, `44/x,{"message":"disconnected"}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, socketio.Config{}, func(r *rig) {
				var j journal
				first := true
				x := r.srv.Of("/x")
				x.Use(func(ctx context.Context, s *socketio.Socket) error {
					if !first {
						return nil
					}
					first = false
					j.add("%v", s.Join(ctx, "early"))
					c.do(s)
					j.add("%v %v %v", s.Connected(), s.Emit("late"), s.Join(ctx, "late"))
					return c.err
				})
				x.OnConnect(func(context.Context, *socketio.Socket) error { j.add("connected"); return nil })
				x.OnDisconnect(func(*socketio.Socket, socketio.Reason) { j.add("disconnected") })
				p := r.open()
				p.send("40/x,")
				p.want(c.want, "each CONNECT is answered")
				synctest.Wait()
				j.want(r.T, "<nil>", "false "+socketio.ErrClosed.Error()+" "+socketio.ErrClosed.Error())
				if rooms, err := x.Rooms(r.Context()); len(rooms) != 0 || err != nil {
					r.Errorf("rooms %q, %v", rooms, err)
				}
				if c.closed {
					p.wantClosed("the program asked for it")
					return
				}
				p.join("/x")
				p.join("/")
				p.wantIdle("nothing else was sent")
			})
		})
	}
}

// A middleware that waits is told by its context; the answer is that of its end.
// What the client sends meanwhile is not handled.
func TestDisconnectOfAWaitingMiddleware(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		var pending *socketio.Socket
		gate := make(chan struct{})
		r.srv.Use(func(ctx context.Context, s *socketio.Socket) error {
			pending = s
			<-ctx.Done()
			<-gate
			return context.Cause(ctx)
		})
		r.srv.On("x", func(context.Context, *socketio.Socket, *socketio.Event) error {
			r.Error("an event was handled")
			return nil
		})
		p := r.open()
		p.send("40", `42["x"]`)
		synctest.Wait()
		pending.Disconnect(false)
		p.send(`42["x"]`, `421["x"]`)
		synctest.Wait()
		var left *socketio.DisconnectError
		if err := context.Cause(pending.Context()); !errors.As(err, &left) || left.Reason != socketio.ServerNamespaceDisconnect {
			r.Errorf("cause of the context: %v", err)
		}
		close(gate)
		p.want(`44{"message":"`+left.Error()+`"}`, "the error of the middleware")
		p.wantIdle("one answer")
	})
}

// Its answer is that to a CONNECT which comes before it.
func TestSecondConnectOfADismissed(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		gate := make(chan struct{})
		r.srv.Of("/x").Use(func(_ context.Context, s *socketio.Socket) error {
			s.Disconnect(false)
			<-gate
			return nil
		})
		p := r.join("/") // so no timeout closes it
		p.send("40/x,")
		synctest.Wait()
		p.send("40/x,")
		synctest.Wait()
		close(gate)
		p.want(`44/x,{"message":"disconnected"}`, "the answer to both")
		p.wantIdle("only one")
	})
}

// A CONNECT that says what one before has said is passed over, whether that is
// answered or not: the client has one socket, and one answer. So is none that comes
// behind a DISCONNECT.
func TestConnectTwice(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		gate := make(chan struct{})
		var j journal
		n := r.srv.Of("/x")
		n.Use(func(context.Context, *socketio.Socket) error { <-gate; return nil })
		n.OnConnect(func(_ context.Context, s *socketio.Socket) error { j.add("joined"); return nil })
		n.OnDisconnect(func(_ *socketio.Socket, r socketio.Reason) { j.add("left: %s", r) })
		n.On("x", func(_ context.Context, _ *socketio.Socket, e *socketio.Event) error { return e.Ack(1) })
		p := r.join("/")
		p.send(`40/x,{"a":1}`, `40/x,{"a":1}`, `42/x,1["x"]`)
		synctest.Wait()
		p.send(`40/x,{"a":1}`)
		synctest.Wait()
		close(gate)
		p.wantMatch("^40/x,", "the answer to all three")
		p.want("43/x,1[1]", "the event behind them")
		p.send(`40/x,{"a":1}`, `42/x,2["x"]`)
		p.want("43/x,2[1]", "nothing to one that is late")
		j.want(r.T, "joined")
		p.send("41/x,", `40/x,{"a":1}`)
		p.wantMatch("^40/x,", "it has left, and is back")
		r.eventually("both are told", func() bool { return len(j.all()) == 3 })
	})
}

// Who closes the connection by another socket refuses nobody: those clients may
// come back.
func TestConnectionClosedWhilePending(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		ended := make(chan struct{})
		r.srv.Of("/slow").Use(func(ctx context.Context, _ *socketio.Socket) error {
			defer close(ended)
			<-ctx.Done()
			return nil
		})
		p := r.join("/")
		p.send("40/slow,")
		synctest.Wait()
		p.socket().Disconnect(true)
		p.want("41", "DISCONNECT of the one")
		p.wantClosed("nothing for the other")
		<-ended
	})
}

// Operators reached sockets whose middlewares still ran, if those had joined a
// room: their clients got no answer, though others found no such socket.
//
// compat: namespace.disconnectSockets
// compat: namespace.socketsJoin
// compat: namespace.socketsLeave
func TestOperatorsPassOverPending(t *testing.T) {
	for _, closeConn := range []bool{false, true} {
		run(t, socketio.Config{}, func(r *rig) {
			gate := make(chan struct{})
			var pending *socketio.Socket
			r.srv.Use(func(ctx context.Context, s *socketio.Socket) error {
				if err := s.Join(ctx, "early", "other"); err != nil {
					return err
				}
				pending = s
				<-gate
				return nil
			})
			p := r.open()
			p.send("40")
			synctest.Wait()
			for _, b := range []socketio.Broadcast{r.srv.To("early"), r.srv.To(), r.srv.Except("nowhere")} {
				must(r.T, b.SocketsJoin(r.Context(), "more"), b.SocketsLeave(r.Context(), "other"), b.DisconnectSockets(r.Context(), closeConn))
			}
			wantRooms(r, pending, "early", "other")
			close(gate)
			p.wantMatch(`^40\{`, "connected")
			synctest.Wait()
			wantRooms(r, pending, "early", "other", pending.ID())
			early := r.srv.To("early")
			must(r.T, early.SocketsJoin(r.Context(), "more"), early.SocketsLeave(r.Context(), "other"))
			wantRooms(r, pending, "early", "more", pending.ID())
			must(r.T, early.DisconnectSockets(r.Context(), closeConn))
			p.want("41", "now it is reached")
			if closeConn {
				p.wantClosed("that, too")
			}
		})
	}
}

func wantRooms(r *rig, s *socketio.Socket, want ...string) {
	r.Helper()
	got := s.Rooms()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		r.Errorf("in %q, want %q", got, want)
	}
}

// The last moment: it is in the room of its own, and its reply is not queued yet.
func TestOperatorsAtTheLastMoment(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		acted := 0
		r.srv.OnRoom(func(e socketio.RoomEvent) {
			if e.Kind == socketio.RoomJoined && e.Room == e.Socket {
				acted++
				must(r.T, r.srv.To(e.Room).DisconnectSockets(r.Context(), true), r.srv.SocketsJoin(r.Context(), "more"))
			}
		})
		p := r.join("/")
		if acted != 1 {
			r.Errorf("%d sockets joined", acted)
		}
		p.wantIdle("it was not connected then")
		wantRooms(r, p.socket(), p.sid)
	})
}

// A client that comes back is passed over as well until its middlewares have
// returned; it keeps its rooms.
func TestOperatorsPassOverRestored(t *testing.T) {
	cfg := quick(socketio.Config{Recovery: &socketio.Recovery{NoSkipMiddlewares: true}})
	run(t, cfg, func(r *rig) {
		act := false
		r.srv.Use(func(ctx context.Context, s *socketio.Socket) error {
			if act {
				b := r.srv.To("room")
				must(r.T, b.SocketsLeave(ctx, "room"), b.SocketsJoin(ctx, "more"), b.DisconnectSockets(ctx, false))
			}
			return nil
		})
		g := r.comeBack(nil)
		must(r.T, g.socket().Join(r.Context(), "room"))
		g.lose()
		act = true
		r.comeBack(g)
		if !g.recovered {
			r.Error("it is a new one")
		}
		wantRooms(r, g.socket(), "room", g.sid)
	})
}
