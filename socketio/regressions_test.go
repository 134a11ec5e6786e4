package socketio_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/hermod-io/hermod/socketio"
)

// TestConnectInTheSegmentOfTheRequest: a client that does not wait for the
// handshake had its CONNECT lost in other servers.
//
// compat: 5.7.1
func TestConnectInTheSegmentOfTheRequest(t *testing.T) {
	d := newDirect(t, socketio.Config{})
	conn, err := d.listener.Dial()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(append([]byte(upgradeRequest), frames("40\x1e42[\"x\"]")...)); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	if _, err := http.ReadResponse(in, nil); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`0{"sid"`, `40{"sid"`} {
		if m, err := readFrame(in); err != nil || !strings.HasPrefix(string(m), want) {
			t.Fatalf("got %q, %v, want %s", m, err, want)
		}
	}
}

// TestPipelinedEmits: 500 emits keep their order.
//
// compat: 5.7.4
func TestPipelinedEmits(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		p := r.join("/")
		s := p.socket()
		for i := range 500 {
			if err := s.Emit("n", i); err != nil {
				r.Fatal(err)
			}
		}
		for i := range 500 {
			p.want(fmt.Sprintf(`42["n",%d]`, i), "in order")
		}
	})
}

// TestJoinLeaveRace: joining twice is one membership, and races keep it whole.
// compat: socket.leave
// compat: socket.rooms
// compat: 5.7.5
func TestJoinLeaveRace(t *testing.T) {
	runWebSocket(t, socketio.Config{}, func(r *rig) {
		p := r.join("/")
		s := p.socket()
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				for i := range 100 {
					_ = s.Join(r.Context(), "shared", fmt.Sprint("own", g))
					if i%2 == 0 {
						s.Leave(fmt.Sprint("own", g))
					}
				}
			})
		}
		wg.Wait()
		if rooms := s.Rooms(); len(rooms) != 10 || !slices.Contains(rooms, "shared") {
			r.Errorf("rooms %v", rooms)
		}
		s.Leave("shared")
		if slices.Contains(s.Rooms(), "shared") {
			r.Error("joined twice, left once, and still there")
		}
		_ = r.srv.To("own1", "own2", p.sid).Emit("x")
		p.want(`42["x"]`, "once")
		p.wantIdle("not twice")
	})
}

// TestJoinOfSocketThatLeaves: nothing of it stays in a room.
func TestJoinOfSocketThatLeaves(t *testing.T) {
	runWebSocket(t, socketio.Config{}, func(r *rig) {
		for range 50 {
			p := r.join("/")
			s := p.socket()
			var wg sync.WaitGroup
			wg.Go(func() {
				for range 20 {
					_ = s.Join(context.Background(), "room")
				}
			})
			wg.Go(func() { s.Disconnect(true) })
			wg.Wait()
			p.want("41", "disconnected")
		}
		synctest.Wait()
		if rooms, _ := r.srv.Rooms(r.Context()); len(rooms) != 0 {
			r.Errorf("rooms %v are left", rooms)
		}
	})
}

// TestNamesOfObjectMembers are names like others.
//
// compat: 3.28
func TestNamesOfObjectMembers(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		for _, name := range []string{"__proto__", "constructor", "toString", "error", "7"} {
			r.srv.On(name, func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
				if err := s.Join(ctx, e.Name()); err != nil {
					return err
				}
				return r.srv.To(e.Name()).Emit("got", e.Name())
			})
			r.srv.Of(name)
		}
		p := r.join("/")
		for _, name := range []string{`"__proto__"`, `"constructor"`, `"toString"`, `"error"`, "7"} {
			p.send("42[" + name + "]")
			p.want(`42["got","`+strings.Trim(name, `"`)+`"]`, name)
		}
		p.join("/__proto__")
	})
}

// TestBytesAreNotShared: what a handler keeps, and what it has sent, does not
// change with later packets, and an emit does not keep what it was given.
func TestBytesAreNotShared(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		var events list[*socketio.Event]
		r.srv.On("keep", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
			events.add(e)
			return nil
		})
		p := r.join("/")
		for i := range 20 {
			p.send(fmt.Sprintf(`451-["keep","%s",{"_placeholder":true,"num":0}]`, strings.Repeat(string(rune('a'+i)), i*20)), "b"+strings.Repeat(string(rune('a'+i)), i*20))
		}
		r.eventually("all", func() bool { return len(events.all()) == 20 })
		for i, e := range events.all() {
			var text string
			var raw []byte
			want := strings.Repeat(string(rune('a'+i)), i*20)
			if err := e.Scan(&text, &raw); err != nil || text != want || string(raw) != want {
				r.Errorf("event %d: %q, %q, %v", i, text, raw, err)
			}
		}
		mine := []byte("mine")
		for range 10 {
			if err := p.socket().Emit("x", mine); err != nil {
				r.Fatal(err)
			}
		}
		copy(mine, "your")
		for range 10 {
			p.want(`451-["x",{"_placeholder":true,"num":0}]`, "the header")
			p.want("bmine", "the bytes of then")
		}
	})
}
