package link

import (
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// Delays before a subscription is tried again that Redis refused.
const (
	refusedShort = 100 * time.Millisecond // for the moment
	refusedMin   = time.Second            // otherwise: doubled each time
	refusedMax   = 30 * time.Second
)

// read reads until the connection breaks, or is silent for two pings.
func (f *feed) read(ps *redis.PubSub, in *inlet) error {
	for {
		p, ok, err := in.next()
		if err != nil {
			return err
		}
		if ok {
			f.deliver(p)
			continue
		}
		item, err := f.receive(ps)
		in.limit = time.Time{} // go-redis has set another
		if err != nil {
			if !isRefusal(err) {
				return err
			}
			f.refused(err)
			continue
		}
		switch m := item.(type) {
		case *redis.Message: // in a form that an inlet does not know
			p := push{channel: []byte(m.Channel), payload: []byte(m.Payload)}
			if m.Pattern != "" {
				p.pattern = []byte(m.Pattern)
			}
			f.deliver(p)
		case *redis.Subscription:
			f.s.report(f.confirmed(m))
		case *redis.Pong:
			f.pong()
		}
	}
}

// receive lets go-redis read one item. What it cannot read makes it panic.
func (f *feed) receive(ps *redis.PubSub) (item any, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("link: unreadable: %v", v)
		}
	}()
	return ps.ReceiveTimeout(background, f.silence())
}

// silence is how long nothing may come from a connection in order.
func (f *feed) silence() time.Duration { return 2 * f.s.c.pingInterval() }

// deliver hands a message over.
func (f *feed) deliver(p push) {
	s := f.s
	s.mu.Lock()
	var u *sub // in each case the key is made without an allocation
	if p.pattern != nil {
		u = s.subs[name{true, string(p.pattern)}]
	} else {
		u = s.subs[name{false, string(p.channel)}]
	}
	if u == nil || u.feed != f || u.handler == nil || s.closed {
		s.mu.Unlock()
		return
	}
	h, m := u.handler, Message{Channel: u.channel, Payload: p.payload}
	s.mu.Unlock()
	if p.pattern != nil {
		m.Channel, m.Pattern = string(p.channel), u.channel
	}
	s.count.messages.Add(1)
	s.guard(func() { h(m) })
}

// pong deals with the answer to a ping.
func (f *feed) pong() {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	f.answered = true
	if len(f.sent) > 0 && f.sent[0].ping {
		f.sure = f.sent[0].at
		f.pop()
	}
}

// pop takes the next command off the list. Needs the Subscriber's mutex.
func (f *feed) pop() {
	f.sent[0] = batch{}
	f.sent = f.sent[1:]
}

// confirmed deals with the confirmation of one channel.
func (f *feed) confirmed(m *redis.Subscription) (gaps []gap) {
	s := f.s
	s.mu.Lock()
	defer s.mu.Unlock()
	f.answered = true
	if len(f.sent) > 0 {
		if b := &f.sent[0]; !b.ping && b.answer() == m.Kind && b.subs[b.next].channel == m.Channel {
			u := b.subs[b.next]
			f.sure = b.at
			if b.next++; b.next == len(b.subs) {
				f.pop()
			}
			if !b.leave && u.sent && u.feed == f {
				s.setConfirmed(u, true)
				u.known, u.alone, u.refusals = true, false, 0
				u.settle(nil)
				gaps = u.recover(gaps, time.Now())
			}
			return gaps
		}
	}
	if m.Kind == "sunsubscribe" {
		f.evicted(m.Channel)
	}
	return gaps
}

// answer returns the word that confirms the command.
func (b *batch) answer() string {
	if !b.leave {
		return b.kind.String()
	}
	return [...]string{"unsubscribe", "punsubscribe", "sunsubscribe"}[b.kind]
}

// evicted deals with a sharded channel that the server has given away with its
// slot: what is published at the new owner until we are there is lost. Needs the
// Subscriber's mutex.
func (f *feed) evicted(channel string) {
	s := f.s
	u := s.subs[name{false, channel}]
	if u == nil || u.kind != Sharded || u.feed != f || !u.sent {
		return
	}
	s.setConfirmed(u, false)
	if f.moving == nil || f.moving.waiting == 0 {
		f.moving = &outage{from: f.sure}
	}
	u.suffer(f.moving)
	if s.top.cluster == nil {
		delete(f.subs, u)
		f.add(u)
		return
	}
	s.top.cluster.ReloadState(background)
	f.giveBack(u)
}

// refused deals with an error that is the answer to the next command.
func (f *feed) refused(err error) {
	s := f.s
	s.mu.Lock()
	defer s.mu.Unlock()
	f.answered = true
	if len(f.sent) == 0 {
		return
	}
	b, now := f.sent[0], time.Now()
	f.sure = b.at
	f.pop()
	if b.ping || b.leave {
		return
	}
	slot, addr, ask, moved := redirection(err, f.addr)
	if moved = moved && !ask && s.top.cluster != nil; moved {
		s.top.setMoved(slot, addr)
	}
	for _, u := range b.subs[b.next:] {
		if u.gone || u.feed != f || !u.sent {
			continue
		}
		switch u.sent = false; {
		case moved:
			f.giveBack(u)
		case temporary(err):
			f.later = append(f.later, delay{u, now.Add(refusedShort)})
		case len(b.subs) > 1:
			u.alone = true
			f.join = append(f.join, u)
		default:
			u.settle(fmt.Errorf("link: %s %q: %w", u.kind, u.channel, err))
			f.later = append(f.later, delay{u, now.Add(min(refusedMax, refusedMin<<min(u.refusals, 10)))})
			u.refusals++
		}
	}
	wake(f.kick)
}
