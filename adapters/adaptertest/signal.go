package adaptertest

import (
	"sync"
	"testing"
	"time"
)

const (
	// patience is how long the suite waits for something that must happen.
	patience = 10 * time.Second
	// poll is how often it looks at what it cannot be told about.
	poll = 5 * time.Millisecond
)

// signal wakes those who wait for something to change.
type signal struct {
	patience time.Duration // of await

	mu sync.Mutex // guards what follows
	ch chan struct{}
}

// fire wakes all who wait.
func (s *signal) fire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ch != nil {
		close(s.ch)
		s.ch = nil
	}
}

// next returns a channel that the next fire closes.
func (s *signal) next() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ch == nil {
		s.ch = make(chan struct{})
	}
	return s.ch
}

// await waits until ok holds, looking again at each fire and now and then. It
// fails the test with what after patience.
func (s *signal) await(t testing.TB, ok func() bool, what string, args ...any) {
	t.Helper()
	deadline := time.NewTimer(s.patience)
	defer deadline.Stop()
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		next := s.next()
		if ok() {
			return
		}
		select {
		case <-next:
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("not within %v: "+what, append([]any{s.patience}, args...)...)
		}
	}
}
