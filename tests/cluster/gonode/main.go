package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/adapters/redisadapter"
	"github.com/hermod-io/hermod/socketio"
)

// node is the server and what it was told by others.
type node struct {
	options
	srv     *socketio.Server
	journal journal
	watch   watch
	said    said
	emitter *redisadapter.Emitter // nil if the flavour has none
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run serves until SIGTERM or the end of the standard input.
func run() error {
	n := &node{}
	if err := json.Unmarshal([]byte(os.Args[1]), &n.options); err != nil {
		return err
	}
	o, err := redis.ParseURL(n.Redis)
	if err != nil {
		return err
	}
	client := redis.NewClient(o)
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	cfg := socketio.Config{Log: log}
	if cfg.Adapter, err = n.adapter(client, log, &n.watch); err != nil {
		return err
	}
	if n.emitter, err = n.options.emitter(client, log); err != nil {
		return err
	}
	cfg.Engine.Transports = []string{"websocket"}
	if len(n.Transports) > 0 {
		cfg.Engine.Transports = n.Transports
	}
	router, err := n.router(client, log)
	if err != nil {
		return err
	}
	if router != nil {
		cfg.Engine.Router = router
	}
	cfg.Engine.PingInterval, cfg.Engine.PingTimeout = millis(n.PingInterval), millis(n.PingTimeout)
	if n.Recovery > 0 {
		cfg.Recovery = &socketio.Recovery{MaxDisconnection: millis(n.Recovery)}
	}
	if n.srv, err = socketio.New(cfg); err != nil {
		return err
	}
	err = n.serve()
	if router != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		err = errors.Join(err, router.Close(ctx))
	}
	return errors.Join(err, client.Close())
}

// serve serves until the node shall end.
func (n *node) serve() error {
	ln, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(n.Port)))
	if err != nil {
		return err
	}
	hs := &http.Server{Handler: http.HandlerFunc(n.route)}
	done := make(chan error, 1)
	go func() { done <- hs.Serve(ln) }()
	fmt.Printf("listening %s\n", ln.Addr())
	go func() { // until the process ends
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	select {
	case err := <-done:
		return err
	case <-stop.Done():
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := n.end(ctx); err != nil {
		return err
	}
	if n.emitter != nil {
		_ = n.emitter.Close(ctx) // Redis may be away
	}
	return hs.Close()
}

// end closes the server, at once or after it has drained.
func (n *node) end(ctx context.Context) error {
	if n.Drain == 0 {
		return n.srv.Close(ctx)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), millis(n.Drain))
	defer cancel()
	return n.srv.Shutdown(ctx)
}

func (n *node) route(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasPrefix(r.URL.Path, "/_app/"):
		n.control(w, r)
	case strings.HasPrefix(r.URL.Path, "/socket.io/"):
		n.srv.ServeHTTP(w, r)
	default:
		http.NotFound(w, r)
	}
}

func millis(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond }
