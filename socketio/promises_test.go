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

	"github.com/hermod-io/hermod/socketio"
)

// journal is what handlers have seen, in order.
type journal struct {
	mu    sync.Mutex // guards what follows
	lines []string
}

func (j *journal) add(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

func (j *journal) all() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.lines)
}

func (j *journal) want(t *testing.T, want ...string) {
	t.Helper()
	if got := j.all(); !slices.Equal(got, want) {
		t.Fatalf("got  %q\nwant %q", got, want)
	}
}

// TestPromise1: events of one Socket are handled one at a time in the order of
// arrival; OnConnect before the first, OnDisconnecting and OnDisconnect after
// the last.
func TestPromise1(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		const n = 100
		var j journal
		running := 0
		r.srv.OnConnect(func(ctx context.Context, s *socketio.Socket) error {
			time.Sleep(time.Second)
			j.add("connect")
			return nil
		})
		r.srv.On("n", socketio.Receive(func(ctx context.Context, s *socketio.Socket, i int) error {
			if running++; running != 1 {
				j.add("overlap")
			}
			time.Sleep(time.Millisecond)
			running--
			j.add("%d", i)
			return nil
		}))
		r.srv.OnDisconnecting(func(s *socketio.Socket, reason socketio.Reason) { j.add("disconnecting %s", reason) })
		r.srv.OnDisconnect(func(s *socketio.Socket, reason socketio.Reason) { j.add("disconnect %s", reason) })
		start := time.Now()
		p := r.open()
		packets := []string{"40"}
		want := []string{"connect"}
		for i := range n {
			packets = append(packets, fmt.Sprintf(`42["n",%d]`, i))
			want = append(want, fmt.Sprint(i))
		}
		p.send(strings.Join(append(packets, "41"), "\x1e"))
		want = append(want, "disconnecting client namespace disconnect", "disconnect client namespace disconnect")
		r.eventually("the last event", func() bool { return len(j.all()) >= len(want) || time.Since(start) > 5*time.Second })
		j.want(r.T, want...)
	})
}

// TestPromise2: everything received before the connection ended is still
// handled, with ctx already done; packets after a DISCONNECT are dropped.
func TestPromise2(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		var j journal
		r.srv.On("n", socketio.Receive(func(ctx context.Context, s *socketio.Socket, i int) error {
			if i == 0 {
				<-ctx.Done()
			}
			var left *socketio.DisconnectError
			j.add("%d %v %v", i, ctx.Err(), errors.As(context.Cause(ctx), &left) && left.Reason == socketio.ClientNamespaceDisconnect)
			return nil
		}))
		p := r.join("/")
		p.send("42[\"n\",0]\x1e42[\"n\",1]\x1e42[\"n\",2]\x1e41\x1e42[\"n\",3]")
		synctest.Wait()
		p.send(`42["n",4]`, "40")
		p.wantMatch(`^40`, "the connection lives, and the namespace can be joined again")
		r.eventually("three events", func() bool { return len(j.all()) == 3 })
		j.want(r.T, "0 context canceled true", "1 context canceled true", "2 context canceled true")
	})
}

// TestPromise2Cut: the same when the connection is cut.
func TestPromise2Cut(t *testing.T) {
	runWebSocket(t, socketio.Config{}, func(r *rig) {
		var j journal
		r.srv.On("n", socketio.Receive(func(ctx context.Context, s *socketio.Socket, i int) error {
			if i == 0 {
				<-ctx.Done()
			}
			j.add("%d %v", i, s.Emit("x"))
			return nil
		}))
		r.srv.OnDisconnect(func(s *socketio.Socket, reason socketio.Reason) { j.add("%s", reason) })
		p := r.join("/")
		p.send("42[\"n\",0]\x1e42[\"n\",1]")
		p.hangUp()
		r.eventually("the end", func() bool { return len(j.all()) == 3 })
		j.want(r.T, "0 engineio: session closed", "1 engineio: session closed", "transport close")
	})
}

