//go:build node

package sioclient

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hermod-io/hermod/engineio/eioclient"
	"github.com/hermod-io/hermod/socketio/parser"
	"github.com/hermod-io/hermod/socketio/sioclient"
)

// scenarios are run against one application, in every mode.
var scenarios = map[string]func(a *app, mode string){
	"echo":          echo,
	"order":         order,
	"binary":        binary,
	"acks":          acks,
	"namespaces":    namespaces,
	"auth":          auth,
	"refused":       refused,
	"volatile":      volatile,
	"disconnect":    disconnect,
	"server ends":   serverEnds,
	"session ends":  sessionEnds,
	"retries":       retries,
	"queue at once": atOnce,
}

func TestScenarios(t *testing.T) {
	for _, g := range targets(t) {
		t.Run(g.name, func(t *testing.T) {
			a := g.start(t, "0", nil)
			for _, mode := range modes {
				for name, f := range scenarios {
					t.Run(mode+"/"+name, func(t *testing.T) {
						f(&app{T: t, process: a.process, url: a.url}, mode)
					})
				}
			}
			if g.name == "relayed" && string(a.control("relayed", nil)) == "0" {
				t.Error("nothing was relayed")
			}
		})
	}
}

func echo(a *app, mode string) {
	s := a.socket("/", config(mode))
	in := inbox(a.T, s)
	a.connect(s, mode)
	if err := s.Emit("echo", "é \u2028 <&>", 1.5, nil, true, []any{}, map[string]any{"k": "v"}); err != nil {
		a.Fatal(err)
	}
	a.want(in, "echo [é \u2028 <&> 1.5 <nil> true [] map[k:v]]")
	if err := s.Emit("echo"); err != nil {
		a.Fatal(err)
	}
	a.want(in, "echo []")
}

func order(a *app, mode string) {
	s := a.socket("/", config(mode))
	in := inbox(a.T, s)
	a.connect(s, "") // the upgrade goes on meanwhile
	const n = 500
	for i := range n {
		if err := s.Emit("echo", i, []byte{byte(i)}); err != nil {
			a.Fatal(err)
		}
	}
	for i := range n {
		a.want(in, fmt.Sprintf("echo [%d [%d]]", i, byte(i)))
	}
}

func binary(a *app, mode string) {
	s := a.join("/", mode)
	big := make([]byte, 500_000)
	for i := range big {
		big[i] = byte(i)
	}
	ctx, cancel := context.WithTimeout(a.Context(), patience)
	defer cancel()
	got, err := s.EmitWithAck(ctx, "ack", big, map[string]any{"b": []byte{0, 255}}, []byte{})
	if err != nil {
		a.Fatal(err)
	}
	var back, empty []byte
	var m map[string][]byte
	if err := got.Scan(&back, &m, &empty); err != nil || !slices.Equal(back, big) || !slices.Equal(m["b"], []byte{0, 255}) || len(empty) != 0 {
		a.Errorf("%d bytes, %v, %v, %v", len(back), m, empty, err)
	}
}

func acks(a *app, mode string) {
	s := a.socket("/", config(mode))
	s.On("question", sioclient.Reply(func(ctx context.Context, s *sioclient.Socket, q string) (string, error) {
		return strings.ToUpper(q), nil
	}))
	a.connect(s, mode)
	if got := a.ask(s, "ack", 1, "two"); got != "[1 two]" {
		a.Errorf("ack: %s", got)
	}
	if got := a.ask(s, "ack-twice"); got != "[first]" {
		a.Errorf("ack-twice: %s", got)
	}
	if got := a.ask(s, "ack-late", 20, "v"); got != "[v]" {
		a.Errorf("ack-late: %s", got)
	}
	if got := a.ask(s, "ask", []any{"why"}); got != "[<nil> WHY]" {
		a.Errorf("ask: %s", got)
	}
	var late *sioclient.AckError
	if _, err := s.Timeout(50*time.Millisecond).EmitWithAck(a.Context(), "ack-never"); !errors.As(err, &late) {
		a.Errorf("ack-never: %v", err)
	}
}

