// Command wschat is a chat over plain WebSockets: a server with a page, and a
// client for the terminal. Nobody connects without a URI that the server made
// for that name, and that is valid for an hour.
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
	join := flag.String("join", "", "be a client of that name instead of the server")
	state := flag.String("state", "", "file that keeps the key over a restart, so that clients come back; it is secret")
	flag.Parse()
	if *join != "" {
		if err := talk("http://"+*addr, *join, os.Stdin, os.Stdout); err != nil {
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
	if err := run(ctx, l, *state); err != nil {
		log.Fatal(err)
	}
}

// run serves until ctx ends, with the state in the file of that name, if any.
func run(ctx context.Context, l net.Listener, file string) error {
	var state []byte
	if file != "" {
		var err error
		if state, err = os.ReadFile(file); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	r, err := newRoom(state)
	if err != nil {
		return err
	}
	err = serve(ctx, l, r)
	if file != "" {
		err = errors.Join(err, os.WriteFile(file, r.uris.Save(), 0o600))
	}
	return err
}

// serve serves until ctx ends. The connections go before the HTTP server, which
// does not know of those that were taken over.
func serve(ctx context.Context, l net.Listener, r *room) error {
	hs := &http.Server{Handler: r.routes(), ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- hs.Serve(l) }() // ends with hs; serve waits for it
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := errors.Join(r.handler.Shutdown(end), hs.Shutdown(end))
	<-failed
	return err
}
