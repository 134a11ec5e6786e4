package socketio_test

import (
	"context"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/hermod-io/hermod/socketio"
)

// follow notes what happens in a namespace. The handler of "slow" takes as long as its
// argument says, in milliseconds.
func (r *rig) follow(ns string) *list[string] {
	seen := new(list[string])
	n := r.srv.Of(ns)
	n.Use(func(context.Context, *socketio.Socket) error { seen.add("use"); return nil })
	n.OnConnect(func(context.Context, *socketio.Socket) error { seen.add("connect"); return nil })
	n.On("slow", socketio.Receive(func(_ context.Context, _ *socketio.Socket, ms int) error {
		pause(time.Duration(ms) * time.Millisecond)
		seen.add("slow")
		return nil
	}))
	n.On("bye", func(_ context.Context, s *socketio.Socket, _ *socketio.Event) error {
		s.Disconnect(false)
		pause(time.Second)
		seen.add("bye")
		return nil
	})
	n.OnDisconnecting(func(*socketio.Socket, socketio.Reason) { seen.add("disconnecting") })
	n.OnDisconnect(func(*socketio.Socket, socketio.Reason) { seen.add("disconnect") })
	return seen
}

// wantSeen expects exactly these lines, sooner or later.
func (r *rig) wantSeen(seen *list[string], want ...string) {
	r.Helper()
	r.eventually("the last line", func() bool { return len(seen.all()) >= len(want) })
	if got := seen.all(); !slices.Equal(got, want) {
		r.Errorf("got %q, want %q", got, want)
	}
}

// Who leaves a namespace and joins it again over the same connection was connected
// before the hooks of the first stay were called: a program that counts who is there
// took the client for gone.
func TestRejoinBehindHooks(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		seen := r.follow("/x")
		p := r.join("/")
		for range 20 { // so that goroutines have their chance
			p.join("/x")
			p.send("41/x,", "40/x,", "41/x,")
			p.wantMatch("^40/x,", "joined again")
			r.eventually("the end", func() bool { return len(seen.all())%8 == 0 })
		}
		for stay := range slices.Chunk(seen.all(), 4) {
			if !slices.Equal(stay, []string{"use", "connect", "disconnecting", "disconnect"}) {
				r.Fatalf("%q", seen.all())
			}
		}
	})
}

// The handlers of the first stay come before the second, too, whoever has ended it.
func TestRejoinBehindHandlers(t *testing.T) {
	for ended, packets := range map[string][]string{
		"slow": {`42/x,["slow",1000]`, "41/x,"},
		"bye":  {`42/x,["bye"]`},
	} {
		run(t, socketio.Config{}, func(r *rig) {
			seen := r.follow("/x")
			p := r.join("/")
			p.join("/x")
			p.send(packets...)
			if ended == "bye" {
				p.want("41/x,", "the server's DISCONNECT")
			}
			p.send("40/x,", `42/x,["slow",1]`)
			p.wantMatch("^40/x,", "joined again")
			p.send(`42["y"]`)
			r.wantSeen(seen, "use", "connect", ended, "disconnecting", "disconnect", "use", "connect", "slow")
		})
	}
}

// A handler that does not return holds the client up for ten seconds, and no more.
func TestRejoinPatience(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		seen := r.follow("/x")
		p := r.join("/")
		p.join("/x")
		began := time.Now()
		p.send(`42/x,["slow",30000]`, "41/x,", "40/x,")
		p.wantMatch("^40/x,", "joined again")
		if d := time.Since(began); d < 10*time.Second || d > 12*time.Second {
			r.Errorf("joined again after %v", d)
		}
		pause(25 * time.Second) // the client answers no ping
		r.wantSeen(seen, "use", "connect", "use", "connect", "slow", "disconnecting", "disconnect")
	})
}

// What waits to join again ends with its connection, or by a DISCONNECT behind it, and
// with the server.
func TestRejoinEnds(t *testing.T) {
	first := []string{"use", "connect", "slow", "disconnecting", "disconnect"}
	for end, f := range map[string]func(r *rig, p *peer){
		"the client is lost": func(r *rig, p *peer) { p.hangUp() },
		"the server closes":  func(r *rig, _ *peer) { _ = r.srv.Close(r.Context()) },
	} {
		run(t, socketio.Config{}, func(r *rig) {
			seen := r.follow("/x")
			p := r.join("/")
			p.join("/x")
			p.send(`42/x,["slow",2000]`, "41/x,", "40/x,")
			p.wantIdle(end)
			f(r, p)
			r.wantSeen(seen, first...)
			pause(time.Minute)
			r.wantSeen(seen, first...)
		})
	}
	run(t, socketio.Config{}, func(r *rig) {
		seen := r.follow("/x")
		p := r.join("/")
		p.join("/x")
		p.send(`42/x,["slow",2000]`, "41/x,", "40/x,", `42/x,["slow",1]`, "41/x,")
		p.wantMatch("^40/x,", "joined again")
		r.wantSeen(seen, slices.Concat(first, first)...)
	})
}

// A hook that ends its goroutine does not keep the client from joining again.
func TestRejoinBehindExit(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		n := r.srv.Of("/x")
		n.OnDisconnect(func(*socketio.Socket, socketio.Reason) {
			pause(time.Second)
			runtime.Goexit()
		})
		p := r.join("/")
		p.join("/x")
		began := time.Now()
		p.send("41/x,", "40/x,")
		p.wantMatch("^40/x,", "joined again")
		if d := time.Since(began); d < time.Second || d > 2*time.Second {
			r.Errorf("joined again after %v", d)
		}
	})
}
