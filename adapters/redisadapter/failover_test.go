package redisadapter

import (
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/internal/redistest"
)

// outage is what is done while Redis is away; it returns what is done afterwards.
type outage func(t *testing.T) (after func(t *testing.T))

// TestFailover: after Sentinel has put another server in the place of the master
// the nodes go on there.
func TestFailover(t *testing.T) {
	t.Parallel()
	s := redistest.StartSentinel(t, 1)
	before := map[string]outage{}
	for name, prepare := range map[string]func(*testing.T, redis.UniversalClient) outage{
		"classic": classicOutage, "sharded": shardedOutage, "streams": streamsOutage, "router": routerOutage,
	} {
		before[name] = prepare(t, s.Client())
	}
	s.Servers[0].Kill()
	after := map[string]func(*testing.T){}
	for name, during := range before {
		after[name] = during(t)
	}
	for name, f := range after {
		t.Run(name, f)
	}
}
