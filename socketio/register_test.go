package socketio_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/hermod-io/hermod/socketio"
)

// Each registration copied all that there was: a program with ten thousand events
// took seconds, and gigabytes in all, to begin.
func TestRegisteringDoesNotCopy(t *testing.T) {
	const n = 4000
	event := func(context.Context, *socketio.Socket, *socketio.Event) error { return nil }
	for kind, register := range map[string]func(srv *socketio.Server, name string){
		"On":            func(srv *socketio.Server, name string) { srv.On(name, event) },
		"OnAny":         func(srv *socketio.Server, _ string) { srv.OnAny(event) },
		"OnAnyOutgoing": func(srv *socketio.Server, _ string) { srv.OnAnyOutgoing(func(*socketio.Socket, *socketio.Event) {}) },
		"OnConnect": func(srv *socketio.Server, _ string) {
			srv.OnConnect(func(context.Context, *socketio.Socket) error { return nil })
		},
		"OnServerSide": func(srv *socketio.Server, name string) {
			srv.OnServerSide(name, func(context.Context, *socketio.Event) error { return nil })
		},
	} {
		srv, err := socketio.New(socketio.Config{})
		must(t, err)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for i := range n {
			register(srv, fmt.Sprint("event ", i))
		}
		runtime.ReadMemStats(&after)
		if each := (after.TotalAlloc - before.TotalAlloc) / n; each > 4096 {
			t.Errorf("%s: %d bytes were allocated for each of %d", kind, each, n)
		}
		must(t, srv.Close(t.Context()))
	}
}

// What is registered, replaced and removed holds for the next event, however many
// come between.
func TestRegisteringBetweenEvents(t *testing.T) {
	runWebSocket(t, socketio.Config{}, func(r *rig) {
		p := r.join("/")
		rnd := rand.New(rand.NewPCG(1, 2))
		var heard list[string]
		want := map[string]string{}
		around := 0
		for step := range 3000 {
			name := fmt.Sprint("event", rnd.IntN(200))
			switch rnd.IntN(40) {
			case 0:
				if around < 3 {
					around++
					r.srv.UseEvent(func(next socketio.Handler) socketio.Handler { return next })
				}
			case 1, 2, 3, 4, 5, 6, 7:
				heard.v = nil
				p.send(`42["` + name + `"]`)
				synctest.Wait()
				if got := fmt.Sprint(heard.all()); got != "["+want[name]+"]" {
					r.Fatalf("step %d: %s was heard by %s, want %q", step, name, got, want[name])
				}
			case 8, 9, 10, 11:
				r.srv.On(name, nil)
				delete(want, name)
			default:
				who := fmt.Sprint(name, " of step ", step)
				want[name] = who
				r.srv.On(name, func(context.Context, *socketio.Socket, *socketio.Event) error {
					heard.add(who)
					return nil
				})
			}
		}
	})
}

// A child begins with what its parent has; what either registers later is its own.
func TestRegisteringWithAChild(t *testing.T) {
	runWebSocket(t, socketio.Config{}, func(r *rig) {
		var heard list[string]
		hears := func(who string) socketio.Handler {
			return func(context.Context, *socketio.Socket, *socketio.Event) error {
				heard.add(who)
				return nil
			}
		}
		parent := r.srv.OfFunc(func(context.Context, string, *socketio.Handshake) (bool, error) { return true, nil })
		for i := range 3 { // leaves room behind the end of the list
			parent.OnAny(hears(fmt.Sprint("parent", i)))
		}
		p := r.open()
		p.join("/a")
		p.join("/b")
		r.srv.Of("/a").OnAny(hears("a"))
		parent.OnAny(hears("late"))
		r.srv.Of("/b").OnAny(hears("b"))
		r.srv.Of("/a").On("x", hears("x"))
		p.send(`42/a,["x"]`)
		synctest.Wait()
		p.send(`42/b,["x"]`)
		p.join("/c")
		p.send(`42/c,["x"]`)
		synctest.Wait()
		if got, want := fmt.Sprint(heard.all()), "[parent0 parent1 parent2 a x parent0 parent1 parent2 b parent0 parent1 parent2 late]"; got != want {
			r.Errorf("heard by %s, want %s", got, want)
		}
	})
}

// Nothing that is registered while events are handled is lost.
func TestRegisteringWhileEventsCome(t *testing.T) {
	runWebSocket(t, socketio.Config{}, func(r *rig) {
		p := r.join("/")
		var heard list[string]
		const each, goroutines = 300, 4
		var all sync.WaitGroup
		for g := range goroutines {
			all.Go(func() {
				for i := range each {
					name := fmt.Sprint("event ", g, " ", i)
					r.srv.On(name, func(context.Context, *socketio.Socket, *socketio.Event) error {
						heard.add(name)
						return nil
					})
				}
			})
		}
		for range 100 {
			p.send(`42["event 0 0"]`)
		}
		all.Wait()
		synctest.Wait()
		heard.v = nil
		for g := range goroutines {
			for i := range each {
				p.send(fmt.Sprintf(`42["event %d %d"]`, g, i))
			}
		}
		synctest.Wait()
		if n := len(heard.all()); n != each*goroutines {
			r.Errorf("%d of %d are handled", n, each*goroutines)
		}
	})
}

// Each child made a map of its own of what its parent had registered, at its first
// event: clients, who make children, could fill the memory.
func TestChildrenShareWhatIsRegistered(t *testing.T) {
	runWebSocket(t, socketio.Config{}, func(r *rig) {
		const children, events, most = 50, 4000, 32 << 10
		parent := r.srv.OfPattern("/room/{id}")
		for i := range events {
			parent.On(fmt.Sprint("event ", i), func(context.Context, *socketio.Socket, *socketio.Event) error { return nil })
		}
		p := r.open()
		event := func(i int) {
			p.send(fmt.Sprintf(`42/room/%d,["event 0"]`, i))
			synctest.Wait()
		}
		for i := range children {
			p.join(fmt.Sprint("/room/", i))
		}
		event(0)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for i := range children {
			event(i)
		}
		runtime.ReadMemStats(&after)
		if each := (after.TotalAlloc - before.TotalAlloc) / children; each > most {
			r.Errorf("%d bytes were allocated by the first event of each child", each)
		}
	})
}
