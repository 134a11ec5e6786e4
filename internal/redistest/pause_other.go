//go:build !unix

package redistest

// Pause fails the test: this system cannot stop a program where it is.
func (s *Server) Pause() { s.t.Fatal("redistest: no Pause on this system") }

// Resume does nothing.
func (s *Server) Resume() {}
