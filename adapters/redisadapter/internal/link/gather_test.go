package link

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// busy returns a lane whose last batch had n commands and was answered just now.
func busy(t *testing.T, n int) *lane {
	w := &Writer{closing: make(chan struct{}), ctx: t.Context()}
	l := &lane{w: w, kick: make(chan struct{}, 1), used: time.Now()}
	l.gathering.last = n
	return l
}

// queueN queues n commands.
func (l *lane) queueN(n int, c Command) {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	for range n {
		e, err := newEntry(c)
		if err != nil {
			panic(err)
		}
		l.push(e)
	}
}

// gatheringTime is how long gather takes.
func gatheringTime(l *lane) time.Duration {
	before := time.Now()
	l.gather()
	return time.Since(before)
}

// Commands are left to come together only where there were several and are
// several again, and at most for gatherTime.
func TestGather(t *testing.T) {
	plain := Command{Key: "k", Args: []any{"PING"}}
	awaited := Command{Key: "k", Args: []any{"PING"}, Done: func(any, error) {}}
	long := Command{Key: "k", Args: []any{"SET", "k", make([]byte, gatherBytes)}}
	for _, c := range []struct {
		name   string
		last   int           // commands of the batch before
		ago    time.Duration // when it was answered
		queued int
		kind   Command
		want   time.Duration
	}{
		{"several behind several", 2, 0, 2, plain, gatherTime},
		{"one", 100, 0, 1, plain, 0},
		{"behind one", 1, 0, 100, plain, 0},
		{"first of all", 0, 0, 2, plain, 0},
		{"long after", 100, 2 * gatherTime, 2, plain, 0},
		{"enough", 100, 0, gatherCount, plain, 0},
		{"enough bytes", 100, 0, 2, long, 0},
		{"awaited", 100, 0, 2, awaited, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := busy(t, c.last)
			l.queueN(c.queued, c.kind)
			time.Sleep(c.ago)
			if got := gatheringTime(l); got != c.want {
				t.Errorf("%s: it waits %v, want %v", c.name, got, c.want)
			}
		})
	}
}

// The wait is over when there is enough, somebody waits for an answer, or the
// writer is closed; that more comes does not make it longer.
func TestGatherEnds(t *testing.T) {
	plain := Command{Key: "k", Args: []any{"PING"}}
	for name, end := range map[string]func(*lane){
		"enough":  func(l *lane) { l.queueN(gatherCount, plain) },
		"awaited": func(l *lane) { l.queueN(1, Command{Key: "k", Args: []any{"PING"}, Done: func(any, error) {}}) },
		"closing": func(l *lane) { close(l.w.closing) },
	} {
		synctest.Test(t, func(t *testing.T) {
			l := busy(t, 5)
			l.queueN(2, plain)
			wake(l.kick) // from before
			const early = gatherTime / 4
			time.AfterFunc(early, func() { end(l) })
			if got := gatheringTime(l); got != early {
				t.Errorf("%s: it waits %v, want %v", name, got, early)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		l := busy(t, 5)
		l.queueN(2, plain)
		for i := range 10 {
			time.AfterFunc(time.Duration(i)*gatherTime/10, func() { l.queueN(1, plain) })
		}
		if got := gatheringTime(l); got != gatherTime {
			t.Errorf("with more and more it waits %v, want %v", got, gatherTime)
		}
		time.Sleep(gatherTime)
		ctx, cancel := context.WithCancel(t.Context())
		l.w.ctx, l.used = ctx, time.Now()
		cancel()
		if got := gatheringTime(l); got != 0 {
			t.Errorf("when all has ended it waits %v", got)
		}
	})
}
