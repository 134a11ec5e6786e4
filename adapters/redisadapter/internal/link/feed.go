package link

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"
)

// maxChannels is how many channels one command subscribes.
const maxChannels = 500

// feed is the connection to one server, and what is subscribed there. Its
// goroutine writes and owns the fields above the line; a second one, which
// lives as long as a connection, reads. What is below is guarded by the
// Subscriber's mutex.
type feed struct {
	s    *Subscriber
	addr string
	kick chan struct{}
	back backoff

	// -- guarded by Subscriber.mu
	subs     map[*sub]struct{}
	join     []*sub    // to be subscribed
	leave    []*sub    // to be unsubscribed
	later    []delay   // refused: to be subscribed again
	sent     []batch   // commands without an answer, on this connection
	outage   *outage   // the last one
	moving   *outage   // the last that slots were given away in
	sure     time.Time // all that was published before has come; zero: no connection
	answered bool      // on this connection
	down     bool      // the last connection was lost, or could not be made
}

// delay is a subscription that is tried again later.
type delay struct {
	u    *sub
	when time.Time
}

// batch is a command that was sent: a ping, or one that (un)subscribes.
type batch struct {
	kind  Kind
	leave bool
	ping  bool
	subs  []*sub
	next  int       // the first that is not answered
	at    time.Time // when it was sent, or a little before
}

// add takes a subscription over. Needs the Subscriber's mutex.
func (f *feed) add(u *sub) {
	u.feed, u.sent = f, false
	f.subs[u] = struct{}{}
	f.join = append(f.join, u)
	wake(f.kick)
}

// remove gives a subscription up, and tells the server so if it knows of it.
// Needs the Subscriber's mutex.
func (f *feed) remove(u *sub) {
	delete(f.subs, u)
	if u.sent && u.gone {
		f.leave = append(f.leave, u)
	}
	u.feed, u.sent = nil, false
	wake(f.kick)
}

// run connects, and connects again, until the Subscriber ends or, on a Cluster,
// nothing is subscribed here any more.
func (f *feed) run() {
	failures := 0
	for f.needed() {
		sess, err := f.s.top.connect(f.s.ctx, f.addr, f.greet)
		if err == nil {
			err = f.serve(sess)
		}
		if f.s.ctx.Err() != nil {
			return
		}
		answered := f.lost(err)
		if err == errEmpty {
			continue
		}
		if answered {
			failures, f.back = 0, backoff{}
		}
		if failures++; failures == 1 {
			f.s.log(slog.LevelWarn, "the connection of the subscriber is broken", "remote", f.addr, "err", err)
		}
		pause(f.s.ctx, nil, f.back.next())
		f.reroute(failures)
	}
}

// greet is called when the server lets a connection in.
func (f *feed) greet(ctx context.Context, c *redis.Conn) error {
	return f.s.top.greet(ctx, f.addr, c.Do)
}

// errEmpty ends a connection that is of no use any more.
var errEmpty = errors.New("link: nothing is subscribed")

// idleFeed is how long a feed of a Cluster waits for something to do.
const idleFeed = time.Second

// needed waits until something is subscribed.
func (f *feed) needed() bool {
	s := f.s
	var enough <-chan time.Time // nil: wait for ever
	if s.top.cluster != nil {
		timer := time.NewTimer(idleFeed)
		defer timer.Stop()
		enough = timer.C
	}
	for over := false; ; {
		s.mu.Lock()
		n := len(f.subs)
		if n == 0 && over {
			delete(s.feeds, f.addr)
		}
		s.mu.Unlock()
		if n > 0 || over || s.ctx.Err() != nil {
			return n > 0 && s.ctx.Err() == nil
		}
		select {
		case <-f.kick:
		case <-enough:
			over = true
		case <-s.ctx.Done():
		}
	}
}

