package cluster

import (
	"cmp"
	"log/slog"
	"time"

	"github.com/hermod-io/hermod/adapters"
)

// Options tune the adapters. The zero value is ready to use.
type Options struct {
	// RequestTimeout is how long Fetch, Rooms and ServerSideEmit wait for other
	// nodes, unless Flags.Timeout says otherwise; 0 means 5 s (requestsTimeout).
	RequestTimeout time.Duration
	// JoinTimeout is how long Join waits for a subscription; 0 means 1 s. Then
	// the error is a *[adapters.SubscriptionPending].
	JoinTimeout time.Duration
	// HeartbeatInterval is how long a node is silent at most, HeartbeatTimeout
	// after how much silence it counts as lost; 0 means 5 s and 10 s. They are
	// for buses that need heartbeats.
	HeartbeatInterval, HeartbeatTimeout time.Duration
	// LivenessInterval is how often nodes that have not answered are looked for
	// while a request waits; 0 means 500 ms.
	LivenessInterval time.Duration
	// LogPatience is how long, with recovery, this node's members wait for a
	// broadcast of this node to come back from the log, with its offset; 0
	// means 50 ms. Then they are given it with the offset of what came before it.
	// Such an offset does not tell whether the client has the broadcast: one whose
	// connection ends before it has received anything later is given it once more
	// when it comes back. So a client hears twice what its node sent last while
	// the log, or the machine, was slower than this, most of all if a busy node
	// is killed. A longer patience makes that rarer; as long do the members of
	// this node wait when the log is out of reach.
	LogPatience time.Duration
	// Redact, if set, may remove credentials (headers, query, auth) from the
	// handshakes of this node's sockets before other nodes see them. The maps
	// are copies. It is called from any goroutine.
	Redact func(h *adapters.Handshake)
	// OnGap, if set, is told when messages of other nodes may have been lost in
	// a namespace. It must not block.
	OnGap func(namespace string, g Gap)
	// Logger gets what goes wrong between nodes; nil logs nothing.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	o.RequestTimeout = cmp.Or(o.RequestTimeout, 5*time.Second)
	o.JoinTimeout = cmp.Or(o.JoinTimeout, time.Second)
	o.HeartbeatInterval = cmp.Or(o.HeartbeatInterval, 5*time.Second)
	o.HeartbeatTimeout = cmp.Or(o.HeartbeatTimeout, 10*time.Second)
	o.LivenessInterval = cmp.Or(o.LivenessInterval, 500*time.Millisecond)
	o.LogPatience = cmp.Or(o.LogPatience, 50*time.Millisecond)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}
