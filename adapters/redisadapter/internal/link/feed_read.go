package link

import (
	"cmp"
	"fmt"
	"time"
	"unsafe"

	"github.com/redis/go-redis/v9"
)

// Delays before a subscription is tried again that Redis refused.
const (
	refusedShort = 100 * time.Millisecond // for the moment
	refusedMin   = time.Second            // otherwise: doubled each time
	refusedMax   = 30 * time.Second
)

// read reads until the connection breaks, or is silent for two pings.
func (f *feed) read(ps *redis.PubSub) error {
	for {
		item, err := f.receive(ps)
		if err != nil {
			if !isRefusal(err) {
				return err
			}
			f.refused(err)
			continue
		}
		switch m := item.(type) {
		case *redis.Message:
			f.deliver(m)
		case *redis.Subscription:
			f.s.report(f.confirmed(m))
		case *redis.Pong:
			f.heard(func(b *batch) bool { return b.ping })
		}
	}
}

// receive reads one item. What go-redis cannot read makes it panic.
func (f *feed) receive(ps *redis.PubSub) (item any, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("link: unreadable: %v", v)
		}
	}()
	return ps.ReceiveTimeout(background, 2*f.s.c.pingInterval())
}

// deliver hands a message over.
func (f *feed) deliver(m *redis.Message) {
	s := f.s
	s.mu.Lock()
	f.alive = time.Now()
	var h Handler
	if u := s.subs[name{m.Pattern != "", cmp.Or(m.Pattern, m.Channel)}]; u != nil && u.feed == f && !s.closed {
		h = u.handler
	}
	s.mu.Unlock()
	if h == nil {
		return
	}
	s.count.messages.Add(1)
	// The string is of this message alone, and nobody may write to the slice.
	payload := unsafe.Slice(unsafe.StringData(m.Payload), len(m.Payload))
	s.guard(func() { h(Message{m.Channel, m.Pattern, payload}) })
}

// heard notes a sign of life, and takes the command off the list that it
// answers, if it is the next.
func (f *feed) heard(is func(*batch) bool) {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	f.alive, f.answered = time.Now(), true
	if len(f.sent) > 0 && is(&f.sent[0]) {
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
	before := f.alive
	f.alive, f.answered = time.Now(), true
	if len(f.sent) > 0 {
		if b := &f.sent[0]; !b.ping && b.answer() == m.Kind && b.subs[b.next].channel == m.Channel {
			u := b.subs[b.next]
			if b.next++; b.next == len(b.subs) {
				f.pop()
			}
			if !b.leave && u.sent && u.feed == f {
				s.setConfirmed(u, true)
				u.known, u.alone, u.refusals = true, false, 0
				u.settle(nil)
				gaps = u.recover(gaps, f.alive)
			}
			return gaps
		}
	}
	if m.Kind == "sunsubscribe" {
		f.evicted(m.Channel, before)
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
// slot, after the time before: what is published at the new owner until we are
// there is lost. Needs the Subscriber's mutex.
func (f *feed) evicted(channel string, before time.Time) {
	s := f.s
	u := s.subs[name{false, channel}]
	if u == nil || u.kind != Sharded || u.feed != f || !u.sent {
		return
	}
	s.setConfirmed(u, false)
	if f.moving == nil || f.moving.waiting == 0 {
		f.moving = &outage{from: before}
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
	f.alive, f.answered = time.Now(), true
	if len(f.sent) == 0 {
		return
	}
	b := f.sent[0]
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
			f.later = append(f.later, delay{u, f.alive.Add(refusedShort)})
		case len(b.subs) > 1:
			u.alone = true
			f.join = append(f.join, u)
		default:
			u.settle(fmt.Errorf("link: %s %q: %w", u.kind, u.channel, err))
			f.later = append(f.later, delay{u, f.alive.Add(min(refusedMax, refusedMin<<min(u.refusals, 10)))})
			u.refusals++
		}
	}
	wake(f.kick)
}
