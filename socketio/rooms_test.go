package socketio_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/hermod-io/hermod/socketio"
)

// compat: adapter event create-room
// compat: adapter event join-room
// compat: adapter event leave-room
// compat: adapter event delete-room
func TestOnRoom(t *testing.T) {
	runWebSocket(t, socketio.Config{}, func(r *rig) {
		var got list[string]
		hook := func(e socketio.RoomEvent) { got.add(fmt.Sprint(e.Kind, " ", e.Room, " ", e.Socket)) }
		p := r.join("/")
		a := p.sid
		r.srv.OnRoom(hook)
		r.srv.OnRoom(func(socketio.RoomEvent) { panic("on purpose") })
		s := p.socket()
		check := func(why string, want ...string) {
			r.Helper()
			if all := got.all(); !slices.Equal(all, want) {
				r.Errorf("%s: %q, want %q", why, all, want)
			}
			got = list[string]{}
		}
		_ = s.Join(r.Context(), "x", "x")
		check("the first in a room", "create-room x ", "join-room x "+a)
		q := r.join("/")
		b := q.sid
		check("a socket's own room", "create-room "+b+" ", "join-room "+b+" "+b)
		_ = r.srv.SocketsJoin(r.Context(), "x")
		check("it is not in it yet", "join-room x "+b)
		s.Leave("x", "y")
		check("another is left", "leave-room x "+a)
		_ = r.srv.In(b).SocketsLeave(r.Context(), "x")
		check("the last", "leave-room x "+b, "delete-room x ")
		p.send("41")
		r.eventually("it has left", func() bool { return len(got.all()) == 2 })
		check("all of its rooms", "leave-room "+a+" "+a, "delete-room "+a+" ")
		if n := r.srv.Stats().Panics; n != 10 {
			r.Errorf("%d panics", n)
		}
		rooms := r.srv.OfPattern("/n{id}")
		rooms.OnRoom(hook)
		q.join("/n1")
		if all := got.all(); len(all) != 2 {
			r.Errorf("a child has the hook of its parent: %q", all)
		}
	})
}

// LocalRooms counts each room with a member once, and those of single sockets.
func TestLocalRooms(t *testing.T) {
	runWebSocket(t, socketio.Config{}, func(r *rig) {
		check := func(why string, want int) {
			r.Helper()
			if n := r.srv.Of("/").LocalRooms(); n != want {
				r.Errorf("%s: %d rooms, want %d", why, n, want)
			}
		}
		check("nobody is there", 0)
		s, p := r.join("/").socket(), r.join("/")
		_ = s.Join(r.Context(), "x", "y")
		_ = p.socket().Join(r.Context(), "x")
		check("two sockets in two rooms", 4)
		s.Leave("x", "y")
		check("one has left its rooms", 3)
		p.send("41")
		r.eventually("the other has left", func() bool { return r.srv.Of("/").LocalRooms() == 1 })
		if n := r.srv.OfPattern("/n{id}").LocalRooms(); n != 0 {
			r.Errorf("a parent has %d", n)
		}
	})
}

// TestRoomEventsInOrder: whoever tells of them, the events of a room come in
// their order, and a hook may use rooms.
func TestRoomEventsInOrder(t *testing.T) {
	runWebSocket(t, socketio.Config{}, func(r *rig) {
		members := map[string]bool{} // of the room "x": hooks are called one at a time
		there := false
		p := r.join("/")
		s := p.socket()
		r.srv.OnRoom(func(e socketio.RoomEvent) {
			if e.Room != "x" {
				return
			}
			was := members[e.Socket]
			switch e.Kind {
			case socketio.RoomCreated, socketio.RoomDeleted:
				if there == (e.Kind == socketio.RoomCreated) || len(members) != 0 {
					r.Errorf("%s out of order", e.Kind)
				}
				there = !there
			case socketio.RoomJoined:
				members[e.Socket] = true
				_ = s.Join(context.Background(), "y")
			case socketio.RoomLeft:
				delete(members, e.Socket)
				s.Leave("y")
			}
			if e.Socket != "" && was == (e.Kind == socketio.RoomJoined) {
				r.Errorf("%s of %s twice", e.Kind, e.Socket)
			}
		})
		sockets := []*socketio.Socket{s, r.join("/").socket(), r.join("/").socket()}
		var wg sync.WaitGroup
		for _, s := range sockets {
			for range 2 {
				wg.Go(func() {
					for range 200 {
						_ = s.Join(r.Context(), "x")
						s.Leave("x")
					}
				})
			}
		}
		wg.Wait()
		r.eventually("the room is deleted", func() bool { return !there && len(members) == 0 })
	})
}
