package sioclient_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/sioclient"
)

// flood emits much to the client.
func flood(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
	for i := range 1000 {
		if err := s.Emit("n", i); err != nil {
			return err
		}
	}
	return nil
}

// Close in every state leaves nothing behind, and waits for the handlers. That no
// goroutine is left the bubble checks.
func TestCloseInEveryState(t *testing.T) {
	states := map[string]func(w *world, s *sioclient.Socket){
		"new":     func(w *world, s *sioclient.Socket) {},
		"opening": func(w *world, s *sioclient.Socket) { s.Open() },
		"open":    func(w *world, s *sioclient.Socket) { w.connect(s) },
		"waiting to connect again": func(w *world, s *sioclient.Socket) {
			w.connect(s)
			w.stopServer()
			w.eventually("the loss", func() bool { return !s.Connected() })
		},
		"disconnected": func(w *world, s *sioclient.Socket) {
			w.connect(s)
			s.Disconnect()
		},
		"full of mail": func(w *world, s *sioclient.Socket) {
			s.On("n", func(ctx context.Context, s *sioclient.Socket, e *sioclient.Event) error {
				<-ctx.Done()
				return nil
			})
			w.connect(s)
			if err := s.Emit("flood"); err != nil {
				w.Fatal(err)
			}
			sleep(time.Second)
		},
		"asking": func(w *world, s *sioclient.Socket) {
			w.connect(s)
			go func() {
				if _, err := s.EmitWithAck(context.Background(), "never"); !errors.Is(err, sioclient.ErrClosed) {
					w.Errorf("the ack: %v", err)
				}
			}()
			sleep(time.Millisecond)
		},
	}
	for name, enter := range states {
		t.Run(name, func(t *testing.T) {
			run(t, func(srv *socketio.Server) {
				echoes(srv)
				srv.On("flood", flood)
			}, func(w *world) {
				cfg := w.config()
				cfg.Mailbox.Packets = 4
				s := w.socket("", cfg)
				enter(w, s)
				begin := time.Now()
				w.close(s)
				if d := time.Since(begin); d > 6*time.Second {
					w.Errorf("it took %v", d)
				}
				w.close(s)
			})
		})
	}
}

// Close waits no longer than its context.
func TestCloseContext(t *testing.T) {
	runWebSocket(t, echoes, func(w *world) {
		t := w.T
		s := w.socket("", w.config())
		release := make(chan struct{})
		running := make(chan struct{})
		s.On("echoed", func(ctx context.Context, s *sioclient.Socket, e *sioclient.Event) error {
			close(running)
			<-release
			return nil
		})
		w.connect(s)
		if err := s.Emit("echo"); err != nil {
			t.Fatal(err)
		}
		<-running
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := s.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close: %v", err)
		}
		close(release)
	})
}

// A Socket of a shared Manager is closed alone.
func TestCloseOne(t *testing.T) {
	run(t, echoes, func(w *world) {
		t := w.T
		m, err := sioclient.NewManager("http://server", w.config())
		if err != nil {
			t.Fatal(err)
		}
		defer w.close(m)
		a, b := m.Socket("/", sioclient.SocketOptions{}), m.Socket("/chat", sioclient.SocketOptions{})
		w.connect(a)
		w.connect(b)
		w.close(a)
		if a.Emit("x") == nil || m.Socket("/", sioclient.SocketOptions{}) == a {
			t.Error("it lives on")
		}
		if _, err := b.EmitWithAck(t.Context(), "echo"); err != nil {
			t.Error(err)
		}
	})
}

