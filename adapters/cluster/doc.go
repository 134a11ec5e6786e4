// Package cluster is what adapters of several nodes have in common: requests and
// their answers, acks that are counted over all nodes, heartbeats, timeouts and
// partial results. What differs between them is a [Bus], which carries the
// messages of one namespace from node to node.
//
//	Broadcast ─► this node's members, at once (package memory)
//	        └──► Bus.Publish ─► other node's Receiver.Receive ─► its members
//
// A [Log] is a bus that also keeps what it carries, and sessions: over it
// [MakeLog] makes adapters that restore sessions on any node ([Recoverer]).
//
// [New] makes the [adapters.Factory] of a bus. [NewLoopback] is a bus within the
// process, for tests and for programs that run several servers in one; package
// redisadapter has those over Redis.
//
// Apart from adapters, a [Router] over a [Mail] lets any node serve any request,
// so that a load balancer may send the requests of a client wherever it likes:
//
//	router, err := cluster.NewRouter(ctx, mail, cluster.RouterConfig{Key: key})
//	srv, err := socketio.New(socketio.Config{Engine: engineio.Config{Router: router}})
//	// at the end srv.Shutdown, then router.Close
//
// The messages of a Bus are those of the official ClusterAdapter (npm socket.io-adapter
// 2.5), with its numbers; how they are written is the matter of a bus, with the
// codecs of package cluster/wire. [AppendEnvelope] and [ParseEnvelope] are what
// most official adapters write; AllRooms has no place there.
package cluster
