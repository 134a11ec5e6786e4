package engineio

import (
	"context"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hermod-io/hermod/engineio/packet"
	"github.com/hermod-io/hermod/internal/wheel"
	"github.com/hermod-io/hermod/wscore"
)

type state uint8

const (
	stateOpen state = iota
	stateClosing
	stateClosed
)

// Session is what a sid names. All methods may be called from any goroutine and none
// blocks, but for what SetValue says.
type Session struct {
	// The fields above mu are written before the session is ready, or atomic; the
	// rest belongs to whoever holds mu. The Handler is called by the one whose turn
	// it is, without mu.

	srv     *Server
	id      string
	dialect dialect
	shake   packed
	ctx     context.Context
	value   any

	ws        atomic.Pointer[wsTransport] // the current transport, or nil while it polls
	pongBy    atomic.Int64                // until when a pong is due, as of Server.now; odd once prolonged; 0: none is
	suspended atomic.Int64                // since when OnMessage is held up, as of Server.now; negative: until when it was; 0: never

	ready atomic.Bool // OnOpen has returned

	mu      sync.Mutex // guards what follows
	busy    bool       // somebody calls the Handler
	framing framing    // of ws and of a probe; written before ws is, read by who has seen ws
	state   state
	posting bool
	done    chan struct{}
	pinged  time.Duration // when the last ping was sent, or the session opened, as of Server.now; 0: it has not been (a flag would make Session larger)
	beat    wheel.Timer
	*seldom // to be written after needed
}

// ID is the sid, a bearer secret: never show it to other parties.
func (s *Session) ID() string { return s.id }

// Protocol is the version of Engine.IO: 4, or 3 with [Config.AllowEIO3].
func (s *Session) Protocol() int { return s.dialect.protocol() }

// Transport is the name of the current transport.
func (s *Session) Transport() string {
	if s.ws.Load() != nil {
		return WebSocket
	}
	return Polling
}

// Value returns what SetValue stored, or nil: what the Handler keeps of the session,
// mostly a pointer.
func (s *Session) Value() any { return s.value }

// SetValue stores a value for Value. It is to be called in OnOpen, and nowhere else.
func (s *Session) SetValue(v any) { s.value = v }

// Context carries the values of the request that opened the session; it is never cancelled.
func (s *Session) Context() context.Context { return s.ctx }

// Handshake returns the request that opened the session, parsed anew at each call.
func (s *Session) Handshake() *Handshake { return s.shake.unpack() }

// Done is closed when the session has ended; OnClose follows as soon as a
// running OnMessage returned.
func (s *Session) Done() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done == nil {
		s.done = make(chan struct{})
		if s.state == stateClosed {
			close(s.done)
		}
	}
	return s.done
}

// Runner is what [Session.RunNext] takes.
type Runner = wscore.Runner

// RunNext has, within OnMessage, the receiving goroutine run r behind all that it
// has read, if it is one that can be spared; see [wscore.Conn.RunNext]. It reports
// false if not, and r is not run: always over polling. r is no part of OnMessage:
// OnClose does not wait for it, nor does Server.Close.
func (s *Session) RunNext(r Runner) bool {
	t := s.ws.Load()
	return t != nil && t.conn.RunNext(r)
}

// ReadOn is to be called by who may block within what RunNext has run, or within
// OnMessage behind RunNext; see [wscore.Conn.ReadOn]. Over polling it does nothing.
func (s *Session) ReadOn() {
	if t := s.ws.Load(); t != nil {
		t.conn.ReadOn()
	}
}

// greet queues what the client is to hear first.
func (s *Session) greet(upgrades []string) {
	_ = s.sendPacket(Must, s.srv.openPacket(s.id, upgrades))
	if p := s.srv.cfg.InitialPacket; p != nil {
		_ = s.Send(Must, *p)
	}
}

// opened starts the heartbeat and tells the handler.
func (s *Session) opened() {
	defer s.giveTurn() // which it has had from the beginning
	s.startBeat()
	defer s.ready.Store(true)
	s.guard(func() { s.srv.h.OnOpen(s) })
}

// startBeat arms the heartbeat for the first time.
func (s *Session) startBeat() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pinged = s.srv.now()
	s.countOpened()
	s.rearm(s.dialect.firstBeat(&s.srv.cfg))
}

// guard runs a callback; a panic there closes the session, and so does the end of
// the goroutine (runtime.Goexit).
func (s *Session) guard(f func()) {
	returned := false
	defer func() {
		v := recover()
		if returned {
			return
		}
		if v == nil {
			v = "runtime.Goexit"
		}
		if log := s.srv.cfg.Log; log != nil {
			log.Error("engineio: panic in a handler", "panic", v, "stack", string(debug.Stack()))
		}
		s.broken()
	}()
	f()
	returned = true
}

// broken ends a session whose handler panicked. Nothing is delivered any more.
func (s *Session) broken() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ws := s.ws.Load(); ws != nil {
		_ = ws.conn.Close(wscore.CloseInternal, "")
	}
	s.endLocked(TransportError, errPanic)
}

// receive handles a packet of the current transport and reports whether the
// rest of what came with it counts.
func (s *Session) receive(p packet.Packet) bool {
	switch p.Type {
	case packet.Message:
		s.otherPacket()
		return s.deliver(p)
	case packet.Pong:
		return s.dialect.pong(s)
	case packet.Close:
		s.end(TransportClose, nil)
		return false
	case packet.Ping:
		return s.dialect.ping(s)
	}
	return true
}

func (s *Session) deliver(p packet.Packet) bool {
	if s.takeTurn() {
		s.giveTurn()
		return false
	}
	defer s.giveTurn()
	s.guard(func() { s.srv.h.OnMessage(s, p.Binary, p.Data) })
	return true
}

// takeTurn waits until nobody else calls the Handler, and reports whether the
// session is over, so that OnMessage must not be called any more.
func (s *Session) takeTurn() (over bool) {
	s.mu.Lock()
	if s.busy {
		mine := make(chan struct{})
		s.needed().queueing = append(s.queueing, mine)
		s.mu.Unlock()
		<-mine
		s.mu.Lock()
	}
	s.busy = true
	over = s.state == stateClosed
	s.mu.Unlock()
	return over
}

// giveTurn lets the next one call the Handler.
func (s *Session) giveTurn() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queueing) == 0 {
		s.busy = false
		return
	}
	close(s.queueing[0])
	if s.queueing = s.queueing[1:]; len(s.queueing) == 0 {
		s.queueing = nil
	}
}

// sessionTimer is a Session as its timers see it.
type sessionTimer Session

// Expire implements wheel.Expirer.
func (s *sessionTimer) Expire(t *wheel.Timer) {
	if t == &s.beat {
		s.dialect.beat((*Session)(s))
		return
	}
	(*Session)(s).outOfPatience(t)
}

// bePatient arms the timer that calls outOfPatience: a new one for each wait, so that
// the end of one is not taken for that of the next. mu is held.
func (s *Session) bePatient(d time.Duration) {
	s.stopPatience()
	s.needed().patience = new(wheel.Timer)
	s.srv.wheel.Start(s.patience, (*sessionTimer)(s), d)
}

// stopPatience undoes bePatient. mu is held.
func (s *Session) stopPatience() {
	if s.patience != nil {
		s.srv.wheel.Stop(s.patience)
		s.patience = nil
	}
}
