package eioclient

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hermod-io/hermod/engineio/packet"
)

// state is how far a session is on its way to the end.
type state uint8

const (
	stateOpening state = iota
	stateOpen
	stateClosing // Close was called, what was sent before is still sent
	stateClosed
)

// Session is one connection to a server. Its methods may be called from any
// goroutine and never block.
type Session struct {
	// The transport's reading goroutine calls the Handler; the rest belongs to
	// whoever holds mu.

	d    *Dialer
	h    Handler
	base *url.URL

	http   *http.Client
	own    *http.Transport // nil: that of the application
	ctx    context.Context // of the requests
	cancel context.CancelFunc
	done   chan struct{} // closed at the end
	opened chan error    // how the opening went; has room for one

	shake  handshake // set before OnOpen
	start  time.Time
	told   bool         // OnOpen was called; of the reading goroutine
	ponged int64        // when the last pong was sent, since start; of the reading goroutine
	ahead  bool         // before its ping was read, see Hold; of the reading goroutine
	pinged atomic.Int64 // when the last ping came, since start
	busy   atomic.Int64 // since when OnMessage runs, or 0

	ws atomic.Pointer[wsTransport] // the transport; nil is polling; changed under mu

	mu      sync.Mutex // guards what follows
	state   state
	box     []packet.Packet // what waits for a POST
	bytes   int             // of box and of the POST that is under way
	packets int
	posting bool
	held    bool          // the upgrade is about to be done: no POST begins
	idle    chan struct{} // closed when no POST is under way; nil while nobody waits for that
	probe   *wsTransport  // what wants to become the transport
	timer   *time.Timer   // of the heartbeat, then of the closing
	reason  Reason
	err     error
}

// handshake is the data of the open packet.
type handshake struct {
	SID          string   `json:"sid"`
	Upgrades     []string `json:"upgrades"`
	PingInterval int64    `json:"pingInterval"`
	PingTimeout  int64    `json:"pingTimeout"`
	MaxPayload   int64    `json:"maxPayload"`
}

// period is the longest time between two pings.
func (h *handshake) period() time.Duration {
	return time.Duration(h.PingInterval+h.PingTimeout) * time.Millisecond
}

const (
	// closeTimeout bounds what Close has to send.
	closeTimeout = 5 * time.Second
	// maxPause is how long OnMessage may keep us from seeing a ping.
	maxPause = 60 * time.Second
)

