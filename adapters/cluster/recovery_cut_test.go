package cluster_test

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/hermod-io/hermod/adapters"
)

// stored is the value of a session.
func (l *fakeLog) stored(pid string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sessions[pid].value
}

// A node that was cut off when its client came back to another one stored the
// session of its dead socket over that of the living one, or removed it, as soon as
// it was back.
func TestRecovererCutOff(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"stores", "loses", "forgets"} {
		l := newFakeLog()
		a, _, m := keeping(t, l, "p", patient)
		node := slices.Collect(maps.Keys(l.nodes))[0]
		b, _, _ := keeping(t, l, "of b", patient)
		l.set(func() { delete(l.nodes, node) })
		comeBack(t, b, "p", "", func() {})
		l.set(func() { l.nodes[node] = true })
		want := l.stored("p")
		switch end {
		case "stores":
			a.Save(m, adapters.Session{ID: "s", PID: "p"})
			await(t, func() bool { return m.superseded.Load() > 0 }, "the dead socket is ended")
			lose(a, m, "p")
		case "loses":
			lose(a, m, "p")
		case "forgets":
			a.LeaveAll(m)
			a.Forget("p")
		}
		if got := l.stored("p"); got != want {
			t.Errorf("a node that was cut off %s: %q is stored, want %q", end, got, want)
		}
	}
}

// A node that was cut off finds its client back before it knows that another node
// had the session meanwhile: its own dead socket is ended, too.
func TestRecovererCutOffMeetsItsClient(t *testing.T) {
	t.Parallel()
	l := newFakeLog()
	a, _, m := keeping(t, l, "p", patient)
	node := slices.Collect(maps.Keys(l.nodes))[0]
	b, _, _ := keeping(t, l, "of b", patient)
	l.set(func() { delete(l.nodes, node) })
	back := &socket{id: "s"}
	if _, err := b.Restore(t.Context(), "p", "", func(adapters.Session) adapters.Member { return back }); err != nil {
		t.Fatal(err)
	}
	l.set(func() { l.nodes[node] = true })
	lose(b, back, "p")
	again := make(chan error)
	newest := &socket{id: "s"}
	go func() { // ends with the test
		_, err := a.Restore(t.Context(), "p", "", func(adapters.Session) adapters.Member { return newest })
		again <- err
	}()
	await(t, func() bool { return m.superseded.Load() > 0 }, "the dead socket is ended")
	lose(a, m, "p")
	if err := <-again; err != nil {
		t.Fatal(err)
	}
	if rooms := a.RoomsOf(newest); !slices.Equal(rooms, []string{"s"}) {
		t.Errorf("rooms %q", rooms)
	}
	lose(a, newest, "p") // it is its own again
	if _, err := b.Restore(t.Context(), "p", "", func(adapters.Session) adapters.Member { return &socket{id: "s"} }); err != nil {
		t.Error(err)
	}
	if _, err := b.Restore(t.Context(), "nobody", "", nil); !errors.Is(err, adapters.ErrNoSession) {
		t.Error(err)
	}
}
