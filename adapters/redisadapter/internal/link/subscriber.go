package link

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// Kind is how a channel is subscribed.
type Kind uint8

// The kinds of subscriptions.
const (
	Plain   Kind = iota // SUBSCRIBE: what PUBLISH sends
	Pattern             // PSUBSCRIBE: what PUBLISH sends to channels that match
	Sharded             // SSUBSCRIBE: what SPUBLISH sends; Redis 7
)

// String returns the command of the kind.
func (k Kind) String() string { return [...]string{"subscribe", "psubscribe", "ssubscribe"}[k] }

// Message is what was published.
type Message struct {
	Channel string
	Pattern string // as subscribed; "" unless the kind is Pattern
	Payload []byte // lent until the Handler returns, must not be changed
}

// Handler gets the messages of a channel, in the order in which Redis sent
// them, on the goroutine that reads from the connection: it must not block. A
// panic is recovered, counted and logged.
type Handler func(Message)

// name is a subscription's key. Plain and sharded channels share a name space,
// since their messages cannot be told apart.
type name struct {
	pattern bool
	channel string
}

// sub is a channel or pattern that is wanted, or was until a moment ago. The
// Subscriber's mutex guards it.
type sub struct {
	kind      Kind
	channel   string
	slot      uint16
	handler   Handler
	feed      *feed // nil: not known yet
	sent      bool  // SUBSCRIBE is on its way, or was answered, on this connection of the feed
	confirmed bool
	known     bool      // was confirmed once
	gone      bool      // unsubscribed for good
	lingers   bool      // unsubscribed, perhaps for a moment
	until     time.Time // end of that moment
	alone     bool      // was refused: is sent in a command of its own
	refusals  int
	outage    *outage
	tickets   []*ticket
}

// ticket is a Subscribe that waits.
type ticket struct {
	left int
	err  error
	done chan struct{}
}

// outage is a time in which messages may have been lost.
type outage struct {
	from    time.Time
	waiting int // subscriptions that are not confirmed again
}

// Subscriber keeps subscriptions alive. Make it with [NewSubscriber]; its
// methods may be called from any goroutine.
//
// There is a feed, with one connection, for each server that is needed: one if
// there is only one server; on a Cluster one of the masters for all plain
// channels and patterns, and the masters in charge of the sharded channels.
type Subscriber struct {
	c      Config
	top    *topology
	ctx    context.Context // until Close
	cancel context.CancelFunc
	wg     sync.WaitGroup
	count  struct{ messages, panics, reconnects, gaps atomic.Int64 }

	reporting sync.Mutex // held while OnGap runs

	mu       sync.Mutex // guards what follows, and each sub
	closed   bool
	subs     map[name]*sub
	feeds    map[string]*feed
	unrouted []*sub
	astray   bool          // the router could not find out where they belong
	kick     chan struct{} // wakes the router
	home     string        // a key whose owner has the plain channels, on a Cluster
	leaving  []departure
	timer    *time.Timer // of leaving; nil while that is empty
	live     int64       // confirmed
}

// departure is a subscription that lingers until a time.
type departure struct {
	s     *sub
	until time.Time
}

// NewSubscriber returns a Subscriber for the servers of a client, see [New].
func NewSubscriber(client redis.UniversalClient, c Config) (*Subscriber, error) {
	top, err := newTopology(client, c.writeTimeout())
	if err != nil {
		return nil, err
	}
	s := &Subscriber{c: c, top: top, subs: make(map[name]*sub), feeds: make(map[string]*feed), kick: make(chan struct{}, 1), home: newHome()}
	s.ctx, s.cancel = context.WithCancel(background)
	if top.cluster != nil {
		s.wg.Go(s.runRouter) // until Close
	}
	return s, nil
}

// newHome returns a key of some slot.
func newHome() string { return strconv.Itoa(rand.IntN(1 << 30)) }

// Subscribe subscribes channels (patterns, if the kind is Pattern) and waits
// until Redis has confirmed all of them. They are wanted from the call on: if
// ctx ends before, its error is returned, and if Redis refuses one, that error;
// in both cases it goes on being tried, until Unsubscribe. A channel has one
// handler: a further Subscribe replaces it. The other errors are ErrClosed and
// ErrKind, which leave everything as it is.
func (s *Subscriber) Subscribe(ctx context.Context, kind Kind, h Handler, channels ...string) error {
	t := &ticket{done: make(chan struct{})}
	s.mu.Lock()
	list, err := s.register(kind, h, channels)
	if err != nil {
		s.mu.Unlock()
		return err
	}
	for _, u := range list {
		t.watch(u)
	}
	ready := t.left == 0
	s.mu.Unlock()
	if ready {
		return nil
	}
	return s.await(ctx, t, list)
}

// register makes channels wanted. Needs mu.
func (s *Subscriber) register(kind Kind, h Handler, channels []string) ([]*sub, error) {
	if s.closed {
		return nil, ErrClosed
	}
	for _, c := range channels {
		if u := s.subs[name{kind == Pattern, c}]; u != nil && u.kind != kind {
			return nil, ErrKind
		}
	}
	list := make([]*sub, 0, len(channels))
	for _, c := range channels {
		u := s.want(kind, c)
		u.handler, u.lingers = h, false
		list = append(list, u)
	}
	return list, nil
}

// watch makes t wait for u, unless that is confirmed. Needs the Subscriber's
// mutex.
func (t *ticket) watch(u *sub) {
	if !u.confirmed {
		u.tickets = append(u.tickets, t)
		t.left++
	}
}

