package engineio

import (
	"time"

	"github.com/hermod-io/hermod/internal/wheel"
)

// Timer is a coarse timer of a Server, see [Server.After]; the zero value is ready. It
// must not be copied while it is armed.
type Timer struct {
	t   wheel.Timer
	srv *Server
	f   func()
}

// Stop disarms the timer and reports whether it was armed; if not, its function may
// be running.
func (t *Timer) Stop() bool { return t.srv != nil && t.srv.wheel.Stop(&t.t) }

// After arms t, also anew: f is called once, no earlier than after d, and late by up to
// a hundredth of the smaller of PingInterval and PingTimeout, by 10 ms if that is more
// and by a second at most. It is called on a goroutine of all timers of the server, so
// it must not block or panic.
func (srv *Server) After(t *Timer, d time.Duration, f func()) {
	t.srv, t.f = srv, f
	srv.wheel.Start(&t.t, (*expiring)(t), d)
}

// expiring is a Timer as the wheel sees it.
type expiring Timer

// Expire implements wheel.Expirer.
func (t *expiring) Expire(*wheel.Timer) { t.f() }
