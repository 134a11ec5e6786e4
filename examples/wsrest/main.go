// Command wsrest is REST over a WebSocket, in both directions: a server of notes with
// a page, which tells its clients of changes, and a client for the terminal that
// speaks over the socket with a plain http.Client.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:3000", "address of the server")
	client := flag.Bool("client", false, "be a client instead of the server")
	flag.Parse()
	if *client {
		if err := watch("http://"+*addr, os.Stdin, os.Stdout); err != nil {
			log.Fatal(err)
		}
		return
	}
	l, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on http://%s\n", l.Addr())
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := serve(ctx, l); err != nil {
		log.Fatal(err)
	}
}

// serve serves until ctx ends. The connections go before the HTTP server, which
// does not know of those that were taken over.
func serve(ctx context.Context, l net.Listener) error {
	n := newNotes()
	hs := &http.Server{Handler: n.routes(), ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- hs.Serve(l) }() // ends with hs; serve waits for it
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := errors.Join(n.handler.Shutdown(end), hs.Shutdown(end))
	<-failed
	return err
}
