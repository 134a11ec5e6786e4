package wscore_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/await"
	"github.com/hermod-io/hermod/wscore"
)

// A server that closes normally has no more to say: it was asked again at once, and
// again. Connect may be called once more.
func TestClientObeysANormalClose(t *testing.T) {
	spec, _ := talking("", "x")
	h, u := serving(t, wscore.ProcessSettings{}, spec)
	own, _ := talking("", "x")
	s, told := recording(wscore.ClientSettings{})
	c := wscore.NewClient(u, own, s)
	for range 2 {
		p, err := c.Connect(await.Context(t))
		if err != nil {
			t.Fatal(err)
		}
		sp, _ := h.Lookup(p.ID())
		_ = sp.Close(wscore.CloseNormal, "done")
		want(t, told, "connect", "disconnect", "lost 0")
		if c.Process() != nil {
			t.Error("there is a connection")
		}
	}
	p, err := c.Connect(await.Context(t))
	if err != nil {
		t.Fatal(err)
	}
	sp, _ := h.Lookup(p.ID())
	_ = sp.Close(wscore.CloseGoingAway, "restart")
	want(t, told, "connect", "disconnect", "lost 0", "connect", "again true")
	closeWithin(t, c.Close)
	want(t, told, "disconnect")
	if len(told) != 0 {
		t.Errorf("told %s more", <-told)
	}
}

// sometimes is a protocol that is of use on the first connection alone.
type sometimes struct {
	hearing
	ready chan struct{}
}

func (s sometimes) Ready() <-chan struct{} { return s.ready }

// A server that closed normally before the new connection was of use was asked again
// and again.
func TestClientObeysANormalCloseAtOnce(t *testing.T) {
	spec, _ := talking("", "x")
	var connections atomic.Int32
	h, u := serving(t, wscore.ProcessSettings{OnConnect: func(p *wscore.Process) {
		switch connections.Add(1) {
		case 2:
			_ = p.Close(wscore.CloseNormal, "go away")
		case 3:
			_ = p.Close(4000, "I said so")
		}
	}}, spec)
	s, told := recording(wscore.ClientSettings{})
	of := make(chan struct{})
	close(of)
	c := wscore.NewClient(u, wscore.ProtocolSpec{Names: []string{"x"}, New: func(*wscore.Process) wscore.Protocol {
		ready := of
		of = nil
		return sometimes{ready: ready}
	}}, s)
	p, err := c.Connect(await.Context(t))
	if err != nil {
		t.Fatal(err)
	}
	sp, _ := h.Lookup(p.ID())
	_ = sp.CloseNow()
	want(t, told, "connect", "disconnect", "lost 0", "connect")
	var rest []string // an attempt has failed when its connection has ended, which may be told later
	for !slices.Contains(rest, "lost 1") {
		select {
		case what := <-told:
			rest = append(rest, what)
		case <-time.After(limit):
			t.Fatalf("only %q", rest)
		}
	}
	var ce *wscore.CloseError
	if _, err := c.Connect(await.Context(t)); !errors.As(err, &ce) || ce.Code != 4000 {
		t.Errorf("Connect once more: %v", err)
	}
	closeWithin(t, c.Close)
	for len(told) > 0 {
		rest = append(rest, <-told)
	}
	slices.Sort(rest)
	if n := connections.Load(); n != 3 || !slices.Equal(rest, []string{"connect", "disconnect", "disconnect", "lost 1"}) {
		t.Errorf("%d connections, then %q", n, rest)
	}
}

// A connection that dies at once was lost before it was told of.
func TestClientTellsInOrder(t *testing.T) {
	spec, _ := talking("", "x")
	h, u := serving(t, wscore.ProcessSettings{}, spec)
	own, _ := talking("", "x")
	s, told := recording(wscore.ClientSettings{})
	held := make(chan struct{})
	s.OnReconnect = func(p *wscore.Process) {
		_ = p.CloseNow()
		<-p.Done()
		await.Until(t, "all is told of its end", func() bool { return p.State() == wscore.StateDestroy && h.Len() == 0 })
		told <- "again"
		<-held
	}
	c := wscore.NewClient(u, own, s)
	p, err := c.Connect(await.Context(t))
	if err != nil {
		t.Fatal(err)
	}
	_ = p.CloseNow()
	want(t, told, "connect", "disconnect", "lost 0", "connect", "disconnect", "again")
	if len(told) != 0 {
		t.Errorf("%s was told while OnReconnect runs", <-told)
	}
	close(held)
	want(t, told, "lost 0")
	closeWithin(t, c.Close)
}

