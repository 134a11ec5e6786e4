//go:build linux

package main

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/socketio"
)

const (
	nodesOfInterest = 16
	roomsOfInterest = 1000
	burst           = 200 // messages under way at most
)

// crowd is many nodes in this process.
type crowd struct {
	servers   []*socketio.Server
	adapters  []adapters.Adapter
	clients   []*redis.Client
	delivered atomic.Int64
	arrived   chan struct{} // has something after deliveries
}

// take takes a delivery.
func (c *crowd) take([]byte) {
	c.delivered.Add(1)
	select {
	case c.arrived <- struct{}{}:
	default:
	}
}

// measureInterest says what Redis sends for rooms that are on few nodes.
func measureInterest(ctx context.Context, o *options, r *server) error {
	fmt.Printf("\n| %d nodes, %d rooms, each on 2 nodes | B out of Redis a message | µs of Redis a message |\n|---|---|---|\n", nodesOfInterest, roomsOfInterest)
	var bytes [2]float64
	for i, flavour := range []string{"pattern", "classic"} {
		b, cpu, err := interest(ctx, o, r, flavour)
		if err != nil {
			return fmt.Errorf("%s: %w", flavour, err)
		}
		bytes[i] = b
		fmt.Printf("| %s | %.0f | %.1f |\n", [...]string{"pattern", "a subscription for each room"}[i], b, cpu)
	}
	fmt.Printf("| ratio | %.2f | |\n", bytes[1]/bytes[0])
	return nil
}

// interest measures one way to subscribe.
func interest(ctx context.Context, o *options, r *server, flavour string) (bytes, cpu float64, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c := &crowd{arrived: make(chan struct{}, 1)}
	defer c.close(ctx)
	if err := c.gather(ctx, r, flavour); err != nil {
		return 0, 0, err
	}
	if err := c.publish(ctx, o.messages/4); err != nil {
		return 0, 0, err
	}
	account := func() (out, on int64, err error) {
		if on, err = processorTime(r.cmd.Process.Pid); err == nil {
			out, err = r.sent(ctx)
		}
		return out, on, err
	}
	out0, on0, err := account()
	if err != nil {
		return 0, 0, err
	}
	if err := c.publish(ctx, o.messages); err != nil {
		return 0, 0, err
	}
	out1, on1, err := account()
	n := float64(o.messages)
	return float64(out1-out0) / n, float64(on1-on0) / n / 1e3, err
}

// gather makes the nodes and their rooms.
func (c *crowd) gather(ctx context.Context, r *server, flavour string) error {
	for range nodesOfInterest {
		client := redis.NewClient(&redis.Options{Addr: r.addr})
		c.clients = append(c.clients, client)
		srv, a, err := newServer(flavour, false, client, c.take)
		if err != nil {
			return err
		}
		c.servers, c.adapters = append(c.servers, srv), append(c.adapters, a)
	}
	for i := range roomsOfInterest {
		room := "room-" + strconv.Itoa(i)
		for _, node := range []int{i % nodesOfInterest, (i + 1 + i/nodesOfInterest%(nodesOfInterest-1)) % nodesOfInterest} {
			if err := c.adapters[node].Join(ctx, &fake{room}, room); err != nil {
				return err
			}
		}
	}
	return nil
}

// publish broadcasts from all nodes in turn, and waits until all has arrived.
func (c *crowd) publish(ctx context.Context, n int) error {
	before := c.delivered.Load()
	for i := range n {
		room := "room-" + strconv.Itoa(i*7%roomsOfInterest)
		if err := c.servers[i%nodesOfInterest].To(room).Emit("m", i, filler110); err != nil {
			return err
		}
		if i%burst == burst-1 || i == n-1 {
			for c.delivered.Load()-before < 2*int64(i+1) {
				select {
				case <-c.arrived:
				case <-ctx.Done():
					return fmt.Errorf("%d of %d were delivered: %w", c.delivered.Load()-before, 2*(i+1), ctx.Err())
				}
			}
		}
	}
	return nil
}

// filler110 makes messages as long as those of pairs.
const filler110 = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

func (c *crowd) close(ctx context.Context) {
	for i, s := range c.servers {
		_ = s.Close(ctx) // nothing of it is needed any more
		_ = c.clients[i].Close()
	}
}
