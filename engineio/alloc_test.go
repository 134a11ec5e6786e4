//go:build !race && !poison

package engineio

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/alloctest"
	"github.com/hermod-io/hermod/internal/testnet"
	"github.com/hermod-io/hermod/wscore"
)

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

// What the engine itself needs for a POST of a message and a GET that finds one;
// net/http's part comes on top.
func TestPollingAllocations(t *testing.T) {
	s := polled(t)
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
		{"POST", 3, func() { body.Reset(content); s.poll(w, post) }},
		{"GET", 5, func() { _ = s.Send(0, Message{Data: data}); s.poll(w, get) }},
	} {
		n := alloctest.PerRun(1000, c.f)
		t.Logf("%s: %v allocations", c.name, n)
		if n > c.most {
			t.Errorf("%s: %v allocations, at most %v", c.name, n, c.most)
		}
	}
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
