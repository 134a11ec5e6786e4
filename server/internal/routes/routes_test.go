package routes

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
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
