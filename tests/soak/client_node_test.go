//go:build node

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/internal/await"
	"github.com/hermod-io/hermod/internal/proc"
	"github.com/hermod-io/hermod/socketio"
)

// gate is a server for old clients that can hold up POSTs and openings.
type gate struct {
	t        *testing.T
	url      string
	sockets  chan *socketio.Socket
	held     atomic.Pointer[chan struct{}] // closed to let the requests through
	polls    atomic.Int64                  // GETs that came
	answered atomic.Int64
}

func newGate(t *testing.T) *gate {
	t.Helper()
	g := &gate{t: t, sockets: make(chan *socketio.Socket, 10)}
	srv, err := socketio.New(socketio.Config{Engine: engineio.Config{AllowEIO3: true}})
	if err != nil {
		t.Fatal(err)
	}
	srv.Of("/").OnConnect(func(_ context.Context, s *socketio.Socket) error {
		g.sockets <- s
		return nil
	})
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		poll := r.Method == http.MethodGet && r.URL.Query().Has("sid")
		if held := g.held.Load(); held != nil && !poll {
			<-*held
		}
		if poll {
			g.polls.Add(1)
			defer g.answered.Add(1)
		}
		srv.ServeHTTP(w, r)
	}))
	g.url = web.URL
	t.Cleanup(func() {
		_ = srv.Close(context.Background())
		web.Close()
	})
	return g
}

// hold holds up what begins from now on, until release is called.
func (g *gate) hold() (release func()) {
	ch := make(chan struct{})
	g.held.Store(&ch)
	return func() {
		g.held.Store(nil)
		close(ch)
	}
}

// socket is the next that joins.
func (g *gate) socket() *socketio.Socket {
	g.t.Helper()
	select {
	case s := <-g.sockets:
		return s
	case <-time.After(time.Minute):
		g.t.Fatal("nobody joins")
	}
	return nil
}

// heard sends an event to the only session and returns when its client has it,
// which is when it polls again.
func (g *gate) heard(s *socketio.Socket, name string, n note) {
	g.t.Helper()
	await.Until(g.t, "waiting GET", func() bool { return g.polls.Load() == g.answered.Load()+1 })
	before := g.polls.Load()
	if err := s.Emit(name, n); err != nil {
		g.t.Fatal(err)
	}
	await.Until(g.t, "GET behind the answer", func() bool { return g.polls.Load() > before })
}

// Version 2 that disconnects over polling hears its session until the POST of
// the DISCONNECT is answered. A client that had been opened again meanwhile was
// told of what came then, but not of what had come before, as if that were lost.
func TestOldClientOpensWhenItHasClosed(t *testing.T) {
	f := new(faults)
	g := newGate(t)
	node, err := startNode(proc.Root(t), f)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := node.stop(); err != nil {
			t.Error(err)
		}
	}()
	l := newLedger("client", false, 0, f)
	p, _ := node.kind(2, "polling", appPlain, g.url, 1).make(l, 1)
	p.open()
	first := g.socket()
	g.heard(first, evHello, note{N: 1})
	g.heard(first, evUni, note{N: 1})

	release := g.hold()
	p.disconnect()
	g.heard(first, evUni, note{N: 2}) // the application has given the session up
	l.speak()
	p.open()
	// The answer to another order shows that this one was carried out.
	other, _ := node.kind(4, "polling", appPlain, g.url, 1).make(newLedger("other", false, 0, f), 2)
	if err := other.close(); err != nil {
		t.Fatal(err)
	}
	g.heard(first, evUni, note{N: 3})
	release()

	second := g.socket()
	for _, name := range []string{evHello, evUni} {
		if err := second.Emit(name, note{N: 4}); err != nil {
			t.Fatal(err)
		}
	}
	await.Until(t, "event of the second session", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.uni == 5 || f.count() > 0
	})
	for _, text := range f.all() {
		t.Error(text)
	}
}

// cutPacket is a server of Engine.IO 3 whose first connection ends between a
// binary event and its bytes. It counts the connections.
type cutPacket struct {
	opened atomic.Int64
	gets   atomic.Int64 // of the first connection
}

func (c *cutPacket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	payload := func(packets ...string) {
		for _, p := range packets {
			fmt.Fprintf(w, "%d:%s", len(p), p)
		}
	}
	switch sid := r.URL.Query().Get("sid"); {
	case r.Method == http.MethodPost:
		_, _ = io.WriteString(w, "ok")
	case sid == "":
		n := c.opened.Add(1)
		payload(fmt.Sprintf(`0{"sid":"%d","upgrades":[],"pingInterval":60000,"pingTimeout":60000}`, n), "40",
			fmt.Sprintf(`42["hello",{"n":1,"conn":%d}]`, n))
	case sid == "1" && c.gets.Add(1) == 1:
		payload(`451-["uni",{"n":1,"size":1},{"_placeholder":true,"num":0}]`)
	case sid == "1":
		w.WriteHeader(http.StatusBadRequest)
	default:
		<-r.Context().Done()
	}
}

// Version 2 keeps the half of a binary event for the next connection, whose first
// packet it then throws out of the process.
func TestOldClientForgetsHalfAPacket(t *testing.T) {
	f := new(faults)
	web := httptest.NewServer(new(cutPacket))
	defer web.Close()
	node, err := startNode(proc.Root(t), f)
	if err != nil {
		t.Fatal(err)
	}
	l := newLedger("client", false, 0, f)
	p, _ := node.kind(2, "polling", appPlain, web.URL, 1).make(l, 1)
	p.open()
	await.Until(t, "second connection, or the end of the process", func() bool {
		select {
		case <-node.done:
			return true
		default:
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.tally.New == 2
	})
	for _, text := range f.all() {
		t.Error(text)
	}
	if err := node.stop(); err != nil {
		t.Error(err)
	}
}

// A question to a client that has been closed meanwhile ends, too.
func TestQuestionToAClosedClient(t *testing.T) {
	f := new(faults)
	node, err := startNode(proc.Root(t), f)
	if err != nil {
		t.Fatal(err)
	}
	p, _ := node.kind(4, "polling", appPlain, "http://127.0.0.1:1", 1).make(newLedger("client", false, 0, f), 1)
	if err := p.close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := p.ask(ctx, evCall, note{N: 1}, nil); !errors.Is(err, net.ErrClosed) {
		t.Errorf("error %v", err)
	}
	if err := node.stop(); err != nil {
		t.Error(err)
	}
}
