// Package memory is the adapter of a server that stands alone, and the default:
// rooms, broadcasts and acks within one process.
//
//	srv, err := socketio.New(socketio.Config{Adapter: memory.New()}) // the same as no Adapter at all
//
// [New] returns the factory that a server's configuration takes; each namespace
// gets an [Adapter] of its own. All other nodes' business is empty here: a
// server-side emit reaches nobody.
//
// With connection state recovery (socketio.Config.Recovery) it also keeps
// packets and sessions; they end with the process. See [Adapter.Restore].
//
// A broadcast copies the members of its rooms under a read lock into pooled
// scratch and delivers without a lock. It allocates nothing, and its cost
// depends on the receivers alone, not on how many rooms or sockets there are.
package memory
