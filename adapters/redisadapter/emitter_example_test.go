package redisadapter_test

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/adapters/redisadapter"
)

// A program without sockets tells those of all nodes something.
func ExampleEmitter() {
	client := redis.NewClient(&redis.Options{Addr: "localhost:6379"})
	defer client.Close()
	emitter, err := redisadapter.NewEmitter(client, redisadapter.EmitterOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer emitter.Close(context.Background()) // sends what is queued

	_ = emitter.To("news").Emit("headline", "Hermod is here")
	_ = emitter.Of("/admin").Except("guests").SocketsJoin("audit")
}
