package siotest

import (
	"context"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/internal/testnet"
	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/sioclient"
)

// Config says how a Server is served. The zero value is ready to use. It is
// copied.
type Config struct {
	// Server configures the server.
	Server socketio.Config
	// New makes the server in place of socketio.New(Server); nil means that. It
	// is called anew by Start.
	New func() (*socketio.Server, error)
	// Handler returns what is served, such as the server in a mux behind the
	// middleware of the program; nil is the server alone.
	Handler func(srv *socketio.Server) http.Handler
	// Mode is how clients connect; "" means WebSocket.
	Mode Mode
	// Latency is the time from a write to the arrival of its bytes, in both
	// directions; 0 is none.
	Latency time.Duration
	// Patience bounds each wait for something that is expected; 0 means two
	// minutes in a bubble, where they cost nothing, and 20 s elsewhere.
	Patience time.Duration
}

func (c *Config) patience(bubble bool) time.Duration {
	switch {
	case c.Patience > 0:
		return c.Patience
	case bubble:
		return 2 * time.Minute
	}
	return 20 * time.Second
}

// Server is a server on a network in memory. Its methods are to be called by the
// goroutine of the test, but for IO, which any may call. One that fails ends the
// test.
type Server struct {
	t      testing.TB
	cfg    Config
	setup  func(srv *socketio.Server)
	bubble bool

	mu       sync.Mutex // guards what follows
	io       *socketio.Server
	running  *running // nil while the server is stopped
	troubles []string // errors of handlers
}

// running is one life of the server. It belongs to the test.
type running struct {
	http     *http.Server
	listener *testnet.Listener
	ended    chan struct{} // closed when http has ended
}

// Serve starts a server. setup registers its handlers; it may be nil, and is
// called again by Start. The server ends with t (testing.TB.Cleanup), after its
// clients. Then, in a bubble, the test fails if a session does not end although
// its client has, and everywhere if handlers do not return. Goroutines that are
// left are found by Run.
func Serve(t testing.TB, setup func(srv *socketio.Server), cfg Config) *Server {
	t.Helper()
	s := &Server{t: t, cfg: cfg, setup: setup, bubble: inBubble()}
	s.Start()
	t.Cleanup(s.end)
	return s
}

// Pair is Serve with the zero Config, and a client of the main namespace.
func Pair(t testing.TB, setup func(srv *socketio.Server)) (*Server, *Client) {
	t.Helper()
	s := Serve(t, setup, Config{})
	return s, s.Connect(t, "/", sioclient.Config{})
}

// IO is the server, to emit and to look into; after Stop the one that was. Start
// makes another one.
func (s *Server) IO() *socketio.Server {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.io
}

// Start starts a new server after Stop; Serve has started the first one. The new
// one knows nothing of the one before.
func (s *Server) Start() {
	s.t.Helper()
	if s.life() != nil {
		s.t.Fatal("siotest: Start of a server that runs")
	}
	construct := s.cfg.New
	if construct == nil {
		construct = func() (*socketio.Server, error) { return socketio.New(s.cfg.Server) }
	}
	srv, err := construct()
	if err != nil {
		s.t.Fatal("siotest: ", err)
	}
	srv.OnError(s.trouble)
	srv.OnNewNamespace(func(n *socketio.Namespace) { n.OnError(s.trouble) })
	if s.setup != nil {
		s.setup(srv)
	}
	r := &running{listener: testnet.Listen(testnet.Options{Latency: s.cfg.Latency}), ended: make(chan struct{})}
	r.http = &http.Server{Handler: srv}
	if s.cfg.Handler != nil {
		r.http.Handler = s.cfg.Handler(srv)
	}
	go func() { // ends with r.http, see Stop
		defer close(r.ended)
		_ = r.http.Serve(r.listener)
	}()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.io, s.running = srv, r
}

// Stop ends the server as a crash of its process does: connections are closed
// without a word, and new ones refused until Start. It waits for the handlers
// that run.
func (s *Server) Stop() {
	s.t.Helper()
	r := s.life()
	if r == nil {
		s.t.Fatal("siotest: Stop of a server that does not run")
	}
	s.mu.Lock()
	s.running = nil
	s.mu.Unlock()
	s.stop(r)
}

// Restart is Stop and Start.
func (s *Server) Restart() {
	s.t.Helper()
	s.Stop()
	s.Start()
}

func (s *Server) stop(r *running) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), s.patience())
	defer cancel()
	_ = r.listener.Close()
	if err := s.IO().Close(ctx); err != nil {
		s.t.Errorf("siotest: the server does not end, a handler may be waiting: %v", err)
	}
	_ = r.http.Close()
	<-r.ended
}

// end is the end of the test.
func (s *Server) end() {
	s.t.Helper()
	r := s.life()
	if r == nil {
		return
	}
	if s.bubble {
		s.checkSessions()
	}
	s.stop(r)
}

// checkSessions waits until every session has ended, those of clients that are
// gone without a word included.
func (s *Server) checkSessions() {
	s.t.Helper()
	engine := s.IO().Engine()
	cfg := engine.Config()
	end := time.Now().Add(2*(cfg.PingInterval+cfg.PingTimeout) + s.patience())
	for synctest.Wait(); engine.Clients() > 0; synctest.Wait() {
		if time.Now().After(end) {
			s.t.Errorf("siotest: %d sessions are left, of clients that have gone", engine.Clients())
			return
		}
		time.Sleep(time.Second)
	}
}

func (s *Server) life() *running {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running
}

// dial connects to the server that runs.
func (s *Server) dial(ctx context.Context, network, addr string) (*testnet.Conn, error) {
	r := s.life()
	if r == nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	c, err := r.listener.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return c.(*testnet.Conn), nil
}

func (s *Server) patience() time.Duration { return s.cfg.patience(s.bubble) }

// Eventually waits until f returns true, and looks every 10 ms, beginning now.
// It is for what no client is told of. what is named by the failure.
func (s *Server) Eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(s.patience()); ; time.Sleep(10 * time.Millisecond) {
		if s.bubble {
			synctest.Wait()
		}
		if f() {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("siotest: it did not happen within %v: %s%s", s.patience(), what, s.told())
		}
	}
}
