package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/memory"
	"github.com/hermod-io/hermod/socketio"
)

// countingAdapter counts the adapters that are open, by namespace, and fails if
// there are ever two of one name.
type countingAdapter struct {
	t    *testing.T
	mu   sync.Mutex // guards what follows
	open map[string]int
	made int
}

func (c *countingAdapter) factory(l adapters.Local) (adapters.Adapter, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made++
	if c.open[l.Name()]++; c.open[l.Name()] > 1 {
		c.t.Errorf("two adapters for %s at once", l.Name())
	}
	a, err := memory.New()(l)
	return &countedAdapter{Adapter: a, of: c, name: l.Name()}, err
}

func (c *countingAdapter) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, k := range c.open {
		n += k
	}
	return n
}

type countedAdapter struct {
	adapters.Adapter
	of   *countingAdapter
	name string
	once sync.Once
}

func (a *countedAdapter) Close(ctx context.Context) error {
	err := a.Adapter.Close(ctx)
	a.once.Do(func() {
		a.of.mu.Lock()
		defer a.of.mu.Unlock()
		if a.of.open[a.name]--; a.of.open[a.name] == 0 {
			delete(a.of.open, a.name)
		}
	})
	return err
}

// compat: option cleanupEmptyChildNamespaces
func TestCleanup(t *testing.T) {
	count := &countingAdapter{t: t, open: map[string]int{}}
	cfg := socketio.Config{CleanupEmptyChildNamespaces: true, Adapter: count.factory}
	runWebSocket(t, cfg, func(r *rig) {
		var log list[string]
		rooms := r.srv.OfPattern("/room-{id}")
		rooms.Use(func(ctx context.Context, s *socketio.Socket) error {
			if string(s.Handshake().Auth()) == `{"no":1}` {
				return errors.New("no")
			}
			return nil
		})
		rooms.OnDisconnect(func(s *socketio.Socket, _ socketio.Reason) {
			log.add(s.Namespace().Name())
			_ = s.Namespace().Emit("left") // it is still there
		})
		r.srv.Of("/own").OnConnect(func(context.Context, *socketio.Socket) error { return nil })
		p, q := r.open(), r.open()
		p.join("/room-1")
		q.join("/room-1")
		first := r.srv.Of("/room-1")
		p.send("41/room-1,")
		q.want(`42/room-1,["left"]`, "one is left")
		if r.srv.Of("/room-1") != first {
			r.Error("it is not empty")
		}
		q.send("41/room-1,")
		r.eventually("it is removed", func() bool { return len(slices.Collect(rooms.Children())) == 0 })
		r.eventually("its adapter is closed", func() bool { return count.count() == 2 })
		if err := first.SocketsJoin(r.Context(), "x"); !errors.Is(err, socketio.ErrClosed) && !errors.Is(err, adapters.ErrClosed) {
			r.Errorf("the removed one: %v", err)
		}
		p.join("/room-1") // and comes back, as another one
		if r.srv.Of("/room-1") == first {
			r.Error("the removed one is used")
		}
		p.send(`40/room-2,{"no":1}`)
		p.want(`44/room-2,{"message":"no"}`, "refused")
		r.eventually("a refusal leaves nothing", func() bool { return count.count() == 3 })
		early := r.srv.Of("/room-3") // of itself it stays
		q.join("/own")
		q.send("41/own,")
		synctest.Wait()
		if r.srv.Of("/room-3") != early || r.srv.Of("/own").Parent() != nil || count.count() != 4 {
			r.Errorf("%d adapters", count.count())
		}
		p.hangUp()
		r.eventually("the connection's end removes it", func() bool { return count.count() == 3 })
	})
}

// TestPendingKeepsNamespace: a child is not removed while a CONNECT for it is in
// its middlewares.
func TestPendingKeepsNamespace(t *testing.T) {
	runWebSocket(t, socketio.Config{CleanupEmptyChildNamespaces: true}, func(r *rig) {
		rooms := r.srv.OfPattern("/room-{id}")
		rooms.Use(func(ctx context.Context, s *socketio.Socket) error {
			if s.Handshake().Auth() != nil {
				time.Sleep(time.Second)
			}
			return nil
		})
		p, q := r.open(), r.open()
		p.join("/room-1")
		n := r.srv.Of("/room-1")
		q.send("40/room-1,{}")
		synctest.Wait()
		p.send("41/room-1,")
		synctest.Wait()
		if r.srv.Of("/room-1") != n {
			r.Error("it was removed under a pending socket")
		}
		q.wantMatch("^40/room-1,", "joined")
		_ = n.Emit("x")
		q.want(`42/room-1,["x"]`, "in that namespace")
		q.send("41/room-1,")
		r.eventually("removed", func() bool { return len(slices.Collect(rooms.Children())) == 0 })
	})
}

