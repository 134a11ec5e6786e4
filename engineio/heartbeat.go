package engineio

import (
	"time"

	"github.com/hermod-io/hermod/engineio/packet"
)

// heartbeat sends the ping that is due, or ends a session whose pong is.
func (s *Session) heartbeat() {
	cfg := &s.srv.cfg
	if s.awaiting.Load() {
		if s.paused() {
			s.rearm(cfg.PingTimeout)
			return
		}
		s.srv.goFunc(func() { s.end(PingTimeout, nil) })
		return
	}
	s.awaiting.Store(true)
	s.extended.Store(false)
	s.rearm(cfg.PingTimeout)
	_ = s.sendPacket(Later|Must, packet.Packet{Type: packet.Ping})
}

// paused reports whether the heartbeat is not enforced now: while OnMessage is
// held up, and for another PingTimeout, in which what the client has sent
// meanwhile is read.
func (s *Session) paused() bool {
	switch at := s.suspended.Load(); {
	case at > 0:
		return time.Since(time.Unix(0, at)) < s.srv.cfg.MaxReadPause
	case at < 0:
		return time.Since(time.Unix(0, -at)) < s.srv.cfg.PingTimeout
	}
	return false
}

// pong is the client's answer, or an unasked sign of life.
func (s *Session) pong() {
	s.awaiting.Store(false)
	s.rearm(s.srv.cfg.PingInterval)
}

// otherPacket prolongs the wait for a pong, once: a client that sends is alive.
func (s *Session) otherPacket() {
	if s.awaiting.Load() && s.extended.CompareAndSwap(false, true) {
		s.rearm(s.srv.cfg.PingTimeout)
	}
}

// rearm lets the heartbeat come after d, unless the session is over.
func (s *Session) rearm(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != stateClosed {
		s.srv.wheel.Start(&s.beat, s, d)
	}
}

// Suspend begins a wait within OnMessage. Until [Session.Resume], and for
// Config.PingTimeout after it, a missing heartbeat does not end the session; but
// it does when one such wait takes longer than Config.MaxReadPause.
func (s *Session) Suspend() { s.suspended.Store(time.Now().UnixNano()) }

// Resume ends the wait that Suspend began.
func (s *Session) Resume() { s.suspended.Store(-time.Now().UnixNano()) }
