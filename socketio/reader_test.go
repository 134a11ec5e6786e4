package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/socketio"
)

// late is how much later the reading may go on when a handler is in its way.
const late = 10 * time.Millisecond

// aged joins a namespace, and says so much that the connection is not young any
// more: from then on its reader runs handlers itself.
func (r *rig) aged(namespaces ...string) *peer {
	r.Helper()
	p := r.open()
	for _, ns := range namespaces {
		r.srv.Of(ns).On("warm", func(context.Context, *socketio.Socket, *socketio.Event) error { return nil })
		p.join(ns)
	}
	for range 20 {
		p.send(`42` + address(namespaces[0]) + `["warm"]`)
		synctest.Wait()
	}
	return p
}

// onReader reports whether the caller is run by the goroutine that reads a
// WebSocket.
func onReader() bool { return strings.Contains(string(debug.Stack()), "wscore.(*Conn).runNext") }

// TestReaderRunsHandlers: over WebSocket, and from the second namespace of one
// read on it is a worker.
func TestReaderRunsHandlers(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		var j journal
		for _, ns := range []string{"/", "/b"} {
			r.srv.Of(ns).On("n", func(context.Context, *socketio.Socket, *socketio.Event) error {
				time.Sleep(time.Millisecond)
				j.add("%s %v", ns, onReader())
				return nil
			})
		}
		p := r.aged("/", "/b")
		p.send(`42["n"]`)
		time.Sleep(2 * time.Millisecond)
		p.send("42/b,[\"n\"]\x1e42/b,[\"n\"]")
		time.Sleep(3 * time.Millisecond)
		ws := r.transport == engineio.WebSocket
		j.want(r.T, fmt.Sprint("/ ", ws), fmt.Sprint("/b ", ws), fmt.Sprint("/b ", ws))
	})
}

// TestReaderNamespacesOfOneRead: a handler waits for an event of another namespace
// of its client, which came in the same read, or comes later.
func TestReaderNamespacesOfOneRead(t *testing.T) {
	for name, sep := range map[string]string{"same read": "\x1e", "later": ""} {
		t.Run(name, func(t *testing.T) {
			run(t, socketio.Config{}, func(r *rig) {
				var j journal
				open := make(chan struct{})
				r.srv.On("wait", func(context.Context, *socketio.Socket, *socketio.Event) error {
					<-open
					j.add("waited")
					return nil
				})
				r.srv.Of("/b").On("open", func(context.Context, *socketio.Socket, *socketio.Event) error {
					close(open)
					return nil
				})
				p := r.aged("/", "/b")
				start := time.Now()
				if sep == "" {
					p.send(`42["wait"]`)
					synctest.Wait()
					p.send(`42/b,["open"]`)
					time.Sleep(late)
				} else {
					p.send(`42["wait"]` + sep + `42/b,["open"]`)
				}
				synctest.Wait()
				j.want(r.T, "waited")
				if d := time.Since(start); d > late {
					r.Errorf("it took %v", d)
				}
			})
		})
	}
}

// TestReaderAsksItsClient: who waits for an ack of its own client is not in its
// way for a moment.
func TestReaderAsksItsClient(t *testing.T) {
	for name, ask := range map[string]func(ctx context.Context, s *socketio.Socket) (string, error){
		"socket": func(ctx context.Context, s *socketio.Socket) (string, error) {
			got, err := s.EmitWithAck(ctx, "question")
			return string(got.Raw(0)), err
		},
		"broadcast": func(ctx context.Context, s *socketio.Socket) (string, error) {
			got, err := s.Namespace().To(s.ID()).EmitWithAck(ctx, "question")
			return fmt.Sprint(len(got)), err
		},
	} {
		t.Run(name, func(t *testing.T) {
			runWebSocket(t, socketio.Config{}, func(r *rig) {
				var j journal
				r.srv.On("ask", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
					reader := onReader()
					start := time.Now()
					got, err := ask(ctx, s)
					j.add("%v %s %v %v", reader, got, err, time.Since(start))
					return nil
				})
				p := r.aged("/")
				for i := range 3 {
					p.send(`42["ask"]`)
					p.send("43" + strings.TrimSuffix(strings.TrimPrefix(lastQuestion(p), "42"), `["question"]`) + "[1]")
					synctest.Wait()
					want := "true 1 <nil> 0s"
					if got := j.all(); len(got) != i+1 || got[i] != want {
						r.Fatalf("got %q, want another %q", got, want)
					}
				}
			})
		})
	}
}

