package siotest

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/hermod-io/hermod/engineio/eioclient"
	"github.com/hermod-io/hermod/internal/testnet"
	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/sioclient"
)

// Client is a client of a Server with a record of what happens to it: each event,
// and each time it joins and leaves, from its making on and in this order. The
// Expect functions take from the record; handlers may be set besides (not
// OffAny, which stops the record). A handler that blocks holds the record up.
//
// Cut, Stall and Resume act on all connections of its Manager.
type Client struct {
	*sioclient.Socket
	srv *Server
	net *network
	rec record
}

// Client returns a client that is not connected yet: handlers can be set before
// its Connect, or Open. ns is the namespace, with a slash, and may have a query:
// "/chat?token=1"; "" means "/".
//
// Where cfg leaves them zero, Engine.Path is that of the server, Transports and
// NoUpgrade those of Config.Mode, and Engine.NetDial and Proxy are the network
// of the Server; with another NetDial the client has no Cut or Stall. The client
// is closed when t ends.
func (s *Server) Client(t testing.TB, ns string, cfg sioclient.Config) *Client {
	t.Helper()
	n := &network{srv: s}
	e := &cfg.Engine
	if e.Path == "" {
		e.Path = s.IO().Path()
	}
	if e.NetDial == nil {
		e.NetDial = n.dial
	}
	if e.Proxy == nil {
		e.Proxy = func(*http.Request) (*url.URL, error) { return nil, nil }
	}
	if e.Transports == nil {
		switch s.cfg.Mode {
		case WebSocket, "":
			e.Transports = []string{eioclient.WebSocket}
		case Polling:
			e.Transports = []string{eioclient.Polling}
		}
	}
	socket, err := sioclient.New("http://server/"+strings.TrimPrefix(ns, "/"), cfg)
	if err != nil {
		t.Fatal("siotest: ", err)
	}
	return newClient(t, s, n, socket)
}

// newClient begins the record.
func newClient(t testing.TB, s *Server, n *network, socket *sioclient.Socket) *Client {
	t.Helper()
	c := &Client{Socket: socket, srv: s, net: n}
	c.OnAny(func(_ context.Context, _ *sioclient.Socket, e *sioclient.Event) error {
		c.rec.add(entry{kind: isEvent, event: e})
		return nil
	})
	c.OnConnect(func(context.Context, *sioclient.Socket) error {
		c.rec.add(entry{kind: isConnect})
		return nil
	})
	c.OnDisconnect(func(_ *sioclient.Socket, reason sioclient.Reason) {
		c.rec.add(entry{kind: isDisconnect, reason: reason})
	})
	c.OnConnectError(func(_ *sioclient.Socket, err error) { c.rec.add(entry{kind: isConnectError, err: err}) })
	t.Cleanup(func() { c.end(t) })
	return c
}

// end is the end of the test.
func (c *Client) end(t testing.TB) {
	t.Helper()
	c.Resume()
	ctx, cancel := context.WithTimeout(context.Background(), c.srv.patience())
	defer cancel()
	if err := c.Close(ctx); err != nil {
		t.Errorf("siotest: %s does not end, a handler may be waiting: %v", c.name(), err)
	}
}

// Connect returns a client that has joined the namespace, see Server.Client, and
// in the mode Upgrade has changed to its WebSocket, unless the server has
// disconnected it at once. If it is refused the test ends with the reason.
func (s *Server) Connect(t testing.TB, ns string, cfg sioclient.Config) *Client {
	t.Helper()
	c := s.Client(t, ns, cfg)
	c.join(t)
	return c
}

// join connects, and takes that from the record.
func (c *Client) join(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), c.srv.patience())
	defer cancel()
	if err := c.Socket.Connect(ctx); err != nil {
		t.Fatalf("siotest: %s does not connect: %v%s", c.name(), err, c.srv.told())
	}
	ExpectConnect(t, c)
	if c.srv.cfg.Mode == Upgrade {
		c.srv.Eventually(t, c.name()+" changes to a WebSocket", func() bool { return c.transport() == eioclient.WebSocket || !c.Active() })
	}
}

// Refused is Connect of a client that the server has to refuse, and returns the
// refusal.
func (s *Server) Refused(t testing.TB, ns string, cfg sioclient.Config) *sioclient.ConnectError {
	t.Helper()
	c := s.Client(t, ns, cfg)
	ctx, cancel := context.WithTimeout(t.Context(), s.patience())
	defer cancel()
	err := c.Socket.Connect(ctx)
	var refusal *sioclient.ConnectError
	if !errors.As(err, &refusal) {
		t.Fatalf("siotest: %s is not refused: %v", c.name(), err)
	}
	return refusal
}

// Of returns a client of another namespace over the same connection, that has
// joined it. auth is what it says to the server, nil for nothing.
func (c *Client) Of(t testing.TB, ns string, auth any) *Client {
	t.Helper()
	o := sioclient.SocketOptions{Auth: func(context.Context) (any, error) { return auth, nil }}
	other := newClient(t, c.srv, c.net, c.Manager().Socket(ns, o))
	other.join(t)
	return other
}

// Peer returns the server's Socket of c, which must be connected.
func (c *Client) Peer(t testing.TB) *socketio.Socket {
	t.Helper()
	s := c.srv.IO().Of(c.Namespace()).Socket(c.ID())
	if s == nil {
		t.Fatalf("siotest: the server has no socket of %s%s", c.name(), c.told())
	}
	return s
}

// Cut resets the connections of c (a TCP RST): both sides lose what was under
// way, and c connects again by itself. In a bubble all that can happen before
// does; elsewhere a polling client may be between two requests, and not notice.
// During a Stall the server hears of it after Resume.
func (c *Client) Cut() {
	if c.srv.bubble {
		synctest.Wait()
	}
	for _, conn := range c.net.all() {
		_ = conn.Abort()
	}
}

// Stall stops the network of c until Resume: nothing arrives, on connections
// that are made meanwhile neither, and no one is told. What both sides send
// fills the buffers of the network, 64 KiB in each direction.
func (c *Client) Stall() { c.net.stall() }

// Resume ends a Stall; what was sent meanwhile arrives.
func (c *Client) Resume() { c.net.resume() }

// transport is the name of what c is connected over.
func (c *Client) transport() string {
	if e := c.Manager().Session(); e != nil {
		return e.Transport()
	}
	return ""
}

// name is how failures call c.
func (c *Client) name() string { return "the client of " + c.Namespace() }

// network is where the connections of one Manager run.
type network struct {
	srv *Server

	mu      sync.Mutex // guards what follows
	conns   []*testnet.Conn
	stalled chan struct{} // nil but during a stall; closed at its end
}

// dial is eioclient.Config.NetDial.
func (n *network) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	for wait := n.wait(); wait != nil; wait = n.wait() {
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	conn, err := n.srv.dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.conns = append(n.conns, conn)
	if n.stalled != nil {
		conn.Stall()
	}
	return conn, nil
}

func (n *network) wait() chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.stalled
}

// all are the connections there have been.
func (n *network) all() []*testnet.Conn {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]*testnet.Conn(nil), n.conns...)
}

func (n *network) stall() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.stalled == nil {
		n.stalled = make(chan struct{})
	}
	for _, conn := range n.conns {
		conn.Stall()
	}
}

func (n *network) resume() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.stalled != nil {
		close(n.stalled)
		n.stalled = nil
	}
	for _, conn := range n.conns {
		conn.Resume()
	}
}
