// Command emitter tells all clients of a cluster the time, again and again. It
// serves nobody: what it sends goes to the nodes by way of Redis.
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"os/signal"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/adapters/redisadapter"
	"github.com/hermod-io/hermod/socketio/event"
)

// Tick is what the clients get; servers and clients in Go may use the same
// descriptor.
const Tick event.Message[string] = "tick"

// tell sends the time to a room, or to all without one, until ctx ends.
func tell(ctx context.Context, client redis.UniversalClient, room string, every time.Duration) (err error) {
	e, err := redisadapter.NewEmitter(client, redisadapter.EmitterOptions{})
	if err != nil {
		return err
	}
	defer func() { // what was sent leaves before the program ends
		end, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		err = errors.Join(err, e.Close(end))
	}()
	var to event.Emitter = e
	if room != "" {
		to = e.To(room)
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		if err := Tick.Emit(to, time.Now().Format(time.TimeOnly)); err != nil {
			log.Print(err) // the queue is full: Redis is away. It goes on when it is back
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func main() {
	addr := flag.String("redis", "127.0.0.1:6379", "address of Redis")
	room := flag.String("room", "", "the room that is told; empty for all clients")
	every := flag.Duration("every", time.Second, "time between two events")
	flag.Parse()
	client := redis.NewClient(&redis.Options{Addr: *addr})
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	err := tell(ctx, client, *room, *every)
	stop()
	if err = errors.Join(err, client.Close()); err != nil {
		log.Fatal(err)
	}
}
