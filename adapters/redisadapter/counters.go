package redisadapter

import (
	"sync"
	"time"

	"github.com/hermod-io/hermod/adapters/redisadapter/internal/link"
)

// Counters tells what goes over the connections of a factory or an emitter: give
// a new one to its options. The zero value is ready; it is not to be copied. Its
// method may be called from any goroutine.
type Counters struct {
	mu       sync.Mutex // guards what follows
	link     *link.Link
	writer   *link.Writer
	poison   int64
	reported time.Time
}

// Stats is what [Counters.Stats] returns. All but Poison begin at zero when the
// connections are opened, with the first namespace.
type Stats struct {
	Published     int64 // commands that Redis carried out: messages to other nodes, those of a batch each
	Batches       int64 // batches that Redis carried out, see Options.Batches
	Received      int64 // messages that came, own ones included; those of a batch each
	Poison        int64 // of those, how many were malformed and dropped; a malformed batch is one
	Refused       int64 // commands that Redis refused
	Dropped       int64 // commands that were given up: too much queued, or the connection broke
	Queued        int64 // bytes that wait to be sent, now
	Subscriptions int64 // channels, now
	Reconnects    int64 // connections that broke
	Gaps          int64 // outages in which messages of other nodes may have been lost
}

// Stats returns the counters.
func (c *Counters) Stats() Stats {
	c.mu.Lock()
	l, w, poison := c.link, c.writer, c.poison
	c.mu.Unlock()
	var s link.Stats
	switch {
	case l != nil:
		s = l.Stats()
	case w != nil:
		s = w.Stats()
	}
	return Stats{
		Published: s.Published, Batches: s.Batches, Received: s.Messages, Poison: poison, Refused: s.Refused, Dropped: s.Dropped,
		Queued: s.Queued, Subscriptions: s.Subscriptions, Reconnects: s.Reconnects + s.WriterResets, Gaps: s.Gaps,
	}
}

func (c *Counters) use(l *link.Link) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.link = l
}

func (c *Counters) useWriter(w *link.Writer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writer = w
}

// poisonInterval is the shortest time between two lines of the log about poison.
const poisonInterval = time.Second

// poisoned counts a malformed message; it reports whether that is to be logged.
func (c *Counters) poisoned() (n int64, log bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.poison++
	if now := time.Now(); now.Sub(c.reported) >= poisonInterval {
		c.reported, log = now, true
	}
	return c.poison, log
}
