package engineio

import (
	"time"

	"github.com/hermod-io/hermod/engineio/packet"
	"github.com/hermod-io/hermod/wscore"
)

// noopInterval is how often a waiting GET is ended while a client upgrades.
const noopInterval = 100 * time.Millisecond

// beginProbe lets a second transport prove itself. A further one is closed.
func (s *Session) beginProbe(t *wsTransport, f framing) {
	s.mu.Lock()
	ok := s.state == stateOpen && s.probe == nil && s.ws.Load() == nil
	if ok {
		s.needed().probe, s.framing = t, f
		s.bePatient(s.srv.cfg.UpgradeTimeout)
	}
	s.mu.Unlock()
	if !ok {
		_ = t.conn.Close(wscore.CloseNoStatus, "")
	}
	t.conn.Serve(t)
}

// probed handles a packet of a transport that is not the session's.
func (s *Session) probed(t *wsTransport, p packet.Packet) {
	switch {
	case p.Type == packet.Ping && string(p.Data) == "probe":
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.probe != t {
			return
		}
		_ = t.conn.SendMessages(wscore.Must, textMessage(packet.Packet{Type: packet.Pong, Data: p.Data}))
		s.endPoll()
		s.startNoop()
	case p.Type == packet.Upgrade:
		if f := s.srv.cfg.OnUpgrade; s.switchTo(t) && f != nil {
			f(s)
		}
	default:
		s.mu.Lock()
		defer s.mu.Unlock()
		s.dropProbe(t)
	}
}

// startNoop ends waiting GETs until the upgrade is over. mu is held.
func (s *Session) startNoop() {
	s.stopNoop()
	s.needed().noop = time.AfterFunc(noopInterval, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.probe != nil && s.noop != nil {
			s.endPoll()
			s.noop.Reset(noopInterval)
		}
	})
}

func (s *Session) stopNoop() {
	if s.noop != nil {
		s.noop.Stop()
		s.noop = nil
	}
}

// endPoll answers a waiting GET with a noop. mu is held.
func (s *Session) endPoll() {
	if s.get != nil && s.box.empty() && s.state == stateOpen {
		s.get.last = packet.Noop
		s.get.wake()
	}
}

// switchTo makes t the session's transport: what waits moves into its queue
// before anybody else can write there. It reports whether it did.
func (s *Session) switchTo(t *wsTransport) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.probe != t || s.state == stateClosed {
		return false
	}
	s.probe = nil
	s.stopNoop()
	s.stopPatience()
	for _, u := range s.box.units {
		u.sendOn(t)
	}
	t.conn.CountAs(s.box.bytes, s.box.packets)
	s.box = outbox{}
	s.ws.Store(t)
	s.countUpgraded()
	if s.get != nil {
		s.get.last = packet.Noop
		s.get.wake()
	}
	if s.state == stateClosing {
		_ = t.conn.Close(wscore.CloseNoStatus, "")
	}
	s.spare()
	return true
}

// sendOn sends a unit that waited in the outbox. It was counted there: headers and
// base64 must not make it too much.
func (u *unit) sendOn(t *wsTransport) {
	f := wscore.Moved
	if u.noCompress {
		f |= wscore.Plain
	}
	if u.prepared != nil {
		_ = t.conn.SendPrepared(u.prepared.frames(t.s.framing), f)
		return
	}
	msgs := make([]wscore.Message, len(u.pkts))
	for i, p := range u.pkts {
		msgs[i] = t.s.framing.message(p)
	}
	_ = t.conn.SendMessages(f, msgs...)
}

// dropProbe closes a probe that failed; the session goes on, and may try again. mu is held.
func (s *Session) dropProbe(t *wsTransport) {
	if s.probe == t {
		s.probe = nil
		s.stopNoop()
		s.stopPatience()
		if s.state == stateClosing {
			s.bePatient(lastPoll)
		}
	}
	_ = t.conn.Close(wscore.CloseNoStatus, "")
}

func (s *Session) probeClosed(t *wsTransport) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropProbe(t)
}
