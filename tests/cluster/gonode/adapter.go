package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/adapters/redisadapter"
)

// emitter is what emits without a server.
type emitter interface {
	run(ctx context.Context, op string, q *request) error
}

// adapter returns the adapter of the node's flavour, and the emitter that goes
// with it, nil if there is none.
func (o *options) adapter(client redis.UniversalClient, log *slog.Logger) (adapters.Factory, emitter, error) {
	common := cluster.Options{RequestTimeout: millis(o.RequestTimeout), Logger: log}
	switch o.Flavour {
	case "classic":
		return redisadapter.New(client, redisadapter.Options{
			Options: common, PublishOnSpecificResponseChannel: o.SpecificResponses,
		}), nil, nil
	}
	return nil, nil, fmt.Errorf("no flavour %q", o.Flavour)
}