// TestConcurrentCreation: CONNECTs and Of make one namespace of one name, with
// one adapter, and who joins finds what the hook of new namespaces registered.
func TestConcurrentCreation(t *testing.T) {
	for _, cleanup := range []bool{false, true} {
		t.Run(fmt.Sprintf("cleanup=%v", cleanup), func(t *testing.T) {
			count := &countingAdapter{t: t, open: map[string]int{}}
			runWebSocket(t, socketio.Config{CleanupEmptyChildNamespaces: cleanup, Adapter: count.factory}, func(r *rig) {
				r.srv.OnNewNamespace(func(n *socketio.Namespace) {
					if r.srv.Of(n.Name()) != n {
						r.Error("another namespace of that name")
					}
					n.On("x", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error { return e.Ack() })
				})
				r.srv.OfFunc(func(ctx context.Context, name string, h *socketio.Handshake) (bool, error) {
					return strings.HasPrefix(name, "/f"), nil
				})
				r.srv.OfPattern("/p{n}")
				creationRounds(r)
				r.eventually("what should go is gone", func() bool { return !cleanup || count.count() <= 1+10 })
			})
		})
	}
}

func creationRounds(r *rig) {
	r.Helper()
	peers := make([]*peer, 4)
	for i := range peers {
		peers[i] = r.open()
	}
	for round := range 20 {
		ns := []string{"/f", "/p"}[round%2] + fmt.Sprint(round/2)
		join, leave := "40"+ns+",", "41"+ns+","
		var wg sync.WaitGroup
		all := func(ps []*peer, packet string) {
			for _, p := range ps {
				wg.Go(func() { p.send(packet) })
			}
		}
		joined := func(ps []*peer) {
			for _, p := range ps {
				p.wantMatch("^40"+ns, "the reply")
				p.send("42" + ns + `,1["x"]`)
				p.want("43"+ns+",1[]", "the handler that the hook set")
			}
		}
		if round%4 == 3 {
			wg.Go(func() { r.srv.Of(ns) })
		}
		all(peers[:2], join)
		wg.Wait()
		joined(peers[:2])
		all(peers[:2], leave) // it may be removed under those who join
		all(peers[2:], join)
		wg.Wait()
		joined(peers[2:])
		all(peers[:2], join)
		wg.Wait()
		joined(peers[:2])
		if n := len(slices.Collect(r.srv.Of(ns).Sockets())); n != len(peers) {
			r.Errorf("%s: %d sockets in one namespace", ns, n)
		}
		all(peers, leave)
		wg.Wait()
	}
}

// TestChildrenChurn: children come and go without a trace, also those that
// nobody wanted.
func TestChildrenChurn(t *testing.T) {
	runWebSocket(t, socketio.Config{CleanupEmptyChildNamespaces: true}, func(r *rig) {
		rooms := r.srv.OfPattern("/room-{id}")
		p := r.open()
		next := 0
		round := func(n int) {
			for range n {
				next++
				ns := fmt.Sprintf("/room-%d", next)
				p.join(ns)
				p.send("41" + ns + ",")
				p.refused(fmt.Sprintf("/nobody-%d", next))
			}
			r.eventually("all are gone", func() bool { return len(slices.Collect(rooms.Children())) == 0 })
		}
		round(200)
		before := heap()
		round(3000)
		if after := heap(); after > before+512<<10 {
			r.Errorf("the heap grew from %d KB to %d KB", before>>10, after>>10)
		}
	})
}

// closingAdapter is that of a child that is removed while the parent acts on it.
type closingAdapter struct {
	adapters.Adapter
	leave func()
}

func (a *closingAdapter) SocketsJoin(ctx context.Context, t adapters.Target, rooms ...string) error {
	a.leave()
	return a.Adapter.SocketsJoin(ctx, t, rooms...)
}

// An operation of a parent failed when one of its children was removed meanwhile,
// which is nobody's fault.
func TestParentActsOnChildThatGoes(t *testing.T) {
	var leave func()
	cfg := socketio.Config{CleanupEmptyChildNamespaces: true}
	cfg.Adapter = func(l adapters.Local) (adapters.Adapter, error) {
		a, err := memory.New()(l)
		return &closingAdapter{a, func() { leave() }}, err
	}
	runWebSocket(t, cfg, func(r *rig) {
		parent := r.srv.OfPattern("/room-{id}")
		p := r.join("/room-1")
		leave = func() {
			p.send("41/room-1,")
			r.eventually("it is removed", func() bool { return len(slices.Collect(parent.Children())) == 0 })
			synctest.Wait() // its adapter is closed
		}
		if err := parent.SocketsJoin(r.Context(), "x"); err != nil {
			r.Errorf("SocketsJoin: %v", err)
		}
	})
}

// A panic of an adapter's factory took the program down, when it was not the one
// who made the namespace that ran it; or Of.
func TestAdapterFactoryPanics(t *testing.T) {
	cfg := socketio.Config{Adapter: func(l adapters.Local) (adapters.Adapter, error) {
		if l.Name() != "/" {
			panic("no adapter")
		}
		return memory.New()(l)
	}}
	runWebSocket(t, cfg, func(r *rig) {
		n := r.srv.Of("/x")
		if err := n.Emit("e"); err == nil || !strings.Contains(err.Error(), "no adapter") {
			r.Errorf("Emit: %v", err)
		}
		if n := r.srv.Stats().Panics; n != 1 {
			r.Errorf("%d panics", n)
		}
		r.srv.OfPattern("/room-{id}")
		p := r.open()
		p.send("40/room-1,")
		p.wantMatch(`^44/room-1,.*internal error`, "no adapter")
	})
}
