// Package adapters holds the contract between a namespace and what spreads its
// packets. It is for those who write an adapter; who uses one only hands its
// [Factory] to the server.
//
// Three types to know. [Adapter] keeps the rooms of one namespace and says who
// gets a packet. [Local] is the namespace: it says how, by encoding a packet
// once and queueing it for each [Member], a socket as adapters see it. A
// [Target] names the members that an operation reaches.
//
//	func (a *myAdapter) Broadcast(p *parser.Packet, t adapters.Target) error {
//		a.local.Deliver(p, t.Flags, a.membersOf(t)) // this node first, at once
//		return a.publish(p, t)                      // then the others, without waiting
//	}
//
// A [Recoverer] also keeps packets and sessions, so that clients that lost their
// connection can continue ([Recovery] is the policy, [Session] what is kept).
//
// The contract lies below package socketio, so that adapters never import it.
// The in-memory adapter, the default, is package memory; package adaptertest is
// the suite that every adapter must pass.
package adapters
