package cluster_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"weak"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster"
)

// A client that comes back while its session is just being restored, for a
// connection that is dead by now, waits for that and ends it, on whatever node.
func TestRestoreMeetsAnother(t *testing.T) {
	for _, same := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			l := newFakeLog()
			a, _, m := keeping(t, l, "p", patient)
			second, _, _ := keeping(t, l, "of b", patient)
			if same {
				second = a
			}
			lose(a, m, "p")
			first, next := &socket{id: "s"}, &socket{id: "s"}
			restored := make(chan error, 1)
			_, err := a.Restore(t.Context(), "p", "", func(adapters.Session) adapters.Member {
				go func() { // ends with the second Restore
					_, err := second.Restore(t.Context(), "p", "", func(adapters.Session) adapters.Member { return next })
					restored <- err
				}()
				synctest.Wait()
				if len(restored) > 0 {
					t.Errorf("same node %v: the second does not wait: %v", same, <-restored)
				}
				return first
			})
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if n := first.superseded.Load(); n != 1 {
				t.Errorf("same node %v: the first was ended %d times", same, n)
			}
			lose(a, first, "p")
			if err := <-restored; err != nil {
				t.Fatalf("same node %v: the second: %v", same, err)
			}
			if rooms := second.RoomsOf(next); !slices.Equal(rooms, []string{"s"}) {
				t.Errorf("same node %v: the second is in %q", same, rooms)
			}
		})
	}
}

// values are the data of a session.
type values struct{ _ [64]byte }

// MarshalJSON implements json.Marshaler.
func (*values) MarshalJSON() ([]byte, error) { return []byte(`{"n":1}`), nil }

// A socket that was lost and restored was kept in memory until its session would
// have expired: a client that did so again and again filled it.
func TestRestoreLetsGoOfTheLost(t *testing.T) {
	t.Parallel()
	l := newFakeLog()
	a, _, m := keeping(t, l, "p", patient)
	v := new(values)
	left := weak.Make(v)
	rooms := a.RoomsOf(m)
	a.LeaveAll(m)
	a.Save(nil, adapters.Session{ID: "s", PID: "p", Rooms: rooms, Values: v})
	m, v = nil, nil
	comeBack(t, a, "p", "", func() {})
	await(t, func() bool { runtime.GC(); return left.Value() == nil }, "the data of the lost socket to be let go")
	runtime.KeepAlive(a)
}

// counted counts the values that are loaded.
type counted struct {
	cluster.Log
	loads int
}

func (c *counted) LoadSession(ctx context.Context, pid string) ([]byte, error) {
	c.loads++
	return c.Log.LoadSession(ctx, pid)
}

// A client had the store asked for names as long as its messages may be.
func TestRestoreOfLongName(t *testing.T) {
	t.Parallel()
	l := newFakeLog()
	c := new(counted)
	a, err := cluster.MakeLog(func(namespace string, r cluster.Receiver) (log cluster.Log, err error) {
		c.Log, err = l.connect(namespace, r)
		return c, err
	}, patient, new(kept))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(context.Background()) })
	for n, loads := range map[int]int{20: 1, 1 << 20: 0} {
		c.loads = 0
		_, err := a.(*cluster.Recoverer).Restore(t.Context(), strings.Repeat("p", n), "", nil)
		if !errors.Is(err, adapters.ErrNoSession) || c.loads != loads {
			t.Errorf("%d bytes: %v, the store was asked %d times", n, err, c.loads)
		}
	}
}
