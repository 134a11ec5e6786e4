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

// paused reports whether the heartbeat is not enforced now.
func (s *Session) paused() bool {
	since := s.suspended.Load()
	return since != 0 && time.Since(time.Unix(0, since)) < s.srv.cfg.MaxReadPause
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

// Suspend and Resume bracket a wait within OnMessage: while suspended the heartbeat is not
// enforced, for at most Config.MaxReadPause.
func (s *Session) Suspend() { s.suspended.Store(time.Now().UnixNano()) }

// Resume ends Suspend.
func (s *Session) Resume() { s.suspended.Store(0) }
