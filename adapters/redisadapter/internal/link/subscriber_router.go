package link

import (
	"context"
	"log/slog"
)

// runRouter finds feeds for what has none, until the Subscriber ends. It is
// only needed on a Cluster.
func (s *Subscriber) runRouter() {
	var back backoff
	for {
		select {
		case <-s.kick:
		case <-s.ctx.Done():
			return
		}
		err := s.routeAll()
		if err == nil {
			back = backoff{}
			continue
		}
		if back.failures == 0 && s.ctx.Err() == nil {
			s.log(slog.LevelWarn, "the server of a channel is not known", "err", err)
		}
		pause(s.ctx, nil, back.next())
		wake(s.kick)
	}
}

// key returns a key whose owner is to have the subscription. Needs mu.
func (s *Subscriber) key(u *sub) string {
	if u.kind == Sharded {
		return u.channel
	}
	return s.home
}

// routeAll finds feeds for what it can. The error is of the others.
func (s *Subscriber) routeAll() (failure error) {
	s.mu.Lock()
	keys := make(map[uint16]string)
	for _, u := range s.unrouted {
		k := s.key(u)
		keys[keySlot(k)] = k
	}
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(s.ctx, resolveTimeout)
	defer cancel()
	owners := make(map[uint16]string, len(keys))
	for slot, key := range keys {
		addr, err := s.top.owner(ctx, key)
		if err != nil {
			failure = err
			continue
		}
		owners[slot] = addr
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	s.astray = failure != nil
	list := s.unrouted
	s.unrouted = nil
	for _, u := range list {
		if u.gone || u.feed != nil {
			continue
		}
		if addr, ok := owners[keySlot(s.key(u))]; ok {
			s.feed(addr).add(u)
		} else {
			s.place(u)
		}
	}
	return failure
}
