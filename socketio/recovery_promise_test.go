package socketio_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/socketio"
)

// TestPromise6: with recovery a client gets each event exactly once, in the
// order of its sender, wherever its connections are cut and whatever others
// send meanwhile.
func TestPromise6(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	cfg := socketio.Config{Recovery: &socketio.Recovery{MaxDisconnection: time.Hour, NoSkipMiddlewares: true}}
	run(t, cfg, func(r *rig) {
		const guests, senders, each, cuts = 4, 3, 200, 60
		rnd := rand.New(rand.NewPCG(seed, 0))
		r.srv.Use(func(ctx context.Context, s *socketio.Socket) error {
			time.Sleep(2 * time.Millisecond) // so that there are broadcasts meanwhile
			return nil
		})
		var all []*guest
		for range guests {
			g := r.comeBack(nil)
			must(r.T, g.socket().Join(r.Context(), "room"))
			all = append(all, g)
		}
		var wg sync.WaitGroup
		defer wg.Wait()
		for i := range senders {
			ways := []socketio.Broadcast{r.srv.To("room"), r.srv.To("room", all[0].id), r.srv.Except("nobody")}
			wg.Go(func() {
				for n := range each {
					if err := ways[(i+n)%len(ways)].Emit("n", i, n); err != nil {
						r.Error(err)
					}
					_ = r.srv.Volatile().Emit("volatile", "text") // what is not kept is in between
					time.Sleep(time.Millisecond)
				}
			})
		}
		for range cuts {
			g := all[rnd.IntN(guests)]
			for range rnd.IntN(2 * senders * each / cuts) {
				g.hearOne()
			}
			g.hangUp() // what is on its way is lost
			for rnd.IntN(4) == 0 {
				p := r.open()
				p.send("40" + g.auth())
				if rnd.IntN(2) == 0 {
					synctest.Wait()
				}
				p.hangUp() // before the reply to CONNECT
			}
			// Past the middleware, else such a connection may come after the next, and end it.
			time.Sleep(5 * time.Millisecond)
			synctest.Wait()
			if r.comeBack(g); !g.recovered {
				r.Fatal("not recovered")
			}
		}
		wg.Wait()
		for _, g := range all {
			g.wantEach(senders, each)
		}
	})
}

// hearOne takes an event, if there is one.
func (g *guest) hearOne() {
	g.r.Helper()
	synctest.Wait()
	select {
	case m, ok := <-g.received:
		switch {
		case !ok:
			g.r.Fatal("the connection is closed")
		case m == "2":
			g.send("3")
		case m != "6":
			g.take(string(m))
		}
	default:
		time.Sleep(time.Millisecond)
	}
}

// wantEach expects that each event of each sender came once, in its order.
func (g *guest) wantEach(senders, each int) {
	g.r.Helper()
	next := make([]int, senders)
	for done := 0; done < senders*each; {
		for _, e := range g.got {
			if strings.HasPrefix(e, `["volatile"`) {
				continue
			}
			var i, n int
			if _, err := fmt.Sscanf(e, `["n",%d,%d]`, &i, &n); err != nil || next[i] != n {
				g.r.Fatalf("got %s, want number %d of sender %d", e, next[i], i)
			}
			next[i]++
			done++
		}
		if g.got = nil; done == senders*each {
			break
		}
		m, ok := g.next("the rest")
		if !ok {
			g.r.Fatalf("closed; have %v of %d each", next, each)
		}
		g.take(string(m))
	}
	synctest.Wait()
	for len(g.received) > 0 {
		if m, _ := g.next("nothing more"); strings.HasPrefix(string(m), `42["n"`) {
			g.r.Fatalf("got %s twice", m)
		}
	}
}
