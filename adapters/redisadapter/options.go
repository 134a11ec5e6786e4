package redisadapter

import (
	"cmp"

	"github.com/hermod-io/hermod/adapters/cluster"
)

// Options are those of the classic adapter, see [New]. The zero value is that of
// the official one.
type Options struct {
	cluster.Options

	// Key begins the names of the channels; "" means "socket.io" (key).
	Key string
	// PublishOnSpecificResponseChannel: answers go to the node that asked, and
	// not to all (publishOnSpecificResponseChannel). Nodes that have it set and
	// nodes that have not understand each other.
	PublishOnSpecificResponseChannel bool
	// PatternSubscription: all broadcasts of a namespace are received, as the
	// official adapter does it, and those to rooms that have no members here are
	// dropped. Otherwise a channel is subscribed for each room that has members
	// here, and for each socket, so that Redis sends only what is wanted. Set it
	// if there are millions of rooms, or if nodes or emitters in JavaScript put
	// sockets into a room (socketsJoin) and emit to it at once: a room that is new
	// here is not subscribed yet. Those in Go see to that. Nodes of both kinds
	// understand each other. A namespace with # in its name always does it.
	PatternSubscription bool
	// Batches: what waits to be sent to the same channel goes as one PUBLISH, of up to
	// 512 messages or 16 KiB, so that Redis, which works for each command, has less
	// to do when there is much; nothing waits for it. It is for clusters whose nodes
	// are all of this package, in versions that know it: to others a batch is
	// malformed, and an official one is deaf from then on, or ends. Nodes with and
	// without it understand each other, so it may be switched on node by node; emitters
	// of any kind may stay, they only send.
	Batches bool
	// Counters, if set, counts what goes over the connections.
	Counters *Counters

	ids identity
}

func (o *Options) key() string { return cmp.Or(o.Key, "socket.io") }
