package sioclient_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/event"
	"github.com/hermod-io/hermod/socketio/sioclient"
)

// echoes makes a server answer.
func echoes(srv *socketio.Server) {
	for _, n := range []*socketio.Namespace{srv.Of("/"), srv.Of("/chat")} {
		n.On("echo", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
			values, err := e.Values()
			if err != nil {
				return err
			}
			return errors.Join(s.Emit("echoed", values...), e.Ack(values...))
		})
		n.On("ask", socketio.Receive(func(ctx context.Context, s *socketio.Socket, question string) error {
			got, err := s.EmitWithAck(ctx, "question", question)
			if err != nil {
				return s.Emit("answer", "error")
			}
			var answer any
			if err := got.Scan(&answer); err != nil {
				return err
			}
			return s.Emit("answer", answer)
		}))
		n.On("leave", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
			s.Disconnect(false)
			return nil
		})
		n.On("never", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error { return nil })
	}
	srv.Of("/private").Use(func(ctx context.Context, s *socketio.Socket) error {
		var auth struct{ Token string }
		if err := s.Handshake().DecodeAuth(&auth); err != nil || auth.Token != "secret" {
			return &socketio.Error{Message: "bad token", Data: map[string]int{"code": 7}}
		}
		return nil
	})
}

// Events with every kind of argument, both ways, with acks both ways.
func TestEvents(t *testing.T) {
	run(t, echoes, func(w *world) {
		t := w.T
		s := w.socket("/chat", w.config())
		heard := follow(s)
		w.connect(s)
		s.On("question", sioclient.Reply(func(ctx context.Context, s *sioclient.Socket, q string) (string, error) {
			if q == "bad" {
				return "", sioclient.Errorf("no", "not %s", q)
			}
			return "re: " + q, nil
		}))
		got, err := s.EmitWithAck(t.Context(), "echo", "a", 1, nil, []byte{1, 2}, map[string]any{"x": []byte{3}})
		if err != nil {
			t.Fatal(err)
		}
		var (
			text string
			n    int
			none any
			b    []byte
			m    map[string]any
		)
		if err := got.Scan(&text, &n, &none, &b, &m); err != nil {
			t.Fatal(err)
		}
		if text != "a" || n != 1 || none != nil || !bytes.Equal(b, []byte{1, 2}) || !bytes.Equal(m["x"].([]byte), []byte{3}) {
			t.Errorf("got %q %d %v %v %v", text, n, none, b, m)
		}
		for _, q := range []string{"this", "bad"} {
			if err := s.Emit("ask", q); err != nil {
				t.Fatal(err)
			}
		}
		w.eventually("both answers", func() bool { return len(heard.all()) == 6 })
		heard.want(t, "connect", "echoed [a 1 <nil> [1 2] map[x:[3]]]", "question [this]", "answer [re: this]", "question [bad]",
			"answer [map[error:map[code:no message:not bad]]]")
	})
}

// Descriptors work with the client as with the server.
func TestDescriptors(t *testing.T) {
	type pair struct {
		event.Args
		A, B int
	}
	const (
		sum  sioclient.Request[pair, int] = "sum"
		hint sioclient.Message[string]    = "hint"
		ping sioclient.Request[int, pair] = "ping"
	)
	runWebSocket(t, func(srv *socketio.Server) {
		socketio.HandleRequest(srv, sum, func(ctx context.Context, s *socketio.Socket, p pair) (int, error) {
			both, err := ping.Call(ctx, s, p.A)
			if err != nil {
				return 0, err
			}
			return p.A + p.B + both.A + both.B, hint.Emit(s, "done")
		})
	}, func(w *world) {
		t := w.T
		s := w.socket("", w.config())
		hints := make(chan string, 1)
		sioclient.HandleMessage(s, hint, func(ctx context.Context, s *sioclient.Socket, v string) error {
			hints <- v
			return nil
		})
		sioclient.HandleRequest(s, ping, func(ctx context.Context, s *sioclient.Socket, n int) (pair, error) {
			return pair{A: 10 * n, B: 100 * n}, nil
		})
		w.connect(s)
		got, err := sum.Call(t.Context(), s, pair{A: 1, B: 2})
		if err != nil || got != 113 {
			t.Errorf("got %d, %v", got, err)
		}
		if h := <-hints; h != "done" {
			t.Errorf("got %q", h)
		}
		if _, err := sum.Call(t.Context(), s.Timeout(time.Second), pair{A: 1, B: 2}); err != nil {
			t.Error(err)
		}
	})
}

