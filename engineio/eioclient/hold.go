package eioclient

import (
	"time"

	"github.com/hermod-io/hermod/engineio/packet"
)

// Hold is for an OnMessage that cannot go on yet, and is called by nobody else: it
// waits until goOn is closed, however long that takes, or the session has ended, which
// it reports. Nothing is read meanwhile, and the server's pings may be behind what is to
// be read: pongs that no ping was read for tell that the client lives, and it does not
// take the server for dead.
func (s *Session) Hold(goOn <-chan struct{}) (ended bool) {
	timer := time.NewTimer(s.untilPong())
	defer timer.Stop()
	for {
		select {
		case <-goOn:
			s.pinged.Store(s.now()) // what may be unread yet
			return false
		case <-s.done:
			return true
		case <-timer.C:
		}
		s.busy.Store(s.now()) // or the end of maxPause comes
		if s.untilPong() == 0 {
			s.ponged, s.ahead = s.now(), true
			_ = s.sendPacket(packet.Packet{Type: packet.Pong}) // no room: the server hears that we live
		}
		timer.Reset(s.untilPong())
	}
}

// untilPong is how long a pong may wait that no ping was read for, at most half of
// maxPause. A ping is not there before PingInterval has passed since the last one was
// answered. Then there may be one at any time, since servers differ in what they count
// from, and it is to be answered within PingTimeout.
func (s *Session) untilPong() time.Duration {
	most := maxPause / 2
	pause := time.Duration(s.shake.PingInterval) * time.Millisecond
	if s.ahead {
		pause = time.Duration(s.shake.PingTimeout) * time.Millisecond * 3 / 4
	}
	if pause <= 0 {
		return most
	}
	return min(max(pause-time.Duration(s.now()-s.ponged), 0), most)
}
