package memory

import (
	"slices"
	"time"

	"github.com/hermod-io/hermod/adapters"
)

// Position returns the offset of the newest packet. Without recovery it is "".
func (a *Adapter) Position() string {
	r := a.recovery
	if r == nil {
		return ""
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return r.offset(r.log.head)
}

// Save keeps a session, see [adapters.Recoverer]. The rooms of a living socket
// are known here already, so those of s count only when its PID is new. Without
// recovery it does nothing.
func (a *Adapter) Save(m adapters.Member, s adapters.Session) {
	r := a.recovery
	if r == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ended {
		return
	}
	o := a.members[m]
	rec := r.records[s.PID]
	switch {
	case rec == nil:
		rec = &record{since: r.log.head, left: r.log.head}
		r.records[s.PID] = rec
	case rec.member == nil:
		r.unlink(rec)
	default:
		s.Rooms = rec.rooms()
	}
	if o != nil {
		s.Rooms = o.names()
	}
	rec.stay(s.Rooms, r.log.head)
	rec.session = s
	switch {
	case m == nil:
		a.lose(rec)
	case o != nil && r.of[m] != rec:
		rec.member = m
		r.of[m] = rec
	case o == nil:
		rec.member = m
	}
}

// lose makes a session wait for its client.
func (a *Adapter) lose(rec *record) {
	r := a.recovery
	if rec.member != nil && r.of[rec.member] == rec {
		r.gone(rec.member, a.members[rec.member])
	}
	rec.end()
	rec.lostAt = time.Now()
	rec.prev = r.latest
	if r.latest == nil {
		r.oldest = rec
	} else {
		r.latest.next = rec
	}
	r.latest = rec
	a.arm(rec.lostAt)
}

// end notes that nobody holds the session any more.
func (rec *record) end() {
	rec.member = nil
	if rec.ended != nil {
		close(rec.ended)
		rec.ended = nil
	}
}

// unlink takes a session out of the lost ones.
func (r *recovery) unlink(rec *record) {
	if rec.prev == nil {
		r.oldest = rec.next
	} else {
		rec.prev.next = rec.next
	}
	if rec.next == nil {
		r.latest = rec.prev
	} else {
		rec.next.prev = rec.prev
	}
	rec.prev, rec.next = nil, nil
}

// Forget removes a session, see [adapters.Recoverer].
func (a *Adapter) Forget(pid string) {
	r := a.recovery
	if r == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	rec := r.records[pid]
	if rec == nil {
		return
	}
	delete(r.records, pid)
	if rec.member == nil {
		r.unlink(rec)
		return
	}
	if r.of[rec.member] == rec {
		delete(r.of, rec.member)
	}
	rec.end()
}

// rooms returns the rooms of the stays that go on.
func (rec *record) rooms() []string {
	rooms := make([]string, 0, len(rec.stays))
	for _, s := range rec.stays {
		if s.to == forever {
			rooms = append(rooms, s.room)
		}
	}
	return rooms
}

// stay makes the rooms those of the session, from the number on.
func (rec *record) stay(rooms []string, number uint64) {
	for i := range rec.stays {
		if s := &rec.stays[i]; s.to == forever && !slices.Contains(rooms, s.room) {
			s.to = number
		}
	}
	for _, room := range rooms {
		if rec.staying(room) < 0 {
			rec.stays = append(rec.stays, stay{room, number, forever})
		}
	}
}

// arm sees to it that a sweep comes in time while there is something to sweep:
// a quarter of MaxDisconnection at the latest, so that a session that is lost
// before it comes expires at a later one. It needs what the log needs.
func (a *Adapter) arm(now time.Time) {
	r := a.recovery
	if r.timer != nil || r.oldest == nil && r.log.length() == 0 {
		return
	}
	d := max(r.policy.MaxDisconnection/4, time.Millisecond)
	if r.oldest != nil {
		d = max(min(d, r.expiry(r.oldest).Sub(now)), 0)
	}
	r.sweeps.Add(1)
	r.timer = time.AfterFunc(d, a.sweep)
}

// expiry is when a lost session expires.
func (r *recovery) expiry(rec *record) time.Time {
	return rec.lostAt.Add(r.policy.MaxDisconnection)
}

// sweep removes sessions and packets whose time is over. It is called by the
// timer; Close waits for it.
func (a *Adapter) sweep() {
	r := a.recovery
	defer r.sweeps.Done()
	now := time.Now()
	var expired []adapters.Session
	a.mu.Lock()
	if a.ended {
		a.mu.Unlock()
		return
	}
	for r.oldest != nil && !r.expiry(r.oldest).After(now) {
		rec := r.oldest
		r.unlink(rec)
		delete(r.records, rec.session.PID)
		expired = append(expired, rec.session)
	}
	r.log.trim(r.policy.LogBytes, now.Add(-r.policy.Retention))
	r.timer = nil
	a.arm(now)
	a.mu.Unlock()
	for _, s := range expired {
		a.local.SessionExpired(s)
	}
}

// close forgets everything. Adapter.mu is held, and ended is set.
func (r *recovery) close() {
	if r.timer != nil && r.timer.Stop() {
		r.sweeps.Done()
	}
	for _, rec := range r.records {
		rec.end()
	}
	r.timer, r.oldest, r.latest = nil, nil, nil
	r.log = packetLog{first: 1}
	clear(r.newest)
	clear(r.records)
	clear(r.of)
}
