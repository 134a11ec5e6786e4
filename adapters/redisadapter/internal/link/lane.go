package link

import (
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

// The most that one pipeline holds.
const (
	maxBatch      = 512
	maxBatchBytes = 1 << 20
)

// lane is the way to one server. Its goroutine owns the fields above the line;
// those below are guarded by the Writer's mutex.
type lane struct {
	w     *Writer
	addr  string // "" for the only server
	kick  chan struct{}
	sess  *session
	used  time.Time // when the session last answered
	back  backoff   // since the last success
	fails int       // connections that broke since then
	fresh time.Time // when the routes were last void
	// refusing: the server refused commands for the moment. Until it takes them a
	// batch has one command of each key: the second could be taken after the first
	// was refused.
	refusing bool
	batch    []*entry
	cmds     []redis.Cmder
	sealed   []byte // batches that are sent

	gathering gathering

	// -- guarded by Writer.mu
	queue      []*entry
	waiting    int    // commands in queue, those of a batch each
	generation uint32 // routes of an older one are void
	down       bool   // cannot connect, counted in Writer.failing
	retired    bool   // nobody routes here any more: ends
}

// push appends an entry. Needs Writer.mu.
func (l *lane) push(e *entry) {
	if n := len(l.queue); n == 0 || !l.queue[n-1].join(e) {
		l.queue = append(l.queue, e)
	}
	first := l.waiting == 0
	l.waiting += e.messages()
	if enough := l.gathering.note(e, l.waiting); enough || first {
		wake(l.kick)
	}
}

// takeAll empties the queue. Needs Writer.mu.
func (l *lane) takeAll() []*entry {
	q := l.queue
	l.queue, l.waiting = nil, 0
	return q
}

// run sends what is queued until the Writer ends.
func (l *lane) run() {
	defer func() { l.drop() }()
	for l.wait() {
		l.gather()
		if !l.ready() {
			continue
		}
		if l.take(); len(l.batch) > 0 {
			l.send()
		}
	}
}

// wait waits for something to send.
func (l *lane) wait() bool {
	for {
		l.w.mu.Lock()
		n, retired := len(l.queue), l.retired
		l.w.mu.Unlock()
		if n > 0 && l.w.ctx.Err() == nil {
			return true
		}
		if retired {
			return false
		}
		select {
		case <-l.kick:
		case <-l.w.ctx.Done():
			return false
		}
	}
}

// take moves the next commands from the queue to the batch.
func (l *lane) take() {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	if l.refusing {
		l.takeFirsts()
		return
	}
	n, size := 0, int64(0)
	for n < len(l.queue) && n < maxBatch && (n == 0 || size+l.queue[n].wire <= maxBatchBytes) {
		size += l.queue[n].wire
		n++
	}
	l.batch = append(l.batch[:0], l.queue[:n]...)
	rest := l.queue[n:]
	if len(rest) == 0 {
		rest = l.queue[:0]
	}
	clear(l.queue[:n])
	l.queue = rest
	taken := messages(l.batch)
	l.waiting -= taken
	l.gathering.on, l.gathering.last = false, taken
	l.gathering.taken(len(rest))
}

// takeFirsts moves the next command of each key to the batch. Needs Writer.mu.
func (l *lane) takeFirsts() {
	seen := make(map[string]struct{})
	rest, size := l.queue[:0], int64(0)
	l.batch = l.batch[:0]
	for _, e := range l.queue {
		_, later := seen[e.key]
		seen[e.key] = struct{}{}
		if later || len(l.batch) == maxBatch || len(l.batch) > 0 && size+e.wire > maxBatchBytes {
			rest = append(rest, e)
			continue
		}
		size += e.wire
		l.batch = append(l.batch, e)
	}
	clear(l.queue[len(rest):])
	l.queue = rest
	l.waiting -= messages(l.batch)
}

// ready makes sure that there is a connection that works. It reports false
// after a failure; then it has waited.
func (l *lane) ready() bool {
	if l.sess != nil {
		err := l.try()
		if err == nil {
			return true
		}
		l.broken(err)
	}
	err := l.open()
	if err == nil {
		l.up()
		return true
	}
	l.failed(err)
	return false
}

// try looks whether the connection still stands.
func (l *lane) try() error {
	ended, unread := look(l.sess.conn.Conn)
	switch {
	case ended:
		return io.EOF
	case !unread && time.Since(l.used) < l.w.c.pingInterval():
		return nil
	}
	err := l.sess.client.Ping(background).Err()
	if isRefusal(err) {
		return nil
	}
	return err
}

// open connects.
func (l *lane) open() error {
	s, err := l.w.top.connect(l.w.ctx, l.addr, nil)
	if err != nil {
		return err
	}
	if err := l.w.top.greet(background, l.addr, s.client.Do); err != nil {
		s.close()
		return err
	}
	l.sess, l.used = s, time.Now()
	return nil
}

// drop closes the connection.
func (l *lane) drop() {
	if l.sess != nil {
		l.sess.close()
		l.sess = nil
	}
}

// broken closes a connection that failed.
func (l *lane) broken(err error) {
	l.drop()
	l.w.count.resets.Add(1)
	l.w.c.log(slog.LevelWarn, "the connection of the writer is broken", "remote", l.addr, "err", err)
}

// up notes that the server answers.
func (l *lane) up() {
	l.w.mu.Lock()
	if l.down {
		l.down = false
		l.w.failing--
		l.w.c.log(slog.LevelInfo, "the writer is connected again", "remote", l.addr)
	}
	l.w.mu.Unlock()
}

// failed notes that the server cannot be reached, lets the router look for
// another, and waits for the time of the next attempt.
func (l *lane) failed(err error) {
	w := l.w
	if w.ctx.Err() != nil {
		return
	}
	w.mu.Lock()
	if !l.down {
		l.down = true
		w.failing++
		w.c.log(slog.LevelWarn, "the writer cannot connect", "remote", l.addr, "err", err)
	}
	closed := w.closed
	var left []*entry
	if closed {
		left = l.takeAll()
		w.giveUp(messages(left))
	}
	w.mu.Unlock()
	if closed {
		w.fail(left, ErrClosed)
		return
	}
	l.pause()
	w.top.unreachable(l.addr)
	l.reroute()
}

// pause waits for the time of the next attempt, or for Close.
func (l *lane) pause() { pause(l.w.ctx, l.w.closing, l.back.next()) }

// send sends the batch and deals with what became of it.
func (l *lane) send() {
	l.cmds = l.cmds[:0]
	l.seal()
	for i, e := range l.batch {
		e.cmd.SetErr(nil)
		e.cmd.SetVal(nil)
		e.position = i
		if e.ask != "" {
			l.cmds = append(l.cmds, redis.NewStatusCmd(background, "asking"))
		}
		if e.sent > 0 {
			l.w.count.retried.Add(int64(e.messages()))
		}
		l.cmds = append(l.cmds, e.cmd)
	}
	before := l.sess.conn.written.Load()
	pipe := l.sess.client.Pipeline()
	_ = pipe.BatchProcess(background, l.cmds...)
	_, err := pipe.Exec(background)
	if err == nil { // each of them was carried out
		l.w.carriedOut(l.batch)
		l.w.finish(l.batch)
		l.good()
	} else {
		l.settle(l.sess.conn.written.Load() - before)
	}
	clear(l.cmds)
	clear(l.batch)
}

// good notes that a batch was answered, and tells of losses before.
func (l *lane) good() {
	w := l.w
	l.used, l.back, l.fails, l.refusing = time.Now(), backoff{}, 0, false
	if w.routes != nil && l.used.Sub(l.fresh) > movedFor {
		l.fresh = l.used
		l.reroute()
	}
	w.mu.Lock()
	if w.lossN == 0 || w.failing > 0 || w.bytes > w.c.queueBytes()/2 {
		w.mu.Unlock()
		return
	}
	from, n := w.lossFrom, w.lossN
	w.lossFrom, w.lossN = time.Time{}, 0
	w.mu.Unlock()
	w.c.log(slog.LevelWarn, "commands were dropped", "count", n, "since", from)
	if w.c.OnLost != nil {
		w.c.OnLost(from, time.Now(), n)
	}
}

// requeue puts entries before what is queued.
func (l *lane) requeue(list []*entry) {
	if len(list) == 0 {
		return
	}
	l.w.mu.Lock()
	l.queue = slices.Concat(list, l.queue)
	l.waiting += messages(list)
	l.w.mu.Unlock()
}

// reroute lets the router decide anew about what is queued here. On a Cluster
// this happens between two batches, so that nothing of a slot is under way
// while its commands go from one lane to another.
func (l *lane) reroute() {
	w := l.w
	if w.routes == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	l.generation++
	for _, e := range l.takeAll() {
		if e.ask != "" && e.ask != l.addr {
			w.lane(e.ask).push(e)
			continue
		}
		e.ask = ""
		w.unrouted = append(w.unrouted, e)
	}
	wake(w.kick)
}