func namespaces(a *app, mode string) {
	m, err := sioclient.NewManager(a.url, config(mode))
	if err != nil {
		a.Fatal(err)
	}
	defer func() {
		if err := m.Close(context.Background()); err != nil {
			a.Error(err)
		}
	}()
	greet := m.Socket("/greet", sioclient.SocketOptions{})
	in := inbox(a.T, greet)
	all := []*sioclient.Socket{m.Socket("/", sioclient.SocketOptions{}), m.Socket("/chat", sioclient.SocketOptions{}), m.Socket("/__proto__", sioclient.SocketOptions{})}
	for _, s := range append(all, greet) {
		a.connect(s, mode)
	}
	for _, want := range []string{"greeting [1]", "greeting [2]", "greeting [[3]]"} {
		a.want(in, want)
	}
	for i, s := range all {
		if got := a.ask(s, "ack", i, []byte{1}); got != fmt.Sprintf("[%d [1]]", i) {
			a.Errorf("%s: %s", s.Namespace(), got)
		}
	}
	err = m.Socket("/nowhere", sioclient.SocketOptions{}).Connect(a.Context())
	var no *sioclient.ConnectError
	if !errors.As(err, &no) || no.Message != "Invalid namespace" {
		a.Errorf("/nowhere: %v", err)
	}
}

func auth(a *app, mode string) {
	token := "wrong"
	cfg := config(mode)
	cfg.Auth = func(context.Context) (any, error) { return map[string]string{"token": token}, nil }
	s := a.socket("/auth", cfg)
	if err := s.Connect(a.Context()); err == nil || !strings.Contains(err.Error(), "bad token") {
		a.Fatalf("Connect: %v", err)
	}
	token = "secret"
	a.connect(s, mode)
}

func refused(a *app, mode string) {
	err := a.socket("/refused", config(mode)).Connect(a.Context())
	var no *sioclient.ConnectError
	if !errors.As(err, &no) || no.Message != "not allowed" || string(no.Data) != `{"code":42,"why":["x",null]}` {
		a.Errorf("/refused: %v", err)
	}
	err = a.socket("/refused-plain", config(mode)).Connect(a.Context())
	if !errors.As(err, &no) || no.Message != "go away" {
		a.Errorf("/refused-plain: %v", err)
	}
}

func volatile(a *app, mode string) {
	s := a.socket("/", config(mode))
	in := inbox(a.T, s)
	if err := s.Volatile().Emit("echo", "dropped"); err != nil {
		a.Fatal(err)
	}
	a.connect(s, mode)
	a.ask(s, "ack")
	a.eventually("room for a volatile event", func() bool { return s.Manager().Session().Writable() })
	if err := s.Volatile().Emit("echo", "sent"); err != nil {
		a.Fatal(err)
	}
	a.want(in, "echo [sent]")
}

func disconnect(a *app, mode string) {
	s := a.socket("/chat", config(mode))
	reasons := make(chan string, 10)
	s.OnDisconnect(func(s *sioclient.Socket, r sioclient.Reason) { reasons <- string(r) })
	a.connect(s, mode)
	id := s.ID()
	if err := s.Emit("mark", "last"); err != nil {
		a.Fatal(err)
	}
	s.Disconnect()
	a.want(reasons, "io client disconnect")
	a.eventually("the server's disconnect", func() bool {
		log := string(a.control("log", map[string]any{"id": id}))
		return strings.Contains(log, "client namespace disconnect") && strings.Contains(log, `"mark"`)
	})
	a.connect(s, mode)
	if s.ID() == id {
		a.Error("the same id")
	}
}

func serverEnds(a *app, mode string) {
	s := a.socket("/", config(mode))
	in := inbox(a.T, s)
	reasons := make(chan string, 10)
	s.OnDisconnect(func(s *sioclient.Socket, r sioclient.Reason) { reasons <- string(r) })
	a.connect(s, mode)
	if err := s.Emit("bye", false); err != nil {
		a.Fatal(err)
	}
	a.want(in, "bye [last words]")
	a.want(reasons, "io server disconnect")
	if s.Active() {
		a.Error("it goes on")
	}
	a.connect(s, mode)
}

