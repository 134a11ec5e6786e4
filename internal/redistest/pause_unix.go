//go:build unix

package redistest

// Pause stops the server where it is (SIGSTOP): connections stay open, new ones
// are accepted by the kernel, and nothing answers. It goes on at Resume, or when
// the test ends.
func (s *Server) Pause() { s.p.Pause() }

// Resume lets a paused server go on.
func (s *Server) Resume() { s.p.Resume() }
