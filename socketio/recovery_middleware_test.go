package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/socketio"
)

// TestRecoverySkipsMiddlewares, unless it is told not to.
//
// compat: option connectionStateRecovery.skipMiddlewares
func TestRecoverySkipsMiddlewares(t *testing.T) {
	for _, skip := range []bool{true, false} {
		cfg := quick(socketio.Config{Recovery: &socketio.Recovery{NoSkipMiddlewares: !skip}})
		run(t, cfg, func(r *rig) {
			var calls []string
			refuse := false
			r.srv.Use(func(ctx context.Context, s *socketio.Socket) error {
				calls = append(calls, fmt.Sprint(s.Recovered(), len(s.Rooms())))
				if refuse {
					return errors.New("no")
				}
				return nil
			})
			g := r.comeBack(nil)
			must(r.T, g.socket().Join(r.Context(), "room"))
			g.lose()
			r.comeBack(g)
			want := []string{"false 0"}
			if !skip {
				want = append(want, "true 2")
			}
			if !slices.Equal(calls, want) || !g.recovered {
				r.Errorf("middlewares saw %q, want %q", calls, want)
			}
			if skip {
				return
			}
			g.lose()
			refuse = true
			p := r.open()
			p.send("40" + g.auth())
			p.want(`44{"message":"no"}`, "a middleware may refuse a client that comes back")
			if rooms, _ := r.srv.Rooms(r.Context()); len(rooms) != 0 {
				r.Errorf("rooms are left: %v", rooms)
			}
			p.hangUp()
			refuse = false
			if r.comeBack(g); g.recovered {
				r.Error("the session outlived its refusal")
			}
		})
	}
}

// TestEmitsOfMiddlewares: they are not lost, neither at first nor later, and the
// offset they leave behind leads on.
func TestEmitsOfMiddlewares(t *testing.T) {
	cfg := quick(socketio.Config{Recovery: &socketio.Recovery{NoSkipMiddlewares: true}})
	run(t, cfg, func(r *rig) {
		must(r.T, r.srv.Emit("earlier"))
		n := 0
		r.srv.Use(func(ctx context.Context, s *socketio.Socket) error {
			n++
			must(r.T, s.Emit("hello", n, "text"), r.srv.To("room").Emit("all", n), s.Emit("again", n))
			time.Sleep(time.Second)
			return s.Join(ctx, "room")
		})
		g := r.comeBack(nil)
		g.wantGot("before the reply", `["hello",1,"text"]`, `["again",1]`)
		g.lose()
		must(r.T, r.srv.Emit("missed"))
		r.comeBack(g)
		g.wantGot("in the order of the goroutine", `["missed"]`, `["hello",2,"text"]`, `["all",2]`, `["again",2]`)
		if g.lose(); r.comeBack(g) == nil || !g.recovered {
			r.Error("not recovered")
		}
		g.wantGot("nothing twice", `["hello",3,"text"]`, `["all",3]`, `["again",3]`)
	})
}

// TestRecoveryHolds: what is sent while middlewares run waits, in order, and is
// bounded as the queue is.
func TestRecoveryHolds(t *testing.T) {
	cfg := quick(socketio.Config{Recovery: &socketio.Recovery{NoSkipMiddlewares: true}})
	cfg.Engine.Queue.Packets = 50
	run(t, cfg, func(r *rig) {
		flood, asks := 0, false
		r.srv.Use(func(ctx context.Context, s *socketio.Socket) error {
			if s.Recovered() {
				for i := range flood {
					must(r.T, r.srv.To("room").Emit("n", i), r.srv.Volatile().Emit("v"))
				}
				if asks {
					go s.EmitWithAck(s.Context(), "ask")
					synctest.Wait()
				}
				time.Sleep(time.Second)
			}
			return nil
		})
		g := r.comeBack(nil)
		must(r.T, g.socket().Join(r.Context(), "room"))
		g.lose()
		must(r.T, r.srv.Emit("missed"))
		flood = 40
		r.comeBack(g)
		want := []string{`["missed"]`}
		for i := range flood {
			want = append(want, fmt.Sprintf(`["n",%d]`, i))
		}
		g.wantGot("what was missed, then what came since", want...)
		g.lose()
		flood = 100
		p := r.open()
		p.send("40" + g.auth())
		p.wantClosed("more than the queue takes")
		flood = 0
		r.eventually("it is gone", func() bool { return r.srv.Engine().Clients() == 0 })
		if r.comeBack(g); g.recovered {
			r.Error("what it missed does not fit")
		}
		g.lose()
		asks = true
		g.peer = r.open()
		g.send("40" + g.auth())
		g.wantMatch(`^42\d+\["ask"\]$`, "a question waits as well")
		g.wantMatch(`^40\{`, "the reply")
	})
}
