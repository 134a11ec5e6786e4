package redisadapter

import (
	"context"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster"
)

// flavours make factories of each kind, whose names in Redis begin with a prefix.
var flavours = map[string]func(client redis.UniversalClient, prefix string, o cluster.Options) adapters.Factory{
	"classic": kinds["classic"].factory, "classic-batches": kinds["classic"].batching,
	"sharded": kinds["sharded"].factory, "sharded-batches": kinds["sharded"].batching,
	"streams": kinds["streams"].factory, "streams-batches": kinds["streams"].batching,
}

// kind makes a factory of one kind.
type kind func(client redis.UniversalClient, prefix string, o cluster.Options, batches bool, c *Counters) adapters.Factory

var kinds = map[string]kind{
	"classic": func(client redis.UniversalClient, prefix string, o cluster.Options, batches bool, c *Counters) adapters.Factory {
		return New(client, Options{Options: o, Key: prefix, Batches: batches, Counters: c})
	},
	"sharded": func(client redis.UniversalClient, prefix string, o cluster.Options, batches bool, c *Counters) adapters.Factory {
		return NewSharded(client, ShardedOptions{Options: o, ChannelPrefix: prefix, Batches: batches, Counters: c})
	},
	"streams": func(client redis.UniversalClient, prefix string, o cluster.Options, batches bool, c *Counters) adapters.Factory {
		return NewStreams(client, StreamsOptions{
			Options: o, StreamName: prefix, ChannelPrefix: prefix, SessionKeyPrefix: prefix + ":session:", Batches: batches, Counters: c,
		})
	},
}

func (k kind) factory(client redis.UniversalClient, prefix string, o cluster.Options) adapters.Factory {
	return k(client, prefix, o, false, nil)
}

func (k kind) batching(client redis.UniversalClient, prefix string, o cluster.Options) adapters.Factory {
	return k(client, prefix, o, true, nil)
}

// makeAdapter makes the adapter of a namespace that is closed with the test.
func makeAdapter(t testing.TB, f adapters.Factory, nsp string) *cluster.Adapter {
	t.Helper()
	return testAdapter(t, f, &shardedLocal{name: nsp})
}

// testAdapter makes an adapter that is closed with the test.
func testAdapter(t testing.TB, f adapters.Factory, local adapters.Local) *cluster.Adapter {
	t.Helper()
	a, err := f(local)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close(context.Background()) })
	return a.(*cluster.Adapter)
}
