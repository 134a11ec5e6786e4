package siotest_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/event"
	"github.com/hermod-io/hermod/socketio/siotest"
)

const (
	say  event.Message[string]           = "say"
	said event.Message[string]           = "said"
	add  event.Request[operands, int]    = "add"
	fail event.Request[event.None, bool] = "fail"
)

type operands struct {
	event.Args
	A, B int
}

// chat are the handlers of most tests.
func chat(srv *socketio.Server) {
	socketio.HandleMessage(srv, say, func(_ context.Context, s *socketio.Socket, text string) error {
		return said.Emit(s.Broadcast(), text)
	})
	socketio.HandleRequest(srv, add, func(_ context.Context, _ *socketio.Socket, in operands) (int, error) {
		return in.A + in.B, nil
	})
	socketio.HandleRequest(srv, fail, func(context.Context, *socketio.Socket, event.None) (bool, error) {
		return false, &socketio.Error{Code: "no", Message: "never", Data: 7}
	})
}

// fakeTB is a test that may fail. The rest of testing.TB is that of the real one.
type fakeTB struct {
	testing.TB
	mu       sync.Mutex // guards what follows
	messages []string
	cleanups []func()
}

func (f *fakeTB) Helper() {}

func (f *fakeTB) Errorf(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.messages = append(f.messages, fmt.Sprintf(format, args...))
}

func (f *fakeTB) Fatalf(format string, args ...any) {
	f.Errorf(format, args...)
	runtime.Goexit()
}

func (f *fakeTB) Fatal(args ...any) { f.Fatalf("%s", fmt.Sprint(args...)) }

func (f *fakeTB) Cleanup(c func()) { f.cleanups = append(f.cleanups, c) }

// failures runs a test in the bubble of t, with its cleanups, and returns what it
// reports.
func failures(t *testing.T, f func(t testing.TB)) string {
	t.Helper()
	fake := &fakeTB{TB: t}
	protect := func(f func()) { // from Goexit
		done := make(chan struct{})
		go func() {
			defer close(done)
			f()
		}()
		<-done
	}
	protect(func() { f(fake) })
	for len(fake.cleanups) > 0 {
		last := fake.cleanups[len(fake.cleanups)-1]
		fake.cleanups = fake.cleanups[:len(fake.cleanups)-1]
		protect(last)
	}
	return strings.Join(fake.messages, "\n")
}

// wantFailure expects a test that fails with a message that has all the parts.
func wantFailure(t *testing.T, f func(t testing.TB, srv *siotest.Server), parts ...string) {
	t.Helper()
	siotest.Run(t, func(t *testing.T) {
		got := failures(t, func(t testing.TB) { f(t, siotest.Serve(t, chat, siotest.Config{})) })
		if got == "" {
			t.Error("it does not fail")
		}
		for _, part := range parts {
			if !strings.Contains(got, part) {
				t.Errorf("%q is not in:\n%s", part, got)
			}
		}
	})
}