func lastQuestion(p *peer) string { return string(p.wantMatch(`^42\d+\["question"\]$`, "a question")) }

// TestReaderBeforeTheEnd: what came in one read with the end, of whatever kind, is
// handled, in order, and the hooks are called behind it.
func TestReaderBeforeTheEnd(t *testing.T) {
	closeFrame := string([]byte{0x88, 0x80, 0, 0, 0, 0})
	three := "42[\"n\",0]\x1e42[\"n\",1]\x1e42[\"n\",2]"
	for name, end := range map[string]func(p *peer){
		"DISCONNECT":     func(p *peer) { p.send(three + "\x1e41\x1e" + `42["n",3]`) },
		"close packet":   func(p *peer) { p.send(three + "\x1e1\x1e" + `42["n",3]`) },
		"malformed":      func(p *peer) { p.send(three + "\x1e4!\x1e" + `42["n",3]`) },
		"not joined":     func(p *peer) { p.send(three + "\x1e42/never,[\"n\"]") },
		"close frame":    func(p *peer) { _, _ = p.conn.Write([]byte(string(frames(message(three))) + closeFrame)) },
		"FIN":            func(p *peer) { p.send(three); p.hangUp() },
		"frame and FIN":  func(p *peer) { _, _ = p.conn.Write([]byte(string(frames(message(three))) + closeFrame)); p.hangUp() },
		"unmasked frame": func(p *peer) { _, _ = p.conn.Write([]byte(string(frames(message(three))) + "\x81\x01x")) },
	} {
		for what, wait := range map[string]time.Duration{"quick": 0, "slow": 4 * time.Millisecond, "late": 30 * time.Millisecond} {
			t.Run(name+", "+what, func(t *testing.T) {
				runWebSocket(t, socketio.Config{}, func(r *rig) {
					var j journal
					r.srv.On("n", socketio.Receive(func(_ context.Context, _ *socketio.Socket, i int) error {
						time.Sleep(wait)
						j.add("%d", i)
						return nil
					}))
					r.srv.OnDisconnect(func(*socketio.Socket, socketio.Reason) { j.add("end") })
					p := r.aged("/")
					end(p)
					r.eventually("the end", func() bool { return len(j.all()) >= 4 })
					time.Sleep(time.Second)
					j.want(r.T, "0", "1", "2", "end")
				})
			})
		}
	}
}

// TestReaderFullMailbox: the reader stops in front of a full mailbox that it was
// itself to empty.
func TestReaderFullMailbox(t *testing.T) {
	runWebSocket(t, socketio.Config{Mailbox: socketio.Mailbox{Packets: 2}}, func(r *rig) {
		const n = 50
		var handled atomic.Int32
		start := time.Now()
		r.srv.On("n", socketio.Receive(func(_ context.Context, _ *socketio.Socket, i int) error {
			if got := int(handled.Add(1)); got != i+1 {
				r.Errorf("event %d is the %dth", i, got)
			}
			return nil
		}))
		p := r.aged("/")
		p.send(batches(n, n, `42["n",%d]`)...)
		synctest.Wait()
		if got := handled.Load(); got != n || time.Since(start) != 0 {
			r.Errorf("%d were handled after %v", got, time.Since(start))
		}
	})
}

