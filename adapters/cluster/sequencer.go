package cluster

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/memory"
	"github.com/hermod-io/hermod/socketio/parser"
)

// sequencer hands the broadcasts of a log to this node's members, one at a time
// and in the order of their offsets. Those of this node wait for their own entry
// to come back; when it does not come in time they are late: they are handed over
// with the offset of the moment, which stands for all that came before, and the
// entry is passed over when it comes. A session that is restored between the two
// is given them by who restores it, see watch. What has no entry waits for what
// this node has broadcast before it.
//
// Who holds turn hands over; pending is locked within it, or alone.
type sequencer struct {
	rooms    *memory.Adapter
	ledger   *ledger
	log      Log
	patience time.Duration // how long a broadcast waits for its entry
	most     int           // bytes of over; 0: no bound

	turn  sync.Mutex  // guards taken
	taken []*ownEntry // what is just handed over

	mu      sync.Mutex // guards what follows
	pending []*ownEntry
	over    []*ownEntry // late ones whose entries are to come
	bytes   int         // of over
	forgot  bool        // some of over were given up, because there were too many
	watches []*watch
	handing *ownEntry   // the last of those that are just handed over; nil if there are none
	timer   *time.Timer // armed while something is pending
	timers  sync.WaitGroup
	ended   bool
}

// ownEntry is a broadcast of this node that was not handed over, or whose entry has
// not come back.
type ownEntry struct {
	text     string // "" for what has no entry
	message  *Message
	deadline time.Time
	refused  bool          // the log has refused it
	at       Offset        // of the entry of one that was late, when it has come
	number   uint64        // of one that was late and handed over: ledger.late then; guarded by ledger.mu
	handed   Offset        // at which offset that was; as number
	done     chan struct{} // closed when it was handed over; made by who waits
}

// waits reports whether the entry of e is to come. sequencer.mu is held.
func (e *ownEntry) waits() bool { return e.text != "" && !e.refused }

// watch is a Restore that is under way, and what was or became late meanwhile.
type watch struct{ late []*ownEntry }

// append queues m, which is the sequencer's, for the log. What the log does not
// take is handed over without it.
func (q *sequencer) append(m *Message) error {
	e := &ownEntry{message: m}
	q.mu.Lock()
	text, err := q.log.Append(m, func() { q.refuse(e) })
	if err == nil {
		e.text = text
		q.wait(e)
	}
	q.mu.Unlock()
	if err == adapters.ErrQueueFull {
		q.behind(m.Packet, m.Target)
	}
	return err
}

// refuse notes that the entry of e does not come. It is handed over in its turn, or
// when its time is over.
func (q *sequencer) refuse(e *ownEntry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	e.refused = true
	switch i := slices.Index(q.over, e); {
	case i == 0: // they come in order
		q.drop(1)
	case i > 0:
		q.bytes -= e.size()
		q.over = slices.Delete(q.over, i, i+1)
	}
}

// drop takes the first n out of over. mu is held.
func (q *sequencer) drop(n int) {
	for _, e := range q.over[:n] {
		q.bytes -= e.size()
	}
	clear(q.over[:n])
	q.over = q.over[n:]
}

// keep puts one that is late into over. If the log takes what it is given and does
// not bring it back, there must be an end to that. mu is held.
func (q *sequencer) keep(e *ownEntry) {
	q.over = append(q.over, e)
	q.bytes += e.size()
	for q.most > 0 && q.bytes > q.most && len(q.over) > 1 {
		q.drop(1)
		q.forgot = true
	}
}

// size is about how much memory e takes.
func (e *ownEntry) size() int {
	n := entryOverhead + len(e.text) + len(e.message.Packet.JSON)
	for _, a := range e.message.Packet.Attachments {
		n += len(a)
	}
	return n
}

const entryOverhead = 300

// behind hands over what has no entry, behind what this node has broadcast before.
func (q *sequencer) behind(p *parser.Packet, t adapters.Target) {
	q.turn.Lock()
	defer q.turn.Unlock()
	m := &Message{Packet: p, Target: t}
	q.mu.Lock()
	waits := len(q.pending) > 0
	if waits {
		q.wait(&ownEntry{message: m.clone()})
	}
	q.mu.Unlock()
	if !waits {
		q.handNow(&ownEntry{message: m})
	}
}

// wait puts e behind those that wait. mu is held.
func (q *sequencer) wait(e *ownEntry) {
	e.deadline = time.Now().Add(q.patience)
	q.pending = append(q.pending, e)
	q.arm(q.patience)
}

// arm has expire called. mu is held.
func (q *sequencer) arm(d time.Duration) {
	if q.timer == nil && !q.ended {
		q.timers.Add(1)
		q.timer = time.AfterFunc(d, q.expire)
	}
}

// expire hands over what has waited for too long.
func (q *sequencer) expire() {
	defer q.timers.Done()
	q.turn.Lock()
	defer q.turn.Unlock()
	q.mu.Lock()
	now := time.Now()
	n := 0
	for n < len(q.pending) && !q.pending[n].deadline.After(now) {
		n++
	}
	q.shift(n)
	for _, e := range q.taken {
		if !e.waits() {
			continue
		}
		q.keep(e)
		for _, w := range q.watches {
			w.late = append(w.late, e)
		}
	}
	q.timer = nil
	if len(q.pending) > 0 {
		q.arm(q.pending[0].deadline.Sub(now))
	}
	q.mu.Unlock()
	q.handTaken(nil, Offset{})
}

