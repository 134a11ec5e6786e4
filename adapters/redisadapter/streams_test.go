package redisadapter

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/adaptertest"
	"github.com/hermod-io/hermod/internal/redistest"
)

// patient is how long the tests wait for an entry, so that a busy machine changes
// nothing.
const patient = 20 * time.Second

var streamsSerial atomic.Int64

// apart gives options names that no other test has.
func apart(opts StreamsOptions) StreamsOptions {
	name := fmt.Sprint("s", streamsSerial.Add(1))
	opts.StreamName, opts.ChannelPrefix, opts.SessionKeyPrefix = name, name, name+":session:"
	opts.LogPatience = patient
	return opts
}

// TestStreams runs the suite of all adapters.
func TestStreams(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t, redistest.Options{}).Client()
	t.Run("pubsub", func(t *testing.T) { streamsSuite(t, client, StreamsOptions{}) })
}

func streamsSuite(t *testing.T, client redis.UniversalClient, opts StreamsOptions) {
	adaptertest.Run(t, adaptertest.Config{
		Nodes: 3,
		New: func(t testing.TB, locals []adapters.Local) []adapters.Adapter {
			opts := apart(opts)
			opts.MaxLen = 20000
			var all []adapters.Adapter
			for _, l := range locals {
				a, err := NewStreams(client, opts)(l)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = a.Close(context.Background()) })
				all = append(all, a)
			}
			return all
		},
	})
}
