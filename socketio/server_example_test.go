package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/sioclient"
)

// A server in a mux, beside what else the program serves, and its end: first the
// sockets, then the HTTP server.
func ExampleNew() {
	srv, err := socketio.New(socketio.Config{})
	if err != nil {
		panic(err)
	}
	srv.OnConnect(func(ctx context.Context, s *socketio.Socket) error { return s.Emit("welcome") })
	mux := http.NewServeMux()
	mux.Handle(srv.Pattern(), srv) // "/socket.io/"
	mux.HandleFunc("/health", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "well") })

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	hs := &http.Server{Handler: mux}
	served := make(chan error)
	go func() { served <- hs.Serve(l) }()

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client, err := sioclient.New("http://"+l.Addr().String(), sioclient.Config{})
	if err != nil {
		panic(err)
	}
	welcomed := make(chan string)
	client.On("welcome", func(ctx context.Context, s *sioclient.Socket, e *sioclient.Event) error {
		welcomed <- e.Name()
		return nil
	})
	fmt.Println(client.Connect(ctx))
	fmt.Println(<-welcomed)

	fmt.Println(client.Close(ctx), srv.Shutdown(ctx), hs.Shutdown(ctx))
	fmt.Println(errors.Is(<-served, http.ErrServerClosed))
	// Output:
	// <nil>
	// welcome
	// <nil> <nil> <nil>
	// true
}

// In front of the handler of an HTTP server that is there already.
func ExampleServer_Attach() {
	srv, err := socketio.New(socketio.Config{})
	if err != nil {
		panic(err)
	}
	pages := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "a page") })
	hs := httptest.NewUnstartedServer(pages)
	srv.Attach(hs.Config)
	hs.Start()
	defer hs.Close()
	for _, path := range []string{"/", "/socket.io/?EIO=4&transport=none"} {
		res, err := http.Get(hs.URL + path)
		if err != nil {
			panic(err)
		}
		fmt.Println(res.StatusCode, res.Body.Close())
	}
	// Output:
	// 200 <nil>
	// 400 <nil>
}
