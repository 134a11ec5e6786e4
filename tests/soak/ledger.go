package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// ledger is what one client should have got, and complains about what it gets
// otherwise. A peer calls it as it is told of connections and events, one call
// at a time, in order.
type ledger struct {
	who      string        // for complaints
	recovery bool          // the server has it
	within   time.Duration // a client that comes back in so short a time is recovered
	faults   *faults
	now      func() time.Time

	mu      sync.Mutex // guards what follows
	conns   int        // connections that were begun
	joined  bool       // between a CONNECT's answer and the loss
	since   time.Time  // when it joined
	stay    bool       // a hello came
	ended   bool       // the session was ended on purpose, by either side
	heard   time.Time  // when the last event came
	uni     uint64     // the next number; 0 before the first hello
	asked   uint64     // the last question
	rooms   map[string]*stream
	silent  bool // Disconnect was called; late counts what came since
	late    int
	first   chan struct{} // closed when it has joined for the first time
	sums    chan struct{} // closed by evSum
	history []string      // the last events, a ring
	at      int
	tally   tally
}

// stream is what a client knows of a room.
type stream struct {
	next uint64 // number
	in   bool
}

// tally counts what a client saw.
type tally struct {
	Connects, Losses     int // stays and their ends against the client's will
	Recovered, New       int // hellos
	Events, Lost         int // received; lost as documented
	Up, Calls, CallsLost int
	Asks                 int
}

func (t *tally) add(u tally) {
	t.Connects += u.Connects
	t.Losses += u.Losses
	t.Recovered += u.Recovered
	t.New += u.New
	t.Events += u.Events
	t.Lost += u.Lost
	t.Up += u.Up
	t.Calls += u.Calls
	t.CallsLost += u.CallsLost
	t.Asks += u.Asks
}

// historyLength is how many events a complaint shows.
const historyLength = 40

func newLedger(who string, recovery bool, within time.Duration, f *faults) *ledger {
	return &ledger{who: who, recovery: recovery, within: within, faults: f, now: time.Now,
		rooms: make(map[string]*stream), first: make(chan struct{}), sums: make(chan struct{}), history: make([]string, historyLength)}
}

// note keeps a line for the history. mu is held.
func (l *ledger) note(format string, args ...any) {
	l.history[l.at%historyLength] = l.now().Format("15:04:05.000 ") + fmt.Sprintf(format, args...)
	l.at++
}

// complain needs mu.
func (l *ledger) complain(format string, args ...any) {
	var text strings.Builder
	text.WriteString(l.who + ": " + fmt.Sprintf(format, args...))
	for i := range historyLength {
		if line := l.history[(l.at+i)%historyLength]; line != "" {
			text.WriteString("\n    " + line)
		}
	}
	l.faults.add("%s", text.String())
}

// begin counts a new connection and returns what the client says of itself.
func (l *ledger) begin(slot int) auth {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns++
	l.note("connection %d begins", l.conns)
	return auth{Slot: slot, Conn: l.conns}
}

// connected is called when the client has joined its namespace.
func (l *ledger) connected() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.joined {
		l.complain("connected twice")
	}
	l.joined, l.since = true, l.now()
	if l.tally.Connects++; l.tally.Connects == 1 {
		close(l.first)
	}
	l.note("connected")
}

// disconnected is called when the client has left its namespace, or was told to.
func (l *ledger) disconnected(reason string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.note("disconnected: %s", reason)
	if !l.joined {
		l.complain("disconnected without a connection: %s", reason)
	}
	l.joined = false
	switch reason {
	case "transport close", "transport error", "ping timeout":
		l.tally.Losses++
	case "io server disconnect", "io client disconnect":
		l.ended = true
	default:
		l.complain("disconnected: %s", reason)
	}
}

// quiet calls f, which disconnects the client; no event may come until speak is
// called, but the one that is being handled.
func (l *ledger) quiet(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.note("Disconnect")
	f()
	l.ended, l.silent, l.late = true, true, 0
}

func (l *ledger) speak() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.silent = false
}

// event takes an event and returns the answer, if it asks for one.
func (l *ledger) event(name string, n note, bytes []byte) note {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.note("%s %v %d bytes", name, n, len(bytes))
	l.tally.Events++
	defer func() { l.heard = l.now() }()
	if l.silent {
		if l.late++; l.late > 1 {
			l.complain("%s after Disconnect", name)
		}
	}
	if !intact(bytes, n.N, n.Size) {
		l.complain("%s %v: %d bytes, or other ones", name, n, len(bytes))
	}
	if l.uni == 0 && name != evHello {
		l.complain("%s before hello", name)
	}
	switch name {
	case evHello:
		l.hello(n)
	case evUni:
		l.expect(evUni, &l.uni, n.N)
	case evRoom:
		l.broadcast(n.N, n.Room)
	case evPair:
		l.pair(n)
	case evJoined:
		l.join(n)
	case evLeft:
		l.leave(n)
	case evAsk:
		return l.ask(n)
	case evSum:
		l.sum(n)
	default:
		l.complain("unknown event %s", name)
	}
	return note{}
}

