// Command mixed is a node of a chat whose other nodes may run the official server:
// what server.mjs is in JavaScript.
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
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/adapters/redisadapter"
	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/event"
)

// What clients and nodes say to each other, on either kind of node.
const (
	Join    event.Request[Seat, string]         = "join" // answered with the name of the node
	Say     event.Message[Words]                = "say"
	Said    event.Message[Line]                 = "said"
	People  event.Request[string, []string]     = "people"  // of a room, on all nodes
	Roll    event.Request[string, []string]     = "roll"    // asks the clients in a room for Present
	Present event.Request[event.None, string]   = "present" // asked of clients
	Nodes   event.Request[event.None, []string] = "nodes"   // the names of all nodes

	came event.Message[arrival] = "came" // among nodes, as is "name"
)

// Seat is who comes, and where to.
type Seat struct {
	Name string `json:"name"`
	Room string `json:"room"`
}

// Words are said in a room: two arguments.
type Words struct {
	event.Args
	Room, Text string
}

// Line is what is heard.
type Line struct {
	From string `json:"from"`
	Node string `json:"node"`
	Text string `json:"text"`
}

// arrival is what nodes tell each other: two arguments.
type arrival struct {
	event.Args
	Name, Node string
}

//go:embed index.html
var page []byte

var nameKey = socketio.NewKey[string]("name")

// node is this server.
type node struct {
	name string
	srv  *socketio.Server
}

// newNode makes the server, on the adapter that goes with createAdapter of npm
// @socket.io/redis-adapter.
func newNode(client redis.UniversalClient, name string) (*node, error) {
	srv, err := socketio.New(socketio.Config{Adapter: redisadapter.New(client, redisadapter.Options{})})
	if err != nil {
		return nil, err
	}
	n := &node{name, srv}
	socketio.HandleRequest(srv, Join, n.join)
	socketio.HandleMessage(srv, Say, func(_ context.Context, s *socketio.Socket, w Words) error {
		from, _ := nameKey.Get(s)
		return Said.Emit(srv.To(w.Room), Line{from, name, w.Text})
	})
	socketio.HandleRequest(srv, People, n.people)
	socketio.HandleRequest(srv, Roll, func(ctx context.Context, _ *socketio.Socket, room string) ([]string, error) {
		return texts(srv.To(room).Timeout(5*time.Second).EmitWithAck(ctx, Present.Name()))
	})
	socketio.HandleRequest(srv, Nodes, func(ctx context.Context, _ *socketio.Socket, _ event.None) ([]string, error) {
		list, err := texts(srv.ServerSideEmitWithAck(ctx, "name"))
		list = append(list, name)
		slices.Sort(list)
		return list, err
	})
	// What other nodes say.
	srv.OnServerSide(came.Name(), func(_ context.Context, e *socketio.Event) error {
		var a arrival
		if err := errors.Join(e.Decode(0, &a.Name), e.Decode(1, &a.Node)); err != nil {
			return err
		}
		fmt.Printf("%s came to %s\n", a.Name, a.Node)
		return nil
	})
	srv.OnServerSide("name", func(_ context.Context, e *socketio.Event) error { return e.Ack(name) })
	return n, nil
}

func (n *node) join(ctx context.Context, s *socketio.Socket, q Seat) (string, error) {
	nameKey.Set(s, q.Name)
	if err := s.Join(ctx, q.Room); err != nil {
		return "", err
	}
	fmt.Printf("%s came\n", q.Name)
	return n.name, n.srv.ServerSideEmit(ctx, came.Name(), q.Name, n.name)
}

func (n *node) people(ctx context.Context, _ *socketio.Socket, room string) ([]string, error) {
	sockets, err := n.srv.In(room).FetchSockets(ctx)
	if err != nil {
		return nil, err
	}
	list := []string{}
	for _, s := range sockets {
		var data struct {
			Name string `json:"name"`
		}
		if err := s.DecodeData(&data); err != nil {
			return nil, err
		}
		list = append(list, data.Name)
	}
	slices.Sort(list)
	return list, nil
}

// texts are the first arguments of acks. That some have not come is no error.
func texts(replies socketio.Replies, err error) ([]string, error) {
	var missing *socketio.AckError
	if err != nil && !errors.As(err, &missing) {
		return nil, err
	}
	list := []string{}
	for _, r := range replies {
		var text string
		if err := r.Decode(0, &text); err != nil {
			return nil, err
		}
		list = append(list, text)
	}
	slices.Sort(list)
	return list, nil
}

func main() {
	addr := flag.String("addr", "127.0.0.1:3002", "address to listen on")
	redisURL := flag.String("redis", "redis://127.0.0.1:6379", "URL of Redis")
	name := flag.String("name", "go", "name of this node")
	flag.Parse()
	o, err := redis.ParseURL(*redisURL)
	if err != nil {
		log.Fatal(err)
	}
	client := redis.NewClient(o)
	if err := errors.Join(serve(*addr, client, *name), client.Close()); err != nil {
		log.Fatal(err)
	}
}

// serve serves until a signal.
func serve(addr string, client redis.UniversalClient, name string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	n, err := newNode(client, name)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", n.srv)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(page) })
	hs := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	fmt.Printf("%s: listening on http://%s\n", name, l.Addr())
	failed := make(chan error, 1)
	go func() { failed <- hs.Serve(l) }() // ends with hs; serve waits for it
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err = errors.Join(n.srv.Shutdown(end), hs.Shutdown(end))
	if e := <-failed; !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(err, e)
	}
	return err
}
