package redisadapter

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/adaptertest"
	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/internal/redistest"
)

// batchSuite runs the suite of all adapters with nodes that make makes; of the nth
// cluster of the run, and with batches or without.
func batchSuite(t *testing.T, make func(n int, batches bool) adapters.Factory, mixed bool) {
	n := 0
	adaptertest.Run(t, adaptertest.Config{
		Nodes: 3,
		New: func(t testing.TB, locals []adapters.Local) []adapters.Adapter {
			n++
			var all []adapters.Adapter
			for i, l := range locals {
				a, err := make(n, !mixed || i%2 == 0)(l)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = a.Close(context.Background()) })
				all = append(all, a)
			}
			for _, a := range all {
				if a, ok := a.(interface {
					ServerCount(context.Context) (int, error)
				}); ok {
					redistest.Until(t, "the nodes know one another", func() bool {
						n, err := a.ServerCount(t.Context())
						return err == nil && n == len(locals)
					})
				}
			}
			return all
		},
	})
}

// TestBatchesSuite runs the suite of all adapters with nodes that send batches, and
// with such and others mixed. Most of its time it waits for timeouts: so the runs go
// on at once.
func TestBatchesSuite(t *testing.T) {
	t.Parallel()
	one := redistest.Start(t, redistest.Options{}).Client()
	many := redistest.StartCluster(t).Client()
	var runs sync.WaitGroup
	run := func(name string, mixed bool, make func(prefix string, batches bool) adapters.Factory) {
		runs.Go(func() {
			t.Run(name, func(t *testing.T) {
				batchSuite(t, func(n int, on bool) adapters.Factory { return make(fmt.Sprint("suite-", name, n), on) }, mixed)
			})
		})
	}
	common := cluster.Options{JoinTimeout: patient}
	run("classic", false, func(prefix string, on bool) adapters.Factory {
		return New(one, Options{Options: common, Key: prefix, Batches: on})
	})
	run("dynamic", false, func(prefix string, on bool) adapters.Factory {
		return NewSharded(one, ShardedOptions{Options: common, ChannelPrefix: prefix, Batches: on})
	})
	run("static mixed", true, func(prefix string, on bool) adapters.Factory {
		return NewSharded(one, ShardedOptions{Options: common, ChannelPrefix: prefix, Batches: on, SubscriptionMode: Static})
	})
	run("Cluster, pattern, mixed", true, func(prefix string, on bool) adapters.Factory {
		return New(many, Options{Options: common, Key: prefix, Batches: on, PatternSubscription: true, PublishOnSpecificResponseChannel: true})
	})
	run("Cluster, private", false, func(prefix string, on bool) adapters.Factory {
		return NewSharded(many, ShardedOptions{Options: common, ChannelPrefix: prefix, Batches: on, SubscriptionMode: DynamicPrivate})
	})
	runs.Wait()
}

// TestBatchesStreams runs the suite, that of recovery included, with nodes that send
// batches and others: one alone does.
func TestBatchesStreams(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t, redistest.Options{}).Client()
	batchSuite(t, func(n int, on bool) adapters.Factory {
		name := fmt.Sprint("suite", n)
		opts := StreamsOptions{Batches: on, MaxLen: 20000, StreamName: name, ChannelPrefix: name, SessionKeyPrefix: name + ":session:"}
		opts.LogPatience = patient
		return NewStreams(client, opts)
	}, true)
}
