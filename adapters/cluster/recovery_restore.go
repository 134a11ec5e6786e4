package cluster

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/socketio/parser"
)

// maxPID is how long the name of a session may be. A client says what it likes.
const maxPID = 256

// Restore gives a session to a new socket, see [adapters.Recoverer]. It waits for
// one of the same session that is under way. What is taken belongs to this node
// from then on, also in the store: if this node is killed meanwhile, nothing is
// lost.
func (r *Recoverer) Restore(ctx context.Context, pid, offset string, admit func(adapters.Session) adapters.Member) (iter.Seq[*parser.Packet], error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(r.ctx, func() { cancel(adapters.ErrClosed) })()
	if len(pid) > maxPID {
		return nil, adapters.ErrNoSession
	}
	c, err := r.ledger.reserve(ctx, pid)
	if err != nil {
		return nil, context.Cause(ctx)
	}
	defer r.ledger.release(pid, c)
	s, value, err := r.claim(ctx, pid)
	if err != nil {
		return nil, r.cause(ctx, err)
	}
	packets, err := r.resume(ctx, s, offset, admit)
	switch {
	case err == nil:
		return slices.Values(packets), nil
	case errors.Is(err, adapters.ErrNoSession):
		r.check(r.log.DropSession(pid))
		r.local.SessionExpired(s.session)
	default: // who asked is gone, or the log is: the client may try again
		r.check(r.log.StoreSession(pid, value, r.policy.MaxDisconnection+grace, nil))
	}
	return nil, r.cause(ctx, err)
}

// cause is the error of Restore: what ended ctx, if it has ended.
func (r *Recoverer) cause(ctx context.Context, err error) error {
	if !errors.Is(err, adapters.ErrNoSession) && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// claim takes a session of the store. A socket that has it is ended before,
// on whatever node; a node that is gone has none, and loses the session if it comes
// back.
func (r *Recoverer) claim(ctx context.Context, pid string) (*storedSession, []byte, error) {
	released, seen := "", "" // who has let go of it, or is gone, and what was stored then
	gone := false
	for {
		if err := ctx.Err(); err != nil {
			return nil, nil, err // a client that is gone must not take it from its successor
		}
		value, err := r.log.LoadSession(ctx, pid)
		if err != nil {
			return nil, nil, err
		}
		if value == nil {
			return nil, nil, adapters.ErrNoSession
		}
		s, ok := decodeSession(value)
		m, over := r.ledger.holder(pid, true)
		switch {
		case !ok || s.session.PID != pid:
			s = &storedSession{}
		case over != nil: // also when another node took it from us, and we do not know yet
			if err := supersede(ctx, m, over); err != nil {
				return nil, nil, err
			}
			continue
		case s.node != "" && s.node != r.traits.Node && (s.node != released || s.live) && string(value) != seen:
			if gone, err = r.release(ctx, s.node, pid); err != nil {
				return nil, nil, err
			}
			released, seen = s.node, string(value)
			continue
		}
		from := ""
		if gone && s.node == released {
			from = s.node
		}
		taken, err := r.take(ctx, pid, s, value, from)
		if err != nil || taken {
			return s, value, err
		}
	}
}

// take takes a value of the store, if it is still that: the session is ours then.
// from is a node that is gone and had it.
func (r *Recoverer) take(ctx context.Context, pid string, s *storedSession, value []byte, from string) (bool, error) {
	if s.session.PID == "" { // it is no session
		taken, err := r.log.TakeSession(ctx, pid, value, nil, 0, "")
		if err == nil && taken {
			err = adapters.ErrNoSession
		}
		return taken, err
	}
	mine := *s
	mine.node, mine.live, mine.serial = r.traits.Node, true, r.stored.Add(1)
	r.ledger.taking(pid, true)
	taken, err := r.log.TakeSession(ctx, pid, value, mine.encode(), r.policy.MaxDisconnection+grace, from)
	if !taken && err == nil {
		r.ledger.taking(pid, false)
	}
	return taken, err
}

// supersede ends a socket, if it is not ending, and waits until its session was
// stored for the last time.
func supersede(ctx context.Context, m adapters.Member, over <-chan struct{}) error {
	if m != nil {
		m.Supersede()
	}
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

const (
	// deadAfter is how often in a row a node must be missing before it counts as
	// gone, deadInterval the time between two looks: a node may just be
	// connecting anew.
	deadAfter    = 3
	deadInterval = 100 * time.Millisecond
)

// release asks a node for a session and waits until the node has stored it for
// the last time, or is gone.
func (r *Recoverer) release(ctx context.Context, node, pid string) (gone bool, err error) {
	id, answer := r.newRequestID(), make(chan struct{})
	r.mu.Lock()
	r.releases[id] = answer
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.releases, id)
	}()
	ask := func() error {
		return r.bus.Answer(&Message{From: node}, &Message{Type: ReleaseSession, RequestID: id, From: r.traits.Node, PID: pid})
	}
	if err := ask(); err != nil {
		return false, err
	}
	look := time.NewTicker(deadInterval)
	defer look.Stop()
	for missing, looks := 0, 1; missing < deadAfter; looks++ {
		select {
		case <-answer:
			return false, nil
		case <-ctx.Done():
			return false, ctx.Err()
		case <-look.C:
		}
		_, dead, err := r.bus.Living(ctx, []string{node})
		switch {
		case err != nil:
		case len(dead) > 0:
			missing++
		default:
			missing = 0
			if looks%10 == 0 { // the first may have been lost
				r.check(ask())
			}
		}
	}
	return true, nil
}

