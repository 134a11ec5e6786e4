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
// to come back; when it does not come in time they are handed over with the
// offset of the moment, which stands for all that came before, and the entry is
// passed over when it comes. A session that is restored between the two is given
// them by who restores it, see late.
//
// Who holds turn hands over; pending is locked within it, or alone.
type sequencer struct {
	rooms    *memory.Adapter
	ledger   *ledger
	log      Log
	patience time.Duration // how long a broadcast waits for its entry

	turn sync.Mutex

	mu      sync.Mutex // guards what follows
	pending []*ownEntry
	over    []*ownEntry // handed over late: their entries have not come
	handing *ownEntry   // the last of those that are just handed over; nil if there are none
	timer   *time.Timer // armed while something is pending
	timers  sync.WaitGroup
	ended   bool
}

// ownEntry is a broadcast of this node whose entry has not come back.
type ownEntry struct {
	text     string
	message  *Message
	deadline time.Time
	at       Offset        // of the entry of one that was late, when it has come
	done     chan struct{} // closed when it was handed over; made by who waits
}

// append queues m, which is the sequencer's, for the log. What the log does not
// take is handed over at once.
func (q *sequencer) append(m *Message) error {
	q.mu.Lock()
	text, err := q.log.Append(m)
	if err != nil {
		q.mu.Unlock()
		if err == adapters.ErrQueueFull {
			q.now(m.Packet, m.Target)
		}
		return err
	}
	q.pending = append(q.pending, &ownEntry{text: text, message: m, deadline: time.Now().Add(q.patience)})
	q.arm(q.patience)
	q.mu.Unlock()
	return nil
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
	late := q.pending[:n:n]
	q.pending = q.pending[n:]
	q.over = append(q.over, late...)
	if n > 0 {
		q.handing = late[n-1]
	}
	q.timer = nil
	if len(q.pending) > 0 {
		q.arm(q.pending[0].deadline.Sub(now))
	}
	q.mu.Unlock()
	for _, e := range late {
		q.handNow(e.message.Packet, e.message.Target)
		e.finish(q)
	}
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

// late returns the broadcasts that were handed over and whose entries have not
// come, the oldest first.
func (q *sequencer) late() []*ownEntry {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Clone(q.over)
}

// after takes those out of a list of late whose entries came up to an offset.
func (q *sequencer) after(at Offset, list []*ownEntry) []*ownEntry {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.DeleteFunc(list, func(e *ownEntry) bool { return e.at != Offset{} && !e.at.After(at) })
}

// take takes a broadcast of this node out of those that wait; nil if it waits no
// more. An entry that was written twice may stand for a later broadcast of the
// same text, whose own entry is then passed over.
func (q *sequencer) take(at Offset, text string) *ownEntry {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, e := range q.over {
		if e.text == text { // those before it do not come any more
			e.at = at
			clear(q.over[:i+1])
			q.over = q.over[i+1:]
			return nil
		}
	}
	for i, e := range q.pending {
		if e.text == text {
			if i == 0 {
				q.pending[0] = nil
				q.pending = q.pending[1:]
			} else {
				q.pending = append(q.pending[:i:i], q.pending[i+1:]...)
			}
			q.handing = e
			q.over = nil // they do not come any more
			return e
		}
	}
	return nil
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

// now hands p over with the offset of the moment.
func (q *sequencer) now(p *parser.Packet, t adapters.Target) {
	q.turn.Lock()
	defer q.turn.Unlock()
	q.handNow(p, t)
}

func (q *sequencer) handNow(p *parser.Packet, t adapters.Target) {
	marked := *p
	q.rooms.BroadcastAt(&marked, t, func() { marked.JSON = withOffset(p.JSON, q.ledger.position()) })
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

// Own implements LogReceiver.
func (q *sequencer) Own(at Offset, text string) {
	q.turn.Lock()
	defer q.turn.Unlock()
	e := q.take(at, text)
	if e == nil {
		q.rooms.Still(func() { q.ledger.reached(at) })
		return
	}
	defer e.finish(q)
	q.hand(at, e.message.Packet, e.message.Target)
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
