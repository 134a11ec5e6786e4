package cluster

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/memory"
)

// ledger knows how far a namespace has got in its log, where its sockets are and
// were, and the sessions of this node. It is called under the lock of the rooms
// (memory.Ledger), and beside it; what it knows belongs to who holds mu.
//
// The offset moves while nobody joins or leaves, so that it tells exactly which
// packets a socket was sent in a room.
type ledger struct {
	changed func(rec *record) // a session is to be stored again; called with mu held

	mu       sync.Mutex // guards what follows
	begun    bool       // it is known where the log is
	at       Offset     // everything up to here was handed over
	waiting  []*waiter
	newest   map[string]Offset // of the newest packet to a room that has members
	everyone Offset            // of the newest packet to all
	late     uint64            // how many broadcasts were handed over without their entries
	of       map[adapters.Member]*record
	records  map[string]*record // by pid: sessions of living and of lost sockets
	claims   map[string]*claim  // by pid: Restores that are under way
}

// waiter waits until an offset was reached, or the log was begun anew.
type waiter struct {
	target Offset
	done   chan struct{}
}

// record is a session, or a socket that has none yet. It belongs to who holds
// ledger.mu, but for what follows write.
type record struct {
	session adapters.Session // without the rooms
	member  adapters.Member  // the living socket; nil when it is lost
	ending  bool             // the socket is lost or forgotten, which is not stored yet
	gone    bool             // it is forgotten, or taken by another node
	over    chan struct{}    // closed when that is stored; made by who waits
	moved   bool             // its rooms have changed since it was stored
	stored  time.Time
	lostAt  time.Time
	late    uint64 // ledger.late when a restored socket came
	track

	write sync.Mutex // held while the session is stored; guards value
	value []byte     // what was stored last
}

// track is where a socket is and was.
type track struct {
	since Offset            // of its CONNECT
	left  Offset            // when it left
	last  Offset            // no later packet was addressed to it while it was there
	floor Offset            // nothing is known of its rooms up to here
	here  map[string]Offset // the rooms it is in, and since when
	past  []stay            // in rooms it has left
}

// stay is the time of a socket in a room: it was sent packets after from, up to
// to.
type stay struct {
	room     string
	from, to Offset
}

// maxPast is how many stays that have ended a session has.
const maxPast = 256

var _ memory.Ledger = (*ledger)(nil)

func newLedger() *ledger {
	return &ledger{
		newest:  make(map[string]Offset),
		of:      make(map[adapters.Member]*record),
		records: make(map[string]*record),
		claims:  make(map[string]*claim),
	}
}

// position returns the offset.
func (l *ledger) position() Offset {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.at
}

// begin sets the offset, perhaps to an earlier one. Then what was stored may be
// gone as well, so that all living sessions are stored again.
func (l *ledger) begin(at Offset) {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := !l.begun
	again := first || l.at.After(at)
	l.begun = true
	l.move(at)
	if !again {
		return
	}
	for _, w := range l.waiting {
		close(w.done)
	}
	l.waiting = nil
	for room := range l.newest { // the rooms are there as before
		l.newest[room] = Offset{}
	}
	l.everyone = Offset{}
	for _, rec := range l.of {
		rec.track.restart(at)
		if first && l.late > 0 { // it may have been sent something that is before at
			rec.since, rec.last, rec.floor = Offset{}, at, at
		}
		l.touch(rec)
	}
}

// start returns the track of a socket that is new. While it is not known where the
// log is, the session cannot be restored: it would be given all that is in it.
func (l *ledger) start() track {
	t := track{since: l.at, here: make(map[string]Offset)}
	if !l.begun {
		t.floor = forever
	}
	return t
}

// restart forgets what belongs to another log.
func (t *track) restart(at Offset) {
	t.since, t.left, t.last, t.floor, t.past = at, Offset{}, Offset{}, Offset{}, nil
	for room := range t.here {
		t.here[room] = at
	}
}

// reached moves the offset.
func (l *ledger) reached(at Offset) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.move(at)
}

