package sioclient_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/hermod-io/hermod/engineio/eioclient"
	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/sioclient"
)

// exact makes the delays of reconnection those of the formula.
func exact(cfg sioclient.Config) sioclient.Config {
	cfg.Reconnection.RandomizationFactor = -1
	return cfg
}

// followManager notes the events of a Manager with the seconds since it is
// followed.
func followManager(m *sioclient.Manager) *log {
	l := new(log)
	begin := time.Now()
	at := func(format string, args ...any) {
		l.add("%.0f "+format, append([]any{time.Since(begin).Seconds()}, args...)...)
	}
	m.OnOpen(func() { at("open") })
	m.OnClose(func(reason sioclient.Reason, err error) { at("close %s", plain(reason)) })
	m.OnError(func(err error) { at("error") })
	m.OnReconnectAttempt(func(n int) { at("attempt %d", n) })
	m.OnReconnect(func(n int) { at("reconnect %d", n) })
	m.OnReconnectError(func(err error) { at("reconnect_error") })
	m.OnReconnectFailed(func() { at("reconnect_failed") })
	return l
}

// wantNumbers expects the lines 0 to n-1.
func (l *log) wantNumbers(t *testing.T, n int) {
	t.Helper()
	all := l.all()
	if len(all) != n {
		t.Fatalf("the server got %d events", len(all))
	}
	for i, line := range all {
		if line != fmt.Sprint(i) {
			t.Fatalf("event %d is %s", i, line)
		}
	}
}

// The server goes away and comes back: the attempts keep the official delays,
// the events in between are sent in order, and the Socket joins again.
func TestReconnects(t *testing.T) {
	got := new(log)
	run(t, func(srv *socketio.Server) {
		srv.On("n", socketio.Reply(func(ctx context.Context, s *socketio.Socket, n int) (int, error) {
			got.add("%d", n)
			return n, nil
		}))
	}, func(w *world) {
		t := w.T
		*got = log{}
		s := w.socket("", exact(w.config()))
		heard := follow(s)
		w.connect(s)
		m := followManager(s.Manager())
		first := s.ID()
		w.stopServer()
		w.eventually("the loss", func() bool { return !s.Connected() })
		if !s.Active() {
			t.Error("it has given up")
		}
		for i := range 100 {
			if err := s.Emit("n", i); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Volatile().Emit("n", 1000); err != nil {
			t.Fatal(err)
		}
		answers := make(chan error, 1)
		go func() {
			var n int
			err := s.Call(t.Context(), "n", &n, 100)
			if n != 100 {
				err = errors.Join(err, fmt.Errorf("answer %d", n))
			}
			answers <- err
		}()
		sleep(14 * time.Second)
		w.startServer()
		if err := <-answers; err != nil {
			t.Error(err)
		}
		if s.ID() == first || s.Recovered() {
			t.Error("it has kept its id")
		}
		m.want(t, "0 close transport close", "1 attempt 1", "1 error", "1 reconnect_error", "3 attempt 2", "3 error", "3 reconnect_error",
			"7 attempt 3", "7 error", "7 reconnect_error", "12 attempt 4", "12 error", "12 reconnect_error", "17 attempt 5", "17 open", "17 reconnect 5")
		got.wantNumbers(t, 101)
		w.eventually("OnConnect", func() bool { return len(heard.all()) == 7 })
		if lines := heard.all(); lines[0] != "connect" || lines[1] != "disconnect transport close" || lines[6] != "connect" {
			t.Errorf("heard %q", lines)
		}
	})
}

// A connection that the server ends is made again.
func TestSessionClosedByServer(t *testing.T) {
	run(t, echoes, func(w *world) {
		t := w.T
		s := w.join("", exact(w.config()))
		w.srv.Socket(s.ID()).Session().Close(true)
		w.eventually("the loss", func() bool { return !s.Connected() })
		w.eventually("the reconnection", s.Connected)
		if _, err := s.EmitWithAck(t.Context(), "echo"); err != nil {
			t.Error(err)
		}
	})
}

// The attempts come to an end, after which Connect begins anew.
func TestAttemptsEnd(t *testing.T) {
	runWebSocket(t, echoes, func(w *world) {
		t := w.T
		cfg := exact(w.config())
		cfg.Reconnection = sioclient.Reconnection{Attempts: 2, Delay: 100 * time.Second, DelayMax: time.Hour, RandomizationFactor: -1}
		s := w.join("", cfg)
		m := followManager(s.Manager())
		w.stopServer()
		w.eventually("the loss", func() bool { return !s.Connected() })
		if err := s.Connect(t.Context()); err == nil {
			t.Error("Connect to nothing")
		}
		w.eventually("the end of the attempts", func() bool { return m.has("300 reconnect_failed") })
		m.want(t, "0 close transport close", "100 attempt 1", "100 error", "100 reconnect_error", "300 attempt 2", "300 error", "300 reconnect_error", "300 reconnect_failed")
		w.startServer()
		w.connect(s)
	})
}

// Without reconnection Connect fails at once, and a loss is the end.
func TestNoReconnection(t *testing.T) {
	run(t, echoes, func(w *world) {
		t := w.T
		cfg := w.config()
		cfg.NoReconnection = true
		s := w.join("", cfg)
		w.stopServer()
		w.eventually("the loss", func() bool { return !s.Connected() })
		var failed *eioclient.DialError
		if err := s.Connect(t.Context()); !errors.As(err, &failed) {
			t.Errorf("Connect: %v", err)
		}
		sleep(time.Minute)
		w.startServer()
		sleep(time.Minute)
		if s.Connected() {
			t.Error("it connected by itself")
		}
		w.connect(s)
	})
}

// The end of its context ends Connect, and the attempts.
func TestConnectContext(t *testing.T) {
	run(t, echoes, func(w *world) {
		t := w.T
		w.stopServer()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		s := w.socket("", w.config())
		err := s.Connect(ctx)
		var failed *eioclient.DialError
		if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &failed) {
			t.Errorf("Connect: %v", err)
		}
		if s.Active() {
			t.Error("it goes on")
		}
		if _, err := sioclient.Dial(ctx, "http://server", w.config()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Dial: %v", err)
		}
	})
}

