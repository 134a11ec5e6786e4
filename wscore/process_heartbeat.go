package wscore

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/hermod-io/hermod/internal/wheel"
)

// heartbeat pings a peer of whom nothing is heard. It waits on the wheel of the
// connections, and only enqueues.
type heartbeat struct {
	timer   wheel.Timer
	asked   time.Duration // when the ping that is not answered was sent; 0 is none. Of beat, as the next
	invalid int           // pings without a sign since

	mu      sync.Mutex // guards what follows
	stopped bool
}

func (h *heartbeat) start(p *Process) {
	if d := p.settings.heartbeatDelay(p.conn.client); d > 0 {
		h.rearm(p, d)
	}
}

func (h *heartbeat) stop(p *Process) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stopped = true
	p.conn.grp.wheel.Stop(&h.timer)
}

func (h *heartbeat) rearm(p *Process, d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.stopped {
		p.conn.grp.wheel.Start(&h.timer, (*heartbeatTimer)(p), d)
	}
}

// sign is when something of the peer was last read, by the wheel's clock; negative,
// -1 for time 0, while a callback keeps the reader from reading since then.
type sign struct{ atomic.Int64 }

// busy notes that something was read, and that a callback is told of it.
func (p *Process) busy() { p.seen.Store(^int64(p.conn.grp.wheel.Now())) }

// listening notes that something was read, or could not be read before.
func (p *Process) listening() { p.seen.Store(int64(p.conn.grp.wheel.Now())) }

// last returns the time of the sign, and whether a callback keeps the reader.
func (s *sign) last() (seen time.Duration, busy bool) {
	v := s.Load()
	if v < 0 {
		return time.Duration(^v), true
	}
	return time.Duration(v), false
}

// heartbeatTimer is a Process as the timer of its heartbeat sees it.
type heartbeatTimer Process

// Expire implements wheel.Expirer.
func (p *heartbeatTimer) Expire(*wheel.Timer) { (*Process)(p).beat() }

// beat pings, or gives up, when the time has come.
func (p *Process) beat() {
	h, delay, patience := &p.heart, p.settings.heartbeatDelay(p.conn.client), p.settings.pongTimeout()
	now := p.conn.grp.wheel.Now()
	seen, busy := p.seen.last()
	pause := p.settings.maxReadPause()
	excused := busy && (pause < 0 || now < seen+pause) // the peer cannot be heard
	switch {
	case (patience < 0 || excused) && now >= seen+delay: // nothing need come
	case h.asked != 0 && seen < h.asked && now < h.asked+patience:
		h.rearm(p, h.asked+patience-now)
		return
	case h.asked != 0 && seen < h.asked: // nothing came in time
		h.invalid++
		if limit := p.settings.maxInvalidHeartbeats(); limit > 0 && h.invalid >= limit {
			p.conn.failWith(CloseAbnormal, ErrNoPong)
			return
		}
	default:
		h.asked, h.invalid = 0, 0
		if wait := seen + delay - now; wait > 0 {
			h.rearm(p, wait)
			return
		}
	}
	p.logFrame("sent", OpPing, nil)
	_ = p.conn.Ping(nil) // a connection that ends stops the timer
	if excused {
		h.asked, h.invalid = 0, 0
		h.rearm(p, delay)
		return
	}
	h.asked = max(now, 1)
	if patience >= 0 {
		delay = min(delay, patience)
	}
	h.rearm(p, delay)
}
