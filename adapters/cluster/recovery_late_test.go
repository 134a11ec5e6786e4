package cluster_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/socketio/parser"
)

// impatient does not wait long for its own entries.
var impatient = cluster.Options{LogPatience: 20 * time.Millisecond}

// stall has the readers of l see nothing new, or go on.
func (l *fakeLog) stall(on bool) { l.set(func() { l.reading = !on }) }

// lose ends a socket whose client may come back.
func lose(r *cluster.Recoverer, m *socket, pid string) {
	rooms := r.RoomsOf(m)
	r.LeaveAll(m)
	r.Save(nil, adapters.Session{ID: m.id, PID: pid, Rooms: rooms})
}

// comeBack restores a session, and returns what it missed.
func comeBack(t *testing.T, r *cluster.Recoverer, pid, offset string, admitted func()) (missed []string) {
	t.Helper()
	seq, err := r.Restore(t.Context(), pid, offset, func(s adapters.Session) adapters.Member {
		admitted()
		return &socket{id: s.ID}
	})
	if err != nil {
		t.Fatal(err)
	}
	for p := range seq {
		missed = append(missed, string(p.JSON))
	}
	return missed
}

// bystander is a socket that hears what is handed over.
func bystander(t *testing.T, r *cluster.Recoverer) {
	t.Helper()
	if err := r.Join(t.Context(), &socket{id: "bystander"}, "bystander"); err != nil {
		t.Fatal(err)
	}
}

func wantEvents(t *testing.T, got []string, why string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q: %s", got, want, why)
	}
}

// A broadcast whose entry was not back in time was handed over at once, and its
// entry passed over when it came. A session that was restored between the two was
// not there before, and did not find it in the log yet.
func TestRestoreAmidLateEntries(t *testing.T) {
	t.Parallel()
	l := newFakeLog()
	a, k, m := keeping(t, l, "p", impatient)
	bystander(t, a)
	lose(a, m, "p")
	l.stall(true)
	say(t, a, `["late"]`)
	await(t, func() bool { return len(k.got()) == 1 }, "the bystander hears it")
	missed := comeBack(t, a, "p", "", func() {})
	wantEvents(t, missed, "the entry has not come", `["late","1-0"]`)
	l.stall(false)
	await(t, func() bool { return a.Position() == "1-1" }, "the entry")
	wantEvents(t, k.got(), "the entry is passed over", `["late","1-0"]`)
}

// A socket that had joined its room at the offset at which a late broadcast was
// handed over, because nothing had been sent since, counted as not in it.
func TestRestoreAmidLateEntriesOfRooms(t *testing.T) {
	t.Parallel()
	l := newFakeLog()
	a, k, m := keeping(t, l, "p", impatient)
	if err := a.Join(t.Context(), &socket{id: "bystander"}, "s"); err != nil {
		t.Fatal(err)
	}
	lose(a, m, "p")
	l.stall(true)
	sayTo(t, a, `["room"]`, adapters.Target{Rooms: []string{"s"}})
	sayTo(t, a, `["other room"]`, adapters.Target{Rooms: []string{"x"}})
	sayTo(t, a, `["others"]`, adapters.Target{Except: []string{"s"}})
	sayTo(t, a, `["all"]`, adapters.Target{})
	await(t, func() bool { return len(k.got()) == 2 }, "the bystander hears two")
	missed := comeBack(t, a, "p", "", func() {})
	wantEvents(t, missed, "what was for it", `["room","1-0"]`, `["all","1-0"]`)
}

// When a log had begun anew what was sent to rooms that were there before did not
// count as sent: a session whose client had not got it was restored without it.
func TestRestoreAfterNewBeginning(t *testing.T) {
	t.Parallel()
	l := newFakeLog()
	a, k, m := keeping(t, l, "p", patient)
	say(t, a, `["got"]`)
	await(t, func() bool { return len(k.got()) == 1 }, "the first")
	a.Begin(l.at(0))
	sayTo(t, a, `["sent"]`, adapters.Target{Rooms: []string{"s"}})
	await(t, func() bool { return len(k.got()) == 2 }, "what its dead connection is given")
	lose(a, m, "p")
	wantEvents(t, comeBack(t, a, "p", "1-1", func() {}), "sent to its room", `["sent","1-2"]`)
}

