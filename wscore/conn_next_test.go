package wscore

import (
	"bytes"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/internal/testnet"
)

// runFunc is a Runner that is a function.
type runFunc func()

func (f runFunc) Run() { f() }

// note puts a line of the test's among what the protocol was told.
func (r *recorder) note(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.heard = append(r.heard, line)
}

// aged is a scenario whose connection is not young any more. At its end nothing
// runs, and the lookout is empty.
func aged(t *testing.T, f func(p *peer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t, Settings{}, testnet.Options{})
		p.conn.reads = youngReads
		p.conn.Serve(p.rec)
		synctest.Wait()
		f(p)
		p.finish()
		if n, l := running(&p.srv.group), watchedBy(&p.srv.group); n != 0 || l != 0 {
			t.Errorf("%d goroutines and %d on the lookout are left", n, l)
		}
	})
}

func running(g *group) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.running
}

func watchedBy(g *group) int {
	g.lookout.mu.Lock()
	defer g.lookout.mu.Unlock()
	return len(g.lookout.list)
}

// on has the protocol run f next at the message "go".
func (p *peer) on(f func()) {
	p.rec.onMessage = func(_ Opcode, data []byte) {
		if string(data) == "go" && !p.conn.RunNext(runFunc(f)) {
			p.t.Error("RunNext was refused")
		}
	}
}

// goroutine is the name of the goroutine that asks.
func goroutine() string {
	var b [64]byte
	name, _, _ := bytes.Cut(b[:runtime.Stack(b[:], false)], []byte(" ["))
	return string(name)
}

// What is to be run next is run by the reader, behind all of the read that it
// came with and before the next.
func TestRunNext(t *testing.T) {
	aged(t, func(p *peer) {
		var reader, runner string
		p.rec.onMessage = func(_ Opcode, data []byte) {
			if reader = goroutine(); string(data) != "go" {
				return
			}
			if !p.conn.RunNext(runFunc(func() {
				runner = goroutine()
				time.Sleep(4 * time.Millisecond)
				p.rec.note("ran")
			})) {
				t.Error("RunNext was refused")
			}
		}
		p.write(text("a"), text("go"), text("b"))
		p.write(text("c"))
		p.wantGot("1 a", "1 go", "1 b")
		p.pass(4 * time.Millisecond)
		p.wantGot("1 a", "1 go", "1 b", "ran", "1 c")
		if reader != runner {
			t.Errorf("%s runs it, %s reads", runner, reader)
		}
	})
}

// RunNext is refused when no message is being handled, when there is something to
// be run already, and by a young reader.
func TestRunNextRefused(t *testing.T) {
	never := runFunc(func() { t.Error("it was run") })
	t.Run("outside", func(t *testing.T) {
		aged(t, func(p *peer) {
			if p.conn.RunNext(never) {
				t.Error("taken in front of the first message")
			}
			p.on(func() {
				if p.conn.RunNext(never) {
					t.Error("taken while something runs")
				}
			})
			p.write(text("go"))
			if p.conn.RunNext(never) {
				t.Error("taken behind a message")
			}
		})
	})
	t.Run("twice", func(t *testing.T) {
		aged(t, func(p *peer) {
			p.on(func() { p.rec.note("ran") })
			f := p.rec.onMessage
			p.rec.onMessage = func(op Opcode, data []byte) {
				if f(op, data); p.conn.RunNext(never) {
					t.Error("taken twice")
				}
			}
			p.write(text("go"))
			p.write(text("go"))
			p.wantGot("1 go", "ran", "1 go", "ran")
		})
	})
	t.Run("young", func(t *testing.T) {
		scenario(t, Settings{}, testnet.Options{}, func(p *peer) {
			taken := 0
			p.rec.onMessage = func(Opcode, []byte) {
				if p.conn.RunNext(runFunc(func() {})) {
					taken++
				}
			}
			for range youngReads + 3 {
				p.write(text("a"))
			}
			if want := youngReads + 3 - nextFrom; taken != want {
				t.Errorf("taken %d times, want %d", taken, want)
			}
		})
	})
	t.Run("at the end", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := newPeer(t, Settings{}, testnet.Options{})
			p.conn.reads = youngReads
			p.conn.Serve(&ender{p.conn, p.rec, never})
			p.write(text("a"))
			p.finish()
		})
	})
}

// ender tries to have something run when it is told of the end.
type ender struct {
	c *Conn
	*recorder
	r Runner
}

func (e *ender) OnClose(err error) {
	e.recorder.OnClose(err)
	if e.c.RunNext(e.r) {
		e.r.Run()
	}
}

