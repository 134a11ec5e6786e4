package engineio

import (
	"net/http"
	"time"

	"github.com/hermod-io/hermod/internal/wheel"
)

// seldom is what an open session over WebSocket does without: what polling and
// upgrading need, and how it ended. The session's mu guards it.
type seldom struct {
	queueing []chan struct{} // who else wants to call the Handler; the first is next
	probe    *wsTransport
	box      outbox
	get      *getRequest         // nil or &getRoom
	answer   *answer             // to the GET before; nil or &answerRoom
	body     http.ResponseWriter // of a POST whose body is on its way
	patience *wheel.Timer        // upgrade timeout; after Close the wait for the last GET; nil until needed
	noop     *time.Timer
	reason   Reason
	err      error

	getRoom    getRequest
	answerRoom answer
}

// nothing is the seldom of a session that has needed none. It is only read.
var nothing seldom

// needed makes s.seldom the session's own, so that it can be written. mu is held.
func (s *Session) needed() *seldom {
	if s.seldom == &nothing {
		s.seldom = new(seldom)
	}
	return s.seldom
}

// spare lets go of it, once the session has its WebSocket and nothing is under
// way any more. mu is held.
func (s *Session) spare() {
	d := s.seldom
	if s.ws.Load() != nil && s.state == stateOpen && !s.posting && d.queueing == nil && d.probe == nil && d.box.units == nil &&
		d.get == nil && d.answer == nil && d.patience == nil && d.noop == nil {
		s.seldom = &nothing
	}
}