// TestPromise3: the result of an ack may be seen before the handler of an
// earlier event ran.
func TestPromise3(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		var j journal
		r.srv.On("ask", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
			got, err := s.EmitWithAck(ctx, "question")
			j.add("answer %s %v", got.Raw(0), err)
			return nil
		})
		r.srv.On("earlier", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
			j.add("earlier")
			return nil
		})
		p := r.join("/")
		p.send(`42["ask"]`)
		p.want(`420["question"]`, "a question")
		p.send("42[\"earlier\"]\x1e430[42]")
		r.eventually("both", func() bool { return len(j.all()) == 2 })
		j.want(r.T, "answer 42 <nil>", "earlier")
	})
}

// TestPromise4: what one goroutine sends to one Socket leaves in that order:
// CONNECT reply, emits, acks, broadcasts.
func TestPromise4(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		r.srv.Use(func(ctx context.Context, s *socketio.Socket) error { return s.Emit("in a middleware") })
		r.srv.OnConnect(func(ctx context.Context, s *socketio.Socket) error {
			return errors.Join(s.Emit("a"), r.srv.Emit("b"), s.Emit("c"))
		})
		r.srv.On("go", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
			for i := range 50 {
				if err := errors.Join(s.Emit("n", 3*i), r.srv.Emit("n", 3*i+1), r.srv.To(s.ID()).Emit("n", 3*i+2)); err != nil {
					return err
				}
			}
			return errors.Join(e.Ack("done"), s.Emit("after"))
		})
		other := r.join2(`42["in a middleware"]`)
		for _, name := range []string{"a", "b", "c"} {
			other.want(`42["`+name+`"]`, "OnConnect's emits")
		}
		p := r.join2(`42["in a middleware"]`)
		p.want(`42["a"]`, "an emit right behind the CONNECT reply")
		p.want(`42["b"]`, "a broadcast behind it")
		p.want(`42["c"]`, "an emit behind that")
		p.send("427[\"go\"]\x1e42[\"go\"]")
		for range 2 {
			for i := range 150 {
				p.want(fmt.Sprintf(`42["n",%d]`, i), "emits and broadcasts in their order")
			}
			if m, _ := p.next("the ack or what follows"); m == `437["done"]` {
				p.want(`42["after"]`, "the emit behind the ack")
			} else if m != `42["after"]` {
				r.Fatalf("got %q", m)
			}
		}
	})
}

// join2 joins the main namespace, whose middleware emits first.
func (r *rig) join2(first string) *peer {
	r.Helper()
	p := r.open()
	p.send("40")
	p.want(first, "emits of a middleware come before the reply")
	p.wantMatch(`^40\{"sid"`, "the reply to CONNECT")
	return p
}

// TestPromise5: a Socket in the room from before Emit is called until it
// returns gets the packet exactly once, whatever others do meanwhile.
func TestPromise5(t *testing.T) {
	runWebSocket(t, socketio.Config{}, func(r *rig) {
		const n = 300
		p := r.join("/")
		stays := p.socket()
		if err := stays.Join(r.Context(), "room", "other"); err != nil {
			r.Fatal(err)
		}
		q := r.join("/")
		moves := q.socket()
		var wg sync.WaitGroup
		done := make(chan struct{})
		for _, s := range []*socketio.Socket{stays, moves} {
			wg.Go(func() {
				for {
					select {
					case <-done:
						return
					default:
						if s.Join(r.Context(), "room", "x", "y") != nil {
							r.Error("join failed")
						}
						if s.Leave("x"); s == moves {
							s.Leave("room")
						}
						time.Sleep(time.Microsecond)
					}
				}
			})
		}
		for i := range n {
			if err := r.srv.To("room", "other", stays.ID()).Emit("n", i); err != nil {
				r.Fatal(err)
			}
			time.Sleep(time.Microsecond)
		}
		close(done)
		wg.Wait()
		for i := range n {
			p.want(fmt.Sprintf(`42["n",%d]`, i), "each broadcast once")
		}
		p.wantIdle("none twice")
	})
}
