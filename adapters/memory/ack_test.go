package memory_test

import (
	"context"
	"errors"
	"iter"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/memory"
	"github.com/hermod-io/hermod/socketio/parser"
)

// socket is a Member that does nothing.
type socket struct{ id string }

func (s *socket) ID() string                { return s.id }
func (s *socket) Info() adapters.SocketInfo { return adapters.SocketInfo{ID: s.id} }
func (s *socket) Pending() bool             { return false }
func (s *socket) Disconnect(bool)           {}
func (s *socket) Supersede()                {}

// namespace is a Local that takes everything and keeps the way to answer.
type namespace struct {
	taken   int
	answer  func(adapters.Member, parser.Args)
	stopped int
}

func (n *namespace) Name() string { return "/" }

func (n *namespace) Deliver(_ *parser.Packet, _ adapters.Flags, to iter.Seq[adapters.Member]) (count int) {
	for range to {
		count++
	}
	n.taken += count
	return count
}

func (n *namespace) DeliverAck(p *parser.Packet, f adapters.Flags, to iter.Seq[adapters.Member], each func(adapters.Member, parser.Args)) (int, func()) {
	n.answer = each
	return n.Deliver(p, f, to), func() { n.stopped++ }
}

func (n *namespace) ServerSideEvent(parser.Args, func(parser.Args)) {}

func (n *namespace) Recovery() (off adapters.Recovery) { return off }

func (n *namespace) SessionExpired(adapters.Session) {}

// populate returns an adapter with so many sockets, each in its own room and
// in rooms.
func populate(t testing.TB, n *namespace, count int, rooms ...string) (adapters.Adapter, []*socket) {
	t.Helper()
	a, err := memory.New()(n)
	if err != nil {
		t.Fatal(err)
	}
	sockets := make([]*socket, count)
	for i := range sockets {
		sockets[i] = &socket{id: string(rune('A' + i))}
		if err := a.Join(t.Context(), sockets[i], append([]string{sockets[i].id}, rooms...)...); err != nil {
			t.Fatal(err)
		}
	}
	return a, sockets
}

// wait is a BroadcastAck in the background, inside a bubble.
type wait struct {
	answers atomic.Int32
	result  chan result
}

type result struct {
	err  error
	took time.Duration
}

func ask(ctx context.Context, a adapters.Adapter, timeout time.Duration) *wait {
	w := &wait{result: make(chan result, 1)}
	began := time.Now()
	go func() { // ends with ctx, the timeout or the answers
		err := a.BroadcastAck(ctx, &parser.Packet{Type: parser.Event}, adapters.Target{Flags: adapters.Flags{Timeout: timeout}}, func(parser.Args) {
			w.answers.Add(1)
		})
		w.result <- result{err, time.Since(began)}
	}()
	synctest.Wait()
	return w
}

// wantIdle demands that the wait is not over yet.
func (w *wait) wantIdle(t *testing.T, why string) {
	t.Helper()
	synctest.Wait()
	if len(w.result) != 0 {
		t.Fatalf("the wait is over: %s", why)
	}
}

// want demands that the wait ended after that time, with so many answers, and
// so many missing for one of causes.
func (w *wait) want(t *testing.T, after time.Duration, answers, missing int, causes ...error) {
	t.Helper()
	synctest.Wait()
	if len(w.result) == 0 {
		t.Fatal("the wait is not over")
	}
	r := <-w.result
	if n := int(w.answers.Load()); r.took != after || n != answers {
		t.Errorf("over after %v with %d answers, want %v and %d", r.took, n, after, answers)
	}
	if missing == 0 {
		if r.err != nil {
			t.Errorf("error %v, want none", r.err)
		}
		return
	}
	var partial *adapters.PartialError
	if !errors.As(r.err, &partial) || partial.Missing != missing {
		t.Errorf("error %v, want %d missing", r.err, missing)
	}
	for _, cause := range causes {
		if !errors.Is(r.err, cause) {
			t.Errorf("error %v, want the cause %v", r.err, cause)
		}
	}
}