// TestReaderOrder: however long handlers take, and whoever runs them, they run in
// order and one at a time, and those of two namespaces do not disturb each other.
func TestReaderOrder(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		const n = 200
		var readers, others atomic.Int32
		var next [2]int // without a lock: the race detector sees who is not alone
		for i, ns := range []string{"/", "/b"} {
			random := rand.New(rand.NewPCG(uint64(i), 5))
			r.srv.Of(ns).On("n", socketio.Receive(func(_ context.Context, _ *socketio.Socket, k int) error {
				if onReader() {
					readers.Add(1)
				} else {
					others.Add(1)
				}
				if next[i]++; k != next[i]-1 {
					r.Errorf("%s: event %d is the %dth", ns, k, next[i])
				}
				if random.IntN(4) == 0 {
					time.Sleep(time.Duration(random.IntN(15)) * time.Millisecond)
				}
				return nil
			}))
		}
		p := r.aged("/", "/b")
		random := rand.New(rand.NewPCG(3, 5))
		for sent := [2]int{}; sent[0]+sent[1] < 2*n; {
			var piece []string
			for range 1 + random.IntN(4) {
				if i := random.IntN(2); sent[i] < n {
					piece = append(piece, fmt.Sprintf(`42%s["n",%d]`, []string{"", "/b,"}[i], sent[i]))
					sent[i]++
				}
			}
			if piece != nil {
				p.send(strings.Join(piece, "\x1e"))
			}
			time.Sleep(time.Duration(random.IntN(6)) * time.Millisecond)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if next != [2]int{n, n} {
			r.Errorf("%d events were handled, want %d of each", next, n)
		}
		if ws := r.transport == engineio.WebSocket; ws != (readers.Load() > 0) || others.Load() == 0 {
			r.Errorf("%d were run by the reader, %d by others", readers.Load(), others.Load())
		}
	})
}

// TestReaderEndsItsOwn: a handler on the reader ends its socket, its connection, or
// the server.
func TestReaderEndsItsOwn(t *testing.T) {
	for name, end := range map[string]func(r *rig, s *socketio.Socket) error{
		"Disconnect":       func(_ *rig, s *socketio.Socket) error { s.Disconnect(false); return nil },
		"connection":       func(_ *rig, s *socketio.Socket) error { s.Disconnect(true); return nil },
		"all":              func(r *rig, _ *socketio.Socket) error { return r.srv.DisconnectSockets(context.Background(), true) },
		"engine":           func(r *rig, _ *socketio.Socket) error { return r.srv.Engine().Close(context.Background()) },
		"server, in vain":  func(r *rig, _ *socketio.Socket) error { return closeInVain(r.srv.Close) },
		"drained, in vain": func(r *rig, _ *socketio.Socket) error { return closeInVain(r.srv.Shutdown) },
	} {
		t.Run(name, func(t *testing.T) {
			runWebSocket(t, socketio.Config{}, func(r *rig) {
				var j journal
				r.srv.On("end", func(_ context.Context, s *socketio.Socket, _ *socketio.Event) error {
					j.add("%v", onReader())
					if err := end(r, s); err != nil {
						j.add("%v", err)
					}
					return nil
				})
				r.srv.OnDisconnect(func(*socketio.Socket, socketio.Reason) { j.add("end") })
				p := r.aged("/")
				p.send(`42["end"]`)
				r.eventually("the end", func() bool { return len(j.all()) == 2 })
				time.Sleep(time.Second)
				j.want(r.T, "true", "end")
			})
		})
	}
}

// closeInVain closes the server in a handler, for which that waits.
func closeInVain(f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := f(ctx); !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("a handler is not waited for: %w", err)
	}
	return nil
}

// TestReaderShutdown: the server waits for a handler on the reader, whose
// connection ends before it does.
func TestReaderShutdown(t *testing.T) {
	for name, f := range map[string]func(*socketio.Server, context.Context) error{
		"Close": (*socketio.Server).Close, "Shutdown": (*socketio.Server).Shutdown,
	} {
		t.Run(name, func(t *testing.T) {
			runWebSocket(t, socketio.Config{}, func(r *rig) {
				var j journal
				r.srv.On("n", func(ctx context.Context, _ *socketio.Socket, _ *socketio.Event) error {
					<-ctx.Done()
					time.Sleep(20 * time.Second)
					j.add("handled")
					return nil
				})
				r.srv.OnDisconnect(func(*socketio.Socket, socketio.Reason) { j.add("end") })
				p := r.aged("/")
				p.send(`42["n"]`)
				synctest.Wait()
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				defer cancel()
				if err := f(r.srv, ctx); err != nil {
					r.Error(err)
				}
				j.want(r.T, "handled", "end")
				p.wantClosed("the server has ended")
			})
		})
	}
}

