package redisadapter

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/engineio/eioclient"
	"github.com/hermod-io/hermod/internal/redistest"
)

// echo is a Handler that sends back what it receives.
type echo struct{}

func (echo) OnOpen(*engineio.Session) {}

func (echo) OnMessage(s *engineio.Session, binary bool, data []byte) {
	_ = s.Send(0, engineio.Message{Binary: binary, Data: data})
}

func (echo) OnClose(*engineio.Session, engineio.Reason, error) {}

// routedNode is a server with a Router over Redis.
type routedNode struct {
	srv    *engineio.Server
	router *cluster.Router
	hs     *httptest.Server
}

func startRouted(t *testing.T, client redis.UniversalClient) *routedNode {
	t.Helper()
	opts := RouterOptions{Prefix: "test"}
	opts.Key, opts.Heartbeat = []byte("a key of sixteen"), 200*time.Millisecond
	opts.Timeout = 4 * time.Second // the machine may be busy
	router, err := NewRouter(t.Context(), client, opts)
	if err != nil {
		t.Fatal(err)
	}
	srv, err := engineio.New(engineio.Config{Router: router}, echo{})
	if err != nil {
		t.Fatal(err)
	}
	hs := httptest.NewServer(srv)
	return &routedNode{srv, router, hs}
}

// stop closes the node, as long as Redis is there.
func (n *routedNode) stop(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := n.srv.Close(ctx); err != nil {
		t.Error(err)
	}
	if err := n.router.Close(ctx); err != nil {
		t.Error(err)
	}
	n.hs.Close()
	if s := n.router.Stats(); s.Streams != 0 || s.Buffered != 0 {
		t.Errorf("left: %+v", s)
	}
}

// do sends a request to the node.
func (n *routedNode) do(t *testing.T, method, query, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, n.hs.URL+"/engine.io/?EIO=4&transport=polling"+query, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

func (n *routedNode) open(t *testing.T) (query string) {
	t.Helper()
	_, body := n.do(t, "GET", "", "")
	sid := regexp.MustCompile(`"sid":"([\w-]{20})"`).FindStringSubmatch(body)
	if sid == nil {
		t.Fatalf("handshake: %q", body)
	}
	return "&sid=" + sid[1]
}

// Three nodes on one Redis; each request goes to one by chance.
func TestRouter(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	var nodes []*routedNode
	for range 3 {
		n := startRouted(t, server.Client())
		defer n.stop(t)
		nodes = append(nodes, n)
	}
	for _, n := range nodes {
		redistest.Until(t, "all know each other", func() bool { return n.router.Stats().Nodes == 2 })
	}
	query := nodes[0].open(t)
	for i := range 60 {
		text := fmt.Sprintf("4message-%d", i)
		if i%20 == 0 {
			text += strings.Repeat("x", 600_000)
		}
		if code, body := nodes[rand.IntN(3)].do(t, "POST", query, text); code != 200 || body != "ok" {
			t.Fatalf("POST %d: %d %q", i, code, body)
		}
		for got := ""; got != text; {
			var code int
			if code, got = nodes[rand.IntN(3)].do(t, "GET", query, ""); code != 200 || got != text && got != "2" {
				t.Fatalf("GET %d: %d %.80q", i, code, got)
			}
		}
	}
	forged := query[:len(query)-1] + string('A'+query[len(query)-1]%26)
	if forged == query {
		forged = query[:len(query)-1] + "_"
	}
	for _, n := range nodes {
		if code, body := n.do(t, "GET", forged, ""); code != 400 || body != `{"code":1,"message":"Session ID unknown"}` {
			t.Errorf("forged: %d %q", code, body)
		}
	}
	server.Kill()
	server.Restart() // what was under way ends, and then it works again
	wantRelay(t, nodes[0], nodes[1])
}

// wantRelay waits until requests for sessions of a are served by way of b.
func wantRelay(t *testing.T, a, b *routedNode) {
	t.Helper()
	redistest.Until(t, "a request is relayed", func() bool {
		q := a.open(t)
		code, _ := b.do(t, "POST", q, "4x")
		if code != 200 {
			return false
		}
		code, body := b.do(t, "GET", q, "")
		return code == 200 && body == "4x"
	})
}

// routerOutage makes two nodes that serve each other's sessions, also after an
// outage.
func routerOutage(t *testing.T, client redis.UniversalClient) outage {
	a, b := startRouted(t, client), startRouted(t, client)
	t.Cleanup(func() {
		a.stop(t)
		b.stop(t)
	})
	relayed := func(t *testing.T) {
		t.Helper()
		wantRelay(t, a, b)
		wantRelay(t, b, a)
	}
	relayed(t)
	return func(*testing.T) func(*testing.T) { return relayed }
}

// The same over a Cluster, of which each server dies and comes back.
func TestRouterCluster(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t)
	a, b := startRouted(t, c.Client()), startRouted(t, c.Client())
	defer a.stop(t) // as long as the servers are there
	defer b.stop(t)
	for _, s := range append([]*redistest.Server{nil}, c.Nodes...) {
		if s != nil {
			s.Kill()
			s.Restart()
		}
		wantRelay(t, a, b)
		wantRelay(t, b, a)
	}
}

// A client upgrades on another node than that of its session.
func TestRouterUpgrade(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	nodes := []*routedNode{startRouted(t, server.Client()), startRouted(t, server.Client())}
	for _, n := range nodes {
		defer n.stop(t)
		redistest.Until(t, "both know each other", func() bool { return n.router.Stats().Nodes == 1 })
	}
	hs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := nodes[0]
		if r.URL.Query().Has("sid") {
			n = nodes[1]
		}
		n.srv.ServeHTTP(w, r)
	}))
	defer hs.Close()
	dialer, err := eioclient.NewDialer(eioclient.Config{})
	if err != nil {
		t.Fatal(err)
	}
	upgraded, in := make(chan bool, 1), make(chan int, 100)
	s, err := dialer.Dial(t.Context(), hs.URL, eioclient.Handler{
		OnUpgrade: func() { upgraded <- true },
		OnMessage: func(_ bool, data []byte) { in <- len(data) },
	})
	if err != nil {
		t.Fatal(err)
	}
	<-upgraded
	for i := range 20 {
		size := 1 + i*40_000
		if err := s.Send(0, eioclient.Message{Binary: true, Data: make([]byte, size)}); err != nil {
			t.Fatal(err)
		}
		if got := <-in; got != size {
			t.Fatalf("%d bytes instead of %d", got, size)
		}
	}
	if got := nodes[1].srv.Clients(); got != 0 {
		t.Errorf("%d sessions where it landed", got)
	}
	s.Close()
	if err := dialer.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
