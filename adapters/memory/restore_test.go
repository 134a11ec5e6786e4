package memory

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/hermod-io/hermod/adapters"
)

// leaver is a socket that ends when it is superseded.
type leaver struct {
	dummy
	end func()
}

func (m *leaver) Supersede() { m.end() }

// A client connected, was lost and connected again while its first connection was
// still being restored: the second found no session and began anew, although the
// first one was dead and nobody got what was missed.
func TestRestoreWaitsForAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := recovering(t)
		s := adapters.Session{ID: "m", PID: "p", Rooms: []string{"m", "r"}}
		a.Save(nil, s)
		ended := 0
		m1 := &leaver{dummy: dummy{"m"}}
		m1.end = func() {
			ended++
			go func() { // ends at once
				a.LeaveAll(m1)
				a.Save(nil, s)
			}()
		}
		second := make(chan error, 1)
		_, err := a.Restore(t.Context(), "p", "", func(adapters.Session) adapters.Member {
			go func() { // ends with the second
				m2 := &dummy{"m"}
				_, err := a.Restore(t.Context(), "p", "", func(adapters.Session) adapters.Member { return m2 })
				if rooms := a.RoomsOf(m2); err == nil && len(rooms) != 2 {
					t.Errorf("the second is in %q", rooms)
				}
				second <- err
			}()
			synctest.Wait()
			if len(second) > 0 {
				t.Fatalf("the second does not wait: %v", <-second)
			}
			return m1
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := <-second; err != nil || ended != 1 {
			t.Errorf("the second: %v; the first was ended %d times", err, ended)
		}
		if n := len(a.recovery.restoring); n != 0 {
			t.Errorf("%d restorations are left", n)
		}
	})
}

// Who waits for a restoration that fails finds no session, or is gone before.
func TestRestoreWaitsForAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := recovering(t)
		a.Save(nil, adapters.Session{ID: "m", PID: "p", Rooms: []string{"m"}})
		never := func(adapters.Session) adapters.Member {
			t.Error("admitted")
			return &dummy{"m"}
		}
		errs := make(chan error, 2)
		gone, leave := context.WithCancel(t.Context())
		_, err := a.Restore(t.Context(), "p", "", func(adapters.Session) adapters.Member {
			for _, ctx := range []context.Context{gone, t.Context()} {
				go func() { // ends with its Restore
					_, err := a.Restore(ctx, "p", "", never)
					errs <- err
				}()
			}
			synctest.Wait()
			leave()
			if err := <-errs; !errors.Is(err, context.Canceled) {
				t.Errorf("who is gone: %v", err)
			}
			a.mu.Lock()
			a.recovery.log.first = a.recovery.log.head + 2 // what is missed is not kept
			a.mu.Unlock()
			return &dummy{"m"}
		})
		if !errors.Is(err, adapters.ErrNoSession) {
			t.Errorf("the first: %v", err)
		}
		if err := <-errs; !errors.Is(err, adapters.ErrNoSession) {
			t.Errorf("the second: %v", err)
		}
		if n := len(a.recovery.restoring); n != 0 {
			t.Errorf("%d restorations are left", n)
		}
	})
}
