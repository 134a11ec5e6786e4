package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/internal/testnet"
	"github.com/hermod-io/hermod/wscore"
)

// fleet is a few nodes in a bubble of fake time, each with a network of its own,
// and the mail between them.
type fleet struct {
	*testing.T
	room  cluster.MailRoom
	nodes []*fleetNode
	web   *http.Transport
	rnd   *rand.Rand

	writeTimeout time.Duration // of the http.Server of nodes that are launched from now on
}

// fleetNode is one of them. Its sessions echo what they receive, unless the test
// says otherwise.
type fleetNode struct {
	f      *fleet
	i      int
	srv    *engineio.Server
	router *cluster.Router
	mail   *postOffice
	l      *testnet.Listener
	hs     *http.Server
	log    journal
	served chan error
}

// journal is the Handler of a node: a line for what it is told.
type journal struct {
	onMessage func(s *engineio.Session, binary bool, data []byte)

	mu       sync.Mutex // guards what follows
	lines    []string
	sessions []*engineio.Session
}

func (j *journal) note(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

func (j *journal) OnOpen(s *engineio.Session) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.sessions = append(j.sessions, s)
	j.lines = append(j.lines, "open")
}

func (j *journal) OnMessage(s *engineio.Session, binary bool, data []byte) {
	if j.onMessage != nil {
		j.onMessage(s, binary, data)
		return
	}
	_ = s.Send(0, engineio.Message{Binary: binary, Data: data})
}

func (j *journal) OnClose(_ *engineio.Session, reason engineio.Reason, _ error) {
	j.note("close: %s", reason)
}

func (j *journal) last() *engineio.Session {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.sessions[len(j.sessions)-1]
}

// postOffice is a Mail that can lose things.
type postOffice struct {
	cluster.Mail
	sent  atomic.Int64
	cut   atomic.Bool  // nothing leaves, nothing arrives: the node is dead
	mute  atomic.Bool  // nothing leaves
	lose  atomic.Int64 // the n-th message from now is lost; 1 is the next
	fails atomic.Bool  // Send returns an error
}

func (p *postOffice) Open(ctx context.Context, self cluster.NodeID, receive func([]byte)) error {
	return p.Mail.Open(ctx, self, func(data []byte) {
		if !p.cut.Load() {
			receive(data)
		}
	})
}

func (p *postOffice) Send(to cluster.NodeID, data []byte) error {
	p.sent.Add(1)
	switch {
	case p.fails.Load():
		return errors.New("refused")
	case p.cut.Load() || p.mute.Load() || p.lose.Add(-1) == 0:
		return nil
	}
	return p.Mail.Send(to, data)
}

func (p *postOffice) Broadcast(data []byte) error {
	if p.cut.Load() || p.mute.Load() {
		return nil
	}
	return p.Mail.Broadcast(data)
}

var fleetKey = []byte("a secret of the whole fleet")

// sail runs f with three nodes. At its end everything is closed, and nothing may
// be left.
func sail(t *testing.T, ecfg engineio.Config, rcfg cluster.RouterConfig, f func(f *fleet)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		fl := &fleet{T: t, rnd: rand.New(rand.NewPCG(seed, 0))}
		fl.web = &http.Transport{DialContext: fl.dial}
		for range 3 {
			fl.launch(ecfg, rcfg)
		}
		time.Sleep(3 * time.Second)
		defer func() {
			fl.web.CloseIdleConnections()
			for _, n := range fl.nodes {
				n.sink()
			}
			time.Sleep(time.Second) // net/http lets clients read what it has refused
		}()
		f(fl)
		synctest.Wait()
	})
}

// launch adds a node.
func (f *fleet) launch(ecfg engineio.Config, rcfg cluster.RouterConfig) *fleetNode {
	f.Helper()
	n := &fleetNode{f: f, i: len(f.nodes), mail: &postOffice{Mail: f.room.Join()}, l: testnet.Listen(testnet.Options{}), served: make(chan error, 1)}
	if rcfg.Key == nil {
		rcfg.Key = fleetKey
	}
	rcfg.Log = slog.New(slog.NewTextHandler(f.Output(), nil)).With("node", n.i)
	var err error
	if n.router, err = cluster.NewRouter(f.Context(), n.mail, rcfg); err != nil {
		f.Fatal(err)
	}
	ecfg.Router = n.router
	if n.srv, err = engineio.New(ecfg, &n.log); err != nil {
		f.Fatal(err)
	}
	n.hs = &http.Server{Handler: n.srv, WriteTimeout: f.writeTimeout, ErrorLog: slog.NewLogLogger(slog.NewTextHandler(f.Output(), nil), slog.LevelInfo)}
	go func() { n.served <- n.hs.Serve(n.l) }() // ends with hs
	f.nodes = append(f.nodes, n)
	return n
}

// sink closes a node.
func (n *fleetNode) sink() {
	n.f.Helper()
	if n.l == nil {
		return
	}
	n.l = nil
	if err := n.srv.Close(n.f.Context()); err != nil {
		n.f.Errorf("server: %v", err)
	}
	if err := n.router.Close(n.f.Context()); err != nil {
		n.f.Errorf("router: %v", err)
	}
	_ = n.hs.Close()
	<-n.served
	synctest.Wait()
	if s := n.router.Stats(); s.Streams != 0 || s.Buffered != 0 {
		n.f.Errorf("node %d: what is left: %+v", n.i, s)
	}
}

