package wscore

import (
	"time"

	"github.com/hermod-io/hermod/internal/bufpool"
)

// The stack of the goroutine that waits for bytes, and what the runtime keeps
// of it, is the larger part of an idle connection. So one that has been silent
// for a while is parked: its reader ends, and its descriptor waits in the lot
// of its group, with all others, for a new one. That needs the poller of the
// operating system, see lot, and a stream that is a descriptor; what it costs is
// three system calls for the next message.
type parking struct {
	silence time.Duration // how long a connection is silent before it is parked, twice that at most
	pause   time.Duration // the same when it was parked before
	young   time.Duration // the same when it has said little yet: many that come at once shall not have a goroutine each
	long    time.Duration // who was parked for longer is parked again at once
	least   int           // how many there must be: for fewer the lot's own goroutine is not worth it
}

var defaultParking = parking{2 * time.Second, 250 * time.Millisecond, 50 * time.Millisecond, 500 * time.Millisecond, 64}

// rest is how a reader comes to its rest.
type rest uint8

const (
	restQuiet   rest = iota // nothing came since it began to await silence
	restStirred             // something did
	restResumed             // it was parked, and is about to read what ended that
	restBrief               // the same after a long sleep: it is parked again behind what ended that
)

// deadliner is a stream that can be told how long to wait.
type deadliner interface{ SetReadDeadline(t time.Time) error }

// await has the wait for bytes interrupted after d.
func (c *Conn) await(d time.Duration) {
	if s, ok := c.rwc.(deadliner); ok {
		_ = s.SetReadDeadline(time.Now().Add(d)) // of a closed stream: reading tells
	}
}

// stir notes that something was read. The one message that ended the parking
// does not count: it may be the answer to a ping, and no other may follow.
func (c *Conn) stir() {
	switch c.rest {
	case restResumed:
		c.rest = restQuiet
	case restBrief:
	default:
		c.rest = restStirred
	}
}

// interrupted reports whether reading has failed only because of await.
func (c *Conn) interrupted() bool {
	if !isTimeout(c.readErr()) || c.gone.Load() || !c.canPark() {
		return false
	}
	c.aside = nil
	return true
}

// park parks the connection, if it is silent, and reports whether the reader is
// to end.
func (c *Conn) park() bool {
	seldom := c.grp.Conns() < c.grp.parking.least
	if !seldom && c.rest != restStirred {
		c.moved = c.now()
		if c.grp.park(c) {
			return true
		}
		seldom = true // there is no room for it, and hardly soon
	}
	c.awaitSilence(seldom)
	return false
}

// awaitSilence begins the wait for a silence that is long enough. Where there are
// too few to park, or none can be, it is looked for seldom.
func (c *Conn) awaitSilence(seldom bool) {
	c.rest = restQuiet
	if seldom {
		c.await(c.grp.parking.silence)
	} else {
		c.await(c.orYoung(c.grp.parking.silence))
	}
}

// orYoung is d, or what a young connection has instead.
func (c *Conn) orYoung(d time.Duration) time.Duration {
	if c.reads < youngReads {
		return c.grp.parking.young
	}
	return d
}

// parkAgain parks a connection that has slept for long, if what has ended that is
// over, and reports whether the reader is to end. Who speaks so seldom is most
// likely silent again: the answer to a ping is all there is.
func (c *Conn) parkAgain() bool {
	if c.rest != restBrief {
		return false
	}
	if c.parser.busy() || c.n == bufpool.Medium { // more is about to come
		c.awaitSilence(false)
		return false
	}
	return c.park()
}

// resume is the first of the reader's goroutines after it was parked. Where the
// processor has more to do than it can, its own delay counts as sleep, and the clock
// may be a tick of the wheel behind: so long is a good deal more than either.
func (c *Conn) resume() {
	now := c.now()
	if slept := time.Duration(now-c.moved) * time.Millisecond; slept > c.grp.parking.long {
		c.rest = restBrief
		c.readNow()
	} else {
		c.rest = restResumed
		c.await(c.orYoung(c.grp.parking.pause))
	}
	c.moved = now
	c.goOn()
}

// now is the time by the wheel's clock, in ms.
func (c *Conn) now() uint32 { return uint32(c.grp.wheel.Now().Milliseconds()) }