// Auth is asked anew for each connection, and again after an error of its own.
func TestAuthEachTime(t *testing.T) {
	var auths chan string // made in the bubble
	run(t, func(srv *socketio.Server) {
		srv.Use(func(ctx context.Context, s *socketio.Socket) error {
			var said struct{ N int }
			if err := s.Handshake().DecodeAuth(&said); err != nil {
				return err
			}
			auths <- fmt.Sprint(said.N)
			return nil
		})
	}, func(w *world) {
		t := w.T
		auths = make(chan string, 10)
		cfg := exact(w.config())
		n := 0
		cfg.Auth = func(ctx context.Context) (any, error) {
			if n++; n%2 == 1 {
				return nil, errors.New("no token yet")
			}
			return struct{ N int }{n}, nil
		}
		s := w.socket("", cfg)
		heard := follow(s)
		w.connect(s)
		if got := <-auths; got != "2" {
			t.Errorf("auth %s", got)
		}
		w.srv.Socket(s.ID()).Session().Close(true)
		if got := <-auths; got != "4" {
			t.Errorf("auth %s", got)
		}
		w.eventually("OnConnect", func() bool { return len(heard.all()) == 5 })
		heard.want(t, "connect_error no token yet", "connect", "disconnect transport close", "connect_error no token yet", "connect")
	})
}

// What Auth returns must be an object.
func TestAuthOfWrongKind(t *testing.T) {
	runWebSocket(t, echoes, func(w *world) {
		t := w.T
		for _, v := range []any{"text", []byte{1}, map[string][]byte{"a": {1}}, func() {}} {
			cfg := w.config()
			cfg.NoReconnection = true
			cfg.Auth = func(context.Context) (any, error) { return v, nil }
			if err := w.socket("", cfg).Connect(t.Context()); err == nil {
				t.Errorf("%T was taken", v)
			}
		}
		cfg := w.config()
		cfg.Auth = func(context.Context) (any, error) { return nil, nil }
		w.join("", cfg)
	})
}

