package redisadapter

import (
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/adaptertest"
)

// TestClassic runs the suite of all adapters.
func TestClassic(t *testing.T) {
	t.Parallel()
	addr := startRedis(t)
	client := redis.NewClient(&redis.Options{Addr: addr})
	t.Cleanup(func() { _ = client.Close() })
	for name, opts := range map[string]Options{
		"rooms":   {},
		"pattern": {PatternSubscription: true, PublishOnSpecificResponseChannel: true},
	} {
		t.Run(name, func(t *testing.T) {
			n := 0
			adaptertest.Run(t, adaptertest.Config{
				Nodes: 3,
				New: func(t testing.TB, locals []adapters.Local) []adapters.Adapter {
					opts := opts
					n++
					opts.Key = t.Name() + string(rune(n))
					var all []adapters.Adapter
					for _, l := range locals {
						a, err := New(client, opts)(l)
						if err != nil {
							t.Fatal(err)
						}
						t.Cleanup(func() { _ = a.Close(t.Context()) })
						all = append(all, a)
					}
					return all
				},
			})
		})
	}
}
