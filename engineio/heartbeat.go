package engineio

import (
	"slices"
	"time"

	"github.com/hermod-io/hermod/engineio/packet"
)

// beatTicks is how many moments of the shorter of PingInterval and PingTimeout there are
// at which heartbeats are looked after. Those of one moment leave together and are answered
// together, so they shall not be many; each moment wakes a goroutine.
const beatTicks = 200

// heartbeat sends the ping that is due, or ends a session whose pong is. A pong
// that is held up by ourselves is not missed, and the pings go on: a client of
// protocol 4 gives up when none has come for PingInterval and PingTimeout.
func (s *Session) heartbeat() {
	s.mu.Lock()
	defer s.mu.Unlock()
	cfg, now := &s.srv.cfg, s.srv.now()
	by, excused := time.Duration(s.pongBy.Load()), s.excused() > 0
	due := s.pinged + cfg.PingInterval
	switch {
	case by == 0 && now < due: // the pong was as fast as the timer
		s.rearm(due - now)
		return
	case by == 0:
		by = now + cfg.PingTimeout
		s.pongBy.Store(int64(by &^ prolonged))
		s.ping(now)
	case !excused && now >= by:
		s.srv.goFunc(func() { s.end(PingTimeout, nil) })
		return
	case excused && now >= due && !s.pingWaits():
		s.ping(now)
	}
	if excused {
		s.pingOn()
		return
	}
	s.rearm(by - now)
}

// pings is what every WebSocket session is sent, so that a queue of them takes no
// memory for their bytes.
var pings = &Prepared{pkts: []packet.Packet{{Type: packet.Ping}}, size: 1}

// ping sends a ping. mu is held.
func (s *Session) ping(now time.Duration) {
	s.pinged = now
	if ws := s.ws.Load(); ws != nil {
		_ = ws.sendPrepared(pings, Later|Must|NoCompress)
		return
	}
	_ = s.sendLocked(Later|Must, packet.Packet{Type: packet.Ping})
}

// pingWaits reports whether the last ping may not have left yet, so that another
// one would only be more to wait: while the client does not take what it is sent.
// mu is held.
func (s *Session) pingWaits() bool {
	if ws := s.ws.Load(); ws != nil {
		return ws.conn.Stalled()
	}
	return slices.ContainsFunc(s.box.units, func(u unit) bool {
		return len(u.pkts) == 1 && u.pkts[0].Type == packet.Ping
	})
}

// excused is for how long yet a missing heartbeat does not end the session: while
// OnMessage is held up, and for another PingTimeout, in which what the client has
// sent meanwhile is read.
func (s *Session) excused() time.Duration {
	switch at := s.suspended.Load(); {
	case at > 0:
		return s.srv.cfg.MaxReadPause + time.Duration(at) - s.srv.now()
	case at < 0:
		return s.srv.cfg.PingTimeout + time.Duration(-at) - s.srv.now()
	}
	return 0
}

// pong is the client's answer, or an unasked sign of life. The next ping comes
// PingInterval after it, but if it was read late because of ourselves, after the
// last ping.
func (s *Session) pong() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pongBy.Store(0)
	if s.excused() > 0 {
		s.pingOn()
		return
	}
	s.rearm(s.srv.cfg.PingInterval)
}

// pingOn lets the heartbeat come PingInterval after the last ping, or when the
// session is not excused any more. mu is held.
func (s *Session) pingOn() { s.rearm(min(s.untilPing(), s.excused())) }

// untilPing is when the next ping of a session that is excused is looked after: PingInterval
// after the last one, or, if that waits still, in a while. mu is held.
func (s *Session) untilPing() time.Duration {
	cfg := &s.srv.cfg
	d := s.pinged + cfg.PingInterval - s.srv.now()
	if d <= 0 && s.pingWaits() {
		return min(cfg.PingInterval, cfg.PingTimeout) / 8
	}
	return d
}

// prolonged marks a pongBy that was put off.
const prolonged = 1

// otherPacket prolongs the wait for a pong, once: a client that sends is alive.
func (s *Session) otherPacket() {
	if by := s.pongBy.Load(); by != 0 && by&prolonged == 0 {
		s.pongBy.CompareAndSwap(by, int64(s.srv.now()+s.srv.cfg.PingTimeout)|prolonged)
	}
}

// rearm lets the heartbeat come after d, unless the session is over. mu is held.
func (s *Session) rearm(d time.Duration) {
	if s.state != stateClosed {
		s.srv.wheel.Start(&s.beat, (*sessionTimer)(s), d)
	}
}

// Suspend begins a wait within OnMessage. Until [Session.Resume], and for
// Config.PingTimeout after it, a missing heartbeat does not end the session; but
// it does when one such wait takes longer than Config.MaxReadPause. A client of
// protocol 4 is sent a ping each Config.PingInterval meanwhile, also if it has not
// answered the one before, so that it does not give up.
func (s *Session) Suspend() {
	s.suspended.Store(max(1, int64(s.srv.now())))
	s.dialect.heldUp(s)
}

// Resume ends the wait that Suspend began.
func (s *Session) Resume() {
	s.suspended.Store(min(-1, -int64(s.srv.now())))
	s.dialect.heldUp(s)
}
