package link

import (
	"context"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// replicaPatience is how long the replicas of a Cluster are waited for when
// subscribers are counted.
const replicaPatience = 500 * time.Millisecond

// NumSub asks, through the client that the Writer was made of, how many
// subscribers channels have, Plain or Sharded, in their order; on a Cluster each
// server is asked, and the sums come even with an error, of the masters that
// answered. Nobody of this package subscribes at a replica, but others do (ioredis
// takes any server); one that does not answer soon counts as having no subscribers.
// It does not outlast the deadline of ctx.
func (w *Writer) NumSub(ctx context.Context, kind Kind, channels ...string) ([]int64, error) {
	var mu sync.Mutex
	sums := make([]int64, len(channels))
	ask := func(ctx context.Context, c *redis.Client) error {
		c = until(ctx, c)
		cmd := c.PubSubNumSub
		if kind == Sharded {
			cmd = c.PubSubShardNumSub
		}
		counts, err := cmd(ctx, channels...).Result()
		mu.Lock()
		defer mu.Unlock()
		for i, name := range channels {
			sums[i] += counts[name]
		}
		return err
	}
	if w.top.cluster == nil {
		err := ask(ctx, w.top.client.(*redis.Client))
		return sums, err
	}
	var replicas sync.WaitGroup
	replicas.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, replicaPatience)
		defer cancel()
		_ = w.top.cluster.ForEachSlave(ctx, ask)
	})
	err := w.top.cluster.ForEachMaster(ctx, ask)
	replicas.Wait()
	return sums, err
}

// until returns a client that waits no longer for an answer than ctx lasts; one of
// go-redis does not look at that.
func until(ctx context.Context, c *redis.Client) *redis.Client {
	at, ok := ctx.Deadline()
	if !ok {
		return c
	}
	left := max(time.Until(at), time.Millisecond)
	if most := c.Options().ReadTimeout; most > 0 && most <= left {
		return c
	}
	return c.WithTimeout(left)
}