// Whoever runs for long is no reader any more after ten milliseconds: there is one
// other, who hears of everything, of the end too, and the server's end does not
// wait for the first.
func TestRunNextForLong(t *testing.T) {
	for _, ends := range []string{"FIN", "close frame", "server", "dropped"} {
		t.Run(ends, func(t *testing.T) {
			aged(t, func(p *peer) {
				open := make(chan struct{})
				p.on(func() { <-open; p.rec.note("ran") })
				p.write(text("go"), text("a"))
				p.write(text("b"), text("c"))
				p.wantGot("1 go", "1 a")
				p.pass(10 * time.Millisecond)
				p.wantGot("1 go", "1 a", "1 b", "1 c")
				if n, l := running(&p.srv.group), watchedBy(&p.srv.group); n != 1 || l != 0 {
					t.Errorf("%d goroutines are counted, and %d watched", n, l)
				}
				p.write(text("d"))
				p.wantGot("1 go", "1 a", "1 b", "1 c", "1 d")
				p.endBy(ends)
				if n, _ := p.rec.closed(); n != 1 {
					t.Errorf("OnClose was called %d times", n)
				}
				close(open)
				p.wantGot("1 go", "1 a", "1 b", "1 c", "1 d", "ran")
			})
		})
	}
}

// endBy ends the connection in one of several ways.
func (p *peer) endBy(how string) {
	p.t.Helper()
	switch how {
	case "FIN":
		_ = p.nc.Close()
	case "close frame":
		p.write(closeFrame(CloseNormal, ""))
		_ = p.nc.Close()
	case "dropped":
		_ = p.conn.CloseNow()
	case "server":
		if err := p.srv.Close(p.t.Context()); err != nil {
			p.t.Error(err)
		}
	}
	synctest.Wait()
}

// The end of the connection, or of the server, comes at any moment of what runs
// next, and is told within ten milliseconds while that goes on.
func TestRunNextMeanwhileTheEnd(t *testing.T) {
	for _, ends := range []string{"FIN", "close frame", "server", "dropped"} {
		t.Run(ends, func(t *testing.T) {
			aged(t, func(p *peer) {
				open := make(chan struct{})
				p.on(func() { <-open; p.rec.note("ran") })
				p.write(text("go"))
				start := time.Now()
				p.endBy(ends)
				if d := time.Since(start); d > 10*time.Millisecond {
					t.Errorf("it took %v", d)
				}
				p.pass(10*time.Millisecond - time.Since(start))
				if n, _ := p.rec.closed(); n != 1 {
					t.Errorf("OnClose was called %d times", n)
				}
				close(open)
				p.wantGot("1 go", "ran")
			})
		})
	}
}

// What runs next may close its own server: that ends when another would read.
func TestRunNextClosesTheServer(t *testing.T) {
	aged(t, func(p *peer) {
		var d time.Duration
		p.on(func() {
			start := time.Now()
			if err := p.srv.Close(p.t.Context()); err != nil {
				t.Error(err)
			}
			d = time.Since(start)
			p.rec.note("closed")
		})
		p.write(text("go"))
		p.pass(time.Second)
		p.wantGot("1 go", "closed")
		if d > 10*time.Millisecond {
			t.Errorf("it took %v", d)
		}
	})
}

// After ReadOn another goroutine reads at once; once more changes nothing.
func TestReadOn(t *testing.T) {
	for name, readOn := range map[string]func(c *Conn){
		"its own": func(c *Conn) { c.ReadOn(); c.ReadOn() },
		"another": func(c *Conn) {
			done := make(chan struct{})
			go func() { defer close(done); c.ReadOn(); c.ReadOn() }()
			<-done
		},
	} {
		t.Run(name, func(t *testing.T) {
			aged(t, func(p *peer) {
				open := make(chan struct{})
				p.on(func() {
					readOn(p.conn)
					<-open
					p.conn.ReadOn() // it is not the reader's any more
					p.rec.note("ran")
				})
				start := time.Now()
				p.conn.ReadOn() // while it waits
				p.write(text("go"))
				p.write(text("a"))
				p.write(text("b"))
				p.wantGot("1 go", "1 a", "1 b")
				if d := time.Since(start); d != 0 {
					t.Errorf("it took %v", d)
				}
				if n := running(&p.srv.group); n != 1 {
					t.Errorf("%d goroutines are counted", n)
				}
				close(open)
				p.wantGot("1 go", "1 a", "1 b", "ran")
			})
		})
	}
}