// session takes what another node says about a session.
func (r *Recoverer) session(m *Message) {
	if m.Type == ReleaseSession {
		r.beside(func() { r.letGo(m) })
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if answer := r.releases[m.RequestID]; answer != nil {
		delete(r.releases, m.RequestID)
		close(answer)
	}
}

// letGo ends the socket of a session that another node asks for, and answers
// when what this node had to store is stored.
func (r *Recoverer) letGo(m *Message) {
	ctx, cancel := context.WithTimeout(r.ctx, 2*r.opts.RequestTimeout)
	defer cancel()
	for {
		member, over := r.ledger.holder(m.PID, false)
		if over == nil {
			break
		}
		if supersede(ctx, member, over) != nil {
			return
		}
	}
	if _, err := r.log.LoadSession(ctx, m.PID); err != nil {
		return
	}
	r.reply(m, &Message{Type: SessionReleased, PID: m.PID})
}

// resume lets the socket of a session in and returns what it missed.
func (r *Recoverer) resume(ctx context.Context, s *storedSession, text string, admit func(adapters.Session) adapters.Member) ([]*parser.Packet, error) {
	var offset Offset
	if text != "" {
		var ok bool
		if offset, ok = ParseOffset(text); !ok {
			return nil, adapters.ErrNoSession
		}
	}
	b, ok := newBacklog(r.log, r.policy, s, offset, text != "")
	if !ok {
		return nil, adapters.ErrNoSession
	}
	b.namespace = r.local.Name()
	w := r.seq.watch()
	defer r.seq.unwatch(w)
	r.seq.flush(ctx)
	if err := r.reach(ctx, later(offset, s.newestKnown())); err != nil {
		return nil, err
	}
	if err := b.read(ctx, r.ledger.position()); err != nil {
		return nil, err
	}
	m := admit(s.session)
	rec, at, err := r.enter(ctx, m, s)
	if err != nil {
		return nil, err
	}
	if err := b.read(ctx, at); err != nil {
		r.ledger.drop(rec)
		r.rooms.LeaveAll(m)
		return nil, err
	}
	b.addLate(r.ledger.absent(rec, r.seq.after(at, w)), at)
	r.ledger.missed(rec, b.last)
	r.store(rec)
	return b.packets, nil
}

// reach waits until everything up to an offset was delivered here. An offset
// that the log has not come to is none of its own.
func (r *Recoverer) reach(ctx context.Context, target Offset) error {
	for {
		w := r.ledger.await(target)
		if w == nil {
			return nil
		}
		last, err := r.log.Last(ctx)
		if err == nil && target.After(last) {
			err = adapters.ErrNoSession
		}
		if err != nil {
			r.ledger.forgo(w)
			return err
		}
		select {
		case <-w.done:
		case <-ctx.Done():
			r.ledger.forgo(w)
			return ctx.Err()
		}
	}
}

// enter puts m into the rooms of a session, and returns the offset at which that
// was: what is older m is not sent.
func (r *Recoverer) enter(ctx context.Context, m adapters.Member, s *storedSession) (*record, Offset, error) {
	t := s.track.clone()
	if s.node == "" { // nothing is known of before
		t.since = r.ledger.position()
	}
	rec, old := r.ledger.admit(m, s.session, t)
	if old != nil {
		old.write.Lock()
		old.value = nil
		old.write.Unlock()
	}
	if err := r.rooms.Join(ctx, m, s.session.Rooms...); err != nil {
		r.ledger.drop(rec)
		return nil, Offset{}, err
	}
	r.ledger.mu.Lock()
	defer r.ledger.mu.Unlock()
	return rec, rec.left, nil
}
