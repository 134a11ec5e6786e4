//go:build !race

package memory

import (
	"testing"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/internal/alloctest"
	"github.com/hermod-io/hermod/socketio/parser"
)

// TestBroadcastAllocatesNothing: a broadcast to 1000 members in whatever
// rooms. The race detector empties pools at random, so not under it.
func TestBroadcastAllocatesNothing(t *testing.T) {
	a, _ := crowd(t, 1000, 100)
	p := &parser.Packet{Type: parser.Event}
	all := append(targets, struct {
		name   string
		target adapters.Target
	}{"Namespace", adapters.Target{}})
	for _, tc := range all {
		t.Run(tc.name, func(t *testing.T) {
			n := alloctest.PerRun(200, func() {
				if err := a.Broadcast(p, tc.target); err != nil {
					t.Fatal(err)
				}
			})
			if n >= 1 {
				t.Errorf("%v allocations in a broadcast, want none", n)
			}
		})
	}
}

// TestJoinLeaveOfLivingRoomAllocatesNothing: the slices of the room and of the
// member have their room already.
func TestJoinLeaveOfLivingRoomAllocatesNothing(t *testing.T) {
	a, all := crowd(t, 1000, 0)
	ctx := t.Context()
	m := all[0]
	a.Leave(m, "lobby")
	n := alloctest.PerRun(200, func() {
		if err := a.Join(ctx, m, "lobby"); err != nil {
			t.Fatal(err)
		}
		a.Leave(m, "lobby")
	})
	if n != 0 {
		t.Errorf("%v allocations in a join and a leave, want none", n)
	}
}
