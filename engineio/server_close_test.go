package engineio

import (
	"bytes"
	"context"
	"io"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// Shutdown takes as long as its clients are many, and half of what it is given at
// most; the last one is told in the end.
func TestShutdownPace(t *testing.T) {
	for name, c := range map[string]struct {
		sessions    int
		given, want time.Duration
	}{
		"nobody":   {0, time.Hour, 0},
		"one":      {1, time.Hour, 2 * time.Millisecond},
		"hundred":  {100, time.Hour, 200 * time.Millisecond},
		"in haste": {100, 100 * time.Millisecond, 50 * time.Millisecond},
		"many":     {1500, time.Hour, 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			scenario(t, Config{}, func(w *world) {
				var gets []*pending
				for range c.sessions {
					gets = append(gets, w.poller().begin())
				}
				synctest.Wait()
				ctx, cancel := context.WithTimeout(w.t.Context(), c.given)
				defer cancel()
				began := time.Now()
				if err := w.srv.Shutdown(ctx); err != nil {
					w.t.Fatal(err)
				}
				if took := time.Since(began); took < c.want*9/10 || took > c.want {
					w.t.Errorf("took %v, want %v", took, c.want)
				}
				for _, g := range gets {
					if res := g.wait(); res.body != "1" {
						w.t.Errorf("a GET: %+v", res)
					}
				}
			})
		})
	}
}

// A panic in OnClose, or the end of its goroutine, does not hold up Close.
func TestOnCloseFails(t *testing.T) {
	for name, end := range map[string]func(){"panic": func() { panic("on purpose") }, "Goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			scenario(t, Config{}, func(w *world) {
				w.h.onClose = end
				g := w.poller().begin()
				synctest.Wait()
				if err := w.srv.Close(w.t.Context()); err != nil {
					w.t.Error(err)
				}
				g.wait()
			})
		})
	}
}

// Shutdown lets those end by themselves who are slow to take what was queued for
// them: where clients are few nobody was given time, so that a last message, or even
// the close frame, was lost.
func TestShutdownDelivers(t *testing.T) {
	last := func(w *world, size int) {
		w.t.Helper()
		if err := w.h.session(0).Send(0, Message{Data: bytes.Repeat([]byte("x"), size)}); err != nil {
			w.t.Fatal(err)
		}
	}
	shutdown := func(w *world) (took <-chan time.Duration) {
		done, began := make(chan time.Duration, 1), time.Now()
		go func() { // ends with the server
			if err := w.srv.Shutdown(w.t.Context()); err != nil {
				w.t.Error(err)
			}
			done <- time.Since(began)
		}()
		return done
	}
	t.Run("between two polls", func(t *testing.T) {
		scenario(t, Config{}, func(w *world) {
			p := w.poller()
			last(w, 3)
			took := shutdown(w)
			w.pass(500 * time.Millisecond)
			p.get("4xxx", "what was queued comes first")
			p.get("6\x1e1", "then the end")
			if d := <-took; d != 500*time.Millisecond {
				t.Errorf("took %v", d)
			}
		})
	})
	t.Run("slow reader", func(t *testing.T) {
		scenario(t, Config{}, func(w *world) {
			c := w.websocket()
			last(w, 1<<20)
			took := shutdown(w)
			w.pass(500 * time.Millisecond)
			_ = c.nc.SetReadDeadline(time.Now().Add(time.Minute))
			if n, err := io.CopyN(io.Discard, c.r, 10+1+1<<20); err != nil { // header, type, data
				t.Fatalf("%d bytes, %v", n, err)
			}
			c.want("close", "the close frame comes behind")
			_ = c.nc.Close()
			if d := <-took; d != 500*time.Millisecond {
				t.Errorf("took %v", d)
			}
		})
	})
	t.Run("nobody there", func(t *testing.T) {
		scenario(t, Config{}, func(w *world) {
			w.poller()
			last(w, 3)
			if d := <-shutdown(w); d > 2*time.Second+2*time.Millisecond {
				t.Errorf("took %v", d)
			}
		})
	})
}
