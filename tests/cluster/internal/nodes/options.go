package nodes

import (
	"time"
)

// Kind says what a node is.
type Kind string

// The kinds of nodes.
const (
	Official Kind = "node" // npm socket.io
	Hermod   Kind = "go"
)

// Kinds are all of them.
var Kinds = []Kind{Official, Hermod}

// Flavour is the adapter of a node.
type Flavour string

// The flavours of the adapters over Redis.
const (
	Classic               Flavour = "classic"
	ShardedDynamic        Flavour = "sharded-dynamic"
	ShardedStatic         Flavour = "sharded-static"
	ShardedDynamicPrivate Flavour = "sharded-dynamic-private"
	Streams               Flavour = "streams"
	// OldStreams is version 0.2 of the official streams adapter, of official
	// nodes alone.
	OldStreams Flavour = "streams-0.2"
)

// Flavours are all but OldStreams.
var Flavours = []Flavour{Classic, ShardedDynamic, ShardedStatic, ShardedDynamicPrivate, Streams}

// Options says how a node is started.
type Options struct {
	Kind    Kind
	Flavour Flavour
	// Name is what the node says of itself in the answers to serverSideEmit; ""
	// means its kind.
	Name string
	// Client is the Redis client of an official node, "redis" or "ioredis"; ""
	// means "ioredis", which comes back faster.
	Client string
	// Proxied puts a proxy of its own between the node and Redis: Node.Redis.
	Proxied bool
	// Port is where it listens; 0 is a free one.
	Port int
	// Transports are those that a node of Hermod offers; nil means websocket alone.
	Transports []string
	// ClusterKey lets any node of Hermod that has it serve any request of their
	// clients (engineio.Config.Router); "" is none.
	ClusterKey string
	// RequestTimeout is how long fetchSockets and such wait (the official
	// sharded and streams adapters have no such option); 0 means 5 s.
	RequestTimeout time.Duration
	// Recovery is maxDisconnectionDuration; 0 means no recovery.
	Recovery time.Duration
	// LogPatience is cluster.Options.LogPatience of a node of Hermod; 0 means its
	// default.
	LogPatience time.Duration
	// Drain is how long a node of Hermod takes to close its connections after
	// SIGTERM (Server.Shutdown); 0 means that it closes them at once.
	Drain time.Duration
	// PingInterval and PingTimeout are those of the heartbeat; 0 means the
	// official default.
	PingInterval, PingTimeout time.Duration
	// SpecificResponses is publishOnSpecificResponseChannel of the classic flavour.
	SpecificResponses bool
	// ShardedPubSub, StreamCount, Plaintext and MaxLen are those of the streams
	// flavour; 0 means the official default.
	ShardedPubSub bool
	StreamCount   int
	Plaintext     bool
	MaxLen        int
}

// wire is Options as the programs read it; times are in milliseconds.
type wire struct {
	Name              string   `json:"name"`
	Flavour           Flavour  `json:"flavour"`
	Redis             string   `json:"redis"`
	Client            string   `json:"client"`
	Port              int      `json:"port,omitempty"`
	Transports        []string `json:"transports,omitempty"`
	ClusterKey        string   `json:"clusterKey,omitempty"`
	RequestTimeout    int64    `json:"requestTimeout,omitempty"`
	Recovery          int64    `json:"recovery,omitempty"`
	LogPatience       int64    `json:"logPatience,omitempty"`
	Drain             int64    `json:"drain,omitempty"`
	PingInterval      int64    `json:"pingInterval,omitempty"`
	PingTimeout       int64    `json:"pingTimeout,omitempty"`
	SpecificResponses bool     `json:"specificResponses,omitempty"`
	ShardedPubSub     bool     `json:"shardedPubSub,omitempty"`
	StreamCount       int      `json:"streamCount,omitempty"`
	Plaintext         bool     `json:"plaintext,omitempty"`
	MaxLen            int      `json:"maxLen,omitempty"`
}

func (o Options) wire(redis string) wire {
	return wire{
		Name: o.Name, Flavour: o.Flavour, Redis: "redis://" + redis, Client: o.Client, Port: o.Port,
		Transports: o.Transports, ClusterKey: o.ClusterKey,
		RequestTimeout: o.RequestTimeout.Milliseconds(), Recovery: o.Recovery.Milliseconds(), LogPatience: o.LogPatience.Milliseconds(), Drain: o.Drain.Milliseconds(),
		PingInterval: o.PingInterval.Milliseconds(), PingTimeout: o.PingTimeout.Milliseconds(),
		SpecificResponses: o.SpecificResponses, ShardedPubSub: o.ShardedPubSub,
		StreamCount: o.StreamCount, Plaintext: o.Plaintext, MaxLen: o.MaxLen,
	}
}