// What is to be run does not wait for a message that is handled for long, and by
// ReadOn at once. The reader stays who it is, and can be given something again.
func TestReadOnInFront(t *testing.T) {
	for name, wait := range map[string]time.Duration{"asked": 0, "late": 10 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			aged(t, func(p *peer) {
				p.rec.onMessage = func(Opcode, []byte) {
					ran := make(chan struct{})
					if !p.conn.RunNext(runFunc(func() { p.rec.note("ran"); close(ran) })) {
						t.Error("RunNext was refused")
					}
					if wait == 0 {
						p.conn.ReadOn()
					}
					<-ran
					if !p.conn.RunNext(runFunc(func() { p.rec.note("again") })) {
						t.Error("RunNext was refused the second time")
					}
				}
				p.write(text("a"))
				p.pass(wait)
				p.wantGot("1 a", "ran", "again")
			})
		})
	}
}

// Run may end its goroutine: another one reads, be it the one that does already.
func TestRunNextGoexit(t *testing.T) {
	for name, wait := range map[string]time.Duration{"soon": 0, "late": 20 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			aged(t, func(p *peer) {
				p.on(func() {
					time.Sleep(wait)
					runtime.Goexit()
				})
				for range 3 {
					p.write(text("go"))
					p.pass(wait)
				}
				p.wantGot("1 go", "1 go", "1 go")
				if n := running(&p.srv.group); n != 1 {
					t.Errorf("%d goroutines are counted", n)
				}
			})
		})
	}
}

// What was to be run is run also when the same read has the end behind it, however
// the end comes about.
func TestRunNextBeforeTheEnd(t *testing.T) {
	for name, end := range map[string]func(p *peer){
		"close frame": func(p *peer) { p.write(text("go"), closeFrame(CloseNormal, "")) },
		"FIN": func(p *peer) {
			_, _ = p.nc.Write(text("go"))
			_ = p.nc.Close()
		},
		"fault":   func(p *peer) { p.write(text("go"), rawFrame(true, 0, OpText, false, []byte("unmasked"))) },
		"dropped": func(p *peer) { p.write(text("go"), text("drop"), text("unheard")) },
		"panic":   func(p *peer) { p.write(text("go"), text("panic"), text("unheard")) },
	} {
		t.Run(name, func(t *testing.T) {
			aged(t, func(p *peer) {
				p.on(func() { p.rec.note("ran") })
				f := p.rec.onMessage
				p.rec.onMessage = func(op Opcode, data []byte) {
					switch string(data) {
					case "drop":
						_ = p.conn.CloseNow()
					case "panic":
						panic("on purpose")
					}
					f(op, data)
				}
				end(p)
				_ = p.nc.Close()
				synctest.Wait()
				heard := p.rec.got()
				if heard[0] != "1 go" || !slices.Contains(heard, "ran") || slices.Contains(heard, "1 unheard") {
					t.Errorf("the protocol was told %q", heard)
				}
				if n, _ := p.rec.closed(); n != 1 {
					t.Errorf("OnClose was called %d times", n)
				}
			})
		})
	}
}

// The lookout keeps nothing when nothing runs next, and then it stops; the next
// message starts it again.
func TestLookoutRests(t *testing.T) {
	aged(t, func(p *peer) {
		l := &p.srv.lookout
		for range 2 {
			p.on(func() {})
			p.write(text("go"))
			l.mu.Lock()
			ticking, n := l.ticking, len(l.list)
			l.mu.Unlock()
			if !ticking || n != 0 {
				t.Errorf("ticking %v, %d are watched", ticking, n)
			}
			p.pass((watchRest + 2) * watchTick)
			l.mu.Lock()
			ticking, n = l.ticking, cap(l.list)
			l.mu.Unlock()
			if ticking || n != 0 {
				t.Errorf("at rest: ticking %v, room for %d", ticking, n)
			}
			open := make(chan struct{})
			p.on(func() { <-open })
			p.write(text("go"))
			p.write(text("a"))
			p.pass(10 * time.Millisecond)
			if got := p.rec.got(); got[len(got)-1] != "1 a" {
				t.Errorf("started again it does not look out: %q", got)
			}
			close(open)
			p.pass((watchRest + 2) * watchTick)
		}
	})
}

// What was to run next is run when the protocol ends the reader's goroutine behind
// it, also if more comes at once.
func TestRunNextBeforeGoexit(t *testing.T) {
	aged(t, func(p *peer) {
		p.rec.onMessage = func(Opcode, []byte) {
			if !p.conn.RunNext(runFunc(func() { p.rec.note("ran") })) {
				t.Error("RunNext was refused")
			}
			runtime.Goexit()
		}
		p.write(text("go"))
		p.write(text("more"))
		p.pass(time.Second)
		p.wantGot("1 go", "ran")
	})
}
