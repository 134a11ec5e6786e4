//go:build node

package cluster

import (
	"fmt"
	"slices"
	"testing"

	"github.com/hermod-io/hermod/internal/redistest"
	"github.com/hermod-io/hermod/tests/cluster/internal/nodes"
)

// scenarios are what each pair of each flavour goes through.
var scenarios = slices.Concat(broadcasts, values, acks, remotes, requests)

// TestPairs: every pair of an official server and ours, in every flavour; then
// four nodes together, and one that is killed.
//
// compat: server.to
// compat: server.in
// compat: server.except
// compat: server.local
// compat: server.volatile
// compat: server.compress
// compat: server.emit
// compat: server.emitWithAck
// compat: server.fetchSockets
// compat: server.socketsJoin
// compat: server.socketsLeave
// compat: server.disconnectSockets
// compat: server.serverSideEmit
// compat: server.serverSideEmitWithAck
// compat: socket.broadcast
// compat: socket.to
// compat: remoteSocket.id
// compat: remoteSocket.handshake
// compat: remoteSocket.rooms
// compat: remoteSocket.data
// compat: remoteSocket.emit
// compat: remoteSocket.emitWithAck
// compat: remoteSocket.timeout
// compat: remoteSocket.join
// compat: remoteSocket.leave
// compat: remoteSocket.disconnect
func TestPairs(t *testing.T) {
	t.Parallel()
	for _, f := range nodes.Flavours {
		t.Run(string(f), func(t *testing.T) {
			t.Parallel() // much of it is waiting
			r := redistest.Start(t, redistest.Options{})
			list := quartet(t, r, f, nodes.Options{})
			for _, callers := range nodes.Kinds {
				for _, called := range nodes.Kinds {
					a, b := list[callers][0], list[called][0]
					if a == b {
						b = list[called][1]
					}
					t.Run(fmt.Sprintf("%s calls %s", a.Kind, b.Kind), func(t *testing.T) { runPair(t, f, a, b) })
				}
			}
			t.Run("four nodes together", func(t *testing.T) { together(t, slices.Concat(list[nodes.Official], list[nodes.Hermod])) })
			for _, kind := range nodes.Kinds {
				t.Run(fmt.Sprintf("a node is killed, %s", kind), func(t *testing.T) { killed(t, r, f, kind, list) })
			}
		})
	}
}

// runPair runs all scenarios. What has to wait for the end of a request that
// nobody answers runs beside them.
func runPair(t *testing.T, f nodes.Flavour, a, b *nodes.Node) {
	p := newPair(t, f, a, b)
	p.silent = a.Begin("server-side-emit-ack", p.q(nodes.Q{"event": "silent"}))
	all := scenarios
	if p.hasEmitter() {
		all = slices.Concat(all, emitters)
	}
	for _, s := range all {
		t.Run(s.name, func(t *testing.T) { s.run(t, p) })
	}
	t.Run("serverSideEmit that is not answered", func(t *testing.T) {
		text, err := p.silent.Wait()
		if err != nil {
			t.Fatal(err)
		}
		if replies, failed := sorted(t, text); len(replies) != 0 || failed == "" {
			t.Errorf("replies %q, error %q", replies, failed)
		}
	})
}
