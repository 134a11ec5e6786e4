package main

import (
	"strings"
	"testing"
	"time"
)

// step is something that a client hears, or does.
type step func(l *ledger)

func hears(name string, n note) step {
	return func(l *ledger) { l.event(name, n, payload(n.N, n.Size)) }
}
func joins() step               { return func(l *ledger) { l.begin(1); l.connected() } }
func leaves(reason string) step { return func(l *ledger) { l.disconnected(reason) } }
func passes(d time.Duration) step {
	return func(l *ledger) { at := l.now().Add(d); l.now = func() time.Time { return at } }
}

// begun is a client in a room, which has heard one event.
var begun = []step{joins(), hears(evHello, note{N: 5, Conn: 1}), hears(evUni, note{N: 5}), hears(evJoined, note{Room: "a", N: 7})}

// A ledger complains about what must not be, and about nothing else.
func TestLedger(t *testing.T) {
	back := hears(evHello, note{N: 6, Recovered: true, Rooms: map[string]uint64{"a": 0}})
	for name, c := range map[string]struct {
		steps []step
		want  string // a part of the only complaint; "" for none
	}{
		"the next":             {[]step{hears(evUni, note{N: 6}), hears(evRoom, note{Room: "a", N: 7, Size: 70000})}, ""},
		"twice":                {[]step{hears(evUni, note{N: 5})}, "uni 5 came twice or too late, want 6"},
		"lost":                 {[]step{hears(evUni, note{N: 8})}, "uni 8: lost 6 to 7"},
		"lost in the room":     {[]step{hears(evRoom, note{Room: "a", N: 8})}, "a 8: lost 7 to 7"},
		"another room":         {[]step{hears(evRoom, note{Room: "b", N: 1})}, "broadcast 1 to b, where it is not"},
		"one of two rooms":     {[]step{hears(evPair, note{Room: "a", N: 7, Room2: "b", N2: 1})}, ""},
		"none of two rooms":    {[]step{hears(evPair, note{Room: "c", N: 7, Room2: "b", N2: 1})}, "broadcast 7 to c, where it is not"},
		"after it left":        {[]step{hears(evLeft, note{Room: "a", N: 7}), hears(evRoom, note{Room: "a", N: 7})}, "where it is not"},
		"left too early":       {[]step{hears(evLeft, note{Room: "a", N: 8})}, "left a at 8, want 7: lost 7 to 7"},
		"joined anew":          {[]step{hears(evLeft, note{Room: "a", N: 7}), hears(evJoined, note{Room: "a", N: 9})}, ""},
		"joined in the past":   {[]step{hears(evLeft, note{Room: "a", N: 7}), hears(evJoined, note{Room: "a", N: 6})}, "joined a at 6, want 7"},
		"other bytes":          {[]step{func(l *ledger) { l.event(evUni, note{N: 6, Size: 3}, []byte{6, 7, 9}) }}, "3 bytes, or other ones"},
		"recovered":            {[]step{leaves("transport close"), joins(), back}, ""},
		"recovered elsewhere":  {[]step{leaves("transport close"), joins(), hears(evHello, note{N: 6, Recovered: true})}, "recovered in []"},
		"recovered with a gap": {[]step{leaves("ping timeout"), joins(), hears(evHello, note{N: 7, Recovered: true, Rooms: map[string]uint64{"a": 0}})}, "recovered at 7, want 6"},
		"not recovered":        {[]step{leaves("transport error"), joins(), hears(evHello, note{N: 6})}, "not recovered after"},
		"too late for that":    {[]step{leaves("transport error"), passes(time.Minute), joins(), hears(evHello, note{N: 9})}, ""},
		"kicked":               {[]step{leaves("transport close"), joins(), hears(evHello, note{N: 9, Kicked: true})}, ""},
		"new":                  {[]step{leaves("io server disconnect"), joins(), hears(evHello, note{N: 9}), hears(evUni, note{N: 9})}, ""},
		"new, in the past":     {[]step{leaves("io server disconnect"), joins(), hears(evHello, note{N: 5})}, "hello 5, had 5 before"},
		"new, not in the room": {[]step{leaves("io server disconnect"), joins(), hears(evHello, note{N: 9}), hears(evRoom, note{Room: "a", N: 7})}, "where it is not"},
		"silent":               {[]step{func(l *ledger) { l.quiet(func() {}) }, hears(evUni, note{N: 6})}, ""},
		"not silent":           {[]step{func(l *ledger) { l.quiet(func() {}) }, hears(evUni, note{N: 6}), hears(evUni, note{N: 7})}, "uni after Disconnect"},
		"asked":                {[]step{hears(evAsk, note{N: 1}), hears(evAsk, note{N: 4})}, ""},
		"asked twice":          {[]step{hears(evAsk, note{N: 1}), hears(evAsk, note{N: 1})}, "question 1 came twice"},
		"parse error":          {[]step{leaves("parse error")}, "disconnected: parse error"},
		"the sum":              {[]step{hears(evSum, note{N: 6, Rooms: map[string]uint64{"a": 7}})}, ""},
		"another sum":          {[]step{hears(evSum, note{N: 7, Rooms: map[string]uint64{"a": 7}})}, "at the end the next event is 7, want 6"},
		"another sum of room":  {[]step{hears(evSum, note{N: 6, Rooms: map[string]uint64{"a": 8}})}, "next broadcast to a is 8, want 7"},
	} {
		t.Run(name, func(t *testing.T) {
			f := new(faults)
			l := newLedger("client", true, 10*time.Second, f)
			for _, s := range append(begun[:len(begun):len(begun)], c.steps...) {
				s(l)
			}
			got := f.all()
			switch {
			case c.want == "" && len(got) > 0, c.want != "" && len(got) != 1:
				t.Errorf("complaints: %q, want %q", got, c.want)
			case c.want != "" && !strings.Contains(got[0], c.want):
				t.Errorf("complaint %s, want %q", got[0], c.want)
			}
		})
	}
}