// Connections come and go in every way, and leave nothing.
func TestChurn(t *testing.T) {
	run(t, echoes, func(w *world) {
		t := w.T
		before := 0
		for i := range 60 {
			s := w.socket("", exact(w.config()))
			s.Open()
			if i%4 > 0 {
				w.connect(s)
			}
			switch i % 4 {
			case 1:
				w.srv.Socket(s.ID()).Session().Close(true)
			case 2:
				w.srv.Socket(s.ID()).Disconnect(true)
			case 3:
				_, _ = s.EmitWithAck(t.Context(), "echo")
			}
			w.close(s)
			w.eventually("the end on the server", func() bool { return w.srv.Engine().Clients() == 0 })
			if i == 9 {
				before = runtime.NumGoroutine()
			}
		}
		w.eventually("the end of all goroutines", func() bool { return runtime.NumGoroutine() <= before+5 })
	})
}

// An idle Socket over WebSocket is one goroutine.
func TestIdleGoroutines(t *testing.T) {
	runWebSocket(t, nil, func(w *world) {
		t := w.T
		w.join("", w.config())
		sleep(time.Minute)
		before := runtime.NumGoroutine()
		const n = 100 // so many that 10 goroutines of the runtime or of earlier tests do not matter
		for range n {
			w.join("", w.config())
		}
		sleep(time.Minute)
		// One more is the server's.
		if each := float64(runtime.NumGoroutine()-before) / n; each > 2.1 {
			t.Errorf("%.1f goroutines for each connection and its server", each)
		}
	})
}

// Handlers that fail or panic are told of, answered, and harm nobody.
func TestFailingHandlers(t *testing.T) {
	runWebSocket(t, func(srv *socketio.Server) {
		srv.On("go", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
			for _, name := range []string{"fails", "panics", "typed"} {
				got, err := s.EmitWithAck(ctx, name, "text")
				if err != nil {
					return err
				}
				if err := s.Emit("told", string(got.Raw(0))); err != nil {
					return err
				}
			}
			return nil
		})
	}, func(w *world) {
		t := w.T
		s := w.socket("", w.config())
		got, reported := new(log), new(log)
		s.OnError(func(s *sioclient.Socket, event string, err error) {
			reported.add("%s", event)
			panic("in OnError")
		})
		s.OnConnect(func(context.Context, *sioclient.Socket) error { return errors.New("no") })
		s.OnConnect(func(context.Context, *sioclient.Socket) error { panic("no") })
		s.On("fails", func(context.Context, *sioclient.Socket, *sioclient.Event) error {
			return &sioclient.Error{Code: "c", Message: "m", Data: 1}
		})
		s.On("panics", func(context.Context, *sioclient.Socket, *sioclient.Event) error { panic("p") })
		s.On("typed", sioclient.Reply(func(ctx context.Context, s *sioclient.Socket, n int) (int, error) { return n, nil }))
		s.On("told", sioclient.Receive(func(ctx context.Context, s *sioclient.Socket, text string) error {
			got.add("%s", text)
			return nil
		}))
		w.connect(s)
		if err := s.Emit("go"); err != nil {
			t.Fatal(err)
		}
		w.eventually("three answers", func() bool { return len(got.all()) == 3 })
		got.want(t, `{"error":{"code":"c","message":"m","data":1}}`, `{"error":{"code":"internal","message":"internal error"}}`,
			`{"error":{"code":"bad_request","message":"argument 0: invalid"}}`)
		reported.want(t, "", "", "fails", "panics", "typed")
	})
}

// bomb is a value whose encoding panics.
type bomb struct{}

func (bomb) MarshalJSON() ([]byte, error) { panic("encoded") }

// trap is an error that panics when somebody looks into it.
type trap struct{ inner error }

func (*trap) Error() string   { return "trap" }
func (e *trap) Unwrap() error { return e.inner }

