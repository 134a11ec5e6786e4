package memory

import (
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
	o := a.members.Get(m)
	rec := r.records[s.PID]
	switch {
	case rec == nil:
		rec = &record{since: r.log.head, left: r.log.head}
		r.records[s.PID] = rec
		rec.move(s.Rooms, &r.log)
	case rec.member == nil:
		r.unlink(rec)
		rec.move(s.Rooms, &r.log)
	}
	rec.session = s
	switch {
	case m == nil:
		a.lose(rec)
		return
	case o != nil && r.of[m] != rec:
		rec.move(nil, &r.log) // its seats say where it is
		r.of[m] = rec
	}
	rec.member = m
	if o != nil {
		rec.session.Rooms = o.names()
	}
}

// lose makes a session wait for its client.
func (a *Adapter) lose(rec *record) {
	r := a.recovery
	if rec.member != nil && r.of[rec.member] == rec {
		r.gone(rec.member, a.members.Get(rec.member))
	}
	rec.session.Rooms = rec.rooms()
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
	rec.wake()
}

// wake tells those who wait that something has changed.
func (rec *record) wake() {
	if rec.over != nil {
		close(rec.over)
		rec.over = nil
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

// rooms returns the rooms of a session without a socket.
func (rec *record) rooms() []string {
	rooms := make([]string, len(rec.here))
	for i := range rec.here {
		rooms[i] = rec.here[i].room
	}
	return rooms
}

// move makes the rooms those of a session without a socket, from now on.
func (rec *record) move(rooms []string, log *packetLog) {
	before := rec.here
	rec.here = make([]stay, 0, len(rooms))
	known := make(map[string]bool, len(rooms))
	for _, room := range rooms {
		if !known[room] {
			known[room] = true
			rec.here = append(rec.here, stay{room, log.head, forever})
		}
	}
	for _, s := range before {
		rec.remember(stay{s.room, s.from, log.head}, log.first)
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
