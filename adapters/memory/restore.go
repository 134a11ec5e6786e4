package memory

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/socketio/parser"
)

// Restore gives a session to a new socket, see [adapters.Recoverer]. It waits
// only for the end of a socket that still has the session, or for a Restore of
// it that is under way, whose socket is ended then as another: the client that
// asks last is the one that lives. Without recovery the error is
// [adapters.ErrNoSession].
func (a *Adapter) Restore(ctx context.Context, pid, offset string, admit func(adapters.Session) adapters.Member) (iter.Seq[*parser.Packet], error) {
	if a.recovery == nil {
		return nil, adapters.ErrNoSession
	}
	rec, err := a.claim(ctx, pid)
	if err != nil {
		return nil, err
	}
	b := &backlog{log: &a.recovery.log, policy: &a.recovery.policy, rec: rec}
	if err = a.settle(b, offset, admit); err != nil {
		a.mu.Lock()
		a.recovery.settled(rec)
		a.mu.Unlock()
		if err == adapters.ErrNoSession {
			a.local.SessionExpired(rec.session)
		}
		return nil, err
	}
	return slices.Values(b.packets), nil
}

// claim takes a session out of the records. A socket that has it is ended
// before.
func (a *Adapter) claim(ctx context.Context, pid string) (*record, error) {
	r := a.recovery
	for {
		if ctx.Err() != nil { // a client that is gone must not take it from its successor
			return nil, context.Cause(ctx)
		}
		a.mu.Lock()
		rec, err := r.take(pid, a.ended)
		if err != nil || rec.over == nil {
			a.mu.Unlock()
			if err == errLate {
				a.local.SessionExpired(rec.session)
				err = adapters.ErrNoSession
			}
			return rec, err
		}
		m, over := rec.member, rec.over
		a.mu.Unlock()
		if m != nil {
			m.Supersede()
		}
		select {
		case <-over:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// errLate is about a session whose time is over, but that was not swept yet.
var errLate = errors.New("late")

// take takes a session out of the records. If it cannot be had yet it has over,
// to wait for. Adapter.mu is held.
func (r *recovery) take(pid string, ended bool) (*record, error) {
	rec := r.records[pid]
	switch {
	case ended:
		return nil, adapters.ErrClosed
	case rec == nil && r.restoring[pid] == nil:
		return nil, adapters.ErrNoSession
	case rec == nil:
		rec = r.restoring[pid]
	case rec.member == nil:
		r.unlink(rec)
		delete(r.records, pid)
		if !r.expiry(rec).After(time.Now()) {
			return rec, errLate
		}
		r.restoring[pid] = rec
		return rec, nil
	}
	if rec.over == nil {
		rec.over = make(chan struct{})
	}
	return rec, nil
}

// settled ends a restoration, for who waits for it. Adapter.mu is held.
func (r *recovery) settled(rec *record) {
	delete(r.restoring, rec.session.PID)
	rec.wake()
}

// chunk is how many packets are looked at while the lock is held.
const chunk = 1024

// settle gathers what a session missed and lets its new socket in. The log is
// copied piece by piece, so that a long one holds nobody up; the last piece and
// the joining are one step.
func (a *Adapter) settle(b *backlog, offset string, admit func(adapters.Session) adapters.Member) error {
	if !b.start(a.recovery, offset) {
		return adapters.ErrNoSession
	}
	var piece [chunk]*entry
	for {
		a.mu.Lock()
		err := a.check(b)
		n := 0
		if left := b.log.head + 1 - b.next; err == nil && left > chunk {
			n = b.log.copyTo(piece[:], b.next)
		}
		a.mu.Unlock()
		switch {
		case err != nil:
			return err
		case n == 0:
			return a.enter(b, admit(b.rec.session))
		case !b.take(piece[:n]):
			return adapters.ErrNoSession
		}
	}
}

// check reports why a restoration cannot go on. Adapter.mu is held.
func (a *Adapter) check(b *backlog) error {
	switch {
	case a.ended:
		return adapters.ErrClosed
	case b.next < b.log.first || b.next > b.log.head+1:
		return adapters.ErrNoSession
	}
	return nil
}

// enter takes the rest of the log and lets m into the rooms of the session.
func (a *Adapter) enter(b *backlog, m adapters.Member) error {
	a.mu.Lock()
	defer a.unlock()
	if err := a.check(b); err != nil {
		return err
	}
	for b.next <= b.log.head {
		if !b.take([]*entry{b.log.at(b.next)}) {
			return adapters.ErrNoSession
		}
	}
	r, rec := a.recovery, b.rec
	rec.last = max(rec.last, b.last)
	rec.member = m
	r.records[rec.session.PID] = rec
	r.of[m] = rec
	from := make(map[string]uint64, len(rec.here))
	for _, s := range rec.here {
		from[s.room] = s.from
	}
	o := a.admit(m)
	a.join(o, rec.rooms())
	for i := range o.seats[1:] {
		s := &o.seats[1+i]
		if n, ok := from[s.room.name]; ok {
			s.since = n
		}
	}
	rec.here = nil
	r.settled(rec)
	return nil
}

// backlog is what a session missed, as far as the log was looked at.
type backlog struct {
	log     *packetLog
	rec     *record
	stays   map[string][]stay // by room
	next    uint64            // the number to look at
	last    uint64            // of the newest packet that was missed
	packets []*parser.Packet
	count   int // attachments included
	bytes   int
	policy  *adapters.Recovery
}

// start finds where to begin; false means that offset is none of ours, or from
// so long ago that it is not known where the socket was.
func (b *backlog) start(r *recovery, offset string) bool {
	after := uint64(0)
	if offset != "" {
		var ok bool
		if after, ok = r.number(offset); !ok {
			return false
		}
	}
	rec := b.rec
	after = max(after, rec.since)
	if after >= rec.last { // it has all that was sent while it was there
		after = max(after, rec.left)
	}
	b.next = after + 1
	b.stays = make(map[string][]stay, len(rec.here))
	for _, s := range slices.Concat(rec.past, rec.here) {
		b.stays[s.room] = append(b.stays[s.room], s)
	}
	return after >= rec.floor
}

// take looks at the next entries; false means that too much was missed.
func (b *backlog) take(entries []*entry) bool {
	for _, e := range entries {
		if b.missed(e) {
			b.packets = append(b.packets, &e.packet)
			b.last = b.next
			b.count += 1 + len(e.packet.Attachments)
			b.bytes += e.payload()
		}
		b.next++
	}
	return (b.policy.BacklogPackets <= 0 || b.count <= b.policy.BacklogPackets) &&
		(b.policy.BacklogBytes <= 0 || b.bytes <= b.policy.BacklogBytes)
}

// missed reports whether the next packet was meant for the session.
func (b *backlog) missed(e *entry) bool {
	meant := len(e.rooms) == 0
	for _, room := range e.rooms {
		meant = meant || b.stayed(room)
	}
	if !meant {
		return false
	}
	return !slices.ContainsFunc(e.except, b.stayed)
}

// stayed reports whether the session was in a room when the next packet was
// numbered.
func (b *backlog) stayed(room string) bool {
	for _, s := range b.stays[room] {
		if b.next > s.from && b.next <= s.to {
			return true
		}
	}
	return false
}
