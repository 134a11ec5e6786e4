package engineio

import (
	"time"

	"github.com/hermod-io/hermod/internal/wheel"
)

// Timer is a coarse timer of a Server; the zero value is ready. Stop unlinks it at once.
type Timer struct {
	t   wheel.Timer
	srv *Server
	f   func()
}

// Stop reports whether the timer was armed.
func (t *Timer) Stop() bool { return t.srv != nil && t.srv.wheel.Stop(&t.t) }

// After calls f on the server's timer wheel, not before d has passed; f must not block.
func (srv *Server) After(t *Timer, d time.Duration, f func()) {
	t.srv, t.f = srv, f
	srv.wheel.Start(&t.t, (*expiring)(t), d)
}

// expiring is a Timer as the wheel sees it.
type expiring Timer

// Expire implements wheel.Expirer.
func (t *expiring) Expire(*wheel.Timer) { t.f() }
