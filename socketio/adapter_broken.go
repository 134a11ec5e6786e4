package socketio

import (
	"context"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/socketio/parser"
)

// brokenAdapter is the adapter of a namespace whose own could not be made.
type brokenAdapter struct{ err error }

func (a brokenAdapter) Join(context.Context, adapters.Member, ...string) error { return a.err }

func (brokenAdapter) Leave(adapters.Member, ...string) {}

func (brokenAdapter) LeaveAll(adapters.Member) {}

func (brokenAdapter) RoomsOf(adapters.Member) []string { return nil }

func (a brokenAdapter) Rooms(context.Context) ([]string, error) { return nil, a.err }

func (a brokenAdapter) Broadcast(*parser.Packet, adapters.Target) error { return a.err }

func (a brokenAdapter) BroadcastAck(context.Context, *parser.Packet, adapters.Target, func(parser.Args)) error {
	return a.err
}

func (a brokenAdapter) SocketsJoin(context.Context, adapters.Target, ...string) error { return a.err }

func (a brokenAdapter) SocketsLeave(context.Context, adapters.Target, ...string) error { return a.err }

func (a brokenAdapter) DisconnectSockets(context.Context, adapters.Target, bool) error { return a.err }

func (a brokenAdapter) Fetch(context.Context, adapters.Target) ([]adapters.SocketInfo, error) {
	return nil, a.err
}

func (a brokenAdapter) ServerSideEmit(context.Context, parser.Args, func(parser.Args)) error {
	return a.err
}

func (brokenAdapter) Close(context.Context) error { return nil }
