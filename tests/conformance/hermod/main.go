package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/hermod-io/hermod/socketio"
)

// app is the application: the server under test and what it recorded.
type app struct {
	srv     *socketio.Server
	journal *journal
	relays  *relays                        // nil: none
	parents map[string]*socketio.Namespace // of dynamic namespaces, by what the control interface calls them
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run serves until SIGTERM or the end of the standard input.
func run() error {
	opts, err := readOptions(os.Getenv("SIO_OPTIONS"))
	if err != nil {
		return err
	}
	a := &app{journal: newJournal()}
	cfg := opts.config(a.journal)
	if os.Getenv("SIO_RELAYS") != "" {
		if a.relays, err = startRelays(cfg, opts.Middleware); err != nil {
			return err
		}
		cfg.Engine.Router = a.relays.owner
	}
	if a.srv, err = socketio.New(cfg); err != nil {
		return err
	}
	if opts.Middleware {
		a.srv.Engine().Use(mark)
	}
	a.namespaces()
	if opts.Deny {
		a.srv.Use(deny)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:"+port())
	if err != nil {
		return err
	}
	hs := &http.Server{Handler: a.routes(opts.prefix())}
	done := make(chan error, 1)
	go func() { done <- hs.Serve(ln) }()
	fmt.Printf("listening %s\n", ln.Addr())
	select {
	case err := <-done:
		return err
	case <-ended():
	}
	return a.stop(hs)
}

func port() string {
	if p := os.Getenv("SIO_PORT"); p != "" {
		return p
	}
	return "0"
}

// ended is closed when the application shall stop.
func ended() <-chan struct{} {
	ctx, _ := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	stop := make(chan struct{})
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	go func() {
		<-ctx.Done()
		close(stop)
	}()
	return stop
}

// stop closes the server under test, then the HTTP server.
func (a *app) stop(hs *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := a.srv.Close(ctx); err != nil {
		return err
	}
	if err := a.relays.stop(ctx); err != nil {
		return err
	}
	if err := hs.Shutdown(ctx); err != nil {
		return hs.Close()
	}
	return nil
}

// routes sends requests below prefix to the server under test.
func (a *app) routes(prefix string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/_app/"):
			a.control(w, r)
		case strings.HasPrefix(r.URL.Path, prefix):
			a.relays.server(r, a.srv).ServeHTTP(w, r)
		default:
			http.NotFound(w, r)
		}
	})
}

// mark is the engine middleware of the option middleware.
func mark(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Middleware", "1")
		next.ServeHTTP(w, r)
	})
}
