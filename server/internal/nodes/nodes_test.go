package nodes_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/internal/polltest"
	"github.com/hermod-io/hermod/internal/redistest"
	"github.com/hermod-io/hermod/server/internal/nodes"
	"github.com/hermod-io/hermod/socketio"
)

const (
	patience = time.Minute
	key      = "a key that all nodes have"
)

// journal is a log that can be read while it is written.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) has(s string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Contains(j.text.String(), s)
}

func (j *journal) logger() *slog.Logger { return slog.New(slog.NewTextHandler(j, nil)) }

// node is a server of a cluster.
type node struct {
	*nodes.Nodes
	srv *socketio.Server
	url string
}

func serve(t *testing.T, c nodes.Config, log *slog.Logger) *node {
	t.Helper()
	n, err := nodes.New(t.Context(), c, log)
	if err != nil {
		t.Fatal(err)
	}
	srv, err := socketio.New(socketio.Config{Adapter: n.Adapter(), Engine: engineio.Config{Router: n.Router()}, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	srv.On("say", socketio.Receive(func(_ context.Context, _ *socketio.Socket, text string) error {
		return srv.Emit("said", text)
	}))
	h := httptest.NewServer(srv)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := errors.Join(srv.Shutdown(ctx), n.Close(ctx)); err != nil {
			t.Error(err)
		}
		h.Close()
	})
	return &node{n, srv, h.URL}
}

// meet waits until each of two nodes hears the other.
func meet(t *testing.T, a, b *node) {
	t.Helper()
	redistest.Until(t, "the nodes hear each other", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		for _, n := range []*node{a, b} {
			if all, err := n.srv.FetchSockets(ctx); err != nil || len(all) != 2 {
				return false
			}
		}
		return true
	})
}

func talk(t *testing.T, configs [2]nodes.Config) {
	var j journal
	a, b := serve(t, configs[0], j.logger()), serve(t, configs[1], j.logger())
	ann, bob := polltest.Dial(t, a.url), polltest.Dial(t, b.url)
	meet(t, a, b)
	ann.Send(`42["say","hello"]`)
	bob.Want(`42["said","hello"]`)
	ann.Want(`42["said","hello"]`)
	redistest.Until(t, "both say that Redis is there", func() bool {
		return a.State() == "redis: reachable" && b.State() == "redis: reachable"
	})
	for _, n := range []*node{a, b} {
		redistest.Until(t, "what went over Redis is counted", func() bool {
			s := n.Stats()
			return s.Reachable && s.Redis.Published > 0 && s.Redis.Received > 0 && s.Router == nil
		})
		if rooms := n.srv.Of("/").LocalRooms(); rooms != 1 {
			t.Errorf("it has %d rooms, and one socket", rooms)
		}
	}
}

func TestAdapters(t *testing.T) {
	r := redistest.Start(t, redistest.Options{})
	for _, name := range nodes.Adapters[1:] {
		for _, prefix := range []string{"", "mine"} {
			t.Run(name+" "+prefix, func(t *testing.T) {
				c := nodes.Config{Adapter: name, URL: "redis://" + r.Addr(), Prefix: prefix}
				batches := c
				batches.Batches = true
				talk(t, [2]nodes.Config{c, batches})
			})
		}
	}
}

func TestCluster(t *testing.T) {
	r := redistest.StartCluster(t)
	several := nodes.Config{Adapter: nodes.Sharded, URL: "redis://" + strings.Join(r.Addrs(), ",")}
	one := nodes.Config{Adapter: nodes.Sharded, URL: "redis+cluster://" + r.Addrs()[1]}
	talk(t, [2]nodes.Config{several, one})
}

func TestSentinel(t *testing.T) {
	r := redistest.StartSentinel(t, 1)
	c := nodes.Config{Adapter: nodes.Classic, URL: fmt.Sprintf("redis+sentinel://%s/0?master_name=%s", r.Sentinels[0].Addr(), redistest.MasterName)}
	talk(t, [2]nodes.Config{c, c})
}

// Redis may be away at the start: sockets of this node are served, and when
// Redis comes the other nodes are there, without a restart.
func TestLateRedis(t *testing.T) {
	for _, name := range nodes.Adapters[1:] {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := redistest.Start(t, redistest.Options{})
			r.Stop()
			var j journal
			c := nodes.Config{Adapter: name, URL: "redis://" + r.Addr()}
			a, b := serve(t, c, j.logger()), serve(t, c, j.logger())
			ann, bob := polltest.Dial(t, a.url), polltest.Dial(t, b.url)
			ann.Send(`42["say","alone"]`)
			ann.Want(`42["said","alone"]`)
			redistest.Until(t, "it is said that Redis is away", func() bool {
				return strings.HasPrefix(a.State(), "redis: out of reach since 20") && j.has("Redis is out of reach")
			})
			if a.Stats().Reachable {
				t.Error("it is counted as reachable")
			}
			r.Restart()
			redistest.Until(t, "Redis is found", func() bool { return a.State() == "redis: reachable" && b.State() == "redis: reachable" })
			meet(t, a, b)
			ann.Send(`42["say","together"]`)
			bob.Want(`42["said","together"]`)
		})
	}
}

