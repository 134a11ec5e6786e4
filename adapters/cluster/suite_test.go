package cluster_test

import (
	"testing"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/adaptertest"
	"github.com/hermod-io/hermod/adapters/cluster"
)

func TestAdapter(t *testing.T) {
	t.Parallel()
	adaptertest.Run(t, adaptertest.Config{
		Nodes: 3,
		New: func(t testing.TB, locals []adapters.Local) []adapters.Adapter {
			var all []adapters.Adapter
			for _, a := range newNodes(t, cluster.NewLoopback().Connect, cluster.Options{}, locals...) {
				all = append(all, a)
			}
			return all
		},
	})
}

// newNodes makes adapters that know one another.
func newNodes(t testing.TB, connect cluster.Connect, opts cluster.Options, locals ...adapters.Local) []*cluster.Adapter {
	t.Helper()
	var all []*cluster.Adapter
	for _, l := range locals {
		a, err := cluster.Make(connect, opts, l)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { a.Close(t.Context()) })
		all = append(all, a)
	}
	for _, a := range all {
		await(t, func() bool {
			n, err := a.ServerCount(t.Context())
			return err == nil && n == len(locals)
		}, "the nodes to know one another")
	}
	return all
}

// await polls until cond holds.
func await(t testing.TB, cond func() bool, what string) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); !cond(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
