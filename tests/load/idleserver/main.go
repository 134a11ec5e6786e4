// Command idleserver is the server side of the measurement of idle connections,
// see the command idle beside it. It serves Socket.IO at one address and its own
// memory figures at another, and prints both as one line of JSON.
//
//	GET /stats
//
// collects garbage and answers the figures of package runtime, in bytes. The
// profiles of net/http/pprof are there, too.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/socketio"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "where to serve Socket.IO")
	stats := flag.String("stats", "127.0.0.1:0", "where to serve /stats")
	ping := flag.Duration("ping", 25*time.Second, "ping interval")
	stdin := flag.Bool("stdin", false, "end when the standard input ends")
	flag.IntVar(&runtime.MemProfileRate, "memprofilerate", runtime.MemProfileRate, "bytes allocated per sample of the heap profile")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if *stdin {
		go func() { // ends with the process at the latest
			_, _ = io.Copy(io.Discard, os.Stdin) // its end is what counts
			stop()
		}()
	}
	if err := run(ctx, *addr, *stats, *ping); err != nil {
		fmt.Fprintln(os.Stderr, "idleserver:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, addr, statsAddr string, ping time.Duration) error {
	srv, err := newServer(ping)
	if err != nil {
		return err
	}
	var front, back net.ListenConfig
	ln, err := front.Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	sln, err := back.Listen(ctx, "tcp", statsAddr)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /stats", serveStats)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	app, figures := &http.Server{Handler: srv}, &http.Server{Handler: mux}
	failed := make(chan error, 2)
	go func() { failed <- app.Serve(ln) }()      // ended by Close below
	go func() { failed <- figures.Serve(sln) }() // likewise
	if err := json.NewEncoder(os.Stdout).Encode(map[string]string{"addr": ln.Addr().String(), "stats": sln.Addr().String()}); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	end, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return errors.Join(err, srv.Close(end), app.Close(), figures.Close())
}

// newServer returns a server with the two events that the clients use.
func newServer(ping time.Duration) (*socketio.Server, error) {
	srv, err := socketio.New(socketio.Config{Engine: engineio.Config{PingInterval: ping}})
	if err != nil {
		return nil, err
	}
	nsp := srv.Of("/")
	nsp.On("join", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
		var room string
		if err := e.Decode(0, &room); err != nil {
			return err
		}
		if err := s.Join(ctx, room); err != nil {
			return err
		}
		return e.Ack()
	})
	nsp.On("echo", socketio.Reply(func(_ context.Context, _ *socketio.Socket, text string) (string, error) {
		return text, nil
	}))
	return srv, nil
}

// serveStats answers the memory in use after garbage collection.
func serveStats(w http.ResponseWriter, _ *http.Request) {
	debug.FreeOSMemory() // collects; twice, since pools let go at the second
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]uint64{ // the client is gone if it fails
		"heapInuse":  m.HeapInuse,
		"heapAlloc":  m.HeapAlloc,
		"stackInuse": m.StackInuse,
		"goroutines": uint64(runtime.NumGoroutine()),
		"rss":        resident(),
	})
}

// resident returns the resident memory of the process, 0 where it is not known.
func resident() uint64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var size, pages uint64
	if _, err := fmt.Sscan(string(text), &size, &pages); err != nil {
		return 0
	}
	return pages * uint64(os.Getpagesize())
}
