package cluster_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"time"

	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/sioclient"
)

// Two servers of one process as a cluster: what one emits reaches the clients of
// the other. With an adapter of package redisadapter they may be anywhere.
func ExampleNewLoopback() {
	bus := cluster.NewLoopback()
	var nodes [2]*socketio.Server
	for i := range nodes {
		srv, err := socketio.New(socketio.Config{Adapter: cluster.New(bus.Connect, cluster.Options{})})
		if err != nil {
			panic(err)
		}
		srv.OnConnect(func(ctx context.Context, s *socketio.Socket) error {
			if err := s.Join(ctx, "news"); err != nil {
				return err
			}
			return s.Emit("joined")
		})
		nodes[i] = srv
	}
	hs := httptest.NewServer(nodes[1])
	defer hs.Close()

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client, err := sioclient.New(hs.URL, sioclient.Config{})
	if err != nil {
		panic(err)
	}
	heard := make(chan string)
	client.OnAny(func(ctx context.Context, s *sioclient.Socket, e *sioclient.Event) error {
		heard <- e.Name()
		return nil
	})
	fmt.Println(client.Connect(ctx))
	fmt.Println(<-heard)
	fmt.Println(nodes[0].To("news").Emit("headline"))
	fmt.Println(<-heard)
	all, err := nodes[0].FetchSockets(ctx)
	fmt.Println(len(all), err)
	fmt.Println(client.Close(ctx), nodes[0].Close(ctx), nodes[1].Close(ctx))
	// Output:
	// <nil>
	// joined
	// <nil>
	// headline
	// 1 <nil>
	// <nil> <nil> <nil>
}
