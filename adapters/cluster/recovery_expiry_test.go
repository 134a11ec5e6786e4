package cluster_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster"
)

// farLog is a log whose store takes its time, and forgets values when they expire.
type farLog struct {
	*fakeBus
	full atomic.Bool // nothing more is queued for it
}

func (f *farLog) TakeSession(ctx context.Context, pid string, value, next []byte, ttl time.Duration, from string) (bool, error) {
	time.Sleep(time.Millisecond)
	if v, err := f.LoadSession(ctx, pid); v == nil {
		return false, err
	}
	return f.fakeBus.TakeSession(ctx, pid, value, next, ttl, from)
}

func (f *farLog) StoreSession(pid string, value []byte, ttl time.Duration, lost func()) error {
	if f.full.Load() {
		return adapters.ErrQueueFull
	}
	return f.fakeBus.StoreSession(pid, value, ttl, lost)
}

// distant makes a node over a farLog.
func distant(t *testing.T) (*cluster.Recoverer, *kept, *farLog) {
	t.Helper()
	l, k, f := newFakeLog(), new(kept), new(farLog)
	a, err := cluster.MakeLog(func(namespace string, r cluster.Receiver) (cluster.Log, error) {
		bus, err := l.connect(namespace, r)
		f.fakeBus = bus.(*fakeBus)
		return f, err
	}, patient, k)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close(context.Background()) }) // never an error
	return a.(*cluster.Recoverer), k, f
}

// expiredNow are the sessions that were reported.
func (k *kept) expiredNow() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.expired)
}

// All clients of a node were lost in one moment: their sessions were looked at one
// after the other, and most values were gone before it was their turn.
func TestManyExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 5000
		a, k, _ := distant(t)
		for i := range n {
			m := &socket{id: fmt.Sprint(i)}
			if err := a.Join(t.Context(), m, m.id); err != nil {
				t.Fatal(err)
			}
			a.Save(m, adapters.Session{ID: m.id, PID: m.id})
			lose(a, m, m.id)
		}
		time.Sleep(2 * time.Minute)
		if got := len(k.expiredNow()); got != n {
			t.Errorf("%d sessions of %d are reported", got, n)
		}
	})
}

// The last value of a session had no room in the queue to the store: the one before
// is there, and its expiry was not reported.
func TestExpiryOfWhatWasStoredBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, k, f := distant(t)
		m := &socket{id: "s"}
		if err := a.Join(t.Context(), m, "s"); err != nil {
			t.Fatal(err)
		}
		a.Save(m, adapters.Session{ID: "s", PID: "p"})
		f.full.Store(true)
		lose(a, m, "p")
		f.full.Store(false)
		time.Sleep(2 * time.Minute)
		if got := k.expiredNow(); !slices.Equal(got, []string{"p"}) {
			t.Errorf("reported: %q", got)
		}
	})
}
