// Package cluster is what adapters of several nodes have in common: requests and
// their answers, acks that are counted over all nodes, heartbeats, timeouts and
// partial results. What differs between them is a [Bus], which carries the
// messages of one namespace from node to node.
//
//	Broadcast ─► this node's members, at once (package memory)
//	        └──► Bus.Publish ─► other node's Receiver.Receive ─► its members
//
// [New] makes the [adapters.Factory] of a bus. [NewLoopback] is a bus within the
// process, for tests and for programs that run several servers in one; package
// redisadapter has those over Redis.
//
// The messages are those of the official ClusterAdapter (npm socket.io-adapter
// 2.5), with its numbers; how they are written is the matter of a bus, with the
// codecs of package cluster/wire. [AppendEnvelope] and [ParseEnvelope] are what
// most official adapters write; AllRooms has no place there.
package cluster
