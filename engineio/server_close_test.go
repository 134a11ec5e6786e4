package engineio

import (
	"context"
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