// The error of a handler is the error of the Call, on both sides, also where the
// answer does not matter.
func TestCallHearsErrors(t *testing.T) {
	const (
		join sioclient.Request[string, event.None]      = "join"
		seat sioclient.Request[string, struct{ N int }] = "seat"
	)
	runWebSocket(t, func(srv *socketio.Server) {
		socketio.HandleRequest(srv, join, func(ctx context.Context, s *socketio.Socket, room string) (none event.None, err error) {
			if _, err = seat.Call(ctx, s, room); err != nil {
				return none, err
			}
			return none, errors.New("not for others")
		})
	}, func(w *world) {
		t := w.T
		s := w.socket("", w.config())
		sioclient.HandleRequest(s, seat, func(ctx context.Context, s *sioclient.Socket, room string) (seat struct{ N int }, err error) {
			if room == "full" {
				return seat, sioclient.Errorf("full", "no seat in %s", room)
			}
			return seat, nil
		})
		w.connect(s)
		for room, want := range map[string]sioclient.Error{"full": {Code: "full", Message: "no seat in full"}, "free": {Code: "internal", Message: "internal error"}} {
			_, err := join.Call(t.Context(), s, room)
			_, err2 := join.Call(t.Context(), s.Timeout(time.Second), room)
			for _, err := range []error{err, err2, s.Call(t.Context(), "join", nil, room)} {
				var got *sioclient.Error
				if !errors.As(err, &got) || !reflect.DeepEqual(*got, want) {
					t.Errorf("%s: %v", room, err)
				}
			}
		}
	})
}

// A refusal ends the attempt, and says why; another Connect may succeed.
func TestRefused(t *testing.T) {
	run(t, echoes, func(w *world) {
		t := w.T
		token := "wrong"
		cfg := w.config()
		cfg.Auth = func(ctx context.Context) (any, error) { return map[string]string{"Token": token}, nil }
		s := w.socket("/private", cfg)
		heard := follow(s)
		err := s.Connect(t.Context())
		var refused *sioclient.ConnectError
		if !errors.As(err, &refused) || refused.Message != "bad token" || string(refused.Data) != `{"code":7}` || refused.Namespace != "/private" {
			t.Fatalf("Connect: %v", err)
		}
		if s.Active() || s.Connected() {
			t.Error("it goes on")
		}
		sleep(time.Minute)
		token = "secret"
		w.connect(s)
		if s.ID() == "" || !s.Connected() {
			t.Error("it has no id")
		}
		w.eventually("OnConnect", func() bool { return heard.has("connect") })
		heard.want(t, "connect_error socketio: connect to /private: bad token", "connect")
	})
}

// An unknown namespace is refused too, and leaves others alone.
func TestSeveralNamespaces(t *testing.T) {
	run(t, echoes, func(w *world) {
		t := w.T
		m, err := sioclient.NewManager("http://server/ignored", w.config())
		if err != nil {
			t.Fatal(err)
		}
		defer w.close(m)
		a, b := m.Socket("", sioclient.SocketOptions{}), m.Socket("chat", sioclient.SocketOptions{})
		if m.Socket("/chat", sioclient.SocketOptions{}) != b {
			t.Error("a second Socket in one namespace")
		}
		w.connect(a)
		w.connect(b)
		if err := m.Socket("/nowhere", sioclient.SocketOptions{}).Connect(t.Context()); err == nil || !strings.Contains(err.Error(), "Invalid namespace") {
			t.Errorf("Connect: %v", err)
		}
		for _, s := range []*sioclient.Socket{a, b} {
			if _, err := s.EmitWithAck(t.Context(), "echo", bytes.Repeat([]byte{1}, 2000)); err != nil {
				t.Error(err)
			}
		}
		if n := w.srv.Engine().Clients(); n != 1 {
			t.Errorf("%d connections", n)
		}
		a.Disconnect()
		if _, err := b.EmitWithAck(t.Context(), "echo"); err != nil {
			t.Error(err)
		}
		b.Disconnect()
		w.eventually("the end of the connection", func() bool { return w.srv.Engine().Clients() == 0 })
		w.connect(a)
	})
}