func (l *ledger) move(at Offset) {
	l.at = at
	if len(l.waiting) == 0 {
		return
	}
	l.waiting = slices.DeleteFunc(l.waiting, func(w *waiter) bool {
		there := !w.target.After(at)
		if there {
			close(w.done)
		}
		return there
	})
}

// sent moves the offset to that of a packet to t.
func (l *ledger) sent(at Offset, t adapters.Target) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.move(at)
	if len(t.Rooms) == 0 {
		l.everyone = at
	}
	for _, room := range t.Rooms {
		if _, ok := l.newest[room]; ok {
			l.newest[room] = at
		}
	}
}

// pass notes that e is handed over without its entry, if it has one, and returns
// the offset that it gets.
func (l *ledger) pass(e *ownEntry) Offset {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e.text != "" {
		l.late++
		e.number, e.handed = l.late, l.at
	}
	return l.at
}

// absent returns those of a list of late broadcasts that were handed over before
// the restored socket of rec came.
func (l *ledger) absent(rec *record, list []*ownEntry) []*ownEntry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(list, func(e *ownEntry) bool { return e.number == 0 || e.number > rec.late })
}

// await returns a channel that is closed when target was reached, or the log was
// begun anew; nil if it was.
func (l *ledger) await(target Offset) *waiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !target.After(l.at) {
		return nil
	}
	w := &waiter{target: target, done: make(chan struct{})}
	l.waiting = append(l.waiting, w)
	return w
}

// forgo takes back an await.
func (l *ledger) forgo(w *waiter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = slices.DeleteFunc(l.waiting, func(o *waiter) bool { return o == w })
}

// room notes that a room has members now, or none any more.
func (l *ledger) room(room string, exists bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if exists {
		l.newest[room] = Offset{}
	} else {
		delete(l.newest, room)
	}
}

// Came implements memory.Ledger. A socket that is restored is known already: for
// it the moment counts.
func (l *ledger) Came(m adapters.Member) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if rec := l.of[m]; rec != nil {
		rec.left, rec.late = l.at, l.late
		return
	}
	l.of[m] = &record{member: m, track: l.start()}
}

// Joined implements memory.Ledger. A socket that is restored has been in its
// rooms before.
func (l *ledger) Joined(m adapters.Member, room string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	rec := l.of[m]
	if rec == nil {
		return
	}
	if _, ok := rec.here[room]; !ok {
		rec.here[room] = l.at
		l.touch(rec)
	}
}

// Left implements memory.Ledger.
func (l *ledger) Left(m adapters.Member, room string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	rec := l.of[m]
	if rec == nil {
		return // it is gone, and a lost socket keeps its rooms
	}
	rec.last = later(rec.last, l.newest[room])
	rec.track.remember(stay{room, rec.here[room], l.at})
	delete(rec.here, room)
	l.touch(rec)
}

// Gone implements memory.Ledger.
func (l *ledger) Gone(m adapters.Member) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if rec := l.of[m]; rec != nil {
		l.settle(&rec.track)
		delete(l.of, m)
	}
}

// settle notes what a socket was sent until now.
func (l *ledger) settle(t *track) {
	t.last = later(t.last, l.everyone)
	for room := range t.here {
		t.last = later(t.last, l.newest[room])
	}
	t.left = l.at
}

// remember keeps a stay that has ended, unless nothing was sent meanwhile. If
// there are too many the older half is forgotten: then the session cannot be
// restored from that time.
func (t *track) remember(s stay) {
	if !s.to.After(s.from) {
		return
	}
	if len(t.past) >= maxPast {
		t.floor = t.past[maxPast/2-1].to
		t.past = slices.Delete(t.past, 0, maxPast/2)
	}
	t.past = append(t.past, s)
}

// touch has a session stored again soon.
func (l *ledger) touch(rec *record) {
	if rec.session.PID != "" && rec.member != nil && !rec.moved {
		rec.moved = true
		l.changed(rec)
	}
}

// rooms returns the rooms of a session.
func (t *track) rooms() []string { return slices.Sorted(maps.Keys(t.here)) }

// clone returns a copy that does not change.
func (t *track) clone() track {
	c := *t
	c.here, c.past = maps.Clone(t.here), slices.Clone(t.past)
	return c
}