// A panic of OnLost ended the program when it was told of an attempt.
func TestClientOnLostMayPanic(t *testing.T) {
	spec, _ := talking("", "x")
	h, u := serving(t, wscore.ProcessSettings{}, spec)
	own, _ := talking("", "x")
	s, _ := recording(wscore.ClientSettings{})
	told := make(chan string, 100)
	s.OnLost = func(_ error, attempt int) {
		if attempt < 3 {
			told <- "lost"
		}
		panic("harms nobody")
	}
	c := wscore.NewClient(u, own, s)
	if _, err := c.Connect(await.Context(t)); err != nil {
		t.Fatal(err)
	}
	closeWithin(t, h.Shutdown)
	want(t, told, "lost", "lost", "lost")
	closeWithin(t, c.Close)
}

// Close waited for a callback that outlives its ctx, for ever if that called Close.
func TestClientCloseIsBounded(t *testing.T) {
	spec, _ := talking("", "x")
	_, u := serving(t, wscore.ProcessSettings{}, spec)
	own, _ := talking("", "x")
	s, _ := recording(wscore.ClientSettings{})
	closed := make(chan error, 1)
	var c *wscore.Client
	s.OnReconnect = func(*wscore.Process) {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		closed <- c.Close(ctx)
	}
	c = wscore.NewClient(u, own, s)
	p, err := c.Connect(await.Context(t))
	if err != nil {
		t.Fatal(err)
	}
	_ = p.CloseNow()
	select {
	case err := <-closed:
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	case <-time.After(limit):
		t.Fatal("Close does not return")
	}
	closeWithin(t, c.Close)
}

// Close ends a Connect that still waits for the server.
func TestClientCloseEndsConnect(t *testing.T) {
	asked, release := make(chan struct{}), make(chan struct{})
	hs := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(asked)
		<-release
	}))
	defer hs.Close()
	defer close(release)
	spec, _ := talking("", "x")
	c := wscore.NewClient(hs.URL, spec, wscore.ClientSettings{Dial: wscore.DialOptions{Timeout: time.Hour}})
	got := make(chan error, 1)
	go func() {
		_, err := c.Connect(context.Background())
		got <- err
	}()
	<-asked
	closeWithin(t, c.Close)
	select {
	case err := <-got:
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("got %v", err)
		}
	case <-time.After(limit):
		t.Fatal("Connect goes on")
	}
}

// Callbacks that end their goroutine, as FailNow of a test does, ended the attempts
// to reconnect, or kept Close waiting.
func TestClientCallbacksMayEndTheirGoroutine(t *testing.T) {
	spec, _ := talking("", "x")
	h, u := serving(t, wscore.ProcessSettings{}, spec)
	own, _ := talking("", "x")
	s, told := recording(wscore.ClientSettings{})
	lost, again := s.OnLost, s.OnReconnect
	s.OnLost = func(err error, attempt int) { lost(err, attempt); runtime.Goexit() }
	s.OnReconnect = func(p *wscore.Process) { again(p); runtime.Goexit() }
	c := wscore.NewClient(u, own, s)
	p, err := c.Connect(await.Context(t))
	if err != nil {
		t.Fatal(err)
	}
	want(t, told, "connect")
	for range 2 {
		sp, ok := h.Lookup(p.ID())
		if !ok {
			t.Fatal("the server does not know it")
		}
		_ = sp.Close(wscore.CloseGoingAway, "restart")
		want(t, told, "disconnect", "lost 0", "connect", "again true")
		p = c.Process()
	}
	closeWithin(t, c.Close)
}

// A protocol that cannot be made, since New ends its goroutine, leaves no connection.
func TestNewEndsItsGoroutine(t *testing.T) {
	spec, _ := talking("", "x")
	spec.New = func(*wscore.Process) wscore.Protocol { runtime.Goexit(); return nil }
	_, u := serving(t, wscore.ProcessSettings{}, spec)
	c, _, err := wscore.Dial(await.Context(t), u, &wscore.Settings{Subprotocols: []string{"x"}}, nil)
	if err == nil {
		_, _, err = c.Read(await.Context(t))
	}
	if err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("ended with %v", err)
	}
}
