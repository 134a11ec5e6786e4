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

// Expire implements wheel.Expirer.
func (t *Timer) Expire(*wheel.Timer) { t.f() }

// Stop reports whether the timer was armed.
func (t *Timer) Stop() bool { return t.srv != nil && t.srv.wheel.Stop(&t.t) }

// After calls f on the server's timer wheel, not before d has passed; f must not block.
func (srv *Server) After(t *Timer, d time.Duration, f func()) {
	t.srv, t.f = srv, f
	srv.wheel.Start(&t.t, t, d)
}
