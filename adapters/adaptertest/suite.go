package adaptertest

import (
	"fmt"
	"testing"
	"time"

	"github.com/hermod-io/hermod/adapters"
)

// Config describes the adapter under test.
type Config struct {
	// Nodes is the largest number of nodes a cluster is made of; 0 means 1, for
	// an adapter that stands alone. The suite runs once with one node, and once
	// with Nodes if that is more.
	Nodes int
	// New makes the adapters of one cluster, connected with one another and
	// with nothing else: one for each of locals, in their order. It is called
	// for each case. What it starts ends by t.Cleanup; the suite closes the
	// adapters before.
	New func(t testing.TB, locals []adapters.Local) []adapters.Adapter

	patience time.Duration // how long to wait for what must happen; 0 is the constant
}

// Run runs the whole suite as subtests of t.
func Run(t *testing.T, cfg Config) {
	for _, nodes := range cfg.sizes() {
		t.Run(fmt.Sprintf("nodes=%d", nodes), func(t *testing.T) {
			for _, c := range suite() {
				t.Run(c.name, func(t *testing.T) { c.run(t, cfg, nodes) })
			}
		})
	}
}

func (cfg Config) sizes() []int {
	if cfg.Nodes > 1 {
		return []int{1, cfg.Nodes}
	}
	return []int{1}
}

// testCase is one case of the suite; run builds its own cluster.
type testCase struct {
	name string
	body func(c *cluster)

	recovery adapters.Recovery // what its namespaces say about it
}

func (tc testCase) run(t testing.TB, cfg Config, nodes int) {
	t.Helper()
	tc.body(newCluster(t, cfg, nodes, tc.recovery))
}

// suite returns all cases, the model test last.
func suite() []testCase {
	var all []testCase
	all = append(all, roomCases()...)
	all = append(all, broadcastCases()...)
	all = append(all, ackCases()...)
	all = append(all, socketsCases()...)
	all = append(all, serverSideCases()...)
	all = append(all, recoveryCases()...)
	return append(all, testCase{name: "Model", body: model})
}
