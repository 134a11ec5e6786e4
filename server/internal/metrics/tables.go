package metrics

import (
	"slices"

	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/adapters/redisadapter"
	"github.com/hermod-io/hermod/engineio"
)

// figures are all that is taken from a snapshot.
var figures = slices.Concat(clients, events, redisFigures, routerFigures)

var clients = []figure{
	gauge("clients", "Clients of Socket.IO that are connected, by transport.", func(f *snapshot, say say) {
		say(float64(f.engine.Polling), engineio.Polling)
		say(float64(f.engine.WebSocket), engineio.WebSocket)
	}, "transport"),
	counter("clients_opened_total", "Clients that connected, by the transport they began with.", func(f *snapshot, say say) {
		say(float64(f.engine.OpenedPolling), engineio.Polling)
		say(float64(f.engine.OpenedWebSocket), engineio.WebSocket)
	}, "transport"),
	counter("clients_upgraded_total", "Clients that went from polling to WebSocket.", func(f *snapshot, say say) {
		say(float64(f.engine.Upgraded))
	}),
	counter("clients_closed_total", "Clients whose connection ended, by reason.", func(f *snapshot, say say) {
		for reason, n := range f.engine.Closed {
			say(float64(n), string(reason))
		}
	}, "reason"),
	counter("clients_queue_full_total", "Clients that were cut off because too much waited for them.", func(f *snapshot, say say) {
		say(float64(f.engine.QueueFull))
	}),
	gauge("plain_websockets", "Plain WebSockets that are connected.", func(f *snapshot, say say) {
		if f.plain != nil {
			say(float64(*f.plain))
		}
	}),
	gauge("tls_certificate_expiry_timestamp_seconds", "When the certificate in use expires, in Unix time.", func(f *snapshot, say say) {
		if f.expiry != nil {
			say(float64(f.expiry.Unix()))
		}
	}),
}

var events = []figure{
	gauge("rooms", "Rooms that have a member on this node, each socket's own included.", func(f *snapshot, say say) {
		for name, n := range f.rooms {
			say(float64(n), name)
		}
	}, "namespace"),
	counter("panics_total", "Panics of handlers, middlewares and hooks.", func(f *snapshot, say say) {
		say(float64(f.sio.Panics))
	}),
	counter("volatile_dropped_total", "Volatile events that were dropped, one for each receiver.", func(f *snapshot, say say) {
		say(float64(f.sio.VolatileDropped))
	}),
	counter("limits_refused_total", "What clients were refused because of a limit of Socket.IO, by its name.", func(f *snapshot, say say) {
		r := &f.sio.Refused
		say(float64(r.NamespacesPerConnection), "NamespacesPerConnection")
		say(float64(r.DynamicNamespaces), "DynamicNamespaces")
		say(float64(r.NamespaceNameLength), "NamespaceNameLength")
		say(float64(r.RoomsPerSocket), "RoomsPerSocket")
		say(float64(r.EventNameLength), "EventNameLength")
		say(float64(r.EventsPerSecond), "EventsPerSecond")
		say(float64(r.BytesPerSecond), "BytesPerSecond")
	}, "limit"),
}

var redisFigures = []figure{
	gauge("redis_up", "Whether Redis answered when it was last asked.", func(f *snapshot, say say) {
		if f.nodes != nil {
			say(bit(f.nodes.Reachable))
		}
	}),
	counter("redis_published_total", "Commands that Redis carried out: messages to other nodes, those of a batch each.", redis(func(s *redisadapter.Stats) int64 { return s.Published })),
	counter("redis_batches_total", "Batches that Redis carried out.", redis(func(s *redisadapter.Stats) int64 { return s.Batches })),
	counter("redis_received_total", "Messages that came from Redis, own ones included.", redis(func(s *redisadapter.Stats) int64 { return s.Received })),
	counter("redis_malformed_total", "Messages from Redis that were malformed and dropped.", redis(func(s *redisadapter.Stats) int64 { return s.Poison })),
	counter("redis_refused_total", "Commands that Redis refused.", redis(func(s *redisadapter.Stats) int64 { return s.Refused })),
	counter("redis_dropped_total", "Commands that were given up: too much waited, or the connection broke.", redis(func(s *redisadapter.Stats) int64 { return s.Dropped })),
	gauge("redis_queued_bytes", "What waits to be sent to Redis.", redis(func(s *redisadapter.Stats) int64 { return s.Queued })),
	gauge("redis_subscriptions", "Channels that are subscribed.", redis(func(s *redisadapter.Stats) int64 { return s.Subscriptions })),
	counter("redis_reconnects_total", "Connections to Redis that broke.", redis(func(s *redisadapter.Stats) int64 { return s.Reconnects })),
	counter("redis_gaps_total", "Outages in which messages of other nodes may have been lost.", redis(func(s *redisadapter.Stats) int64 { return s.Gaps })),
}

var routerFigures = []figure{
	counter("router_relayed_total", "Requests that were handed to other nodes.", router(func(s *cluster.RouterStats, say say) { say(float64(s.Relayed)) })),
	counter("router_served_total", "Requests that were served for other nodes.", router(func(s *cluster.RouterStats, say say) { say(float64(s.Served)) })),
	counter("router_refused_total", "Requests whose session no node has, by reason.", router(func(s *cluster.RouterStats, say say) {
		say(float64(s.Forged), "forged")
		say(float64(s.Dead), "dead")
		say(float64(s.Unknown), "unknown")
	}), "reason"),
	counter("router_gaps_total", "How often messages between nodes were found to be lost.", router(func(s *cluster.RouterStats, say say) { say(float64(s.Gaps)) })),
	counter("router_failed_total", "Relayed requests and connections that ended because of a loss, a dead node or a bound.", router(func(s *cluster.RouterStats, say say) { say(float64(s.Failed)) })),
	counter("router_malformed_total", "Messages between nodes that nobody could make sense of.", router(func(s *cluster.RouterStats, say say) { say(float64(s.Bad)) })),
	gauge("router_nodes", "Other nodes that live.", router(func(s *cluster.RouterStats, say say) { say(float64(s.Nodes)) })),
	gauge("router_streams", "Relayed requests and connections that are open.", router(func(s *cluster.RouterStats, say say) { say(float64(s.Streams)) })),
	gauge("router_buffered_bytes", "What relayed requests and connections have received and not handed on.", router(func(s *cluster.RouterStats, say say) { say(float64(s.Buffered)) })),
}
