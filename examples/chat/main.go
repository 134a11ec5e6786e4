// Command chat is the smallest chat server: what one page says all hear.
package main

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"

	"github.com/hermod-io/hermod/socketio"
)

//go:embed index.html
var page []byte

// newHandler returns the page, and the Socket.IO server behind it.
func newHandler() (http.Handler, error) {
	srv, err := socketio.New(socketio.Config{})
	if err != nil {
		return nil, err
	}
	srv.On("say", socketio.Receive(func(_ context.Context, s *socketio.Socket, text string) error {
		return srv.Emit("say", s.ID()[:4], text)
	}))
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", srv)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(page) })
	return mux, nil
}

func main() {
	addr := flag.String("addr", "127.0.0.1:3000", "address to listen on")
	flag.Parse()
	h, err := newHandler()
	if err != nil {
		log.Fatal(err)
	}
	l, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on http://%s\n", l.Addr())
	log.Fatal(http.Serve(l, h))
}