func sessionEnds(a *app, mode string) {
	s := a.socket("/", config(mode))
	in := inbox(a.T, s)
	a.connect(s, mode)
	id := s.ID()
	if err := s.Emit("engine-bye"); err != nil {
		a.Fatal(err)
	}
	a.want(in, "bye [last words]")
	a.eventually("the reconnection", func() bool { return s.Connected() && s.ID() != id })
	if got := a.ask(s, "ack", "again"); got != "[again]" {
		a.Error(got)
	}
}

func retries(a *app, mode string) {
	cfg := config(mode)
	cfg.Retries, cfg.AckTimeout = 2, 100*time.Millisecond
	s := a.socket("/", cfg)
	a.connect(s, mode)
	id := s.ID()
	if _, err := s.EmitWithAck(a.Context(), "ack-never", 1); err == nil {
		a.Error("an ack from nobody")
	}
	if got := a.ask(s, "ack", 2); got != "[2]" {
		a.Error(got)
	}
	log := string(a.control("log", map[string]any{"id": id}))
	if n := strings.Count(log, "ack-never"); n != 3 {
		a.Errorf("%d tries: %s", n, log)
	}
}

// atOnce emits before Connect: all of it arrives, in order.
func atOnce(a *app, mode string) {
	s := a.socket("/", config(mode))
	in := inbox(a.T, s)
	for i := range 100 {
		if err := s.Emit("echo", i); err != nil {
			a.Fatal(err)
		}
	}
	a.connect(s, "")
	for i := range 100 {
		a.want(in, fmt.Sprintf("echo [%d]", i))
	}
}

// The server is stopped and started again.
func TestServerRestarts(t *testing.T) {
	for _, g := range targets(t) {
		for _, mode := range modes {
			t.Run(g.name+"/"+mode, func(t *testing.T) {
				port := freePort(t)
				a := g.start(t, port, nil)
				s := a.join("/", mode)
				attempts := make(chan int, 1000)
				s.Manager().OnReconnect(func(n int) { attempts <- n })
				a.process.Kill()
				a.eventually("the loss", func() bool { return !s.Connected() })
				if err := s.Emit("mark", "kept"); err != nil {
					t.Fatal(err)
				}
				again := g.start(t, port, nil)
				again.eventually("the reconnection", s.Connected)
				if n := <-attempts; n < 1 {
					t.Errorf("attempt %d", n)
				}
				if got := again.ask(s, "ack", "back"); got != "[back]" {
					t.Error(got)
				}
				if log := string(again.control("log", map[string]any{"id": s.ID()})); !strings.Contains(log, "kept") {
					t.Errorf("log %s", log)
				}
			})
		}
	}
}

// A stopped server sends no ping, and the client notices.
func TestPingTimeout(t *testing.T) {
	for _, g := range targets(t) {
		for _, mode := range modes {
			t.Run(g.name+"/"+mode, func(t *testing.T) {
				a := g.start(t, "0", map[string]any{"pingInterval": 300, "pingTimeout": 200})
				cfg := config(mode)
				cfg.NoReconnection = true
				s := a.socket("/", cfg)
				reasons := make(chan string, 10)
				s.OnDisconnect(func(s *sioclient.Socket, r sioclient.Reason) { reasons <- string(r) })
				pings := make(chan int, 1000)
				s.Manager().OnPing(func() { pings <- 1 })
				a.connect(s, mode)
				for range 3 {
					<-pings
				}
				a.process.Pause()
				a.want(reasons, "ping timeout")
			})
		}
	}
}

// Messages in msgpack, those of the protocol itself included.
func TestMsgPack(t *testing.T) {
	for _, g := range targets(t) {
		t.Run(g.name, func(t *testing.T) {
			a := g.start(t, "0", map[string]any{"parser": "msgpack"})
			for _, mode := range modes {
				cfg := config(mode)
				cfg.Parser = parser.MsgPack()
				cfg.Auth = func(context.Context) (any, error) { return map[string]string{"token": "secret"}, nil }
				s := a.socket("/auth", cfg)
				in := inbox(t, s)
				a.connect(s, mode)
				if err := s.Emit("echo", "text", 1, []byte{1, 2}, map[string]any{"b": []byte{3}}); err != nil {
					t.Fatal(err)
				}
				a.want(in, "echo [text 1 [1 2] map[b:[3]]]")
				if got := a.ask(s, "ack", []byte{9}); got != "[[9]]" {
					t.Errorf("%s: %s", mode, got)
				}
			}
			var no *sioclient.ConnectError
			cfg := config("websocket")
			cfg.Parser = parser.MsgPack()
			if err := a.socket("/refused", cfg).Connect(t.Context()); !errors.As(err, &no) || no.Message != "not allowed" {
				t.Errorf("/refused: %v", err)
			}
		})
	}
}