// The server disconnects: no reconnection; ours to connect again.
func TestServerDisconnects(t *testing.T) {
	run(t, echoes, func(w *world) {
		t := w.T
		s := w.socket("", w.config())
		heard := follow(s)
		w.connect(s)
		ctx := s.Context()
		if err := s.Emit("leave"); err != nil {
			t.Fatal(err)
		}
		<-ctx.Done()
		var cause *sioclient.DisconnectError
		if !errors.As(context.Cause(ctx), &cause) || cause.Reason != sioclient.IOServerDisconnect || !errors.Is(cause, net.ErrClosed) {
			t.Errorf("cause: %v", context.Cause(ctx))
		}
		sleep(time.Minute)
		if s.Active() {
			t.Error("it goes on")
		}
		heard.want(t, "connect", "disconnect io server disconnect")
		w.connect(s)
	})
}

// Disconnect drops what waits to be handled, and tells the server.
func TestDisconnect(t *testing.T) {
	var reasons chan socketio.Reason // made in the bubble
	run(t, func(srv *socketio.Server) {
		echoes(srv)
		srv.OnDisconnect(func(s *socketio.Socket, r socketio.Reason) { reasons <- r })
	}, func(w *world) {
		t := w.T
		reasons = make(chan socketio.Reason, 10)
		s := w.socket("", w.config())
		heard := follow(s)
		w.connect(s)
		s.Disconnect()
		s.Disconnect()
		if r := <-reasons; r != socketio.ClientNamespaceDisconnect {
			t.Errorf("the server heard %s", r)
		}
		w.eventually("OnDisconnect", func() bool { return len(heard.all()) > 1 })
		heard.want(t, "connect", "disconnect io client disconnect")
		if s.ID() != "" || s.Context().Err() == nil {
			t.Error("it is still there")
		}
	})
}

// A name that the protocol keeps, an argument that cannot be encoded, a Socket
// that is closed.
func TestEmitErrors(t *testing.T) {
	runWebSocket(t, echoes, func(w *world) {
		t := w.T
		s := w.join("", w.config())
		if err := s.Emit("disconnect"); !errors.Is(err, sioclient.ErrReserved) {
			t.Errorf("reserved: %v", err)
		}
		var bad *sioclient.EncodeError
		if err := s.Emit("x", func() {}); !errors.As(err, &bad) {
			t.Errorf("not encodable: %v", err)
		}
		_, err := s.Timeout(time.Second).EmitWithAck(t.Context(), "never")
		var late *sioclient.AckError
		if !errors.As(err, &late) || !late.Timeout() {
			t.Errorf("no ack: %v", err)
		}
		w.close(s)
		if err := s.Emit("x"); !errors.Is(err, sioclient.ErrClosed) {
			t.Errorf("closed: %v", err)
		}
		if err := s.Connect(t.Context()); !errors.Is(err, sioclient.ErrClosed) {
			t.Errorf("closed: %v", err)
		}
	})
}

// Events are handled in order, one at a time, while the connection is not read
// because too many wait; and also when a handler waits for an ack that is behind
// many events.
func TestHandlersInOrder(t *testing.T) {
	const n = 2000
	flood := func(srv *socketio.Server) {
		srv.On("flood", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
			for i := range n {
				if err := s.Emit("n", i); err != nil {
					return err
				}
			}
			return nil
		})
		srv.On("back", socketio.Reply(func(ctx context.Context, s *socketio.Socket, i int) (int, error) { return i, nil }))
	}
	for name, bound := range map[string]int{"silent": 16, "asking": 600} {
		t.Run(name, func(t *testing.T) {
			run(t, flood, func(w *world) {
				t := w.T
				cfg := w.config()
				cfg.Mailbox.Packets = bound
				s := w.socket("", cfg)
				var got []int
				done := make(chan error, 1)
				s.On("n", sioclient.Receive(func(ctx context.Context, s *sioclient.Socket, i int) error {
					got = append(got, i)
					if i == n-1 {
						done <- nil
					}
					if i%100 != 0 {
						return nil
					}
					sleep(10 * time.Millisecond)
					if name == "silent" {
						return nil
					}
					var back int
					err := s.Call(ctx, "back", &back, i)
					if err == nil && back != i {
						err = errors.New("wrong answer")
					}
					if err != nil {
						done <- err
					}
					return nil
				}))
				w.connect(s)
				if err := s.Emit("flood"); err != nil {
					t.Fatal(err)
				}
				if err := <-done; err != nil {
					t.Fatal(err)
				}
				if len(got) != n || !slices.IsSorted(got) {
					t.Errorf("%d events, in order %v", len(got), slices.IsSorted(got))
				}
			})
		})
	}
}