func (f *fleet) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	var i int
	if _, err := fmt.Sscanf(addr, "node%d", &i); err != nil {
		return nil, err
	}
	return f.nodes[i].l.DialContext(ctx, "", "")
}

// any is a node by chance.
func (f *fleet) any() *fleetNode { return f.nodes[f.rnd.IntN(3)] }

// sent is how many messages nodes have sent to each other.
func (f *fleet) sent() (n int64) {
	for _, m := range f.nodes {
		n += m.mail.sent.Load()
	}
	return n
}

// reply is what came of a request.
type reply struct {
	status int
	header http.Header
	body   string
	err    error
}

func (n *fleetNode) request(ctx context.Context, method, query string, body io.Reader, header ...string) reply {
	req, err := http.NewRequestWithContext(ctx, method, fmt.Sprintf("http://node%d/engine.io/?%s", n.i, query), body)
	if err != nil {
		n.f.Fatal(err)
	}
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	res, err := n.f.web.RoundTrip(req)
	if err != nil {
		return reply{err: err}
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	return reply{res.StatusCode, res.Header, string(b), err}
}

func (n *fleetNode) get(query string) reply { return n.request(n.f.Context(), "GET", query, nil) }

func (n *fleetNode) post(query, body string) reply {
	return n.request(n.f.Context(), "POST", query, strings.NewReader(body))
}

// begin starts a request whose reply comes later.
func (n *fleetNode) begin(ctx context.Context, query string) <-chan reply {
	c := make(chan reply, 1)
	go func() { c <- n.request(ctx, "GET", query, nil) }() // ends with the request
	synctest.Wait()
	return c
}

const polling4 = "EIO=4&transport=polling"

// open opens a session on n and returns the query of its requests.
func (n *fleetNode) open(query string) string {
	n.f.Helper()
	r := n.get(query)
	sid := regexp.MustCompile(`"sid\\?":\\?"([\w-]{20})\\?"`).FindStringSubmatch(r.body)
	if r.status != 200 || sid == nil {
		n.f.Fatalf("handshake: %+v", r)
	}
	return query + "&sid=" + sid[1]
}

const unknownSID = `{"code":1,"message":"Session ID unknown"}`

func (f *fleet) wantReply(r reply, status int, body, why string) {
	f.Helper()
	if r.err != nil || r.status != status || r.body != body {
		f.Fatalf("%s: got %d %q %v, want %d %q", why, r.status, r.body, r.err, status, body)
	}
}

// wantLog compares what the handler of n was told since the last time.
func (n *fleetNode) wantLog(why string, lines ...string) {
	n.f.Helper()
	synctest.Wait()
	n.log.mu.Lock()
	got := n.log.lines
	n.log.lines = nil
	n.log.mu.Unlock()
	if !slices.Equal(got, lines) {
		n.f.Fatalf("%s: node %d was told %q, want %q", why, n.i, got, lines)
	}
}

// sock is a WebSocket client.
type sock struct {
	f  *fleet
	c  *wscore.Conn
	nc *testnet.Conn
}

func (n *fleetNode) sock(query string) *sock {
	n.f.Helper()
	s := &sock{f: n.f}
	dialer := wscore.NewDialer(wscore.Settings{MaxMessage: 64 << 20})
	c, _, err := dialer.Dial(n.f.Context(), fmt.Sprintf("ws://node%d/engine.io/?%s", n.i, query), &wscore.DialOptions{
		NetDial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			nc, err := n.f.dial(ctx, network, addr)
			s.nc, _ = nc.(*testnet.Conn)
			return nc, err
		},
	})
	if err != nil {
		n.f.Fatal(err)
	}
	s.c = c
	return s
}

func (s *sock) send(text string) {
	s.f.Helper()
	if err := s.c.Send(wscore.OpText, []byte(text)); err != nil {
		s.f.Fatal(err)
	}
}

// next is the next message; pings are answered.
func (s *sock) next() (string, error) {
	for {
		ctx, cancel := context.WithTimeout(s.f.Context(), 10*time.Minute)
		_, data, err := s.c.Read(ctx)
		cancel()
		if err != nil || string(data) != "2" {
			return string(data), err
		}
		s.send("3")
	}
}

func (s *sock) want(text, why string) {
	s.f.Helper()
	if got, err := s.next(); err != nil || got != text {
		s.f.Fatalf("%s: got %.50q (%d bytes) %v, want %.50q (%d)", why, got, len(got), err, text, len(text))
	}
}

// end closes the connection without a word.
func (s *sock) end() { _ = s.c.CloseNow() }

// upgraded is a session of owner that was upgraded at landed.
func (f *fleet) upgraded(owner, landed *fleetNode) *sock {
	f.Helper()
	query := owner.open(polling4)
	s := landed.sock(strings.Replace(query, "polling", "websocket", 1))
	s.send("2probe")
	s.want("3probe", "the probe's answer")
	s.send("5")
	synctest.Wait()
	owner.wantLog("the session", "open")
	if got := owner.log.last().Transport(); got != "websocket" {
		f.Fatalf("transport %s", got)
	}
	return s
}
