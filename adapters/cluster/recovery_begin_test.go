package cluster_test

import (
	"context"
	"errors"
	"testing"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster"
)

// slowLog is a log that is out of reach when its node starts.
type slowLog struct {
	*fakeBus
	reached chan struct{}
	follows chan error
}

// Follow has r told later.
func (s *slowLog) Follow(_ context.Context, r cluster.LogReceiver) error {
	go func() { // ends when the log is reached
		<-s.reached
		s.follows <- s.fakeBus.Follow(context.Background(), r)
	}()
	return nil
}

// starting makes a node whose log is out of reach until reach is called, with a socket.
func starting(t *testing.T, l *fakeLog) (r *cluster.Recoverer, k *kept, m *socket, reach func()) {
	t.Helper()
	s := &slowLog{reached: make(chan struct{}), follows: make(chan error)}
	k, m = new(kept), &socket{id: "s"}
	a, err := cluster.MakeLog(func(namespace string, r cluster.Receiver) (cluster.Log, error) {
		bus, err := l.connect(namespace, r)
		s.fakeBus = bus.(*fakeBus)
		return s, err
	}, impatient, k)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(context.Background()) })
	if err := a.Join(t.Context(), m, "s"); err != nil {
		t.Fatal(err)
	}
	r = a.(*cluster.Recoverer)
	r.Save(m, adapters.Session{ID: "s", PID: "p"})
	return r, k, m, func() {
		close(s.reached)
		if err := <-s.follows; err != nil {
			t.Fatal(err)
		}
	}
}

// A client connected while the log was out of reach, because Redis was away when its
// node started. When it came back it was given all that was in the log, from before
// it had connected, its rooms' as well.
func TestRestoreOfOneBeforeTheLog(t *testing.T) {
	t.Parallel()
	l := newFakeLog()
	b, _, _ := keeping(t, l, "of b", patient)
	sayTo(t, b, `["before"]`, adapters.Target{})
	sayTo(t, b, `["before"]`, adapters.Target{Rooms: []string{"s"}})
	a, _, m, reach := starting(t, l)
	reach()
	say(t, b, `["after"]`)
	await(t, func() bool { return a.Position() == "1-3" }, "the entries")
	lose(a, m, "p")
	wantEvents(t, comeBack(t, a, "p", "", func() {}), "what it missed", `["after","1-3"]`)
}

// What it was sent meanwhile has no offset that tells whether it has got it: then it
// is a new one, and so is one that was lost meanwhile.
func TestRestoreOfWhatIsNotKnown(t *testing.T) {
	t.Parallel()
	for _, lost := range []bool{true, false} {
		l := newFakeLog()
		b, _, _ := keeping(t, l, "of b", patient)
		say(t, b, `["before"]`)
		a, k, m, reach := starting(t, l)
		if lost {
			lose(a, m, "p")
		} else {
			say(t, a, `["late"]`)
			await(t, func() bool { return len(k.got()) == 1 }, "what is late")
		}
		reach()
		say(t, b, `["after"]`)
		await(t, func() bool { return a.Position() == b.Position() && a.Position() != "1-1" }, "the entries")
		if !lost {
			lose(a, m, "p")
		}
		admit := func(adapters.Session) adapters.Member { return &socket{id: "s"} }
		if _, err := a.Restore(t.Context(), "p", "", admit); !errors.Is(err, adapters.ErrNoSession) {
			t.Errorf("lost %v: %v, want no session", lost, err)
		}
	}
}