// end notes that nobody holds the session any more; done that this is stored.
func (rec *record) end() { rec.member, rec.ending = nil, true }

func (l *ledger) done(rec *record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if pid := rec.session.PID; rec.gone && l.records[pid] == rec {
		delete(l.records, pid)
	}
	rec.finish()
}

func (rec *record) finish() {
	rec.member, rec.ending = nil, false
	if rec.over != nil {
		close(rec.over)
		rec.over = nil
	}
}

// save makes s the session of m, see adapters.Recoverer. It returns its record;
// nil when m is not there any more.
func (l *ledger) save(m adapters.Member, s adapters.Session) *record {
	l.mu.Lock()
	defer l.mu.Unlock()
	rec, old := l.of[m], l.records[s.PID]
	switch {
	case rec == nil:
		if rec = old; rec == nil {
			return nil
		}
	case old != nil && old != rec:
		rec.since, rec.floor, rec.past = old.since, old.floor, old.past
		old.finish()
	case old == nil:
		rec.since = l.at
	}
	rec.session = s
	l.records[s.PID] = rec
	return rec
}

// lose makes s the last of a session: its client may come back. The caller
// stores it and calls done.
func (l *ledger) lose(s adapters.Session) *record {
	l.mu.Lock()
	defer l.mu.Unlock()
	rec := l.records[s.PID]
	if rec == nil {
		rec = &record{track: l.start()}
		rec.left = l.at
		for _, room := range s.Rooms {
			rec.here[room] = l.at
		}
		l.records[s.PID] = rec
	}
	if m := rec.member; m != nil && l.of[m] == rec { // it has not left by LeaveAll
		l.settle(&rec.track)
		l.part(rec)
	}
	rec.session, rec.lostAt = s, time.Now()
	rec.end()
	return rec
}

// forget ends a session. The caller removes what is stored and calls done; nil
// is none.
func (l *ledger) forget(pid string) *record {
	l.mu.Lock()
	defer l.mu.Unlock()
	rec := l.records[pid]
	if rec == nil {
		return nil
	}
	l.part(rec)
	rec.gone = true
	rec.end()
	return rec
}

// disown notes that another node has a session; ours is false if that is known. It
// returns the living socket, if there is one.
func (l *ledger) disown(rec *record) (m adapters.Member, ours bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ours = l.records[rec.session.PID] == rec && !rec.gone
	if ours {
		rec.gone = true
	}
	return rec.member, ours
}

// drop takes back an admit.
func (l *ledger) drop(rec *record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.part(rec)
	rec.finish()
	if pid := rec.session.PID; l.records[pid] == rec {
		delete(l.records, pid)
	}
}

// part takes the socket of rec out of the living ones.
func (l *ledger) part(rec *record) {
	if m := rec.member; m != nil && l.of[m] == rec {
		delete(l.of, m)
	}
}

// holder returns the living socket of a session, nil while its end is stored or
// it is being restored, and what is closed after that; there is none if it is
// nil, too. own: who asks has the claim itself.
func (l *ledger) holder(pid string, own bool) (adapters.Member, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c := l.claims[pid]; c != nil && c.taken && !own {
		return nil, c.done
	}
	rec := l.records[pid]
	if rec == nil || rec.member == nil && !rec.ending {
		return nil, nil
	}
	if rec.over == nil {
		rec.over = make(chan struct{})
	}
	return rec.member, rec.over
}

// admit makes m the living socket of a restored session, before it joins. It
// returns the record of its last socket here, if there is one, which only waits
// for its expiry.
func (l *ledger) admit(m adapters.Member, s adapters.Session, t track) (rec, old *record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if old = l.records[s.PID]; old != nil {
		old.finish()
		old.session, old.track = adapters.Session{PID: s.PID}, track{}
	}
	rec = &record{session: s, member: m, track: t}
	l.records[s.PID], l.of[m] = rec, rec
	return rec, old
}

// missed notes the newest packet that a restored socket was given.
func (l *ledger) missed(rec *record, last Offset) {
	l.mu.Lock()
	defer l.mu.Unlock()
	rec.last = later(rec.last, last)
}
