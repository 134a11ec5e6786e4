package redisadapter_test

import (
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/adapters/redisadapter"
	"github.com/hermod-io/hermod/socketio"
)

// One node of a cluster over pub/sub, which understands those in JavaScript.
func ExampleNew() {
	client := redis.NewClient(&redis.Options{Addr: "localhost:6379"}) // to be closed after the server
	srv, err := socketio.New(socketio.Config{
		Adapter: redisadapter.New(client, redisadapter.Options{}),
	})
	if err != nil { // Redis is not there
		fmt.Println(err)
		return
	}
	_ = srv.To("news").Emit("headline", "to the sockets of all nodes")
}

// A cluster whose clients may come back to any node and miss nothing.
func ExampleNewStreams() {
	client := redis.NewClient(&redis.Options{Addr: "localhost:6379"})
	srv, err := socketio.New(socketio.Config{
		Adapter:  redisadapter.NewStreams(client, redisadapter.StreamsOptions{MaxLen: 100_000}),
		Recovery: &socketio.Recovery{},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = srv.Emit("headline", "kept for those who are away for a moment")
}
