package engineio

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A lent goroutine that had been taken by the next before the one it was done for had
// looked made that next one return before its time: an empty answer was sent while
// the true one was still being made.
func TestLentUntilDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Session{srv: &Server{}}
		p, done := &s.srv.stacks, false
		l := p.take()
		l.x = exchange{s: s, do: func(exchange) { done = true }}
		l.work <- struct{}{}
		synctest.Wait()
		if n := len(p.idle); !done || n != 0 {
			t.Fatalf("done: %t; %d can be taken before their borrower knows", done, n)
		}
		if b := <-l.done; b != nil {
			t.Errorf("broken: %v", b.value)
		}
		synctest.Wait()
		if n := len(p.idle); n != 1 {
			t.Errorf("%d can be taken, want 1", n)
		}
		p.close()
	})
}

// A panic reaches the goroutine of net/http as it was, which decides what becomes
// of it; where it came from is in the log.
func TestLentPanics(t *testing.T) {
	var log bytes.Buffer
	s := &Session{srv: &Server{cfg: Config{Log: slog.New(slog.NewTextHandler(&log, nil))}}}
	mine := errors.New("mine")
	for _, want := range []error{http.ErrAbortHandler, mine} {
		log.Reset()
		func() {
			defer func() {
				if v := recover(); v != want {
					t.Errorf("panicked with %v, want %v", v, want)
				}
			}()
			s.srv.stacks.run(exchange{s: s, do: func(exchange) { panicking(want) }})
		}()
		if told := strings.Contains(log.String(), "engineio.panicking"); told != (want == mine) {
			t.Errorf("%v: logged %q", want, log.String())
		}
	}
	if n := len(s.srv.stacks.idle); n != 0 {
		t.Errorf("%d goroutines that panicked are kept", n)
	}
}

//go:noinline
func panicking(v any) { panic(v) }

// Who ends a lent goroutine ends that of net/http.
func TestLentGoexit(t *testing.T) {
	s := &Session{srv: &Server{}}
	ended := make(chan bool)
	go func() { // ends with the one it lends
		returned := false
		defer func() { ended <- !returned }()
		s.srv.stacks.run(exchange{s: s, do: func(exchange) { runtime.Goexit() }})
		returned = true
	}()
	if !<-ended {
		t.Error("run returned")
	}
}

// Goroutines that nobody needs end, those that are needed stay, and none stays when
// the server is closed.
func TestLentEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Session{srv: &Server{}}
		p := &s.srv.stacks
		idle := func(want int, why string) {
			t.Helper()
			synctest.Wait()
			p.mu.Lock()
			defer p.mu.Unlock()
			if len(p.idle) != want {
				t.Errorf("%s: %d are idle, want %d", why, len(p.idle), want)
			}
		}
		together := func(n int) {
			for range n {
				go p.run(exchange{s: s, do: func(exchange) { time.Sleep(time.Millisecond) }}) // ends by itself
			}
			time.Sleep(2 * time.Millisecond)
		}
		together(maxIdleStacks + 3)
		idle(maxIdleStacks, "after many at once")
		for range 4 {
			together(2)
			time.Sleep(stackSweep / 2)
		}
		idle(2, "two were needed all the time")
		time.Sleep(2 * stackSweep)
		idle(0, "none was needed")
		together(2)
		p.close()
		idle(0, "closed")
		together(2)
		idle(0, "after the end")
	})
}

// A session borrows for what it does now and then, not when it is busy, and only
// where the goroutine is one of net/http's.
func TestBorrows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, err := http.NewRequestWithContext(context.WithValue(t.Context(), http.ServerContextKey, &http.Server{}), http.MethodGet, "/", nil)
		if err != nil {
			t.Fatal(err)
		}
		s := &Session{srv: &Server{began: time.Now()}, seldom: &nothing}
		borrowed := func() (n int) {
			for range 100 {
				if (exchange{s: s, r: r}).borrows() {
					n++
				}
			}
			return n
		}
		most := int(loanBurst/loanInterval) + 1
		if n := borrowed(); n != most {
			t.Errorf("%d of 100 at once are lent, want %d", n, most)
		}
		time.Sleep(3 * loanInterval)
		if n := borrowed(); n != 3 {
			t.Errorf("%d of 100 are lent after three intervals", n)
		}
		time.Sleep(time.Hour)
		if n := borrowed(); n != most {
			t.Errorf("%d of 100 are lent after a long time, want %d", n, most)
		}
		time.Sleep(time.Hour)
		if (exchange{s: s, r: r.WithContext(t.Context())}).borrows() {
			t.Error("a request that is not net/http's borrows")
		}
	})
}