// await waits for what t watches, of which list has all.
func (s *Subscriber) await(ctx context.Context, t *ticket, list []*sub) error {
	select {
	case <-t.done:
		return t.err
	case <-ctx.Done():
		s.forget(t, list)
		return ctx.Err()
	case <-s.ctx.Done():
		return ErrClosed
	}
}

// want returns the subscription of a channel. Needs mu.
func (s *Subscriber) want(kind Kind, channel string) *sub {
	key := name{kind == Pattern, channel}
	u := s.subs[key]
	if u == nil {
		u = &sub{kind: kind, channel: channel}
		if s.top.cluster != nil && kind == Sharded {
			u.slot = keySlot(channel)
		}
		s.subs[key] = u
		s.place(u)
	}
	return u
}

// place finds a feed for a subscription that has none. Needs mu.
func (s *Subscriber) place(u *sub) {
	if s.top.cluster != nil {
		s.unrouted = append(s.unrouted, u)
		wake(s.kick)
		return
	}
	s.feed("").add(u)
}

// feed returns the feed from a server. Needs mu.
func (s *Subscriber) feed(addr string) *feed {
	f := s.feeds[addr]
	if f == nil {
		f = &feed{s: s, addr: addr, kick: make(chan struct{}, 1), subs: make(map[*sub]struct{})}
		s.feeds[addr] = f
		s.wg.Go(f.run) // until Close, or nothing is left on a Cluster
	}
	return f
}

// forget takes a ticket back whose owner does not wait any more.
func (s *Subscriber) forget(t *ticket, list []*sub) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range list {
		kept := u.tickets[:0]
		for _, other := range u.tickets {
			if other != t {
				kept = append(kept, other)
			}
		}
		clear(u.tickets[len(kept):])
		u.tickets = kept
	}
}

// Unsubscribe ends subscriptions: their handlers are not called any more, but
// for a message that is being handed over now. Redis is told after
// Config.Linger. Channels that are not subscribed as this kind are left alone.
// A Subscribe that waits for one of them gets ErrUnsubscribed. Unsubscribe
// never waits.
func (s *Subscriber) Unsubscribe(kind Kind, channels ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	until := time.Now().Add(s.c.linger())
	for _, c := range channels {
		if u := s.subs[name{kind == Pattern, c}]; u != nil && u.kind == kind && !u.lingers {
			u.lingers, u.until, u.handler = true, until, nil
			u.settle(ErrUnsubscribed)
			s.leaving = append(s.leaving, departure{u, until})
		}
	}
	if s.c.linger() == 0 {
		s.depart(until)
	} else if s.timer == nil && len(s.leaving) > 0 {
		s.timer = time.AfterFunc(s.c.linger(), s.departDue)
	}
}

// departDue is for the timer.
func (s *Subscriber) departDue() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.timer = nil
	if s.closed {
		return
	}
	now := time.Now()
	s.depart(now)
	if len(s.leaving) > 0 {
		s.timer = time.AfterFunc(s.leaving[0].until.Sub(now), s.departDue)
	}
}

// depart unsubscribes what has lingered. A gap that ends with that is told by a
// goroutine of its own, since whoever gives a channel up may hold locks. Needs
// mu, and that the Subscriber is not closed.
func (s *Subscriber) depart(now time.Time) {
	var gaps []gap
	n := 0
	for n < len(s.leaving) && !s.leaving[n].until.After(now) {
		if u := s.leaving[n].s; u.lingers && !u.gone && u.until.Equal(s.leaving[n].until) {
			u.gone = true
			delete(s.subs, name{u.kind == Pattern, u.channel})
			gaps = u.recover(gaps, now)
			s.setConfirmed(u, false)
			if u.feed != nil {
				u.feed.remove(u)
			}
		}
		n++
	}
	s.leaving = append(s.leaving[:0], s.leaving[n:]...)
	if len(gaps) > 0 {
		s.wg.Go(func() { s.report(gaps) })
	}
}

// setConfirmed keeps the number of confirmed subscriptions. Needs mu.
func (s *Subscriber) setConfirmed(u *sub, is bool) {
	if u.confirmed != is {
		u.confirmed = is
		if is {
			s.live++
		} else {
			s.live--
		}
	}
}

// settle tells those who wait. Needs the Subscriber's mutex.
func (u *sub) settle(err error) {
	for _, t := range u.tickets {
		if t.err == nil {
			t.err = err
		}
		if t.left--; t.left == 0 {
			close(t.done)
		}
	}
	u.tickets = nil
}

// Stats returns the counters.
func (s *Subscriber) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{
		Subscriptions: int64(len(s.subs)), Confirmed: s.live, Messages: s.count.messages.Load(),
		Panics: s.count.panics.Load(), Reconnects: s.count.reconnects.Load(), Gaps: s.count.gaps.Load(),
	}
}

// Close ends the connections. Handlers are not called any more when it returns,
// which it does when nothing of the Subscriber runs. A Subscribe that waits gets
// ErrClosed.
func (s *Subscriber) Close(context.Context) error {
	s.mu.Lock()
	s.closed = true
	if s.timer != nil {
		s.timer.Stop()
	}
	s.mu.Unlock()
	s.cancel()
	s.wg.Wait()
	return nil
}

// log is for the other files.
func (s *Subscriber) log(level slog.Level, msg string, args ...any) { s.c.log(level, msg, args...) }
