package link

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// background is the context of commands: their time is bounded by the
// connection's deadlines.
var background = context.Background()

// Writer sends commands to Redis, in pipelines of what is queued: at once when
// it is idle, many at a time when it is busy: then they are left to come together
// for up to a millisecond. Make it with [NewWriter]; its methods may be called
// from any goroutine.
//
// There is a lane for each server, which owns the connection to it. A command
// is in one queue at a time: of a lane, or, on a Cluster, of the router, which
// finds out who is in charge of its slot.
type Writer struct {
	c      Config
	top    *topology
	ctx    context.Context // until Close gives up
	cancel context.CancelFunc
	wg     sync.WaitGroup
	pool   publishers
	count  struct {
		published, batches, refused, dropped, ambiguous, retried, resets, panics atomic.Int64
	}

	mu       sync.Mutex // guards what follows
	closing  chan struct{}
	closed   bool
	lost     bool          // something was left at Close
	drained  chan struct{} // closed when closed and nothing is left
	bytes    int64
	left     int // commands that are not finished, those of a batch each
	lanes    map[string]*lane
	routes   []route // by slot, on a Cluster
	unrouted []*entry
	kick     chan struct{} // wakes the router
	failing  int           // lanes that cannot connect
	lossFrom time.Time
	lossN    int64
	said     time.Time // when a refusal was logged
}

// route is who gets the commands of a slot, while the lane is of that
// generation.
type route struct {
	lane       *lane
	generation uint32
}

// NewWriter returns a Writer for the servers of a client, see [New].
func NewWriter(client redis.UniversalClient, c Config) (*Writer, error) {
	top, err := newTopology(client, c.writeTimeout())
	if err != nil {
		return nil, err
	}
	w := &Writer{c: c, top: top, closing: make(chan struct{}), drained: make(chan struct{}), lanes: make(map[string]*lane), kick: make(chan struct{}, 1)}
	w.ctx, w.cancel = context.WithCancel(background)
	if top.cluster != nil {
		w.routes = make([]route, slots)
		w.wg.Go(w.runRouter) // until Close
	}
	return w, nil
}

// Publish appends PUBLISH. It never waits; the payload must not be changed any
// more. The error is ErrQueueFull or ErrClosed.
func (w *Writer) Publish(channel string, payload []byte) error {
	return w.publish(verbPublish, channel, channel, payload)
}

// PublishVia is Publish that goes, on a Cluster, to the server in charge of key:
// all that is published via one key keeps its order, whatever the channel.
func (w *Writer) PublishVia(key, channel string, payload []byte) error {
	return w.publish(verbPublish, key, channel, payload)
}

// SPublish appends SPUBLISH, as Publish.
func (w *Writer) SPublish(channel string, payload []byte) error {
	return w.publish(verbSPublish, channel, channel, payload)
}

func (w *Writer) publish(verb, key, channel string, payload []byte) error {
	e := w.pool.get(verb, key, channel, payload)
	e.joins = w.c.Batches && len(payload) > 0
	return w.append(e)
}

// Append appends a command. It never waits. The error is ErrQueueFull,
// ErrClosed or ErrArgument; then Done is not called.
func (w *Writer) Append(c Command) error {
	e, err := newEntry(c)
	if err != nil {
		return err
	}
	return w.append(e)
}

func (w *Writer) append(e *entry) error {
	if w.routes != nil {
		e.slot = keySlot(e.key)
	}
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return ErrClosed
	}
	if w.bytes > 0 && w.bytes+e.size > w.c.queueBytes() {
		w.lose()
		w.mu.Unlock()
		return ErrQueueFull
	}
	w.bytes += e.size
	w.left++
	w.push(e)
	w.mu.Unlock()
	return nil
}

// push puts an entry where it belongs. Needs mu.
func (w *Writer) push(e *entry) {
	if w.routes == nil {
		w.lane("").push(e)
		return
	}
	if r := w.routes[e.slot]; r.lane != nil && r.generation == r.lane.generation {
		r.lane.push(e)
		return
	}
	if n := len(w.unrouted); n == 0 || !w.unrouted[n-1].join(e) {
		w.unrouted = append(w.unrouted, e)
	}
	wake(w.kick)
}

// lane returns the lane to a server. Needs mu.
func (w *Writer) lane(addr string) *lane {
	l := w.lanes[addr]
	if l == nil {
		l = &lane{w: w, addr: addr, kick: make(chan struct{}, 1)}
		w.lanes[addr] = l
		w.wg.Go(l.run) // until Close, or the router retires it
	}
	return l
}

