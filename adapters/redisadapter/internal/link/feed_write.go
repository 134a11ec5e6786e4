package link

import (
	"time"

	"github.com/redis/go-redis/v9"
)

// ping sends a PING.
func (f *feed) ping(ps *redis.PubSub) error {
	f.s.mu.Lock()
	f.sent = append(f.sent, batch{ping: true, at: time.Now()})
	f.s.mu.Unlock()
	return ps.Ping(background)
}

// flush sends what is to be sent and returns when there will be more, as far as
// is known. What is to go is sent before what is to come: if both have the same
// name, the latter is newer.
func (f *feed) flush(ps *redis.PubSub) (time.Duration, error) {
	f.s.mu.Lock()
	now := time.Now()
	wait := f.due(now)
	list := group(nil, f.leave, true)
	for _, u := range f.join {
		u.sent = u.feed == f && !u.gone
	}
	list = group(list, f.join, false)
	f.leave, f.join = nil, nil
	for i := range list {
		list[i].at = now
	}
	f.sent = append(f.sent, list...)
	f.s.mu.Unlock()
	for _, b := range list {
		if err := b.send(ps); err != nil {
			return 0, err
		}
	}
	return wait, nil
}

// due moves what was refused long enough ago to what is to be subscribed, and
// returns the time until the next. Needs the Subscriber's mutex.
func (f *feed) due(now time.Time) time.Duration {
	wait, kept := time.Hour, f.later[:0]
	for _, d := range f.later {
		switch {
		case d.u.gone || d.u.feed != f || d.u.sent:
		case d.when.After(now):
			wait = min(wait, d.when.Sub(now))
			kept = append(kept, d)
		default:
			f.join = append(f.join, d.u)
		}
	}
	clear(f.later[len(kept):])
	f.later = kept
	return wait
}

// group appends the commands for subscriptions to a list: at most maxChannels
// in one, of one kind and one slot, and those apart that were refused.
func group(list []batch, subs []*sub, leave bool) []batch {
	type class struct {
		kind Kind
		slot uint16
	}
	open := make(map[class]int)
	for _, u := range subs {
		if !leave && !u.sent {
			continue
		}
		c := class{u.kind, u.slot}
		i, ok := open[c]
		if !ok || u.alone || len(list[i].subs) == maxChannels {
			i = len(list)
			list = append(list, batch{kind: u.kind, leave: leave})
			if !u.alone {
				open[c] = i
			}
		}
		list[i].subs = append(list[i].subs, u)
	}
	return list
}

// send writes the command.
func (b batch) send(ps *redis.PubSub) error {
	channels := make([]string, len(b.subs))
	for i, u := range b.subs {
		channels[i] = u.channel
	}
	command := ps.Subscribe
	switch {
	case b.kind == Plain && b.leave:
		command = ps.Unsubscribe
	case b.kind == Pattern && b.leave:
		command = ps.PUnsubscribe
	case b.kind == Pattern:
		command = ps.PSubscribe
	case b.kind == Sharded && b.leave:
		command = ps.SUnsubscribe
	case b.kind == Sharded:
		command = ps.SSubscribe
	}
	return command(background, channels...)
}
