// Command testing is a chat with rooms whose tests show package siotest; see
// chat_test.go.
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/hermod-io/hermod/socketio"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:3000", "address to listen on")
	flag.Parse()
	srv, err := socketio.New(socketio.Config{Recovery: &socketio.Recovery{}})
	if err != nil {
		log.Fatal(err)
	}
	register(srv)
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", srv)
	l, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on http://%s\n", l.Addr())
	hs := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(hs.Serve(l))
}
