//go:build !race

package cluster

import (
	"testing"

	"github.com/hermod-io/hermod/adapters/cluster/wire"
	"github.com/hermod-io/hermod/internal/alloctest"
)

// A broadcast of a known shape costs nothing.
func TestRecentAllocations(t *testing.T) {
	for _, d := range []wire.Dialect{wire.JSON, wire.Notepack, wire.Msgpack} {
		var r Recent
		msg := AppendEnvelope(nil, d, "/", recentMessage("n1", "room", `["e",1,"text"]`))
		if _, _, err := r.ParseEnvelope(d, msg); err != nil {
			t.Fatal(err)
		}
		n := alloctest.PerRun(200, func() {
			l := r.Lend(d, msg)
			if l == nil {
				t.Fatal("it is not known")
			}
			l.Done()
		})
		if n > 0 {
			t.Errorf("%v: %v allocations", d, n)
		}
	}
}