// An ack that is due when the connection is lost fails at once; one of an event
// that has not left does not.
func TestAcksAtTheLoss(t *testing.T) {
	run(t, echoes, func(w *world) {
		t := w.T
		s := w.join("", exact(w.config()))
		sent := make(chan error, 1)
		go func() {
			_, err := s.EmitWithAck(t.Context(), "never")
			sent <- err
		}()
		sleep(time.Second)
		w.stopServer()
		var lost *sioclient.DisconnectError
		if err := <-sent; !errors.As(err, &lost) {
			t.Errorf("an event that was sent: %v", err)
		}
		begin := time.Now()
		var late *sioclient.AckError
		if _, err := s.Timeout(20*time.Second).EmitWithAck(t.Context(), "never"); !errors.As(err, &late) || !late.Timeout() {
			t.Errorf("an event that was kept: %v", err)
		}
		if d := time.Since(begin); d != 20*time.Second {
			t.Errorf("it took %v", d)
		}
	})
}

// What is kept while there is no connection is bounded.
func TestBufferBound(t *testing.T) {
	got := new(log)
	runWebSocket(t, func(srv *socketio.Server) {
		srv.On("n", socketio.Receive(func(ctx context.Context, s *socketio.Socket, n int) error {
			got.add("%d", n)
			return nil
		}))
	}, func(w *world) {
		t := w.T
		cfg := w.config()
		cfg.Buffer.Packets = 3
		s := w.socket("", cfg)
		for i := range 5 {
			if err := s.Emit("n", i); (i < 3) != (err == nil) || i >= 3 && !errors.Is(err, sioclient.ErrQueueFull) {
				t.Errorf("event %d: %v", i, err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.EmitWithAck(ctx, "n", 6); !errors.Is(err, sioclient.ErrQueueFull) {
			t.Errorf("with an ack: %v", err)
		}
		w.connect(s)
		w.eventually("three events", func() bool { return len(got.all()) == 3 })
		got.want(t, "0", "1", "2")
	})
}

// An event whose ack nobody waits for any more is not sent.
func TestWithdrawn(t *testing.T) {
	got := new(log)
	runWebSocket(t, func(srv *socketio.Server) {
		srv.OnAny(func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
			got.add("%s", e.Name())
			return nil
		})
	}, func(w *world) {
		t := w.T
		s := w.socket("", w.config())
		if err := s.Emit("before"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Timeout(time.Second).EmitWithAck(t.Context(), "asked"); err == nil {
			t.Error("an ack from nobody")
		}
		if err := s.Emit("after"); err != nil {
			t.Fatal(err)
		}
		w.connect(s)
		w.eventually("two events", func() bool { return len(got.all()) == 2 })
		got.want(t, "before", "after")
	})
}

// With retries events are sent one at a time, each until it was acknowledged or
// there were too many tries.
func TestRetries(t *testing.T) {
	got := new(log)
	run(t, func(srv *socketio.Server) {
		seen := map[string]int{}
		srv.On("try", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
			var name string
			var need int
			if err := e.Scan(&name, &need); err != nil {
				return err
			}
			seen[name]++
			got.add("%s %d", name, seen[name])
			if seen[name] < need {
				return nil
			}
			return e.Ack(name)
		})
	}, func(w *world) {
		t := w.T
		*got = log{}
		cfg := exact(w.config())
		cfg.Retries, cfg.AckTimeout = 2, time.Second
		s := w.socket("", cfg)
		if err := s.Emit("try", "a", 3); err != nil {
			t.Fatal(err)
		}
		if err := s.Emit("try", "b", 100); err != nil {
			t.Fatal(err)
		}
		w.connect(s)
		begin := time.Now()
		reply, err := s.EmitWithAck(t.Context(), "try", "c", 1)
		if err != nil || string(reply.Raw(0)) != `"c"` {
			t.Errorf("c: %v %v", reply, err)
		}
		if d := time.Since(begin); d > 5*time.Second {
			t.Errorf("it took %v", d)
		}
		if _, err := s.EmitWithAck(t.Context(), "try", "d", 100); !errors.As(err, new(*sioclient.AckError)) {
			t.Errorf("d: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		if _, err := s.EmitWithAck(ctx, "try", "e", 100); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("e: %v", err)
		}
		got.want(t, "a 1", "a 2", "a 3", "b 1", "b 2", "b 3", "c 1", "d 1", "d 2", "d 3", "e 1")
		w.stopServer()
		w.eventually("the loss", func() bool { return !s.Connected() })
		if err := s.Emit("try", "f", 1); err != nil {
			t.Fatal(err)
		}
		w.startServer()
		w.eventually("f", func() bool { return got.has("f 1") })
	})
}
