package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/adapters/redisadapter"
)

// modes are the subscription modes of the sharded flavours.
var modes = map[string]redisadapter.SubscriptionMode{
	"sharded-dynamic": redisadapter.Dynamic, "sharded-static": redisadapter.Static, "sharded-dynamic-private": redisadapter.DynamicPrivate,
}

// adapter returns the adapter of the node's flavour.
func (o *options) adapter(client redis.UniversalClient, log *slog.Logger, w *watch) (adapters.Factory, error) {
	common := cluster.Options{RequestTimeout: millis(o.RequestTimeout), Logger: log, OnGap: w.gap, LogPatience: millis(o.LogPatience)}
	switch o.Flavour {
	case "classic":
		return redisadapter.New(client, redisadapter.Options{Options: common, PublishOnSpecificResponseChannel: o.SpecificResponses, Counters: &w.counters}), nil
	case "streams":
		return redisadapter.NewStreams(client, redisadapter.StreamsOptions{
			Options: common, UseShardedPubSub: o.ShardedPubSub, StreamCount: o.StreamCount, OnlyPlaintext: o.Plaintext, MaxLen: o.MaxLen,
			Counters: &w.counters,
		}), nil
	}
	mode, ok := modes[o.Flavour]
	if !ok {
		return nil, fmt.Errorf("no flavour %q", o.Flavour)
	}
	return redisadapter.NewSharded(client, redisadapter.ShardedOptions{Options: common, SubscriptionMode: mode, Counters: &w.counters}), nil
}

// emitter returns what emits without a server; nil where there is none, for the
// sharded flavours.
func (o *options) emitter(client redis.UniversalClient, log *slog.Logger) (*redisadapter.Emitter, error) {
	opts := redisadapter.EmitterOptions{Logger: log}
	switch o.Flavour {
	case "classic":
	case "streams":
		opts.Streams = &redisadapter.EmitterStreams{Count: o.StreamCount, MaxLen: o.MaxLen}
	default:
		return nil, nil
	}
	return redisadapter.NewEmitter(client, opts)
}

// router returns what lets any node serve any request; nil without a key.
func (o *options) router(client redis.UniversalClient, log *slog.Logger) (*cluster.Router, error) {
	if o.ClusterKey == "" {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return redisadapter.NewRouter(ctx, client, redisadapter.RouterOptions{RouterConfig: cluster.RouterConfig{Key: []byte(o.ClusterKey), Log: log}})
}

// emission runs an operation by the emitter.
func (n *node) emission(_ context.Context, op string, q *request) error {
	if n.emitter == nil {
		return fmt.Errorf("no emitter for %s", n.Flavour)
	}
	m := n.emitter.Of(q.Namespace).To(q.To...).Except(q.Except...)
	if q.Volatile {
		m = m.Volatile()
	}
	if q.Compress != nil {
		m = m.Compress(*q.Compress)
	}
	switch op {
	case "emit":
		return m.Emit(q.Event, q.args...)
	case "sockets-join":
		return m.SocketsJoin(q.Rooms...)
	case "sockets-leave":
		return m.SocketsLeave(q.Rooms...)
	case "sockets-disconnect":
		return m.DisconnectSockets(q.Close)
	case "server-side-emit":
		return m.ServerSideEmit(q.Event, q.args...)
	}
	return fmt.Errorf("no operation %s of an emitter", op)
}
