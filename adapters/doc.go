// Package adapters holds the contract between a namespace and what spreads its
// packets: [Adapter] says who gets a packet, [Local] (the namespace) says how.
//
// The contract lies below package socketio, so that adapters never import it.
// The in-memory adapter, the default, is package memory; package adaptertest is
// the suite that every adapter must pass.
package adapters