// shift takes the first n of those that wait, and right behind them what waits for
// no entry. Both locks are held.
func (q *sequencer) shift(n int) {
	for n > 0 && n < len(q.pending) && !q.pending[n].waits() {
		n++
	}
	q.taken = append(q.taken[:0], q.pending[:n]...)
	clear(q.pending[:n])
	q.pending = q.pending[n:]
	if n > 0 {
		q.handing = q.taken[n-1]
	}
}

// handTaken hands over what was taken: own, if it is not nil, with the offset of
// its entry, the others with that of the moment. turn is held.
func (q *sequencer) handTaken(own *ownEntry, at Offset) {
	for _, e := range q.taken {
		func() {
			defer e.finish(q)
			if e == own {
				q.hand(at, e.message.Packet, e.message.Target)
			} else {
				q.handNow(e)
			}
		}()
	}
	clear(q.taken)
}

// finish notes that e was handed over.
func (e *ownEntry) finish(q *sequencer) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.handing == e {
		q.handing = nil
	}
	if e.done != nil {
		close(e.done)
	}
}

// watch begins to collect what is late, the oldest first; unwatch ends it.
func (q *sequencer) watch() *watch {
	q.mu.Lock()
	defer q.mu.Unlock()
	w := &watch{slices.Clone(q.over)}
	q.watches = append(q.watches, w)
	return w
}

func (q *sequencer) unwatch(w *watch) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.watches = slices.DeleteFunc(q.watches, func(o *watch) bool { return o == w })
}

// after returns what was late and has no entry up to an offset.
func (q *sequencer) after(at Offset, w *watch) []*ownEntry {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.late), func(e *ownEntry) bool { return e.at != Offset{} && !e.at.After(at) })
}

// take takes own, a broadcast of this node, out of those that wait, into taken, or
// one out of those that were late. It is the one whose text has come; one that was
// written twice may stand for a later broadcast of the same text, whose own entry is
// then passed over.
func (q *sequencer) take(at Offset, text string) (own, late *ownEntry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, e := range q.over {
		if e.text == text { // those before it do not come any more
			e.at = at
			q.drop(i + 1)
			q.forgot = false
			return nil, e
		}
	}
	i := slices.IndexFunc(q.pending, func(e *ownEntry) bool { return e.text == text && e.waits() })
	if i < 0 {
		if q.forgot { // it may be one of them, and to all
			return nil, &ownEntry{message: new(Message)}
		}
		return nil, nil
	}
	own = q.pending[i]
	q.drop(len(q.over)) // they do not come any more
	q.forgot = false
	if slices.ContainsFunc(q.pending[:i], (*ownEntry).waits) {
		q.taken = append(q.taken[:0], own)
		q.pending = slices.Delete(q.pending, i, i+1)
		q.handing = own
	} else {
		q.shift(i + 1)
	}
	return own, nil
}

// flush waits until what this node has broadcast so far was handed over, or ctx
// ended.
func (q *sequencer) flush(ctx context.Context) {
	q.mu.Lock()
	last := q.handing
	if n := len(q.pending); n > 0 {
		last = q.pending[n-1]
	}
	if last == nil {
		q.mu.Unlock()
		return
	}
	if last.done == nil {
		last.done = make(chan struct{})
	}
	done := last.done
	q.mu.Unlock()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// handNow hands e over with the offset of the moment. turn is held.
func (q *sequencer) handNow(e *ownEntry) {
	marked := *e.message.Packet
	q.rooms.BroadcastAt(&marked, e.message.Target, func() { marked.JSON = withOffset(marked.JSON, q.ledger.pass(e)) })
}

// hand hands p over as the packet at an offset.
func (q *sequencer) hand(at Offset, p *parser.Packet, t adapters.Target) {
	marked := *p
	marked.JSON = withOffset(p.JSON, at)
	q.rooms.BroadcastAt(&marked, t, func() { q.ledger.sent(at, t) })
}

func withOffset(event []byte, at Offset) []byte {
	dst := append(make([]byte, 0, len(event)+maxOffset+len(`,""`)), event[:len(event)-1]...)
	return append(at.Append(append(dst, `,"`...)), `"]`...)
}

// Begin implements LogReceiver.
func (q *sequencer) Begin(at Offset) {
	q.turn.Lock()
	defer q.turn.Unlock()
	q.rooms.Still(func() { q.ledger.begin(at) })
}

// Reached implements LogReceiver.
func (q *sequencer) Reached(at Offset) {
	q.turn.Lock()
	defer q.turn.Unlock()
	q.rooms.Still(func() { q.ledger.reached(at) })
}

// Own implements LogReceiver. What was late counts as sent from here on: the
// socket that had it may have been lost before its client got it.
func (q *sequencer) Own(at Offset, text string) {
	q.turn.Lock()
	defer q.turn.Unlock()
	own, late := q.take(at, text)
	switch {
	case own != nil:
		q.handTaken(own, at)
	case late != nil:
		q.rooms.Still(func() { q.ledger.sent(at, late.message.Target) })
	default:
		q.rooms.Still(func() { q.ledger.reached(at) })
	}
}

// broadcast is Entry for a broadcast of another node.
func (q *sequencer) broadcast(at Offset, m *Message) {
	q.turn.Lock()
	defer q.turn.Unlock()
	q.hand(at, m.Packet, m.Target)
}

// close ends the waiting. Nothing is handed over when it returned.
func (q *sequencer) close() {
	q.mu.Lock()
	q.ended = true
	if q.timer != nil && q.timer.Stop() {
		q.timers.Done()
	}
	for _, e := range q.pending {
		if e.done != nil {
			close(e.done)
		}
	}
	q.pending = nil
	q.mu.Unlock()
	q.timers.Wait()
}
