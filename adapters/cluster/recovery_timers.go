package cluster

import (
	"context"
	"sync"
	"time"
)

// moves has a session stored soon. ledger.mu is held.
func (r *Recoverer) moves(rec *record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.moved = append(r.moved, rec)
	if r.soon == nil {
		r.soon = r.after(moveDelay, r.storeMoved)
	}
}

// storeMoved stores the sessions that have moved. It is called by a timer.
func (r *Recoverer) storeMoved() {
	r.mu.Lock()
	moved := r.moved
	r.moved, r.soon = nil, nil
	r.mu.Unlock()
	for _, rec := range moved {
		r.store(rec)
	}
}

// refreshInterval is how often the session of a living socket is stored.
func (r *Recoverer) refreshInterval() time.Duration {
	return max(r.policy.MaxDisconnection/2, 200*time.Millisecond)
}

// refreshSome stores the sessions of living sockets that were stored longest
// ago, so that their values neither run out nor fall far behind. It is called by
// a timer.
func (r *Recoverer) refreshSome() {
	every := r.refreshInterval()
	before := time.Now().Add(-every)
	l := r.ledger
	l.mu.Lock()
	var due []*record
	for _, rec := range l.records {
		if rec.member != nil && rec.stored.Before(before) {
			due = append(due, rec)
		}
	}
	l.mu.Unlock()
	for _, rec := range due {
		if r.ctx.Err() != nil {
			return
		}
		r.store(rec)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refresh = r.after(every/8, r.refreshSome)
}

// armSweep has the lost sessions looked at when the first has expired. mu is
// held.
func (r *Recoverer) armSweep() {
	if r.sweeping == nil && len(r.lost) > 0 {
		r.sweeping = r.after(time.Until(r.expiry(r.lost[0])), r.sweep)
	}
}

// expiry is when a session that was lost expires. lostAt does not change once it
// is among the lost.
func (r *Recoverer) expiry(rec *record) time.Time {
	return rec.lostAt.Add(r.policy.MaxDisconnection)
}

// sweep reports the sessions that have expired. It is called by a timer.
func (r *Recoverer) sweep() {
	now := time.Now()
	r.mu.Lock()
	n := 0
	for n < len(r.lost) && !r.expiry(r.lost[n]).After(now) {
		n++
	}
	expired := r.lost[:n:n]
	r.lost = r.lost[n:]
	r.mu.Unlock()
	r.expireAll(expired)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sweeping = nil
	r.armSweep()
}

// sweepers is how many sessions are looked at at once: of the clients of a node,
// which may all be lost in one moment, the values last for the grace alone.
const sweepers = 128

func (r *Recoverer) expireAll(expired []*record) {
	var all sync.WaitGroup
	free := make(chan struct{}, sweepers)
	for _, rec := range expired {
		free <- struct{}{}
		all.Go(func() {
			r.expireOne(rec)
			<-free
		})
	}
	all.Wait()
}

// expireOne reports a session if nobody has restored it meanwhile: then what was
// stored last is still there.
func (r *Recoverer) expireOne(rec *record) {
	l := r.ledger
	l.mu.Lock()
	pid := rec.session.PID
	current := l.records[pid] == rec && rec.member == nil
	if current {
		delete(l.records, pid)
	}
	s := rec.session
	s.Rooms = rec.rooms()
	l.mu.Unlock()
	if !current {
		return
	}
	rec.write.Lock()
	value := rec.value
	rec.write.Unlock()
	ctx, cancel := context.WithTimeout(r.ctx, r.opts.RequestTimeout)
	defer cancel()
	if ok, err := r.log.TakeSession(ctx, pid, value, nil, 0, ""); err != nil {
		r.check(err)
	} else if ok {
		r.local.SessionExpired(s)
	}
}
