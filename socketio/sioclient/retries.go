package sioclient

import (
	"context"
	"slices"
	"time"

	"github.com/hermod-io/hermod/socketio/parser"
)

// retries holds the events of a Socket with Config.Retries, in order; the first
// one is in flight while there is a connection.
type retries struct {
	waits []*retry
	bytes int
}

// retry is one of them.
type retry struct {
	outgoing
	ack     *wait // of the application; nil if it does not ask
	tries   int
	pending bool
	timer   *time.Timer
}

// enqueue adds an event, and sends it if it is the only one.
func (s *Socket) enqueue(f flags, p *parser.Packet, ack *wait) error {
	r := &retry{outgoing: outgoing{args: cloneArgs(p.Args), hasID: true, flags: f}, ack: ack}
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	q, bound := &s.queue, &s.m.cfg.Buffer
	size := sizeOf(r.args)
	if len(q.waits) >= bound.Packets || q.bytes+size > bound.Bytes {
		return ErrQueueFull
	}
	q.waits = append(q.waits, r)
	q.bytes += size
	s.drain(false)
	return nil
}

// drain sends the first event of the queue, with force also if it was sent on
// another connection. mu is held.
func (s *Socket) drain(force bool) {
	if s.conn == nil || len(s.queue.waits) == 0 {
		return
	}
	r := s.queue.waits[0]
	if r.pending && !force {
		return
	}
	r.pending = true
	r.tries++
	r.id = s.ids.Add(1) - 1
	w := &wait{id: r.id, retry: r}
	s.waits[r.id] = w
	p := r.packet(s.nsp)
	_ = s.conn.link.send(r.flags.engine()|must, &p) // without an ack it is sent again
	d := r.flags.timeout
	if d <= 0 {
		d = s.m.cfg.AckTimeout
	}
	if d > 0 {
		r.timer = time.AfterFunc(d, func() { s.late(w) })
	}
}

// late runs when the ack of an attempt did not come in time.
func (s *Socket) late(w *wait) {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	if s.waits[w.id] == w {
		delete(s.waits, w.id)
		s.tried(w.retry, outcome{err: &AckError{Missing: 1, Err: context.DeadlineExceeded}})
	}
}

// tried ends an attempt: with an answer, or an error after which there is
// another one, unless there were too many. mu is held.
func (s *Socket) tried(r *retry, o outcome) {
	if r.timer != nil {
		r.timer.Stop()
	}
	if len(s.queue.waits) == 0 || s.queue.waits[0] != r {
		return
	}
	r.pending = false
	if o.err == nil || r.tries > s.m.cfg.Retries {
		s.take(r)
		if r.ack != nil {
			r.ack.done <- o
		} else if o.err != nil {
			s.post(mail{f: func() { s.m.logDropped(s, o.err) }})
		}
	}
	s.drain(false)
}

// take takes r out of the queue. mu is held.
func (s *Socket) take(r *retry) {
	q := &s.queue
	if i := slices.Index(q.waits, r); i >= 0 {
		q.bytes -= sizeOf(r.args)
		q.waits = slices.Delete(q.waits, i, i+1)
	}
}

// withdraw gives up an event whose ack nobody waits for any more. It reports
// whether it was still there. mu is held.
func (s *Socket) withdraw(w *wait) bool {
	i := slices.IndexFunc(s.queue.waits, func(r *retry) bool { return r.ack == w })
	if i < 0 {
		return false
	}
	r := s.queue.waits[i]
	if r.timer != nil {
		r.timer.Stop()
	}
	if r.pending {
		delete(s.waits, r.id)
	}
	s.take(r)
	s.drain(false)
	return true
}

// dropQueue gives up all that waits to be sent. mu is held.
func (s *Socket) dropQueue(cause error) {
	for _, r := range s.queue.waits {
		if r.timer != nil {
			r.timer.Stop()
		}
		if r.ack != nil {
			r.ack.done <- outcome{err: cause}
		}
	}
	s.queue, s.buffer = retries{}, buffer{}
	for id, w := range s.waits {
		delete(s.waits, id)
		if w.retry == nil {
			w.done <- outcome{err: cause}
		}
	}
}
