// Command nethttp adds Socket.IO to a net/http program that has other handlers,
// a middleware for all of them, and a graceful end.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os/signal"
	"syscall"
	"time"

	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/event"
)

// userKey is where the middleware leaves the name of the user.
type userKey struct{}

// authenticate stands for whatever a program already has. Its value reaches the
// handlers of events through their context.
func authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user := r.Header.Get("X-User")
		if user == "" {
			user = "guest"
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), userKey{}, user)))
	})
}

// newServer makes the Socket.IO side.
func newServer() (*socketio.Server, error) {
	srv, err := socketio.New(socketio.Config{})
	if err != nil {
		return nil, err
	}
	srv.On("whoami", socketio.Reply(func(ctx context.Context, _ *socketio.Socket, _ event.None) (string, error) {
		user, _ := ctx.Value(userKey{}).(string)
		return user, nil
	}))
	return srv, nil
}

// newHandler lays out the URLs.
func newHandler(srv *socketio.Server) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", srv)
	mux.HandleFunc("GET /hello", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "hello, %s\n", r.Context().Value(userKey{}))
	})
	// An ordinary request may speak to all sockets.
	mux.HandleFunc("POST /announce", func(w http.ResponseWriter, r *http.Request) {
		if err := srv.Emit("announcement", r.FormValue("text")); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	})
	return authenticate(mux)
}

func main() {
	addr := flag.String("addr", "127.0.0.1:3000", "address to listen on")
	flag.Parse()
	srv, err := newServer()
	if err != nil {
		log.Fatal(err)
	}
	l, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on http://%s\n", l.Addr())
	if err := serve(l, srv); err != nil {
		log.Fatal(err)
	}
}

// serve serves until a signal, then lets the sockets go first and the requests
// after them.
func serve(l net.Listener, srv *socketio.Server) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	hs := &http.Server{Handler: newHandler(srv), ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- hs.Serve(l) }() // ends with hs; serve waits for it
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := errors.Join(srv.Shutdown(end), hs.Shutdown(end))
	<-failed
	return err
}