// TestReaderHeartbeat: a connection whose handler blocks for long lives on.
func TestReaderHeartbeat(t *testing.T) {
	cfg := socketio.Config{Engine: engineio.Config{PingInterval: time.Second, PingTimeout: time.Second}}
	runWebSocket(t, cfg, func(r *rig) {
		open := make(chan struct{})
		r.srv.On("n", func(context.Context, *socketio.Socket, *socketio.Event) error {
			<-open
			return nil
		})
		p := r.aged("/")
		p.send(`42["n"]`)
		for range 600 {
			p.wantIdle("but pings, which it answers")
			time.Sleep(100 * time.Millisecond)
		}
		if !p.socket().Connected() {
			r.Error("it is gone")
		}
		close(open)
	})
}

// TestReaderGoexit: a handler ends the reader's goroutine. The other namespaces of
// its client live on, and the server can be closed.
func TestReaderGoexit(t *testing.T) {
	runWebSocket(t, socketio.Config{}, func(r *rig) {
		var j journal
		r.srv.On("exit", func(context.Context, *socketio.Socket, *socketio.Event) error {
			runtime.Goexit()
			return nil
		})
		r.srv.Of("/b").On("n", func(context.Context, *socketio.Socket, *socketio.Event) error {
			j.add("handled")
			return nil
		})
		p := r.aged("/", "/b")
		p.send(`42["exit"]`)
		synctest.Wait()
		p.send(`42/b,["n"]`)
		synctest.Wait()
		j.want(r.T, "handled")
	})
}

// TestReaderPanic: a handler that panics on the reader is one error, and the
// reading goes on.
func TestReaderPanic(t *testing.T) {
	runWebSocket(t, socketio.Config{}, func(r *rig) {
		var readers sync.Map
		r.srv.On("panic", func(context.Context, *socketio.Socket, *socketio.Event) error {
			readers.Store(onReader(), true)
			panic("on purpose")
		})
		p := r.aged("/")
		for range 3 {
			p.send(`427["panic"]`)
			p.wantMatch(`^437\[\{"error":`, "the panic is the ack")
		}
		if _, ok := readers.Load(false); ok || r.srv.Stats().Panics != 3 {
			r.Errorf("%d panics, others than the reader ran some: %v", r.srv.Stats().Panics, ok)
		}
	})
}

// TestReaderAfterUpgrade: what is posted, what comes with the upgrade and what
// comes behind it is handled in order, in the end by the reader.
func TestReaderAfterUpgrade(t *testing.T) {
	bubble(t, engineio.Polling, socketio.Config{}, func(r *rig) {
		var j journal
		open := make(chan struct{})
		var reader atomic.Bool
		r.srv.On("n", socketio.Receive(func(_ context.Context, _ *socketio.Socket, i int) error {
			if i == 0 {
				<-open
			}
			reader.Store(onReader())
			j.add("%d", i)
			return nil
		}))
		p := r.quietPolling()
		p.send("40")
		p.poll()
		p.send(`42["n",0]`)
		var sid string
		for s := range r.srv.Engine().Sessions() {
			sid = s.ID()
		}
		conn, err := r.listener.Dial()
		if err != nil {
			r.Fatal(err)
		}
		defer conn.Close()
		_, _ = conn.Write([]byte(strings.Replace(upgradeRequest, "EIO=4", "EIO=4&sid="+sid, 1)))
		readUntil(r, conn, []byte("\r\n\r\n"))
		_, _ = conn.Write(frames("2probe"))
		readUntil(r, conn, []byte("3probe"))
		_, _ = conn.Write(frames("5\x1e42[\"n\",1]\x1e42[\"n\",2]"))
		synctest.Wait()
		j.want(r.T)
		close(open)
		synctest.Wait()
		want := []string{"0", "1", "2"}
		for i := 3; i < 30; i++ {
			_, _ = conn.Write(frames(message(fmt.Sprintf(`42["n",%d]`, i))))
			synctest.Wait()
			want = append(want, fmt.Sprint(i))
		}
		j.want(r.T, want...)
		if !reader.Load() {
			r.Error("in the end it is not the reader that runs handlers")
		}
	})
}
