package socketio_test

import (
	"context"
	"errors"
	"testing"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/memory"
	"github.com/hermod-io/hermod/socketio"
)

// silentAdapter is that of a node whose others do not answer in time.
type silentAdapter struct{ adapters.Adapter }

var errSilent = &adapters.PartialError{Missing: 2, Nodes: 1, Cause: adapters.ErrNodeLost}

func (silentAdapter) Rooms(context.Context) ([]string, error) { return []string{"ours"}, errSilent }

func (silentAdapter) Fetch(context.Context, adapters.Target) ([]adapters.SocketInfo, error) {
	return make([]adapters.SocketInfo, 1), errSilent
}

// Whatever asks the other nodes has the same error when they are silent.
func TestSilentNodes(t *testing.T) {
	cfg := socketio.Config{Adapter: func(l adapters.Local) (adapters.Adapter, error) {
		a, err := memory.New()(l)
		return silentAdapter{a}, err
	}}
	runWebSocket(t, cfg, func(r *rig) {
		rooms, roomsErr := r.srv.Rooms(r.Context())
		sockets, socketsErr := r.srv.FetchSockets(r.Context())
		if len(rooms) != 1 || len(sockets) != 1 {
			r.Errorf("rooms %q, %d sockets", rooms, len(sockets))
		}
		for name, err := range map[string]error{"Rooms": roomsErr, "FetchSockets": socketsErr} {
			var missing *socketio.AckError
			if !errors.As(err, &missing) || missing.Missing != 2 || missing.Nodes != 1 || !errors.Is(err, adapters.ErrNodeLost) {
				r.Errorf("%s: %v", name, err)
			}
		}
	})
}
