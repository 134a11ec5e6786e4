package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/adapters"
)

// emitter is what emits without a server.
type emitter interface {
	run(ctx context.Context, op string, q *request) error
}

// adapter returns the adapter of the node's flavour, and the emitter that goes
// with it, nil if there is none.
func (o *options) adapter(client redis.UniversalClient, log *slog.Logger) (adapters.Factory, emitter, error) {
	return nil, nil, fmt.Errorf("no flavour %q", o.Flavour)
}
