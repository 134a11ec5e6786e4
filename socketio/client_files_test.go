package socketio_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rs/cors"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/socketio"
)

var bundle = "/*!\n * Socket.IO v4.8.4\n * (c) 2014-2026 Guillermo Rauch\n */\n" + strings.Repeat("x();", 1000)

func get(h http.Handler, method, target string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

// compat: option serveClient
func TestClientFiles(t *testing.T) {
	files := fstest.MapFS{
		"socket.io.js":         {Data: []byte(bundle)},
		"socket.io.min.js":     {Data: []byte(bundle)},
		"socket.io.min.js.map": {Data: []byte("{}")},
		"secret.js":            {Data: []byte("x")},
	}
	srv, err := socketio.New(socketio.Config{
		ClientFiles: files,
		Engine:      engineio.Config{CORS: &cors.Options{AllowedOrigins: []string{"http://good.example"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, target string
		headers      []string
		status       int
		contentType  string
	}{
		{"a bundle", "/socket.io/socket.io.js", nil, 200, "application/javascript; charset=utf-8"},
		{"with a query", "/socket.io/socket.io.min.js?v=1", nil, 200, "application/javascript; charset=utf-8"},
		{"a map", "/socket.io/socket.io.min.js.map", nil, 200, "application/json; charset=utf-8"},
		{"not there", "/socket.io/socket.io.esm.min.js", nil, 400, "application/json"},
		{"no bundle", "/socket.io/secret.js", nil, 400, "application/json"},
		{"below", "/socket.io/x/socket.io.js", nil, 400, "application/json"},
		{"known", "/socket.io/socket.io.js", []string{"If-None-Match", `"4.8.4"`}, 304, ""},
		{"known, weak", "/socket.io/socket.io.js", []string{"If-None-Match", `W/"4.8.4"`}, 304, ""},
		{"another version", "/socket.io/socket.io.js", []string{"If-None-Match", `"4.8.3"`}, 200, "application/javascript; charset=utf-8"},
	} {
		res := get(srv, http.MethodGet, c.target, c.headers...)
		if res.StatusCode != c.status || res.Header.Get("Content-Type") != c.contentType {
			t.Errorf("%s: %s, %q", c.name, res.Status, res.Header.Get("Content-Type"))
		}
		if res.StatusCode == 200 && (res.Header.Get("Etag") != `"4.8.4"` || res.Header.Get("Cache-Control") != "public, max-age=0") {
			t.Errorf("%s: %v", c.name, res.Header)
		}
	}
	res := get(srv, http.MethodGet, "/socket.io/socket.io.js", "Origin", "http://good.example")
	if res.Header.Get("Access-Control-Allow-Origin") != "http://good.example" {
		t.Errorf("CORS: %v", res.Header)
	}
	res = get(srv, http.MethodHead, "/socket.io/socket.io.js")
	if body, _ := io.ReadAll(res.Body); len(body) != 0 || res.StatusCode != 200 {
		t.Errorf("HEAD: %s, %d bytes", res.Status, len(body))
	}
}

func TestClientFilesCompressed(t *testing.T) {
	srv, err := socketio.New(socketio.Config{ClientFiles: fstest.MapFS{"socket.io.js": {Data: []byte(bundle)}}})
	if err != nil {
		t.Fatal(err)
	}
	for accept, want := range map[string]bool{
		"gzip": true, "br, gzip;q=0.5": true, "*": true, "GZIP": true,
		"": false, "br": false, "gzip;q=0": false, "gzip; q=0.0, *": false, "*;q=0": false,
	} {
		res := get(srv, http.MethodGet, "/socket.io/socket.io.js", "Accept-Encoding", accept)
		var body io.Reader = res.Body
		if zipped := res.Header.Get("Content-Encoding") == "gzip"; zipped != want {
			t.Errorf("Accept-Encoding %q: compressed %v", accept, zipped)
		} else if zipped {
			if body, err = gzip.NewReader(body); err != nil {
				t.Fatal(err)
			}
		}
		if text, err := io.ReadAll(body); err != nil || string(text) != bundle {
			t.Errorf("Accept-Encoding %q: %d bytes, %v", accept, len(text), err)
		}
	}
}

// compat: option serveClient
// compat: server.serveClient
func TestNoServeClient(t *testing.T) {
	srv, err := socketio.New(socketio.Config{NoServeClient: true, ClientFiles: fstest.MapFS{"socket.io.js": {Data: []byte(bundle)}}})
	if err != nil {
		t.Fatal(err)
	}
	if res := get(srv, http.MethodGet, "/socket.io/socket.io.js"); res.StatusCode != 400 {
		t.Error(res.Status)
	}
}
