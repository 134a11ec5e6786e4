package link

import (
	"context"
	"errors"
	"time"
)

// ErrDown is returned by Wait while there is no connection to the server of a
// channel.
var ErrDown = errors.New("link: no connection to Redis")

// Want is Subscribe without the wait.
func (s *Subscriber) Want(kind Kind, h Handler, channels ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.register(kind, h, channels)
	return err
}

// Wait waits until Redis has confirmed those of the channels that are
// subscribed as this kind, and as long as they are. The error is that of ctx,
// that of Redis if it refuses one, ErrClosed, or at once ErrDown: the connection
// was lost or could not be made. It changes nothing: what is wanted goes on
// being tried.
func (s *Subscriber) Wait(ctx context.Context, kind Kind, channels ...string) error {
	t := &ticket{done: make(chan struct{})}
	var list []*sub
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return ErrClosed
	}
	for _, c := range channels {
		u := s.subs[name{kind == Pattern, c}]
		if u == nil || u.kind != kind || u.lingers || u.confirmed {
			continue
		}
		if u.feed != nil && u.feed.down || u.feed == nil && s.astray {
			s.mu.Unlock()
			return ErrDown
		}
		list = append(list, u)
	}
	for _, u := range list {
		t.watch(u)
	}
	s.mu.Unlock()
	if len(list) == 0 {
		return nil
	}
	if err := s.await(ctx, t, list); err != ErrUnsubscribed {
		return err
	}
	return nil
}

// Drop is Unsubscribe without Config.Linger.
func (s *Subscriber) Drop(kind Kind, channels ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	now := time.Now()
	var due []departure
	for _, c := range channels {
		if u := s.subs[name{kind == Pattern, c}]; u != nil && u.kind == kind {
			u.lingers, u.until, u.handler = true, now, nil
			u.settle(ErrUnsubscribed)
			due = append(due, departure{u, now})
		}
	}
	s.leaving = append(due, s.leaving...)
	s.depart(now)
}
