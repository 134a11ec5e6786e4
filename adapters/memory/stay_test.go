package memory

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/socketio/parser"
)

// recovering is an adapter that keeps all for long.
func recovering(t testing.TB) *Adapter {
	q := newQuiet()
	q.recovery = adapters.Recovery{On: true, MaxDisconnection: 1 << 40, Retention: 1 << 40, LogBytes: 64 << 20}
	made, err := New()(q)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = made.Close(context.Background()) })
	return made.(*Adapter)
}

// A client that made its socket join and leave a room over and over, while the
// log kept a packet, made its session grow with each turn, and each join slower
// than the one before, under the lock of the namespace.
func TestChurnOfRoomsIsBounded(t *testing.T) {
	a := recovering(t)
	emit := func(room string) {
		p := &parser.Packet{Type: parser.Event, Args: parser.Args{JSON: []byte(`["e"]`)}}
		if err := a.Broadcast(p, adapters.Target{Rooms: []string{room}}); err != nil {
			t.Fatal(err)
		}
	}
	m, s := &dummy{"m"}, adapters.Session{ID: "m", PID: "p"}
	join := func(rooms ...string) {
		if err := a.Join(t.Context(), m, rooms...); err != nil {
			t.Fatal(err)
		}
	}
	join("m")
	a.Save(m, s)
	emit("m")
	for range 1000 {
		join("a", "b")
		a.Leave(m, "b", "a")
	}
	rec := a.recovery.records["p"]
	if n := len(rec.past); n != 0 {
		t.Errorf("%d stays are kept in which nothing was sent", n)
	}
	var offsets []string
	for range 3 * maxPast {
		join("a")
		offsets = append(offsets, a.Position())
		emit("a")
		a.Leave(m, "a")
		emit("a") // not for m
	}
	if n := len(rec.past); n > maxPast {
		t.Errorf("%d stays are kept", n)
	}
	lose := func() {
		a.LeaveAll(m)
		a.Save(nil, s)
	}
	lose()
	got := 0
	packets, err := a.Restore(t.Context(), "p", offsets[len(offsets)-100], func(adapters.Session) adapters.Member { return m })
	if err != nil {
		t.Fatal(err)
	}
	for range packets {
		got++
	}
	if got != 100 {
		t.Errorf("%d packets, want 100", got)
	}
	if rooms := a.RoomsOf(m); fmt.Sprint(rooms) != "[m]" {
		t.Errorf("in rooms %v", rooms)
	}
	lose()
	if _, err := a.Restore(t.Context(), "p", offsets[0], func(adapters.Session) adapters.Member { return m }); !errors.Is(err, adapters.ErrNoSession) {
		t.Errorf("restored from a time that is forgotten: %v", err)
	}
}

// Saving a session and joining rooms took time with the square of the number of
// rooms.
func BenchmarkManyRooms(b *testing.B) {
	const rooms = 5000
	a, m := recovering(b), &dummy{"m"}
	s := adapters.Session{ID: "m", PID: "p"}
	_ = a.Join(b.Context(), m, "m")
	a.Save(m, s)
	names := make([]string, rooms)
	for i := range names {
		names[i] = fmt.Sprint("room ", i)
	}
	for b.Loop() {
		_ = a.Join(b.Context(), m, names...)
		a.Save(m, s) // its data changed
		a.Leave(m, names...)
	}
}

// A packet to many rooms with short names took many times what it counted.
func TestEntryCountsNames(t *testing.T) {
	rooms := make([]string, 1000)
	for i := range rooms {
		rooms[i] = "a"
	}
	p := &parser.Packet{Type: parser.Event, Args: parser.Args{JSON: []byte(`["e"]`)}}
	p.Attachments = make([][]byte, 1000)
	if e := newEntry(p, adapters.Target{Rooms: rooms}, offsetRoom); e.size < 1000*(16+1+24) {
		t.Errorf("it counts %d bytes", e.size)
	} else if n := e.payload(); n > 100 { // its target does not count against the queue of a client
		t.Errorf("a client is sent %d bytes", n)
	}
}