// expect takes the number n of a stream. mu is held.
func (l *ledger) expect(what string, next *uint64, n uint64) {
	switch {
	case n < *next:
		l.complain("%s %d came twice or too late, want %d", what, n, *next)
		return
	case n > *next:
		l.complain("%s %d: lost %d to %d", what, n, *next, n-1)
	}
	*next = n + 1
}

// agree compares what the server has sent of a stream with what came. mu is held.
func (l *ledger) agree(what string, n, want uint64) {
	switch {
	case n < want:
		l.complain("%s %d, want %d", what, n, want)
	case n > want:
		l.complain("%s %d, want %d: lost %d to %d", what, n, want, want, n-1)
	}
}

// hello begins a stay. mu is held.
func (l *ledger) hello(n note) {
	if n.Recovered {
		l.tally.Recovered++
		if !l.stay {
			l.complain("recovered what never was")
		}
		l.agree("recovered at", n.N, l.uni)
		if got, want := slices.Sorted(maps.Keys(n.Rooms)), l.in(); !slices.Equal(got, want) {
			l.complain("recovered in %q, want %q", got, want)
		}
	} else {
		l.tally.New++
		if away := l.now().Sub(l.heard); l.recovery && l.stay && !l.ended && !n.Kicked && away < l.within {
			l.complain("not recovered after %v", away)
		}
		if n.N < l.uni {
			l.complain("hello %d, had %d before", n.N, l.uni-1)
		}
		if l.uni > 0 {
			l.tally.Lost += int(n.N - l.uni)
		}
		l.uni = n.N
		for _, s := range l.rooms {
			s.in = false
		}
	}
	l.stay, l.ended = true, false
}

// in returns the rooms that the client is in. mu is held.
func (l *ledger) in() (names []string) {
	for name, s := range l.rooms {
		if s.in {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// broadcast takes a broadcast to a room. mu is held.
func (l *ledger) broadcast(n uint64, room string) {
	s := l.rooms[room]
	if s == nil || !s.in {
		l.complain("broadcast %d to %s, where it is not", n, room)
		return
	}
	l.expect(room, &s.next, n)
}

// pair takes a broadcast to two rooms, one of which the client must be in. mu is
// held.
func (l *ledger) pair(n note) {
	a, b := l.rooms[n.Room], l.rooms[n.Room2]
	inA, inB := a != nil && a.in, b != nil && b.in
	if inA || !inB {
		l.broadcast(n.N, n.Room)
	}
	if inB {
		l.broadcast(n.N2, n.Room2)
	}
}

// join takes the news that the client is in a room. mu is held.
func (l *ledger) join(n note) {
	s := l.rooms[n.Room]
	switch {
	case s == nil:
		s = new(stream)
		l.rooms[n.Room] = s
	case n.N < s.next, s.in && n.N != s.next:
		l.agree("joined "+n.Room+" at", n.N, s.next)
	}
	s.in, s.next = true, n.N
}

// leave takes the news that the client is not in a room any more. mu is held.
func (l *ledger) leave(n note) {
	s := l.rooms[n.Room]
	if s == nil || !s.in {
		return
	}
	l.agree("left "+n.Room+" at", n.N, s.next)
	s.in = false
}

// ask takes a question. Those that were under way when a connection was lost are
// not asked again. mu is held.
func (l *ledger) ask(n note) note {
	l.tally.Asks++
	if n.N <= l.asked {
		l.complain("question %d came twice or too late, had %d", n.N, l.asked)
	}
	l.asked = max(l.asked, n.N)
	return note{N: reply(n.N)}
}

// sum compares the numbers at the end. mu is held.
func (l *ledger) sum(n note) {
	l.agree("at the end the next event is", n.N, l.uni)
	if got, want := slices.Sorted(maps.Keys(n.Rooms)), l.in(); !slices.Equal(got, want) {
		l.complain("at the end it is in %q, want %q", got, want)
	}
	for room, next := range n.Rooms {
		if s := l.rooms[room]; s != nil {
			l.agree("at the end the next broadcast to "+room+" is", next, s.next)
		}
	}
	select {
	case <-l.sums:
	default:
		close(l.sums)
	}
}

// connectedFor is how long the client has been on its connection, 0 without one.
func (l *ledger) connectedFor() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.joined {
		return 0
	}
	return l.now().Sub(l.since)
}

// stable returns the number of the connection, if there is one.
func (l *ledger) stable() (conn int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.conns, l.joined
}

// change calls f with the tally.
func (l *ledger) change(f func(*tally)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(&l.tally)
}

// renewed is called when the client was closed, and nothing of it runs any more.
func (l *ledger) renewed() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.note("closed")
	if l.joined {
		l.complain("closed, but not disconnected")
	}
	l.joined, l.ended = false, true
}
