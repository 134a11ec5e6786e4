package socketio

import "unsafe"

// IdleWorkers is how many goroutines wait for mail.
func IdleWorkers(srv *Server) int {
	srv.workers.mu.Lock()
	defer srv.workers.mu.Unlock()
	return len(srv.workers.idle)
}

// Sizes of what an idle connection has, and of a short event.
const (
	SizeofSocket = unsafe.Sizeof(Socket{})
	SizeofClient = unsafe.Sizeof(client{})
	SizeofEvent  = unsafe.Sizeof(shortEvent{})
)

// BareSocket returns a Socket that nobody is connected by, to register things on.
func BareSocket(srv *Server) *Socket { return &Socket{ns: srv.main} }

// Bind does what the first event does with the handlers of s.
func Bind(s *Socket) { s.overrides(s.ns.table.Load()) }
