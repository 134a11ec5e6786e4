//go:build !race

package wire

import (
	"testing"

	"github.com/hermod-io/hermod/internal/alloctest"
	"github.com/hermod-io/hermod/socketio/parser"
)

func wantAllocs(t *testing.T, what string, d Dialect, limit float64, f func()) {
	t.Helper()
	if n := alloctest.PerRun(200, f); n > limit {
		t.Errorf("%s %v: %v allocations, want at most %v", d, what, n, limit)
	}
}

// A broadcast is written without an allocation, and what is read costs what the
// node keeps of it.
func TestAllocations(t *testing.T) {
	binary := parser.Args{JSON: []byte(`["e",` + placeholder0 + `]`), Attachments: [][]byte{[]byte("data")}}
	buf := make([]byte, 0, 1024)
	for _, d := range dialects {
		wantAllocs(t, "arguments", d, 0, func() { d.AppendArgs(buf, broadcastArgs) })
		wantAllocs(t, "binary arguments", d, 0, func() { d.AppendArgs(buf, binary) })
		wantAllocs(t, "broadcast", d, 0, func() { appendBroadcast(buf, d, broadcastArgs) })
		msg := appendBroadcast(nil, d, broadcastArgs)
		wantAllocs(t, "check", d, 0, func() {
			if _, err := d.Decode(msg); err != nil {
				t.Fatal(err)
			}
		})
		wantAllocs(t, "read", d, 5, func() { // uid, nsp, text of the arguments, room, list of rooms
			if _, _, _, _, _, err := readBroadcast(d, msg); err != nil {
				t.Fatal(err)
			}
		})
	}
}
