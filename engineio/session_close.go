package engineio

import (
	"errors"
	"net/http"
	"time"

	"github.com/hermod-io/hermod/engineio/packet"
	"github.com/hermod-io/hermod/internal/wheel"
	"github.com/hermod-io/hermod/wscore"
)

var (
	errHeartbeat = errors.New("engineio: heartbeat in the wrong direction")
	errOverlap   = errors.New("engineio: overlapping requests")
	errAborted   = errors.New("engineio: request aborted")
	errType      = errors.New("engineio: binary body")
	errPanic     = errors.New("engineio: panic in a handler")
)

// lastPoll is how long a closing session waits for the GET that takes its
// close packet.
const lastPoll = 30 * time.Second

// Close closes the session with reason forced close: what is queued is sent first, then
// (polling) a close packet. With discard at once and without a word. It does not wait.
func (s *Session) Close(discard bool) {
	if discard {
		s.end(ForcedClose, nil)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != stateOpen {
		return
	}
	s.state, s.needed().reason = stateClosing, ForcedClose
	if ws := s.ws.Load(); ws != nil {
		_ = ws.conn.Close(wscore.CloseNoStatus, "")
		return
	}
	if s.probe == nil {
		s.bePatient(lastPoll)
	}
	if s.get != nil {
		if s.box.empty() {
			s.get.last = packet.Close
		}
		s.get.wake()
	}
}

// end ends the session at once. The handler hears of it on a goroutine of its
// own, after a running OnMessage.
func (s *Session) end(reason Reason, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endLocked(reason, err)
}

func (s *Session) endLocked(reason Reason, err error) {
	if s.state == stateClosed {
		return
	}
	if s.state == stateClosing && s.reason != "" && reason == TransportClose {
		reason, err = s.reason, nil
	}
	s.state = stateClosed
	d := s.needed()
	d.reason, d.err = reason, err
	s.countClosed()
	s.srv.wheel.Stop(&s.beat)
	s.stopPatience()
	s.stopNoop()
	if s.done != nil {
		close(s.done)
	}
	s.box = outbox{}
	if s.get != nil {
		s.get.last = packet.Close
		if reason == TransportClose {
			s.get.last = packet.Noop
		}
		s.get.wake()
	}
	if s.answer != nil {
		s.answer.limit(lastAnswer)
	}
	if s.body != nil {
		_ = http.NewResponseController(s.body).SetReadDeadline(time.Unix(1, 0)) // a body that is still on its way is not waited for
	}
	if p := s.probe; p != nil {
		s.probe = nil
		_ = p.conn.Close(wscore.CloseNoStatus, "")
	}
	if ws := s.ws.Load(); ws != nil {
		_ = ws.conn.Close(wscore.CloseNoStatus, "")
	}
	s.srv.unregister(s)
	s.srv.goFunc(s.tellClosed)
}

// abandon takes back a session that could not be opened. The Handler has not
// heard of it, nor will it.
func (s *Session) abandon() {
	s.end(TransportError, nil)
	s.giveTurn()
}

// tellClosed calls OnClose when it is its turn.
func (s *Session) tellClosed() {
	s.takeTurn()
	defer s.giveTurn()
	if !s.ready.Load() { // abandoned
		return
	}
	s.guard(func() { s.srv.h.OnClose(s, s.reason, s.err) })
}

// outOfPatience ends an upgrade that takes too long, or a closing session
// whose client does not poll any more.
func (s *Session) outOfPatience(t *wheel.Timer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t != s.patience {
		return // what it was for ended meanwhile
	}
	if p := s.probe; p != nil {
		s.dropProbe(p)
		return
	}
	if s.state == stateClosing {
		s.endLocked(s.reason, nil)
	}
}