// Limits and refusals of the engine.
func TestEngineRefuses(t *testing.T) {
	for _, g := range targets(t) {
		t.Run(g.name, func(t *testing.T) {
			a := g.start(t, "0", map[string]any{"allowRequest": true, "maxHttpBufferSize": 20_000})
			for _, mode := range modes {
				cfg := config(mode)
				cfg.NoReconnection = true
				cfg.Engine.Query = map[string][]string{"refuse": {"because"}}
				var no *eioclient.DialError
				err := a.socket("/", cfg).Connect(t.Context())
				if !errors.As(err, &no) || no.Status != 403 && no.Status != 400 || no.Code != 4 || no.Message != "because" {
					t.Errorf("%s: %v", mode, err)
				}
			}
			s := a.socket("/", config("polling"))
			in := inbox(t, s)
			a.connect(s, "polling")
			for i := range 300 { // far more than one POST may hold
				if err := s.Emit("echo", i, strings.Repeat("x", 500)); err != nil {
					t.Fatal(err)
				}
			}
			for i := range 300 {
				a.want(in, fmt.Sprintf("echo [%d %s]", i, strings.Repeat("x", 500)))
			}
		})
	}
}

// Handlers that take longer for a burst than the server waits for a pong, which is
// behind the burst, do not cost the connection.
func TestSlowHandlers(t *testing.T) {
	for _, g := range targets(t) {
		for _, mode := range modes[:2] {
			t.Run(g.name+"/"+mode, func(t *testing.T) {
				a := g.start(t, "0", map[string]any{"pingInterval": 300, "pingTimeout": 2000})
				cfg := config(mode)
				cfg.Mailbox.Packets = 4
				s := a.socket("/", cfg)
				in := inbox(t, s)
				s.OnAny(func(context.Context, *sioclient.Socket, *sioclient.Event) error {
					<-time.After(40 * time.Millisecond) // what the handler does
					return nil
				})
				a.connect(s, mode)
				id := s.ID()
				a.control("burst", map[string]any{"id": id, "from": 0, "until": 100})
				for i := range 100 {
					a.want(in, fmt.Sprintf("burst [%d]", i))
				}
				if _, err := s.EmitWithAck(t.Context(), "ack", "alive"); err != nil || s.ID() != id {
					t.Errorf("%s has become %s, %v", id, s.ID(), err)
				}
			})
		}
	}
}

// A lost connection is recovered: the same id, and nothing is missed.
func TestRecovery(t *testing.T) {
	for _, g := range targets(t) {
		for _, mode := range modes {
			t.Run(g.name+"/"+mode, func(t *testing.T) {
				a := g.start(t, "0", map[string]any{"connectionStateRecovery": map[string]any{}})
				cfg := config(mode)
				cfg.Reconnection.Delay = 300 * time.Millisecond
				s := a.socket("/", cfg)
				in := inbox(t, s)
				heard := func(i int) {
					select {
					case got := <-in: // the offset is the last argument
						if !strings.HasPrefix(got, fmt.Sprintf("news [%d ", i)) {
							t.Errorf("got %s, want news %d", got, i)
						}
					case <-time.After(patience):
						t.Fatalf("news %d does not come", i)
					}
				}
				a.connect(s, mode)
				id := s.ID()
				for i := range 6 {
					if i == 3 {
						a.control("engine-close", map[string]any{"id": id, "discard": true})
						a.eventually("the loss", func() bool { return !s.Connected() })
					}
					a.control("emit", map[string]any{"event": "news", "args": []any{i}})
					if i < 3 {
						heard(i)
					}
				}
				a.eventually("the reconnection", s.Connected)
				if s.ID() != id || !s.Recovered() {
					t.Errorf("id %s, was %s; recovered %v", s.ID(), id, s.Recovered())
				}
				for i := 3; i < 6; i++ {
					heard(i)
				}
			})
		}
	}
}
