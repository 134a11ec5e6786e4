//go:build node

package sioclient

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/hermod-io/hermod/engineio/eioclient"
	"github.com/hermod-io/hermod/internal/proc"
	"github.com/hermod-io/hermod/socketio/sioclient"
)

// patience bounds every wait.
const patience = time.Minute

// target is a server that the scenarios are run against.
type target struct {
	name    string
	command proc.Command
}

// targets are the test application of tests/conformance: official, ours, and
// ours with every request of a session served by way of another node.
func targets(t *testing.T) []target {
	t.Helper()
	script := filepath.Join(proc.Root(t), "tests/conformance/official/app.mjs")
	app := proc.Build(t, "./tests/conformance/hermod")
	return []target{
		{name: "official", command: proc.Command{Path: "node", Args: []string{script}}},
		{name: "hermod", command: proc.Command{Path: app}},
		{name: "relayed", command: proc.Command{Path: app, Env: []string{"SIO_RELAYS=1"}}},
	}
}

// app is a running application.
type app struct {
	*testing.T
	process *proc.Process
	url     string
}

// start starts the application with options, at a free port if port is "0".
func (g target) start(t *testing.T, port string, options map[string]any) *app {
	t.Helper()
	if options == nil {
		options = map[string]any{}
	}
	text, err := json.Marshal(options)
	if err != nil {
		t.Fatal(err)
	}
	c := g.command
	c.Stdin = true
	c.Env = append(c.Env[:len(c.Env):len(c.Env)], "SIO_PORT="+port, "SIO_OPTIONS="+string(text))
	p := proc.Start(t, c)
	return &app{T: t, process: p, url: "http://" + p.WaitFor(`^listening (\S+)$`, patience)[1]}
}

// freePort is one that nobody listens on at the moment.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// control asks the application's control interface.
func (a *app) control(op string, body map[string]any) json.RawMessage {
	a.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		a.Fatal(err)
	}
	resp, err := http.Post(a.url+"/_app/"+op, "application/json", bytes.NewReader(text))
	if err != nil {
		a.Fatal(err)
	}
	defer resp.Body.Close()
	var out json.RawMessage
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil || resp.StatusCode != http.StatusOK {
		a.Fatalf("%s: %s %s %v", op, resp.Status, out, err)
	}
	return out
}

// modes are the ways in which a client may connect.
var modes = []string{"polling", "websocket", "upgrade"}

func config(mode string) sioclient.Config {
	cfg := sioclient.Config{}
	cfg.Reconnection.Delay = 50 * time.Millisecond
	cfg.Reconnection.DelayMax = 200 * time.Millisecond
	switch mode {
	case "polling":
		cfg.Engine.NoUpgrade = true
	case "websocket":
		cfg.Engine.Transports = []string{eioclient.WebSocket}
	}
	return cfg
}

// socket returns a Socket that is not connected yet and ends with the test.
func (a *app) socket(ns string, cfg sioclient.Config) *sioclient.Socket {
	a.Helper()
	s, err := sioclient.New(a.url+ns, cfg)
	if err != nil {
		a.Fatal(err)
	}
	a.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			a.Errorf("Close: %v", err)
		}
	})
	return s
}

// connect connects, and waits for the upgrade if there is to be one.
func (a *app) connect(s *sioclient.Socket, mode string) {
	a.Helper()
	ctx, cancel := context.WithTimeout(a.Context(), patience)
	defer cancel()
	if err := s.Connect(ctx); err != nil {
		a.Fatalf("Connect: %v", err)
	}
	if mode == "upgrade" {
		a.eventually("the upgrade", func() bool {
			e := s.Manager().Session()
			return e != nil && e.Transport() == eioclient.WebSocket
		})
	}
}

func (a *app) join(ns, mode string) *sioclient.Socket {
	a.Helper()
	s := a.socket(ns, config(mode))
	a.connect(s, mode)
	return s
}

// eventually polls for something that happens elsewhere.
func (a *app) eventually(what string, f func() bool) {
	a.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !f() {
		select {
		case <-tick.C:
		case <-late:
			a.Fatalf("it did not happen: %s", what)
		}
	}
}

// ask is EmitWithAck, whose values it returns as text.
func (a *app) ask(s *sioclient.Socket, event string, args ...any) string {
	a.Helper()
	ctx, cancel := context.WithTimeout(a.Context(), patience)
	defer cancel()
	got, err := s.EmitWithAck(ctx, event, args...)
	if err != nil {
		a.Fatalf("%s: %v", event, err)
	}
	return text(a.T, got)
}

func text(t *testing.T, got sioclient.Args) string {
	t.Helper()
	values, err := got.Values()
	if err != nil {
		t.Error(err)
	}
	return fmt.Sprint(values)
}

// inbox collects the events of a Socket.
func inbox(t *testing.T, s *sioclient.Socket) chan string {
	ch := make(chan string, 1000)
	s.OnAny(func(ctx context.Context, s *sioclient.Socket, e *sioclient.Event) error {
		ch <- e.Name() + " " + text(t, e.Args)
		return nil
	})
	return ch
}

// want waits for the next event.
func (a *app) want(ch <-chan string, want string) {
	a.Helper()
	select {
	case got := <-ch:
		if got != want {
			a.Errorf("got %q, want %q", got, want)
		}
	case <-time.After(patience):
		a.Fatalf("nothing came, want %q", want)
	}
}
