package wscore

import "runtime"

// backlog is how many connections must wait before another flusher starts.
const backlog = 64

// flushLater puts c on the dirty list. c.mu may be held.
func (s *Server) flushLater(c *Conn) {
	s.mu.Lock()
	if len(s.dirty) == cap(s.dirty) && s.taken > len(s.dirty)/2 {
		rest := copy(s.dirty, s.dirty[s.taken:]) // a list that is never empty must not grow for ever
		clear(s.dirty[rest:])
		s.dirty, s.taken = s.dirty[:rest], 0
	}
	s.dirty = append(s.dirty, c)
	start := s.flushers == 0 || len(s.dirty)-s.taken >= backlog*s.flushers && s.flushers < runtime.GOMAXPROCS(0)
	if start {
		s.flushers++
		s.running++
	}
	s.mu.Unlock()
	if start {
		go s.flusher()
	}
}

// flusher writes what is queued until the dirty list is empty. It never waits.
func (s *Server) flusher() {
	defer s.ended()
	var batch [16]*Conn
	for n := s.takeDirty(batch[:]); n > 0; n = s.takeDirty(batch[:]) {
		for _, c := range batch[:n] {
			c.flush()
		}
	}
}

// takeDirty moves the first connections of the list to batch. When there are
// none the flusher that asked is counted off.
func (s *Server) takeDirty(batch []*Conn) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := copy(batch, s.dirty[s.taken:])
	clear(s.dirty[s.taken : s.taken+n])
	s.taken += n
	if s.taken == len(s.dirty) {
		s.dirty, s.taken = s.dirty[:0], 0
		if cap(s.dirty) > maxIdleList {
			s.dirty = nil
		}
	}
	if n == 0 {
		s.flushers--
	}
	return n
}

// maxIdleList is the room that an empty dirty list keeps.
const maxIdleList = 4096
