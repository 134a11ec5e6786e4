package cluster_test

import (
	"context"
	"testing"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/adaptertest"
	"github.com/hermod-io/hermod/adapters/cluster"
)

func TestRecovererSuite(t *testing.T) {
	t.Parallel()
	adaptertest.Run(t, adaptertest.Config{
		Nodes: 3,
		New: func(t testing.TB, locals []adapters.Local) []adapters.Adapter {
			log := newFakeLog()
			var all []adapters.Adapter
			for _, l := range locals {
				a, err := cluster.MakeLog(log.connect, patient, l)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { a.Close(context.Background()) })
				all = append(all, a)
			}
			acquaint(t, all)
			return all
		},
	})
}

// acquaint waits until the nodes know one another.
func acquaint(t testing.TB, all []adapters.Adapter) {
	t.Helper()
	for _, a := range all {
		counter := a.(interface {
			ServerCount(context.Context) (int, error)
		})
		await(t, func() bool {
			n, err := counter.ServerCount(t.Context())
			return err == nil && n == len(all)
		}, "the nodes to know one another")
	}
}
