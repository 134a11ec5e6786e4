package sioclient

import (
	"slices"

	"github.com/hermod-io/hermod/internal/usercode"
)

// hook says what a function of the application is told of.
type hook uint8

const (
	evOpen hook = iota
	evError
	evPing
	evReconnectAttempt
	evReconnect
	evReconnectError
	evReconnectFailed
	evClose
	hookCount
)

// hooks are what was registered on a Manager. They are immutable; registering
// makes new ones.
type hooks struct {
	list [hookCount][]func(v any)
}

// closing is what OnClose is told.
type closing struct {
	reason Reason
	err    error
}

// call calls the functions of k, on a goroutine that they may end, and waits for
// them. Their panics are logged.
func (m *Manager) call(k hook, v any) {
	list := m.hooks.Load().list[k]
	if len(list) == 0 {
		return
	}
	_ = usercode.Apart(func() error {
		usercode.Each(list, func(f func(any)) { m.guard(func() { f(v) }) })
		return nil
	})
}

func (m *Manager) hook(k hook, f func(v any)) {
	for {
		old := m.hooks.Load()
		h := *old
		h.list[k] = append(slices.Clip(h.list[k]), f)
		if m.hooks.CompareAndSwap(old, &h) {
			return
		}
	}
}

// asError is v as an error; nil stays nil.
func asError(v any) error {
	err, _ := v.(error)
	return err
}

// The functions below are waited for by the goroutine that makes or reads the
// connection, which they must not hold up.

// OnOpen adds a function that is called when a connection was made, before the
// Sockets join. JS: event open.
func (m *Manager) OnOpen(f func()) { m.hook(evOpen, func(any) { f() }) }

// OnClose adds a function that is called when the connection has ended. JS: event
// close.
func (m *Manager) OnClose(f func(reason Reason, err error)) {
	m.hook(evClose, func(v any) { c := v.(closing); f(c.reason, c.err) })
}

// OnError adds a function that is called when a connection could not be made. JS:
// event error.
func (m *Manager) OnError(f func(err error)) { m.hook(evError, func(v any) { f(asError(v)) }) }

// OnPing adds a function that is called when the server has sent a ping. JS: event
// ping.
func (m *Manager) OnPing(f func()) { m.hook(evPing, func(any) { f() }) }

// OnReconnectAttempt adds a function that is called before each attempt to
// connect again, with its number from 1 on. JS: event reconnect_attempt.
func (m *Manager) OnReconnectAttempt(f func(attempt int)) {
	m.hook(evReconnectAttempt, func(v any) { f(v.(int)) })
}

// OnReconnect adds a function that is called when an attempt to connect again
// has succeeded, with its number. JS: event reconnect.
func (m *Manager) OnReconnect(f func(attempt int)) {
	m.hook(evReconnect, func(v any) { f(v.(int)) })
}

// OnReconnectError adds a function that is called when an attempt to connect
// again has failed. JS: event reconnect_error.
func (m *Manager) OnReconnectError(f func(err error)) {
	m.hook(evReconnectError, func(v any) { f(asError(v)) })
}

// OnReconnectFailed adds a function that is called when all attempts have
// failed. JS: event reconnect_failed.
func (m *Manager) OnReconnectFailed(f func()) { m.hook(evReconnectFailed, func(any) { f() }) }
