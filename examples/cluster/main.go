// Command cluster is a node of a chat that runs on several nodes: who is in a room
// on one of them hears what is said on all.
package main

import (
	"context"
	_ "embed"
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

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/adapters/redisadapter"
	"github.com/hermod-io/hermod/socketio"
)

//go:embed index.html
var page []byte

// node is a server and what it shares with others.
type node struct {
	http.Handler
	srv    *socketio.Server
	router *cluster.Router // nil without a secret
}

// newNode makes a node. With a secret, the same on all nodes and of 16 bytes at
// least, any node serves any request: a balancer in front needs no sticky sessions.
func newNode(ctx context.Context, client redis.UniversalClient, name, secret string) (*node, error) {
	n := &node{}
	cfg := socketio.Config{Adapter: redisadapter.New(client, redisadapter.Options{})}
	if secret != "" {
		var err error
		n.router, err = redisadapter.NewRouter(ctx, client, redisadapter.RouterOptions{RouterConfig: cluster.RouterConfig{Key: []byte(secret)}})
		if err != nil {
			return nil, err
		}
		cfg.Engine.Router = n.router
	}
	var err error
	if n.srv, err = socketio.New(cfg); err != nil {
		return nil, errors.Join(err, n.close(ctx))
	}
	register(n.srv, name)
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", n.srv)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(page) })
	n.Handler = mux
	return n, nil
}

// close lets the clients go, which come back to another node, and leaves the
// cluster.
func (n *node) close(ctx context.Context) (err error) {
	if n.srv != nil {
		err = n.srv.Shutdown(ctx)
	}
	if n.router != nil {
		err = errors.Join(err, n.router.Close(ctx))
	}
	return err
}

func main() {
	addr := flag.String("addr", "127.0.0.1:3001", "address to listen on")
	redisAddr := flag.String("redis", "127.0.0.1:6379", "address of Redis")
	name := flag.String("name", "", "name of this node; empty for its address")
	secret := flag.String("secret", os.Getenv("CLUSTER_SECRET"), "secret of all nodes, 16 bytes at least: any node serves any request")
	flag.Parse()
	l, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	if *name == "" {
		*name = l.Addr().String()
	}
	client := redis.NewClient(&redis.Options{Addr: *redisAddr})
	if err := errors.Join(serve(l, client, *name, *secret), client.Close()); err != nil {
		log.Fatal(err)
	}
}

// serve serves until a signal.
func serve(l net.Listener, client redis.UniversalClient, name, secret string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	n, err := newNode(ctx, client, name, secret)
	if err != nil {
		return err
	}
	fmt.Printf("%s: listening on http://%s\n", name, l.Addr())
	hs := &http.Server{Handler: n, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- hs.Serve(l) }() // ends with hs; serve waits for it
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err = errors.Join(n.close(end), hs.Shutdown(end))
	if e := <-failed; !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(err, e)
	}
	return err
}
