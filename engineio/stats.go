package engineio

import (
	"errors"
	"sync/atomic"

	"github.com/hermod-io/hermod/wscore"
)

// Stats are counts of a Server. They change when a session is opened, upgraded or
// closed, and so cost no message anything. Requests that were refused are in none of
// them; see Config.OnConnectionError.
type Stats struct {
	// Polling and WebSocket are how many sessions are open now, by transport.
	Polling, WebSocket int
	// OpenedPolling and OpenedWebSocket are how many were opened since New, by the
	// transport they began with.
	OpenedPolling, OpenedWebSocket uint64
	// Upgraded is how many of them went from polling to WebSocket.
	Upgraded uint64
	// Closed is how many of them have ended, by the reason of OnClose; each Reason is
	// there.
	Closed map[Reason]uint64
	// QueueFull is how many of those ended because Config.Queue had no more room for
	// what they did not take.
	QueueFull uint64
}

// Stats returns the counts. Each is right for itself: sessions come and go meanwhile.
func (srv *Server) Stats() Stats {
	c := &srv.count
	s := Stats{
		Polling: int(c.polling.Load()), WebSocket: int(c.webSocket.Load()),
		OpenedPolling: c.openedPolling.Load(), OpenedWebSocket: c.openedWebSocket.Load(),
		Upgraded: c.upgraded.Load(), QueueFull: c.queueFull.Load(),
		Closed: make(map[Reason]uint64, len(reasons)),
	}
	for i, r := range reasons {
		s.Closed[r] = c.closed[i].Load()
	}
	return s
}

// reasons are all there are.
var reasons = [...]Reason{TransportClose, TransportError, PingTimeout, ParseError, ForcedClose}

// counters are what Stats tells.
type counters struct {
	polling, webSocket             atomic.Int64
	openedPolling, openedWebSocket atomic.Uint64
	upgraded, queueFull            atomic.Uint64
	closed                         [len(reasons)]atomic.Uint64
}

// countOpened counts a session of which the Handler is about to hear. It may have ended
// already. mu is held.
func (s *Session) countOpened() {
	c := &s.srv.count
	if s.ws.Load() != nil {
		c.openedWebSocket.Add(1)
		c.webSocket.Add(1)
	} else {
		c.openedPolling.Add(1)
		c.polling.Add(1)
	}
	if s.state == stateClosed {
		s.countClosed()
	}
}

// countUpgraded counts a session that has changed its transport. One that has not been
// opened yet, whose client knew the sid beforehand, will be counted as one that began
// with WebSocket. mu is held.
func (s *Session) countUpgraded() {
	if s.pinged == 0 {
		return
	}
	c := &s.srv.count
	c.upgraded.Add(1)
	c.polling.Add(-1)
	c.webSocket.Add(1)
}

// countClosed counts a session that has ended, if it had been opened. mu is held.
func (s *Session) countClosed() {
	if s.pinged == 0 {
		return
	}
	c := &s.srv.count
	if s.ws.Load() != nil {
		c.webSocket.Add(-1)
	} else {
		c.polling.Add(-1)
	}
	for i, r := range reasons {
		if r == s.reason {
			c.closed[i].Add(1)
		}
	}
	if errors.Is(s.err, ErrQueueFull) || errors.Is(s.err, wscore.ErrQueueFull) {
		c.queueFull.Add(1)
	}
}
