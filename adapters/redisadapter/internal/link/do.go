package link

import (
	"context"
	"errors"
	"sync"

	"github.com/redis/go-redis/v9"
)

// Do sends one command through the client that the Writer was made of and waits
// for the answer, as go-redis decodes it; nil if Redis has none. It is not
// ordered with what is appended. On a Cluster the first key decides where it
// goes. Retries are those of the client's options.
func (w *Writer) Do(ctx context.Context, args ...any) (any, error) {
	v, err := w.top.client.Do(ctx, args...).Result()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	return v, err
}

// Tx sends commands as one transaction (MULTI, EXEC) and waits for the answers,
// in their order, each as of Do. The error is the first of them. On a Cluster
// the keys must be of one slot.
func (w *Writer) Tx(ctx context.Context, commands ...[]any) ([]any, error) {
	pipe := w.top.client.TxPipeline()
	list := make([]*redis.Cmd, len(commands))
	for i, args := range commands {
		list[i] = pipe.Do(ctx, args...)
	}
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return nil, err
	}
	answers := make([]any, len(list))
	for i, cmd := range list {
		if err := cmd.Err(); err != nil && !errors.Is(err, redis.Nil) {
			return nil, err
		}
		answers[i] = cmd.Val()
	}
	return answers, nil
}

// NumSub asks how many subscribers channels have, Plain or Sharded, in their
// order; on a Cluster each master is asked, and the sums come even with an
// error, of the masters that answered.
func (w *Writer) NumSub(ctx context.Context, kind Kind, channels ...string) ([]int64, error) {
	var mu sync.Mutex
	sums := make([]int64, len(channels))
	ask := func(ctx context.Context, c *redis.Client) error {
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
	var err error
	if w.top.cluster != nil {
		err = w.top.cluster.ForEachMaster(ctx, ask)
	} else {
		err = ask(ctx, w.top.client.(*redis.Client))
	}
	return sums, err
}
