package wscore_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/await"
	"github.com/hermod-io/hermod/wscore"
)

// recording is a client's settings and what its callbacks were told.
func recording(s wscore.ClientSettings) (wscore.ClientSettings, chan string) {
	told := make(chan string, 1000)
	s.OnLost = func(err error, attempt int) { told <- fmt.Sprintf("lost %d", attempt) }
	s.OnReconnect = func(p *wscore.Process) { told <- fmt.Sprintf("again %v", p.Upgrade().Resumed) }
	s.OnConnect = func(p *wscore.Process) { told <- "connect" }
	s.OnDisconnect = func(p *wscore.Process, err error) { told <- "disconnect" }
	s.MinBackoff, s.MaxBackoff = 2*time.Millisecond, 5*time.Millisecond
	return s, told
}

func TestClientReconnectsAndResumes(t *testing.T) {
	serverSpec, serverEvents := talking("", "x")
	h, u := serving(t, wscore.ProcessSettings{}, serverSpec)
	spec, events := talking("", "x")
	s, told := recording(wscore.ClientSettings{Dial: wscore.DialOptions{Header: http.Header{"Authorization": {"Bearer b"}}}})
	c := wscore.NewClient(u+"/path?q", spec, s)
	p1, err := c.Connect(await.Context(t))
	if err != nil {
		t.Fatal(err)
	}
	want(t, told, "connect")
	want(t, events, "open")
	want(t, serverEvents, "open")
	if up := p1.Upgrade(); up.ID == 0 || up.Resumed || up.Subprotocol != "x" || up.BearerToken != "b" || up.URI != "path?q" || up.Secure || !p1.IsClient() || c.Process() != p1 {
		t.Errorf("%+v", up)
	}
	if _, err := c.Connect(await.Context(t)); !errors.Is(err, wscore.ErrConnected) {
		t.Errorf("a second Connect: %v", err)
	}
	sp, _ := h.Lookup(p1.ID())
	sp.SetData("kept")
	_ = sp.CloseNow()
	want(t, told, "disconnect", "lost 0", "connect", "again true")
	p2 := c.Process()
	if p2 == nil || p2 == p1 || p2.ID() != p1.ID() {
		t.Fatalf("%v", p2)
	}
	sp2, ok := h.Lookup(p1.ID())
	if !ok || sp2 == sp || sp2.Data() != "kept" {
		t.Error("the server does not know it again")
	}
	if err := c.Close(await.Context(t)); err != nil {
		t.Error(err)
	}
	want(t, told, "disconnect")
	if c.Process() != nil || len(told) != 0 {
		t.Error("it goes on after Close")
	}
	if _, err := c.Connect(await.Context(t)); err == nil {
		t.Error("Connect after Close")
	}
}

// While the server is away attempts fail, and are told; then the connection is
// there again.
func TestClientWaitsForTheServer(t *testing.T) {
	spec, _ := talking("", "x")
	list := new(wscore.ProtocolList)
	list.Add(spec)
	h := wscore.NewHandler(list, wscore.ProcessSettings{})
	var mu sync.Mutex
	away := false
	hs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		gone := away
		mu.Unlock()
		if gone {
			http.Error(w, "away", http.StatusServiceUnavailable)
			return
		}
		h.ServeHTTP(w, r)
	}))
	defer hs.Close()
	defer closeWithin(t, h.Shutdown)
	own, _ := talking("", "x")
	s, told := recording(wscore.ClientSettings{})
	c := wscore.NewClient(hs.URL, own, s)
	p, err := c.Connect(await.Context(t))
	if err != nil {
		t.Fatal(err)
	}
	want(t, told, "connect")
	mu.Lock()
	away = true
	mu.Unlock()
	_ = p.CloseNow()
	want(t, told, "disconnect", "lost 0", "lost 1", "lost 2", "lost 3")
	mu.Lock()
	away = false
	mu.Unlock()
	for again := false; !again; {
		select {
		case got := <-told:
			again = strings.HasPrefix(got, "again")
		case <-time.After(limit):
			t.Fatal("it did not come back")
		}
	}
	closeWithin(t, c.Close)
}

func TestClientConnectFails(t *testing.T) {
	spec, _ := talking("", "x")
	_, u := serving(t, wscore.ProcessSettings{}, spec)
	other, _ := talking("", "y")
	s, told := recording(wscore.ClientSettings{})
	c := wscore.NewClient(u, other, s)
	var he *wscore.HandshakeError
	if _, err := c.Connect(await.Context(t)); !errors.As(err, &he) || he.Status != 400 {
		t.Errorf("got %v", err)
	}
	if len(told) != 0 || c.Process() != nil {
		t.Error("a first connection that fails is not tried again")
	}
	closeWithin(t, c.Close)
	// A server that takes no subprotocol is not the right one.
	plain := httptest.NewServer(echoHandler(t, wscore.Settings{}, nil))
	defer plain.Close()
	c = wscore.NewClient(plain.URL, spec, wscore.ClientSettings{})
	if _, err := c.Connect(await.Context(t)); !errors.As(err, &he) {
		t.Errorf("got %v", err)
	}
	closeWithin(t, c.Close)
}

func TestClientWithoutReconnect(t *testing.T) {
	spec, _ := talking("", "x")
	h, u := serving(t, wscore.ProcessSettings{}, spec)
	own, _ := talking("", "x")
	s, told := recording(wscore.ClientSettings{NoReconnect: true})
	c := wscore.NewClient(u, own, s)
	p, err := c.Connect(await.Context(t))
	if err != nil {
		t.Fatal(err)
	}
	closeWithin(t, h.Shutdown)
	<-p.Done()
	want(t, told, "connect", "disconnect", "lost 0")
	if !errors.Is(p.Err(), net.ErrClosed) || c.Process() != nil {
		t.Errorf("%v", p.Err())
	}
	closeWithin(t, c.Close)
}

// Close while an attempt waits ends the attempt.
func TestClientCloseWhileAway(t *testing.T) {
	spec, _ := talking("", "x")
	h, u := serving(t, wscore.ProcessSettings{}, spec)
	own, _ := talking("", "x")
	s, told := recording(wscore.ClientSettings{})
	s.MinBackoff, s.MaxBackoff = time.Hour, time.Hour
	c := wscore.NewClient(u, own, s)
	if _, err := c.Connect(await.Context(t)); err != nil {
		t.Fatal(err)
	}
	closeWithin(t, h.Shutdown)
	want(t, told, "connect", "disconnect", "lost 0")
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	if err := c.Close(ctx); err != nil {
		t.Error(err)
	}
}

// unready is a protocol that never is of use, and closes.
type unready struct {
	hearing
	p *wscore.Process
}

func (u unready) OnOpen()                { _ = u.p.Close(4000, "not this one") }
func (u unready) Ready() <-chan struct{} { return nil }

// A first connection that is never of use is no connection that was lost.
func TestClientConnectNotReady(t *testing.T) {
	spec, _ := talking("", "x")
	_, u := serving(t, wscore.ProcessSettings{}, spec)
	s, told := recording(wscore.ClientSettings{})
	c := wscore.NewClient(u, wscore.ProtocolSpec{Names: []string{"x"}, New: func(p *wscore.Process) wscore.Protocol {
		return unready{p: p}
	}}, s)
	var ce *wscore.CloseError
	if p, err := c.Connect(await.Context(t)); p != nil || !errors.As(err, &ce) || ce.Code != 4000 {
		t.Errorf("got %v, %v", p, err)
	}
	want(t, told, "connect", "disconnect")
	closeWithin(t, c.Close)
	if len(told) != 0 {
		t.Errorf("then %q", <-told)
	}
}
