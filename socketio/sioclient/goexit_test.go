package sioclient_test

import (
	"context"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/hermod-io/hermod/socketio/sioclient"
	"github.com/hermod-io/hermod/socketio/siotest"
)

// A handler that ends its goroutine is one that failed; what comes next is handled,
// all functions of OnConnect and OnDisconnect are called, and the client can be
// closed, which its test sees to.
func TestHandlerEndsItsGoroutine(t *testing.T) {
	siotest.Each(t, func(t *testing.T, mode siotest.Mode) {
		srv := siotest.Serve(t, nil, siotest.Config{Mode: mode})
		c := srv.Client(t, "/", sioclient.Config{})
		var told []string
		tell := func(what string) { told = append(told, what) }
		c.OnError(func(_ *sioclient.Socket, event string, err error) { tell(event + ": " + err.Error()) })
		c.OnConnect(func(context.Context, *sioclient.Socket) error { runtime.Goexit(); return nil })
		c.OnConnect(func(context.Context, *sioclient.Socket) error { tell("joined"); return nil })
		c.OnDisconnect(func(*sioclient.Socket, sioclient.Reason) { runtime.Goexit() })
		c.OnDisconnect(func(*sioclient.Socket, sioclient.Reason) { tell("left") })
		c.On("exit", func(context.Context, *sioclient.Socket, *sioclient.Event) error { runtime.Goexit(); return nil })
		c.On("n", sioclient.Reply(func(_ context.Context, _ *sioclient.Socket, i int) (int, error) { return i, nil }))
		if err := c.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		for s := range srv.IO().Sockets() {
			for i := range 2 {
				answer, err := s.EmitWithAck(t.Context(), "exit")
				if err != nil || string(answer.Encoded().JSON) != `[{"error":{"code":"internal","message":"internal error"}}]` {
					t.Errorf("%v, answer %s", err, answer.Encoded().JSON)
				}
				var n int
				if err := s.Call(t.Context(), "n", &n, i); err != nil || n != i {
					t.Errorf("%v, answer %d to %d", err, n, i)
				}
			}
		}
		c.Disconnect()
		synctest.Wait()
		const exited = ": socketio: runtime.Goexit was called"
		want := []string{exited, "joined", "exit" + exited, "exit" + exited, exited, "left"}
		if !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
	})
}

// An Auth that ends its goroutine fails the attempt.
func TestAuthEndsItsGoroutine(t *testing.T) {
	siotest.Each(t, func(t *testing.T, mode siotest.Mode) {
		srv := siotest.Serve(t, nil, siotest.Config{Mode: mode})
		c := srv.Client(t, "/", sioclient.Config{Auth: func(context.Context) (any, error) { runtime.Goexit(); return nil, nil }})
		if err := c.Connect(t.Context()); err == nil || err.Error() != "socketio: runtime.Goexit was called" {
			t.Errorf("Connect says %v", err)
		}
	})
}

// So do hooks of the Manager: connections are made and closed in spite of them.
func TestManagerHooksEndTheirGoroutine(t *testing.T) {
	siotest.Each(t, func(t *testing.T, mode siotest.Mode) {
		srv := siotest.Serve(t, nil, siotest.Config{Mode: mode})
		c := srv.Client(t, "/", sioclient.Config{})
		m, told := c.Manager(), make(chan string, 20)
		end := func(what string) { told <- what; runtime.Goexit() }
		m.OnOpen(func() { end("open") })
		m.OnOpen(func() { told <- "open, too" })
		m.OnClose(func(sioclient.Reason, error) { end("close") })
		m.OnPing(func() { end("ping") })
		m.OnReconnectAttempt(func(int) { end("attempt") })
		m.OnReconnect(func(int) { end("again") })
		if err := c.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		hear := func(what string) {
			t.Helper()
			for got := range told {
				if got == what {
					return
				}
				if got != "ping" {
					t.Errorf("told of %s before %s", got, what)
				}
			}
		}
		hear("open")
		hear("open, too")
		hear("ping")
		hear("ping")
		c.Cut()
		for _, what := range []string{"close", "attempt", "open", "open, too", "again", "ping"} {
			hear(what)
		}
	})
}