func newSession(d *Dialer, base *url.URL, h Handler) *Session {
	s := &Session{d: d, h: h, base: base, start: time.Now(), done: make(chan struct{}), opened: make(chan error, 1)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	rt := d.cfg.RoundTripper
	if rt == nil {
		s.own = d.transport()
		rt = s.own
	}
	s.http = &http.Client{Transport: rt, Jar: d.cfg.Jar}
	return s
}

// ID is the id of the session: a secret between the client and the server.
func (s *Session) ID() string { return s.shake.SID }

// Transport is the name of the transport in use.
func (s *Session) Transport() string {
	if s.ws.Load() != nil {
		return WebSocket
	}
	return Polling
}

// Done returns a channel that is closed when the session has ended. What was
// received before may still be handled, and OnClose comes after that.
func (s *Session) Done() <-chan struct{} { return s.done }

// url is that of a request of a transport.
func (s *Session) url(transport string) string {
	u := *s.base
	u.RawQuery += "&transport=" + transport
	if s.shake.SID != "" {
		u.RawQuery += "&sid=" + url.QueryEscape(s.shake.SID)
	}
	return u.String()
}

var errNoHandshake = errors.New("the server did not begin with a handshake")

// handshaken takes the first packet.
func (s *Session) handshaken(p packet.Packet) error {
	if p.Type != packet.Open || json.Unmarshal(p.Data, &s.shake) != nil || s.shake.SID == "" {
		return errNoHandshake
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != stateOpening {
		return ErrClosed
	}
	s.state = stateOpen
	s.ponged = s.now()
	s.pinged.Store(s.ponged)
	if d := s.shake.period(); d > 0 {
		s.timer = time.AfterFunc(d, s.expire)
	}
	return nil
}

// now is the time since the session was made, and never 0.
func (s *Session) now() int64 { return int64(time.Since(s.start)) + 1 }

// expire runs when a ping may be late, and when the closing takes too long.
func (s *Session) expire() {
	s.mu.Lock()
	state := s.state
	late := s.now() - s.pinged.Load() - int64(s.shake.period())
	if since := s.busy.Load(); since != 0 && s.now()-since < int64(maxPause) {
		late = -int64(s.shake.period()) // it may be there, unread
	}
	if state == stateOpen && late < 0 {
		s.timer.Reset(time.Duration(-late))
		s.mu.Unlock()
		return
	}
	s.mu.Unlock()
	switch state {
	case stateOpen:
		s.end(PingTimeout, nil)
	case stateClosing:
		s.end(ForcedClose, nil)
	}
}

// receive takes a packet on the reading goroutine.
func (s *Session) receive(p packet.Packet) {
	switch p.Type {
	case packet.Close:
		s.end(TransportClose, nil)
	case packet.Ping:
		s.ponged, s.ahead = s.now(), false
		s.pinged.Store(s.ponged)
		if err := s.sendPacket(packet.Packet{Type: packet.Pong}); err != nil {
			s.end(TransportError, err)
			return
		}
		if s.h.OnPing != nil {
			s.h.OnPing()
		}
	case packet.Message:
		s.message(p)
	}
}

// message hands a message on. The time that it is handled does not count for
// the heartbeat, since pings may wait behind it.
func (s *Session) message(p packet.Packet) {
	if s.h.OnMessage == nil {
		return
	}
	began := s.now()
	s.busy.Store(began)
	s.h.OnMessage(p.Binary, p.Data)
	s.busy.Store(0)
	if now := s.now(); now-began > int64(time.Second) {
		s.pinged.Store(now)
	}
}

// Close ends the session: what was sent before is delivered, if that takes no
// more than five seconds. It does not wait: OnClose tells the end, with
// ForcedClose.
func (s *Session) Close() {
	s.mu.Lock()
	if s.state != stateOpen {
		s.mu.Unlock()
		return
	}
	s.state, s.reason = stateClosing, ForcedClose
	if s.timer == nil {
		s.timer = time.AfterFunc(closeTimeout, s.expire)
	} else {
		s.timer.Reset(closeTimeout)
	}
	probe := s.dropProbe()
	ws := s.ws.Load()
	if ws == nil {
		s.push(packet.Packet{Type: packet.Close})
	}
	s.mu.Unlock()
	if probe != nil {
		_ = probe.conn.CloseNow()
	}
	if ws != nil {
		ws.close()
	}
}

// end ends the session at once. The reading goroutine calls OnClose when it has
// noticed.
func (s *Session) end(reason Reason, err error) {
	s.mu.Lock()
	if s.state == stateClosed {
		s.mu.Unlock()
		return
	}
	if s.state != stateClosing {
		s.reason, s.err = reason, err
	}
	s.state = stateClosed
	s.box = nil
	if s.timer != nil {
		s.timer.Stop()
	}
	probe := s.dropProbe()
	ws := s.ws.Load()
	close(s.done)
	s.mu.Unlock()
	s.cancel()
	for _, t := range []*wsTransport{probe, ws} {
		if t != nil {
			_ = t.conn.CloseNow()
		}
	}
	s.d.forget(s)
}

// ended tells the Handler of the end. It runs on the reading goroutine, last.
func (s *Session) ended() {
	s.closeIdle()
	s.mu.Lock()
	reason, err := s.reason, s.err
	s.mu.Unlock()
	if !s.told {
		if err == nil {
			err = ErrClosed
		}
		s.report(err)
		return
	}
	if s.h.OnClose != nil {
		s.h.OnClose(reason, err)
	}
}

// tell tells the Handler of the beginning. It runs on the reading goroutine, first.
func (s *Session) tell() {
	s.told = true
	if s.h.OnOpen != nil {
		s.h.OnOpen(s)
	}
	s.report(nil)
}

// report tells Dial how it went.
func (s *Session) report(err error) {
	select {
	case s.opened <- err:
	default: // Dial has heard already, or gone
	}
}

// closeIdle closes the connections of long-polling that are not in use.
func (s *Session) closeIdle() {
	if s.own != nil {
		s.own.CloseIdleConnections()
	}
}