// A broadcast that became late when the restored socket was in its rooms already
// was handed to it, and given to its session once more.
func TestRestoreBeforeLateEntries(t *testing.T) {
	t.Parallel()
	l := newFakeLog()
	a, k, m := keeping(t, l, "p", impatient)
	lose(a, m, "p")
	say(t, a, `["missed"]`)
	await(t, func() bool { return a.Position() == "1-1" }, "the entry")
	missed := comeBack(t, a, "p", "", func() {
		say(t, a, `["meanwhile"]`)
		await(t, func() bool { return a.Position() == "1-2" }, "what comes before the socket is there")
		l.set(func() {
			l.reading = false
			l.onRead = func() { // when it is
				say(t, a, `["late"]`)
				await(t, func() bool { return len(k.got()) == 1 }, "the socket is given it")
			}
		})
	})
	wantEvents(t, missed, "what was there before the socket", `["missed","1-1"]`, `["meanwhile","1-2"]`)
	wantEvents(t, k.got(), "and what came after it", `["late","1-2"]`)
}

// A broadcast was handed over late to a socket whose connection was dead already.
// When the entry came it counted as received, so that the client, whose offset is
// of before, never got it.
func TestRestoreAfterLateEntries(t *testing.T) {
	t.Parallel()
	for _, offset := range []string{"", "1-1"} {
		l := newFakeLog()
		a, k, m := keeping(t, l, "p", impatient)
		say(t, a, `["got"]`)
		await(t, func() bool { return len(k.got()) == 1 }, "the first")
		l.stall(true)
		say(t, a, `["late"]`)
		await(t, func() bool { return len(k.got()) == 2 }, "what is late")
		l.stall(false)
		await(t, func() bool { return a.Position() == "1-2" }, "the entry")
		lose(a, m, "p")
		want := []string{`["got","1-1"]`, `["late","1-2"]`}
		if offset != "" {
			want = want[1:]
		}
		wantEvents(t, comeBack(t, a, "p", offset, func() {}), "offset "+offset, want...)
	}
}

// What needs no entry, because it is for this node alone, or gets none, was handed
// over before what waited for its entry.
func TestRecovererKeepsOrder(t *testing.T) {
	t.Parallel()
	l := newFakeLog()
	a, k, _ := keeping(t, l, "p", patient)
	l.stall(true)
	here := func(text string) {
		p := &parser.Packet{Type: parser.Event, Args: parser.Args{JSON: []byte(text)}}
		if err := a.Broadcast(p, adapters.Target{Flags: adapters.Flags{Local: true}}); err != nil {
			t.Fatal(err)
		}
	}
	here(`[0]`)
	wantEvents(t, k.got(), "nothing is before it", `[0,"1-0"]`)
	say(t, a, `[1]`)
	here(`[2]`)
	here(`[3]`)
	say(t, a, `[4]`)
	here(`[5]`)
	l.set(func() { l.refusing = true })
	say(t, a, `[6]`)
	l.set(func() { l.refusing = false })
	l.refusals.Wait()
	say(t, a, `[7]`)
	wantEvents(t, k.got(), "what was sent before waits", `[0,"1-0"]`)
	l.stall(false)
	if err := a.Join(context.Background(), &socket{id: "z"}, "z"); err != nil { // waits for all
		t.Fatal(err)
	}
	wantEvents(t, k.got(), "in order", `[0,"1-0"]`, `[1,"1-1"]`, `[2,"1-1"]`, `[3,"1-1"]`, `[4,"1-2"]`, `[5,"1-2"]`, `[6,"1-2"]`, `[7,"1-3"]`)
}