// What was lost while Redis was away is said.
func TestGap(t *testing.T) {
	r := redistest.Start(t, redistest.Options{})
	var j journal
	c := nodes.Config{Adapter: nodes.Classic, URL: "redis://" + r.Addr()}
	a, b := serve(t, c, j.logger()), serve(t, c, j.logger())
	polltest.Dial(t, a.url)
	polltest.Dial(t, b.url)
	meet(t, a, b)
	r.Kill()
	r.Restart()
	redistest.Until(t, "the gap is in the log", func() bool { return j.has("messages of other nodes may have been lost") })
}

// Any node serves any request: what one has opened another answers.
func TestSessionsAnywhere(t *testing.T) {
	r := redistest.Start(t, redistest.Options{})
	c := nodes.Config{Adapter: nodes.Classic, URL: "redis://" + r.Addr(), Key: key, Prefix: "mine"}
	var j journal
	a, b := serve(t, c, j.logger()), serve(t, c, j.logger())
	var turn atomic.Int64
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		[]*node{a, b}[turn.Add(1)%2].srv.ServeHTTP(w, q)
	}))
	t.Cleanup(h.Close)
	ann := polltest.Dial(t, h.URL)
	for range 4 {
		ann.Send(`42["say","hello"]`)
		ann.Want(`42["said","hello"]`)
	}
	if s, o := a.Stats().Router, b.Stats().Router; s == nil || o == nil || s.Relayed+o.Relayed == 0 || s.Served+o.Served == 0 {
		t.Errorf("what was relayed is not counted: %+v, %+v", s, o)
	}
}

// With a key New waits for Redis, and gives up with its context.
func TestWaitsForRedis(t *testing.T) {
	r := redistest.Start(t, redistest.Options{})
	r.Stop()
	c := nodes.Config{Adapter: nodes.Classic, URL: "redis://" + r.Addr(), Key: key}
	var j journal
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { // ends with ctx
		_, err := nodes.New(ctx, c, j.logger())
		ended <- err
	}()
	redistest.Until(t, "it says that it waits", func() bool { return j.has("waiting for Redis") })
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestAlone(t *testing.T) {
	n, err := nodes.New(t.Context(), nodes.Config{Adapter: nodes.Memory}, nil)
	if err != nil || n.Adapter() != nil || n.Router() != nil || n.State() != "" || n.Stats() != nil || n.Close(t.Context()) != nil {
		t.Errorf("%+v, %v", n, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // so that nothing waits for Redis
	for _, c := range []nodes.Config{
		{Adapter: "carrier-pigeon", URL: "redis://localhost"}, {Adapter: nodes.Classic, URL: "pigeon://"},
		{Adapter: nodes.Classic, URL: "redis://localhost", Key: "short"},
	} {
		if _, err := nodes.New(ctx, c, slog.Default()); err == nil || errors.Is(err, context.Canceled) {
			t.Errorf("%+v: error %v", c, err)
		}
	}
}

// Close does not wait for a Redis that takes a question and does not answer.
func TestCloseWithSilentRedis(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	n, err := nodes.New(t.Context(), nodes.Config{Adapter: nodes.Classic, URL: "redis://" + l.Addr().String() + "?read_timeout=1h"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	closed := make(chan error, 1)
	go func() { closed <- n.Close(t.Context()) }() // ends with the connection at the latest
	select {
	case err := <-closed:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience / 2):
		t.Error("Close waits for Redis")
	}
	_ = c.Close()
}

// A node that is stopped while Redis is away said that it was closed.
func TestCloseWithoutRedis(t *testing.T) {
	r := redistest.Start(t, redistest.Options{})
	var j journal
	n, err := nodes.New(t.Context(), nodes.Config{Adapter: nodes.Classic, URL: "redis://" + r.Addr(), Key: key}, j.logger())
	if err != nil {
		t.Fatal(err)
	}
	r.Stop()
	redistest.Until(t, "it is said that Redis is away", func() bool { return j.has("Redis is out of reach") })
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := n.Close(ctx); err != nil {
		t.Errorf("Close: %v", err)
	}
}
