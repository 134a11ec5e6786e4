// Package redisadapter connects the nodes of a cluster through Redis, in the
// formats of the official adapters, so that nodes in Go and in JavaScript can be
// mixed, as can the emitters that serve nobody.
//
//	client := redis.NewClient(&redis.Options{Addr: "localhost:6379"})
//	srv, err := socketio.New(socketio.Config{
//		Adapter: redisadapter.New(client, redisadapter.Options{}),
//	})
//
// Five things to know. [New] is the classic pub/sub adapter (npm
// @socket.io/redis-adapter, createAdapter), with its [Options]; [NewSharded] is
// the one over the sharded pub/sub of Redis 7 (createShardedAdapter), for whose
// Cluster the classic one is too much; [NewStreams] is the one over a stream (npm
// @socket.io/redis-streams-adapter), which loses nothing while a link is down and
// restores sessions on any node. They do not hear each other. An [Emitter] (npm
// @socket.io/redis-emitter) sends events and moves sockets from a program
// that has none. [Counters] tells what goes over the connections of a factory.
//
// [NewRouter] is another thing: with it any node may serve any request of a
// client, between nodes in Go (see cluster.Router).
//
// Where all nodes are of this package Redis has less to do if they send what waits
// together: see Options.Batches.
//
// The client is a *redis.Client, also one of redis.NewFailoverClient (Sentinel),
// or a *redis.ClusterClient, which must not read from replicas (its options
// ReadOnly, RouteByLatency, RouteRandomly): they may be behind. It must be open as
// long as the namespaces are and is not closed.
//
// A factory is for one server: Redis would take two that share one for a single
// node, so that a second adapter of a namespace is an error. The namespaces of one
// factory share two connections of their
// own (on a Cluster, one to each node that is needed), which are opened with the
// first of them and closed with the last.
//
// # What holds
//
// This node's sockets are served at once and never wait for Redis. What one node
// sends in a namespace reaches another in that order, whatever the rooms; on a
// Cluster too, unless the server by way of which it is published changes. Nodes
// in JavaScript keep it on a standalone server. (On a Cluster the sharded adapter
// keeps it for each room by itself, see [NewSharded].) A message is sent at most once:
// what was published while a node had no link to Redis does not reach it, and
// the gap is reported (cluster.Options.OnGap). What cannot be decoded is dropped,
// counted and logged.
package redisadapter