// serve works with one connection until it breaks.
func (f *feed) serve(sess *session) error {
	defer sess.close()
	f.begin()
	ps := sess.client.Subscribe(background)
	defer func() { _ = ps.Close() }()
	if err := f.ping(ps); err != nil {
		return err
	}
	broken := make(chan error, 1)
	ended := make(chan struct{})
	in := &inlet{conn: sess.conn.Conn, silence: f.silence()}
	sess.conn.in = in  // from here on nobody but read reads
	f.s.wg.Go(func() { // until the connection is closed
		defer close(ended)
		broken <- f.read(ps, in)
	})
	err := f.write(ps, broken)
	sess.close()
	<-ended
	return err
}

// begin starts a connection with nothing sent: everything is to be subscribed.
func (f *feed) begin() {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	f.sent, f.join, f.leave, f.later = nil, nil, nil, nil
	for u := range f.subs {
		u.sent = false
		f.join = append(f.join, u)
	}
	f.sure, f.answered, f.down = time.Now(), false, false
}

// lost notes that the connection is gone, if there was one. What was known
// there is in an outage since the last command that was answered, which may be
// one that is not over. It reports whether the server had answered.
func (f *feed) lost(err error) bool {
	s := f.s
	s.mu.Lock()
	defer s.mu.Unlock()
	from := f.sure
	f.sure, f.sent, f.down = time.Time{}, nil, err != errEmpty
	if from.IsZero() || err == errEmpty {
		return false
	}
	s.count.reconnects.Add(1)
	if f.outage == nil || f.outage.waiting == 0 {
		f.outage = &outage{from: from}
	}
	for u := range f.subs {
		u.sent = false
		s.setConfirmed(u, false)
		u.suffer(f.outage)
	}
	return f.answered
}

// reroute asks anew who has what is subscribed here, on a Cluster; the plain
// channels change over to another server if this one is not soon back.
func (f *feed) reroute(failures int) {
	s := f.s
	if s.top.cluster == nil {
		return
	}
	s.top.unreachable(f.addr)
	s.mu.Lock()
	defer s.mu.Unlock()
	if failures > 1 {
		s.home = newHome()
	}
	for u := range f.subs {
		f.giveBack(u)
	}
	f.join, f.leave, f.later = nil, nil, nil
}

// giveBack lets the router find another feed for a subscription. Needs the
// Subscriber's mutex.
func (f *feed) giveBack(u *sub) {
	delete(f.subs, u)
	u.feed, u.sent = nil, false
	f.s.place(u)
}

// write sends what is to be sent, until the connection breaks, nothing is
// subscribed any more, or the Subscriber ends.
func (f *feed) write(ps *redis.PubSub, broken <-chan error) error {
	ping := time.NewTicker(f.s.c.pingInterval())
	defer ping.Stop()
	retry := time.NewTimer(time.Hour)
	defer retry.Stop()
	for {
		wait, err := f.flush(ps)
		if err != nil {
			return err
		}
		retry.Reset(wait)
		select {
		case <-f.kick:
		case <-retry.C:
		case <-ping.C:
			f.checkHome()
			if err := f.ping(ps); err != nil {
				return err
			}
		case err := <-broken:
			return err
		case <-f.s.ctx.Done():
			return ErrClosed
		}
		if f.empty() {
			return errEmpty
		}
	}
}

// empty reports whether a server of a Cluster is not needed any more.
func (f *feed) empty() bool {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	return f.s.top.cluster != nil && len(f.subs) == 0
}

// checkHome gives the plain channels back if this server of a Cluster is not
// the one for them any more: one that was taken out of the Cluster would go on
// answering pings, and bring nothing. The table that tells may be a minute old, and
// so long nothing is heard; the gap begins later than that.
func (f *feed) checkHome() {
	s := f.s
	if s.top.cluster == nil {
		return
	}
	s.mu.Lock()
	home := s.home
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(s.ctx, resolveTimeout)
	defer cancel()
	addr, err := s.top.owner(ctx, home)
	if err != nil || addr == f.addr {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o := &outage{from: f.sure}
	for u := range f.subs {
		if u.kind == Sharded {
			continue
		}
		if u.sent {
			f.leave = append(f.leave, u)
		}
		s.setConfirmed(u, false)
		u.suffer(o)
		f.giveBack(u)
	}
}