func TestBroadcastAckTimesOut(t *testing.T) {
	tests := []struct {
		name         string
		ctx, timeout time.Duration // 0: none
		want         time.Duration
	}{
		{"Flags", 0, 3 * time.Second, 3 * time.Second},
		{"Context", 2 * time.Second, 0, 2 * time.Second},
		{"ContextFirst", 2 * time.Second, 3 * time.Second, 2 * time.Second},
		{"FlagsFirst", 3 * time.Second, 2 * time.Second, 2 * time.Second},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if tc.ctx > 0 {
					c, cancel := context.WithTimeout(ctx, tc.ctx)
					defer cancel()
					ctx = c
				}
				n := new(namespace)
				a, sockets := populate(t, n, 3)
				w := ask(ctx, a, tc.timeout)
				n.answer(sockets[1], parser.Args{})
				time.Sleep(tc.want - time.Nanosecond)
				w.wantIdle(t, "before its time")
				time.Sleep(time.Nanosecond)
				w.want(t, tc.want, 1, 2, context.DeadlineExceeded)
				n.answer(sockets[0], parser.Args{})
				if w.answers.Load() != 1 {
					t.Error("a late answer was not dropped")
				}
				if n.stopped != 1 {
					t.Errorf("stop was called %d times, want once", n.stopped)
				}
			})
		})
	}
}

func TestBroadcastAckEndsWithTheLastAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(namespace)
		a, sockets := populate(t, n, 2)
		w := ask(t.Context(), a, time.Minute)
		n.answer(sockets[0], parser.Args{})
		time.Sleep(time.Second)
		n.answer(sockets[1], parser.Args{})
		w.want(t, time.Second, 2, 0)
	})
}

// TestBroadcastAckWithLeaver: the number asked is fixed at the send; whoever
// leaves is missed.
func TestBroadcastAckWithLeaver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(namespace)
		a, sockets := populate(t, n, 2)
		w := ask(t.Context(), a, time.Second)
		a.LeaveAll(sockets[0])
		n.answer(sockets[1], parser.Args{})
		time.Sleep(time.Second)
		w.want(t, time.Second, 1, 1, context.DeadlineExceeded)
	})
}

func TestBroadcastAckCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := errors.New("gone")
		ctx, cancel := context.WithCancelCause(t.Context())
		n := new(namespace)
		a, _ := populate(t, n, 2)
		w := ask(ctx, a, time.Hour)
		cancel(gone)
		w.want(t, 0, 0, 2, gone)
	})
}

func TestCloseEndsBroadcastAck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(namespace)
		a, sockets := populate(t, n, 2)
		w := ask(t.Context(), a, 0)
		if err := a.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.want(t, 0, 0, 2, adapters.ErrClosed, net.ErrClosed)
		if err := a.Join(t.Context(), sockets[0], "r"); !errors.Is(err, adapters.ErrClosed) {
			t.Errorf("Join after Close: %v", err)
		}
		if err := a.SocketsJoin(t.Context(), adapters.Target{}, "r"); !errors.Is(err, adapters.ErrClosed) {
			t.Errorf("SocketsJoin after Close: %v", err)
		}
		if rooms := a.RoomsOf(sockets[0]); rooms != nil {
			t.Errorf("rooms after Close: %q", rooms)
		}
	})
}

// TestBroadcastAckWaitsForEach: an answer that is being taken when the time is
// over still counts, and BroadcastAck does not return before it was.
func TestBroadcastAckWaitsForEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(namespace)
		a, sockets := populate(t, n, 1)
		entered, proceed, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
		go func() { // ends when the answer was taken
			done <- a.BroadcastAck(t.Context(), &parser.Packet{}, adapters.Target{Flags: adapters.Flags{Timeout: time.Second}}, func(parser.Args) {
				close(entered)
				<-proceed
			})
		}()
		synctest.Wait()
		go n.answer(sockets[0], parser.Args{}) // ends with proceed
		<-entered
		time.Sleep(2 * time.Second)
		synctest.Wait()
		select {
		case err := <-done:
			t.Fatalf("BroadcastAck returned %v while each was running", err)
		default:
		}
		close(proceed)
		if err := <-done; err != nil {
			t.Errorf("error %v, want none: the last answer was being taken", err)
		}
	})
}
