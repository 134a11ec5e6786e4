package routes

import (
	"bytes"
	"io"
	"io/fs"
	"net/http"
	"path"
	"sync/atomic"
	"time"

	"github.com/gorilla/mux"
)

// Routes is what the program serves.
type Routes struct {
	// SocketIO serves Path and what is below it.
	SocketIO http.Handler
	Path     string
	// Sockets serves SocketPaths, which may be none.
	Sockets     http.Handler
	SocketPaths []string
	// Index is the page itself, Page what it needs beside it.
	Index []byte
	Page  fs.FS
	// BodyTimeout bounds the time in which the body of a request comes, whoever reads
	// it; 0 is none.
	BodyTimeout time.Duration
	// Draining makes /readyz say no.
	Draining *atomic.Bool
	// Others, if set, is a line for /readyz about the way to the other nodes.
	// Whatever it says, this node is ready: it serves its own sockets.
	Others func() string
}

// contentPolicy lets the page load nothing but what this server serves.
const contentPolicy = "default-src 'self'; img-src 'self' blob: data:; connect-src 'self' ws: wss:; " +
	"object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// Handler returns the handler of all routes.
func (rt *Routes) Handler() http.Handler {
	r := mux.NewRouter()
	r.Handle("/healthz", status(func() bool { return true }, nil)).Methods(http.MethodGet, http.MethodHead)
	r.Handle("/readyz", status(func() bool { return !rt.Draining.Load() }, rt.Others)).Methods(http.MethodGet, http.MethodHead)
	r.PathPrefix(path.Clean(rt.Path) + "/").Handler(rt.SocketIO)
	for _, p := range rt.SocketPaths {
		r.Handle(p, rt.Sockets)
	}
	r.PathPrefix("/").Handler(page(rt.Page, rt.Index)).Methods(http.MethodGet, http.MethodHead)
	if rt.BodyTimeout <= 0 {
		return r
	}
	return promptBodies(r, rt.BodyTimeout)
}

// status answers 200 or 503; more, if set, is a further line of the former.
func status(ok func() bool, more func() string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		if !ok() {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte("draining\n"))
			return
		}
		text := "ok\n"
		if more != nil {
			if line := more(); line != "" {
				text += line + "\n"
			}
		}
		_, _ = io.WriteString(w, text)
	})
}

// page serves files under headers that keep foreign content out.
func page(files fs.FS, index []byte) http.Handler {
	serve := http.FileServerFS(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-cache")
		if r.URL.Path == "/" {
			h.Set("Content-Type", "text/html; charset=utf-8")
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(index))
			return
		}
		serve.ServeHTTP(w, r)
	})
}
