package routes

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"
)

func TestRoutes(t *testing.T) {
	var draining atomic.Bool
	rt := &Routes{
		SocketIO: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "sio "+r.Method) }),
		Path:     "/socket.io",
		Index:    []byte("<p>page"),
		Page:     fstest.MapFS{"chat.js": {Data: []byte("1")}},
		Draining: &draining,
	}
	h := rt.Handler()
	for _, c := range []struct {
		method, path string
		status       int
		body         string
	}{
		{"GET", "/", 200, "<p>page"},
		{"GET", "/chat.js", 200, "1"},
		{"POST", "/", 405, ""},
		{"GET", "/nothing", 404, ""},
		{"GET", "/healthz", 200, "ok"},
		{"GET", "/readyz", 200, "ok"},
		{"GET", "/socket.io/?EIO=4", 200, "sio GET"},
		{"POST", "/socket.io/?EIO=4", 200, "sio POST"},
		{"OPTIONS", "/socket.io/", 200, "sio OPTIONS"},
		{"GET", "/socket.io/socket.io.js", 200, "sio GET"},
	} {
		res := httptest.NewRecorder()
		h.ServeHTTP(res, httptest.NewRequest(c.method, c.path, nil))
		if res.Code != c.status || !strings.Contains(res.Body.String(), c.body) {
			t.Errorf("%s %s: %d %q", c.method, c.path, res.Code, res.Body)
		}
	}
	draining.Store(true)
	for path, status := range map[string]int{"/healthz": 200, "/readyz": 503} {
		res := httptest.NewRecorder()
		h.ServeHTTP(res, httptest.NewRequest("GET", path, nil))
		if res.Code != status {
			t.Errorf("while draining %s answers %d", path, res.Code)
		}
	}
}

func TestPageHeaders(t *testing.T) {
	rt := &Routes{SocketIO: http.NotFoundHandler(), Path: "/socket.io", Page: fstest.MapFS{}, Draining: new(atomic.Bool)}
	res := httptest.NewRecorder()
	rt.Handler().ServeHTTP(res, httptest.NewRequest("GET", "/", nil))
	csp := res.Header().Get("Content-Security-Policy")
	if !strings.HasPrefix(csp, "default-src 'self'") || strings.Contains(csp, "unsafe") {
		t.Errorf("policy %q", csp)
	}
	if res.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Error("content may be sniffed")
	}
}

// dial sends a request over a connection of its own, and reads what comes back.
func dial(t *testing.T, addr, request string) *bufio.Reader {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(nc, request); err != nil {
		t.Fatal(err)
	}
	return bufio.NewReader(nc)
}

// A body that is announced and does not come holds no connection for ever, whether
// somebody reads it or not.
func TestBodiesThatDoNotCome(t *testing.T) {
	rt := &Routes{
		SocketIO: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }),
		Path:     "/socket.io", Page: fstest.MapFS{}, Index: []byte("page"), Draining: new(atomic.Bool), BodyTimeout: 50 * time.Millisecond,
	}
	hs := httptest.NewServer(rt.Handler())
	defer hs.Close()
	for _, request := range []string{
		"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nab",
		"GET /healthz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
		"POST /nothing HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n",
		"POST /socket.io/ HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nab",
	} {
		if b, err := io.ReadAll(dial(t, hs.Listener.Addr().String(), request)); err != nil || !bytes.HasPrefix(b, []byte("HTTP/1.1 ")) {
			t.Errorf("%.20q: %q, %v", request, b, err)
		}
	}
}

// Once its body has come a request may take as long as it likes, and so may those
// that come after it.
func TestBodyThatCame(t *testing.T) {
	const timeout = 50 * time.Millisecond
	rt := &Routes{
		SocketIO: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			select {
			case <-r.Context().Done():
				t.Errorf("%s: its context ends: %v", r.Method, context.Cause(r.Context()))
			case <-time.After(4 * timeout):
			}
			_, _ = w.Write(b)
		}),
		Path: "/socket.io", Page: fstest.MapFS{}, Draining: new(atomic.Bool), BodyTimeout: timeout,
	}
	hs := httptest.NewServer(rt.Handler())
	defer hs.Close()
	r := dial(t, hs.Listener.Addr().String(), "POST /socket.io/ HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab"+
		"POST /socket.io/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\ncd\r\n0\r\n\r\n"+
		"GET /socket.io/ HTTP/1.1\r\nHost: a\r\n\r\n")
	for _, want := range []string{"ab", "cd", ""} {
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(res.Body); err != nil || string(b) != want {
			t.Errorf("%q, %v", b, err)
		}
	}
}
