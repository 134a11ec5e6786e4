// Package wheel is a coarse timer wheel for very many timers of which few
// ever expire: heartbeats, close waits, ack timeouts.
//
// The three names to know are [Wheel], [Timer] and [Expirer]. A Timer is a
// plain value that its owner embeds; arming and disarming it links and unlinks
// it in a list and allocates nothing, so a connection that waits for its next
// heartbeat costs no timer, goroutine or closure of its own:
//
//	type session struct {
//		heartbeat wheel.Timer
//		upgrade   wheel.Timer
//	}
//
//	func (s *session) Expire(t *wheel.Timer) {
//		switch t {
//		case &s.heartbeat:
//			…
//		case &s.upgrade:
//			…
//		}
//	}
//
//	w.Start(&s.heartbeat, s, 25*time.Second)
//
// Limits: a timer never expires early, and late by up to one tick and the time
// that the callbacks before it take. A wheel with no armed timer runs nothing:
// no goroutine and no runtime timer. It works inside a testing/synctest bubble
// as long as all of its timers are armed in that one bubble.
package wheel
