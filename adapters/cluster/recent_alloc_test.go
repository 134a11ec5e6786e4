//go:build !race

package cluster

import (
	"testing"

	"github.com/hermod-io/hermod/adapters/cluster/wire"
)

// A broadcast of a known shape costs the message and its arguments.
func TestRecentAllocations(t *testing.T) {
	for _, d := range []wire.Dialect{wire.JSON, wire.Notepack, wire.Msgpack} {
		var r Recent
		msg := AppendEnvelope(nil, d, "/", recentMessage("n1", "room", `["e",1,"text"]`))
		n := testing.AllocsPerRun(200, func() {
			if _, _, err := r.ParseEnvelope(d, msg); err != nil {
				t.Fatal(err)
			}
		})
		if n > 2 {
			t.Errorf("%v: %v allocations, want at most 2", d, n)
		}
	}
}
