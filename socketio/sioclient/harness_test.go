package sioclient_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/engineio/eioclient"
	"github.com/hermod-io/hermod/internal/testnet"
	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/sioclient"
)

// The harness: a world is a server of ours in a bubble of fake time, in memory,
// which can be stopped and started again.

// modes are what a body of a test is run over.
var modes = []string{"websocket", "polling", "upgrade"}

// world belongs to the goroutine of the test.
type world struct {
	*testing.T
	mode string
	*server
	setup func(srv *socketio.Server)

	mu       sync.Mutex // guards what follows
	listener *testnet.Listener
}

// server is one life of the server.
type server struct {
	srv  *socketio.Server
	http *http.Server
}

// run runs a body over every mode. setup is called for each server.
func run(t *testing.T, setup func(srv *socketio.Server), f func(w *world)) {
	t.Helper()
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) { bubble(t, mode, setup, f) })
	}
}

// runWebSocket is run over that mode alone.
func runWebSocket(t *testing.T, setup func(srv *socketio.Server), f func(w *world)) {
	t.Helper()
	bubble(t, "websocket", setup, f)
}

func bubble(t *testing.T, mode string, setup func(srv *socketio.Server), f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t, mode: mode, setup: setup}
		w.startServer()
		defer func() {
			if w.server != nil {
				w.stopServer()
			}
		}()
		f(w)
	})
}

func (w *world) startServer() {
	w.Helper()
	srv, err := socketio.New(socketio.Config{})
	if err != nil {
		w.Fatal(err)
	}
	if w.setup != nil {
		w.setup(srv)
	}
	l := testnet.Listen(testnet.Options{})
	w.mu.Lock()
	w.listener = l
	w.mu.Unlock()
	w.server = &server{srv: srv, http: &http.Server{Handler: srv}}
	go w.http.Serve(l)
}

// stopServer cuts all connections.
func (w *world) stopServer() {
	w.Helper()
	if err := w.srv.Close(context.Background()); err != nil {
		w.Error(err)
	}
	w.http.Close()
	w.server = nil
}

func (w *world) config() sioclient.Config {
	cfg := sioclient.Config{}
	cfg.Engine.Proxy = func(*http.Request) (*url.URL, error) { return nil, nil }
	cfg.Engine.NetDial = w.netDial
	switch w.mode {
	case "polling":
		cfg.Engine.NoUpgrade = true
	case "websocket":
		cfg.Engine.Transports = []string{eioclient.WebSocket}
	}
	return cfg
}

// socket returns a Socket that is not connected yet.
func (w *world) socket(ns string, cfg sioclient.Config) *sioclient.Socket {
	w.Helper()
	s, err := sioclient.New("http://server"+ns, cfg)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { w.close(s) })
	return s
}

func (w *world) close(s interface{ Close(context.Context) error }) {
	w.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	if err := s.Close(ctx); err != nil {
		w.Errorf("Close: %v", err)
	}
}

// join returns a connected Socket.
func (w *world) join(ns string, cfg sioclient.Config) *sioclient.Socket {
	w.Helper()
	s := w.socket(ns, cfg)
	w.connect(s)
	return s
}

func (w *world) connect(s *sioclient.Socket) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), time.Hour)
	defer cancel()
	if err := s.Connect(ctx); err != nil {
		w.Fatalf("Connect: %v", err)
	}
	if w.mode == "upgrade" {
		w.eventually("the upgrade", func() bool {
			e := s.Manager().Session()
			return e != nil && e.Transport() == eioclient.WebSocket
		})
	}
}

// eventually waits for something that happens elsewhere.
func (w *world) eventually(what string, f func() bool) {
	w.Helper()
	for range 2000 {
		synctest.Wait()
		if f() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	w.Fatalf("it did not happen: %s", what)
}

// log collects lines.
type log struct {
	mu    sync.Mutex // guards what follows
	lines []string
}

func (l *log) add(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, fmt.Sprintf(format, args...))
}

func (l *log) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.lines)
}

func (l *log) has(line string) bool { return slices.Contains(l.all(), line) }

// want expects exactly these lines.
func (l *log) want(t *testing.T, want ...string) {
	t.Helper()
	if got := l.all(); !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

// follow notes what happens to a Socket.
func follow(s *sioclient.Socket) *log {
	l := new(log)
	s.OnConnect(func(ctx context.Context, s *sioclient.Socket) error {
		l.add("connect")
		return nil
	})
	s.OnDisconnect(func(s *sioclient.Socket, reason sioclient.Reason) { l.add("disconnect %s", plain(reason)) })
	s.OnConnectError(func(s *sioclient.Socket, err error) { l.add("connect_error %v", err) })
	s.OnAny(func(ctx context.Context, s *sioclient.Socket, e *sioclient.Event) error {
		values, err := e.Values()
		l.add("%s %v", e.Name(), values)
		return err
	})
	return l
}

func (w *world) netDial(ctx context.Context, network, addr string) (net.Conn, error) {
	w.mu.Lock()
	l := w.listener
	w.mu.Unlock()
	return l.DialContext(ctx, network, addr)
}

// sleep lets fake time pass; it is only called in a bubble.
func sleep(d time.Duration) { time.Sleep(d) }

// plain is reason, but for that of a polling client whose server goes away, which
// depends on whether a GET waits.
func plain(reason sioclient.Reason) sioclient.Reason {
	if reason == sioclient.TransportError {
		return sioclient.TransportClose
	}
	return reason
}
