//go:build !race && !poison

package engineio

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/alloctest"
	"github.com/hermod-io/hermod/internal/testnet"
	"github.com/hermod-io/hermod/wscore"
)

// silent is a Handler that does nothing.
type silent struct{}

func (silent) OnOpen(*Session)                  {}
func (silent) OnMessage(*Session, bool, []byte) {}
func (silent) OnClose(*Session, Reason, error)  {}

// A message in and a message out over WebSocket cost no memory.
func TestAllocations(t *testing.T) {
	srv, err := New(Config{}, silent{})
	if err != nil {
		t.Fatal(err)
	}
	client, end := testnet.Pipe(testnet.Options{})
	go func() { _, _ = io.Copy(io.Discard, client) }() // ends with the pipe
	s := &Session{srv: srv, id: "x", dialect: dialect4{}, busy: true, seldom: &nothing}
	tr := &wsTransport{s: s, conn: srv.ws.NewConn(end)}
	s.ws.Store(tr)
	s.opened()
	tr.conn.Serve(tr)
	in, data := []byte("4hello"), make([]byte, 64)
	p := NewPrepared(Message{Data: data})
	for name, f := range map[string]func(){
		"in":           func() { tr.OnMessage(wscore.OpText, in) },
		"binary in":    func() { tr.OnMessage(wscore.OpBinary, in) },
		"Send":         func() { _ = s.Send(0, Message{Data: data}) },
		"Send unit":    func() { _ = s.Send(0, Message{Data: data}, Message{Binary: true, Data: data}) },
		"SendPrepared": func() { _ = s.SendPrepared(p, 0) },
	} {
		if n := alloctest.PerRun(1000, f); n >= 1 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	if err := srv.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	_ = client.Close()
}

// To arm a timer that has its place, a session's or an application's, costs no memory.
func TestTimerAllocations(t *testing.T) {
	srv, err := New(Config{}, silent{})
	if err != nil {
		t.Fatal(err)
	}
	s, after, f := &Session{srv: srv, seldom: &nothing}, new(Timer), func() {}
	for name, f := range map[string]func(){
		"heartbeat": func() { s.mu.Lock(); s.rearm(time.Hour); s.mu.Unlock() },
		"After":     func() { srv.After(after, time.Hour, f) },
	} {
		if n := alloctest.PerRun(1000, f); n >= 1 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	srv.wheel.Stop(&s.beat)
	after.Stop()
}

// discarding is a ResponseWriter that costs nothing.
type discarding struct{ h http.Header }

func (d discarding) Header() http.Header         { return d.h }
func (d discarding) Write(p []byte) (int, error) { return len(p), nil }
func (d discarding) WriteHeader(int)             {}
func (d discarding) Flush()                      {}

// SetWriteDeadline is as free as that of net/http.
func (d discarding) SetWriteDeadline(time.Time) error { return nil }

// What the engine itself needs for a POST of a message and a GET that finds one;
// net/http's part comes on top.
func TestPollingAllocations(t *testing.T) {
	srv, err := New(Config{}, silent{})
	if err != nil {
		t.Fatal(err)
	}
	s := &Session{srv: srv, id: "x", dialect: dialect4{}, busy: true, seldom: &nothing}
	s.opened()
	w, content, body := discarding{http.Header{}}, []byte("4hello"), new(bytes.Reader)
	post, err := http.NewRequest(http.MethodPost, "/", nil)
	if err != nil {
		t.Fatal(err)
	}
	post.Body, post.ContentLength = io.NopCloser(body), int64(len(content))
	get, err := http.NewRequest(http.MethodGet, "/", nil)
	if err != nil {
		t.Fatal(err)
	}
	data := make([]byte, 64)
	for _, c := range []struct {
		name string
		most float64
		f    func()
	}{
		{"POST", 4, func() { body.Reset(content); s.poll(w, post) }},
		{"GET", 7, func() { _ = s.Send(0, Message{Data: data}); s.poll(w, get) }},
	} {
		n := alloctest.PerRun(1000, c.f)
		t.Logf("%s: %v allocations", c.name, n)
		if n > c.most {
			t.Errorf("%s: %v allocations, at most %v", c.name, n, c.most)
		}
	}
	if err := srv.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// An idle client over polling has two goroutines of net/http's, with 4 KB each: the
// one that serves its connection has not grown more, though it was answered before.
func TestIdlePollingStacks(t *testing.T) {
	srv, err := New(Config{}, silent{})
	if err != nil {
		t.Fatal(err)
	}
	hs, l := &http.Server{Handler: srv}, testnet.Listen(testnet.Options{})
	served := make(chan error, 1)
	go func() { served <- hs.Serve(l) }() // ends with hs
	const clients = 256
	before := stacksInUse()
	for range clients {
		idlePoller(t, l)
	}
	for srv.waiting() < clients {
		runtime.Gosched()
	}
	if each := (stacksInUse() - before) / clients; each > 9<<10 {
		t.Errorf("%d bytes of stack for each client", each)
	} else {
		t.Logf("%d bytes of stack for each client", each)
	}
	if err := errors.Join(srv.Close(t.Context()), hs.Close()); err != nil {
		t.Fatal(err)
	}
	<-served
}

// stacksInUse is what goroutines that wait need.
func stacksInUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.StackInuse)
}

// waiting is the number of sessions whose GET waits.
func (srv *Server) waiting() (n int) {
	for _, s := range srv.sessions.all() {
		s.mu.Lock()
		if s.get != nil {
			n++
		}
		s.mu.Unlock()
	}
	return n
}

// idlePoller opens a session, sends a message and waits, all on one connection.
func idlePoller(t *testing.T, l *testnet.Listener) {
	t.Helper()
	nc, err := l.Dial()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	in := bufio.NewReader(nc)
	ask := func(method, sid, body string) {
		if _, err := fmt.Fprintf(nc, "%s /?EIO=4&transport=polling%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", method, sid, len(body), body); err != nil {
			t.Fatal(err)
		}
	}
	answer := func() string {
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%d %q: %v", res.StatusCode, body, err)
		}
		return string(body)
	}
	ask(http.MethodGet, "", "")
	var open struct{ SID string }
	if err := json.Unmarshal([]byte(answer()[1:]), &open); err != nil {
		t.Fatal(err)
	}
	ask(http.MethodPost, "&sid="+open.SID, "4hello")
	if got := answer(); got != "ok" {
		t.Fatalf("a POST was answered with %q", got)
	}
	ask(http.MethodGet, "&sid="+open.SID, "")
}

// What is kept of a request costs no more than its texts.
func TestHandshakeAllocations(t *testing.T) {
	r := browserRequest(t, "127.0.0.1:65535", "session=1")
	if n := alloctest.PerRun(1000, func() { packHandshake(r) }); n > 2 {
		t.Errorf("%v allocations, at most 2", n)
	}
}

// A query as clients write it costs no memory.
func TestQueryAllocations(t *testing.T) {
	if n := alloctest.PerRun(1000, func() { parseQuery("EIO=4&transport=polling&t=abc123&sid=0123456789abcdefghij&b64=1&j=0") }); n >= 1 {
		t.Errorf("%v allocations", n)
	}
}
