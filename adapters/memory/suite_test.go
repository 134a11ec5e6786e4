package memory_test

import (
	"testing"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/adaptertest"
	"github.com/hermod-io/hermod/adapters/memory"
)

// compat: adapter in memory
// compat: adapter.addAll
// compat: adapter.del
// compat: adapter.delAll
// compat: adapter.rooms
// compat: adapter.sids
// compat: adapter.socketRooms
// compat: adapter.sockets
// compat: adapter.broadcast
// compat: adapter.broadcastWithAck
// compat: adapter.fetchSockets
// compat: adapter.addSockets
// compat: adapter.delSockets
// compat: adapter.disconnectSockets
// compat: adapter.serverSideEmit
// compat: adapter.close
func TestSuite(t *testing.T) {
	adaptertest.Run(t, adaptertest.Config{
		New: func(t testing.TB, locals []adapters.Local) []adapters.Adapter {
			a, err := memory.New()(locals[0])
			if err != nil {
				t.Fatal(err)
			}
			return []adapters.Adapter{a}
		},
	})
}