// What an error becomes is the application's, too: where that fails the server
// hears that there was an error, and the client goes on.
func TestAckErrorFails(t *testing.T) {
	for name, c := range map[string]struct {
		rule func(error) any
		err  error
	}{
		"the rule panics":       {func(error) any { panic("rule") }, errors.New("of the handler")},
		"its result is no JSON": {func(error) any { return func() {} }, errors.New("of the handler")},
		"the data panic":        {nil, &sioclient.Error{Code: "c", Data: bomb{}}},
		"the error panics":      {nil, (*trap)(nil)},
	} {
		t.Run(name, func(t *testing.T) {
			runWebSocket(t, func(srv *socketio.Server) {
				srv.On("go", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
					answer, err := s.EmitWithAck(ctx, "x")
					if err != nil {
						return err
					}
					return e.Ack(answer.Raw(0))
				})
			}, func(w *world) {
				cfg := w.config()
				cfg.AckError = c.rule
				s := w.socket("", cfg)
				heard := make(chan error, 1)
				s.OnError(func(_ *sioclient.Socket, _ string, err error) { heard <- err })
				s.On("x", func(context.Context, *sioclient.Socket, *sioclient.Event) error { return c.err })
				w.connect(s)
				answer, err := s.EmitWithAck(w.Context(), "go")
				if text := string(answer.Raw(0)); err != nil || text != `{"error":{"code":"internal","message":"internal error"}}` {
					w.T.Errorf("the server heard %s, %v", text, err)
				}
				err = <-heard
				if joined, ok := err.(interface{ Unwrap() []error }); !ok || joined.Unwrap()[0] != c.err {
					w.T.Errorf("OnError heard %#v", err)
				}
			})
		})
	}
}

// Handlers can be removed, and catch-alls hear both ways.
func TestRegistration(t *testing.T) {
	runWebSocket(t, echoes, func(w *world) {
		t := w.T
		s := w.socket("", w.config())
		heard, out := new(log), new(log)
		s.OnAnyOutgoing(func(s *sioclient.Socket, e *sioclient.Event) { out.add("%s %s", e.Name(), e.Raw(0)) })
		s.Once("echoed", func(ctx context.Context, s *sioclient.Socket, e *sioclient.Event) error {
			heard.add("once")
			return nil
		})
		s.OnAny(func(ctx context.Context, s *sioclient.Socket, e *sioclient.Event) error {
			heard.add("any")
			return nil
		})
		if err := s.Emit("echo", 0); err != nil {
			t.Fatal(err)
		}
		w.connect(s)
		for i := range 2 {
			if _, err := s.EmitWithAck(t.Context(), "echo", i+1); err != nil {
				t.Fatal(err)
			}
		}
		w.eventually("all events", func() bool { return len(heard.all()) == 4 })
		heard.want(t, "any", "once", "any", "any")
		out.want(t, "echo 0", "echo 1", "echo 2")
		s.OffAny()
		s.OffAnyOutgoing()
		if _, err := s.EmitWithAck(t.Context(), "echo", 3); err != nil {
			t.Fatal(err)
		}
		sleep(time.Second)
		if len(heard.all()) != 4 || len(out.all()) != 3 {
			t.Error("removed functions were called")
		}
	})
}

// A Socket that was closed stays closed: once more it took the one that the Manager had
// made since in its place out of the Manager, which heard nothing any more.
func TestCloseTwice(t *testing.T) {
	runWebSocket(t, echoes, func(w *world) {
		t := w.T
		m, err := sioclient.NewManager("http://server", w.config())
		if err != nil {
			t.Fatal(err)
		}
		defer w.close(m)
		first := m.Socket("/chat", sioclient.SocketOptions{})
		w.connect(first)
		w.close(first)
		second := m.Socket("/chat", sioclient.SocketOptions{})
		w.connect(second)
		w.close(first)
		if second != m.Socket("/chat", sioclient.SocketOptions{}) || !second.Connected() {
			t.Error("the second Socket is not the Manager's any more")
		}
		if _, err := second.Timeout(time.Minute).EmitWithAck(t.Context(), "echo", 1); err != nil {
			t.Error(err)
		}
		w.close(m)
		if err := m.Socket("/late", sioclient.SocketOptions{}).Emit("echo", 1); !errors.Is(err, sioclient.ErrClosed) {
			t.Errorf("a Socket of a closed Manager: %v", err)
		}
	})
}