// wake makes a goroutine look around that waits for a channel of capacity 1.
func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// lose counts a command that is given up. Needs mu.
func (w *Writer) lose() {
	w.count.dropped.Add(1)
	if w.lossN++; w.lossFrom.IsZero() {
		w.lossFrom = time.Now()
	}
}

// refusedInterval is the shortest time between two lines of the log about
// commands that Redis refuses.
const refusedInterval = time.Second

// Refused logs that Redis refuses n commands of which nobody is told otherwise: once
// in a while, and if the error is one of Redis. The Writer calls it for those without
// a Done, who gives a Done may call it within.
func (w *Writer) Refused(n int, err error) {
	if !isRefusal(err) {
		return
	}
	w.mu.Lock()
	now := time.Now()
	quiet := now.Sub(w.said) < refusedInterval
	if !quiet {
		w.said = now
	}
	w.mu.Unlock()
	if !quiet {
		w.c.log(slog.LevelError, "commands are refused", "count", n, "refused", w.count.refused.Load(), "err", err)
	}
}

// fail ends entries with an error.
func (w *Writer) fail(list []*entry, err error) {
	for _, e := range list {
		e.failure = err
	}
	w.finish(list)
}

// finish ends entries, each with its failure or its answer.
func (w *Writer) finish(list []*entry) {
	if len(list) == 0 {
		return
	}
	var size int64
	left := 0
	for _, first := range list {
		for e := first; e != nil; {
			next := e.next
			size += e.size
			left++
			if e.done != nil {
				w.call(e.done, first)
			}
			if e != first {
				w.recycle(e)
			}
			e = next
		}
		w.recycle(first)
	}
	w.mu.Lock()
	w.bytes -= size
	w.left -= left
	if w.closed && w.left == 0 {
		close(w.drained)
	}
	w.mu.Unlock()
}

// recycle keeps an entry for the next command.
func (w *Writer) recycle(e *entry) {
	switch {
	case e.publish:
		w.pool.put(e)
	case e.form != nil:
		e.form.put(e)
	}
}

// carriedOut counts what Redis has done.
func (w *Writer) carriedOut(list []*entry) {
	batches := 0
	for _, e := range list {
		if e.joined > 0 {
			batches++
		}
	}
	w.count.published.Add(int64(messages(list)))
	w.count.batches.Add(int64(batches))
}

// call calls Done with what became of e.
func (w *Writer) call(done func(reply any, err error), e *entry) {
	defer func() {
		if v := recover(); v != nil {
			w.count.panics.Add(1)
			w.c.log(slog.LevelError, "a Done function panicked", "err", v)
		}
	}()
	if e.failure != nil {
		done(nil, e.failure)
		return
	}
	done(e.cmd.Val(), e.cmd.Err())
}

// Stats returns the counters.
func (w *Writer) Stats() Stats {
	w.mu.Lock()
	queued := w.bytes
	w.mu.Unlock()
	return Stats{
		Published: w.count.published.Load(), Batches: w.count.batches.Load(), Refused: w.count.refused.Load(), Dropped: w.count.dropped.Load(),
		Ambiguous: w.count.ambiguous.Load(), Retried: w.count.retried.Load(), Queued: queued,
		WriterResets: w.count.resets.Load(), Panics: w.count.panics.Load(),
	}
}

// Close refuses further commands, waits until those queued are answered, the
// server is out of reach, or ctx ends, and returns when nothing of the Writer
// runs any more. What is left then gets ErrClosed, which is also the error if
// there was any. A second call waits as well.
func (w *Writer) Close(ctx context.Context) error {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.closing)
		if w.left == 0 {
			close(w.drained)
		}
	}
	w.mu.Unlock()
	select {
	case <-w.drained:
	case <-ctx.Done():
	}
	w.cancel()
	w.wg.Wait()
	return w.abandon()
}

// abandon ends what is left when nothing runs any more.
func (w *Writer) abandon() error {
	w.mu.Lock()
	left := w.unrouted
	w.unrouted = nil
	for _, l := range w.lanes {
		left = append(left, l.takeAll()...)
	}
	w.giveUp(messages(left))
	lost := w.lost
	w.mu.Unlock()
	w.fail(left, ErrClosed)
	if lost {
		return ErrClosed
	}
	return nil
}

// giveUp counts commands that are left at Close. Needs mu.
func (w *Writer) giveUp(n int) {
	for range n {
		w.lose()
	}
	w.lost = w.lost || n > 0
}
