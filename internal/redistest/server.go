package redistest

import (
	"context"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/internal/proc"
)

// long is a deadline that is only reached when something is wrong.
const long = time.Minute

// Options says how a server is started. The zero value is good.
type Options struct {
	// Persist keeps the data over Kill and Restart (an append-only file). Else
	// a restarted server is empty.
	Persist bool
	// Args are further arguments, such as "--maxmemory", "1mb".
	Args []string
}

// Server is a redis-server. Its methods are for the goroutine of the test.
type Server struct {
	t    testing.TB
	path string
	port int
	dir  string
	args []string
	p    *proc.Process
	own  *redis.Client // of Do; nil until the first
}

// Start starts a server and waits until it serves.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	s := newServer(t)
	s.args = append(s.args, "--save", "")
	if o.Persist {
		s.args = append(s.args, "--appendonly", "yes", "--appendfsync", "always")
	}
	s.args = append(s.args, o.Args...)
	s.launch()
	return s
}

func newServer(t testing.TB) *Server {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatal("redistest: there is no redis-server. On Debian or Ubuntu: sudo apt-get install --no-install-recommends redis-server")
	}
	s := &Server{t: t, path: path, port: freePort(t), dir: t.TempDir()}
	s.args = []string{"--port", strconv.Itoa(s.port), "--bind", "127.0.0.1", "--dir", s.dir, "--loglevel", "verbose"}
	return s
}

// Ports of servers are below those that Linux and others give to clients, so that no
// connection takes one while its server is not there.
const (
	firstPort = 10000
	lastPort  = 32000
)

// freePort returns a port that nobody listens on, another one each time.
func freePort(t testing.TB) int {
	t.Helper()
	for range 100 {
		port := firstPort + rand.IntN(lastPort-firstPort)
		if _, given := ports.LoadOrStore(port, true); given {
			continue
		}
		if l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("redistest: no free port")
	return 0
}

// ports are those that freePort has returned.
var ports sync.Map

// launch starts the program and waits until it serves.
func (s *Server) launch() {
	s.t.Helper()
	s.p = proc.Start(s.t, proc.Command{Path: s.path, Args: s.args, Dir: s.dir})
	s.p.WaitFor(`Ready to accept connections|Running mode=sentinel`, long)
}

// Addr returns the address, as in "127.0.0.1:6379".
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// Client returns a client of the server, which is closed with the test.
func (s *Server) Client() *redis.Client {
	c := redis.NewClient(&redis.Options{Addr: s.Addr()})
	s.t.Cleanup(func() { _ = c.Close() })
	return c
}

// Stop ends the server as an administrator would.
func (s *Server) Stop() { s.t.Helper(); s.p.Stop() }

// Kill ends the server at once.
func (s *Server) Kill() { s.p.Kill() }

// Restart starts a server again that was stopped or killed, at the same
// address, with its data if it was started with Persist.
func (s *Server) Restart() { s.t.Helper(); s.launch() }

// RestartEmpty is Restart without the data.
func (s *Server) RestartEmpty() {
	s.t.Helper()
	list, err := filepath.Glob(filepath.Join(s.dir, "*"))
	if err != nil {
		s.t.Fatalf("redistest: %v", err)
	}
	for _, name := range list {
		if err := os.RemoveAll(name); err != nil {
			s.t.Fatalf("redistest: %v", err)
		}
	}
	s.launch()
}

// Do sends a command and returns its answer; an error fails the test.
func (s *Server) Do(args ...any) any {
	s.t.Helper()
	if s.own == nil {
		s.own = s.Client()
	}
	ctx, cancel := context.WithTimeout(context.Background(), long)
	defer cancel()
	v, err := s.own.Do(ctx, args...).Result()
	if err != nil {
		s.t.Fatalf("redistest: %v: %v", args, err)
	}
	return v
}

// Text is Do for a command whose answer is text.
func (s *Server) Text(args ...any) string {
	s.t.Helper()
	text, ok := s.Do(args...).(string)
	if !ok {
		s.t.Fatalf("redistest: the answer to %v is not text", args)
	}
	return text
}

// Until waits for a condition, looked at again and again; what is its name for
// the failure of the test.
func Until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	end := time.Now().Add(long)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Now().After(end) {
			t.Fatalf("redistest: not within %v: %s", long, what)
		}
		<-tick.C
	}
}
