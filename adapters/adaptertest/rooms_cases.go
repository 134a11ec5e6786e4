package adaptertest

import (
	"fmt"
	"slices"
	"sync"

	"github.com/hermod-io/hermod/adapters"
)

// raceRounds is how often the cases that look for races try.
const raceRounds = 2000

func roomCases() []testCase {
	return []testCase{
		{name: "JoinTwiceIsNoOp", body: joinTwice},
		{name: "JoinWithoutRoomsEntersTheNamespace", body: joinNothing},
		{name: "LeaveWhatOneIsNotIn", body: leaveUnknown},
		{name: "LeaveAll", body: leaveAll},
		{name: "RoomDiesWithItsLastMember", body: roomDies},
		{name: "RoomsOfAll", body: roomsOfAll},
		{name: "ManyRooms", body: manyRooms},
		{name: "NamesArePlainStrings", body: plainNames},
		{name: "JoinRacesLastLeave", body: joinRacesLastLeave},
		{name: "JoinRacesLeaveAll", body: joinRacesLeaveAll},
		{name: "CloseEnds", body: closeEnds},
	}
}

func joinTwice(c *cluster) {
	m, other := c.add(0, "a", "a"), c.add(1, "b")
	all := []*member{m, other}
	c.join(m, "a")
	c.join(m, m.id)
	c.wantRoomsOf(m, "joined three times", "a")
	c.wantGot(c.emit(1, adapters.Target{Rooms: []string{"a"}}), "joined three times", all, m)
	c.leave(m, "a")
	c.wantRoomsOf(m, "left once")
	c.wantGot(c.emit(1, adapters.Target{Rooms: []string{"a"}}), "left once", all)
	c.wantRooms("left once", "b")
}

func joinNothing(c *cluster) {
	m := c.newMember(0)
	c.join(m)
	c.wantRoomsOf(m, "joined nothing")
	c.wantRooms("joined nothing")
	c.wantGot(c.emit(1, adapters.Target{}), "a part of the namespace", []*member{m}, m)
	c.nodes[0].LeaveAll(m)
	c.wantGot(c.emit(1, adapters.Target{}), "left the namespace", []*member{m})
}

func leaveUnknown(c *cluster) {
	m, stranger := c.add(0, "a"), c.newMember(0)
	c.leave(m, "b", "")
	c.leave(stranger, "a")
	c.nodes[0].LeaveAll(stranger)
	if rooms := c.nodes[0].RoomsOf(stranger); len(rooms) != 0 {
		c.t.Errorf("a stranger is in %q", rooms)
	}
	c.leave(m, "a", "a")
	c.wantRoomsOf(m, "left twice in one call")
	c.wantGot(c.emit(0, adapters.Target{}), "still in the namespace", []*member{m, stranger}, m)
}

func leaveAll(c *cluster) {
	a, b := c.add(0, "x", "y", "z"), c.add(1, "y")
	c.nodes[0].LeaveAll(a)
	c.wantRoomsOf(a, "left all")
	if rooms := c.nodes[0].RoomsOf(a); len(rooms) != 0 {
		c.t.Errorf("%s left all and is in %q", a.id, rooms)
	}
	c.wantRooms("only y has a member", "y")
	all := []*member{a, b}
	c.wantGot(c.emit(0, adapters.Target{}), "left the namespace", all, b)
	c.wantGot(c.emit(0, adapters.Target{Rooms: []string{a.id}}), "left its own room", all)
	c.nodes[0].LeaveAll(a)
	c.join(a, a.id, "x")
	c.wantGot(c.emit(1, adapters.Target{Rooms: []string{"x"}}), "joined again", all, a)
}

func roomDies(c *cluster) {
	a, b := c.add(0, "r"), c.add(1, "r")
	c.wantRooms("two members", "r")
	c.leave(a, "r")
	c.wantRooms("one member", "r")
	c.leave(b, "r")
	c.wantRooms("no member")
	c.join(b, "r")
	c.wantRooms("born again", "r")
	c.nodes[b.node].LeaveAll(b)
	c.wantRooms("no member")
}

func roomsOfAll(c *cluster) {
	a, b := c.add(0, "one", "both"), c.add(1, "two", "both")
	c.wantRooms("the union of the nodes", "both", "one", "two")
	c.wantRoomsOf(a, "joined them", "both", "one")
	c.wantRoomsOf(b, "joined them", "both", "two")
	for _, m := range []*member{a, b} {
		if !slices.Contains(c.nodes[m.node].RoomsOf(m), m.id) {
			c.t.Errorf("%s is not in its own room", m.id)
		}
	}
}

// manyRooms: a member of many rooms is found, moved and removed as any other.
func manyRooms(c *cluster) {
	a, b := c.add(0), c.add(0)
	all := []*member{a, b}
	var rooms, kept []string
	for i := range 100 {
		r := fmt.Sprint("room", i)
		rooms = append(rooms, r)
		if i%3 == 0 {
			kept = append(kept, r)
		}
	}
	c.join(a, rooms...)
	c.join(b, rooms...)
	for i, r := range rooms {
		if i%3 != 0 {
			c.leave(a, r)
		}
	}
	c.wantRoomsOf(a, "left two of three", kept...)
	c.wantRoomsOf(b, "left none", rooms...)
	c.wantGot(c.emit(0, adapters.Target{Rooms: rooms}), "in all", all, a, b)
	c.wantGot(c.emit(0, adapters.Target{Rooms: []string{"room1", "room2"}}), "a left", all, b)
	c.wantGot(c.emit(0, adapters.Target{Rooms: []string{"room99", "room98"}}), "a is in room99", all, a, b)
	c.wantGot(c.emit(0, adapters.Target{Rooms: rooms, Except: kept}), "both in the kept ones", all)
	c.leave(a, kept...)
	c.wantRoomsOf(a, "left them all")
	c.nodes[0].LeaveAll(b)
	c.wantRooms("nobody is left")
}

// plainNames: peers of other languages keep rooms as properties of objects,
// where such names are taken or change.
func plainNames(c *cluster) {
	names := []string{
		"__proto__", "constructor", "toString", "hasOwnProperty", "", " ", "#", "a#b", "a,b", "*", "[x]?", "42", "\x00",
		"/", "ünïcode 🙂", "\u2028", `"quoted"`, "{}",
	}
	a, b := c.add(0, names...), c.add(1)
	odd := c.newMember(0)
	odd.id = "__proto__"
	c.join(odd, odd.id)
	all := []*member{a, b, odd}
	c.wantRoomsOf(a, "joined them", names...)
	c.wantRooms("joined them", names...)
	for i, name := range names {
		want := []*member{a}
		if name == odd.id {
			want = append(want, odd)
		}
		c.wantGot(c.emit(i, adapters.Target{Rooms: []string{name}}), "room "+name, all, want...)
	}
	c.wantGot(c.emit(1, adapters.Target{Except: []string{"__proto__"}}), "all but the room", all, b)
	c.leave(a, names...)
	c.wantRoomsOf(a, "left them")
	c.wantRooms("only the odd member's own room is left", odd.id)
}

// joinRacesLastLeave: a peer checked for the last member and then removed the
// room; who joined in between was in a room that nobody could address.
func joinRacesLastLeave(c *cluster) {
	a, b := c.add(0), c.add(0)
	node := c.nodes[0]
	for i := range raceRounds {
		room := "r"
		c.join(a, room)
		var both sync.WaitGroup
		both.Go(func() { node.Leave(a, room) })
		both.Go(func() { c.join(b, room) })
		both.Wait()
		if !slices.Contains(node.RoomsOf(b), room) {
			c.t.Fatalf("round %d: the join is lost", i)
		}
		event := c.emit(0, adapters.Target{Rooms: []string{room}})
		if n, left := b.count(event), a.count(event); n != 1 || left != 0 {
			c.t.Fatalf("round %d: who joined got %d, who left got %d packets", i, n, left)
		}
		a, b = b, a
	}
}

// joinRacesLeaveAll: the same with a socket that ends, in several rooms.
func joinRacesLeaveAll(c *cluster) {
	node := c.nodes[0]
	rooms := []string{"r", "s", "t"}
	for i := range raceRounds / 2 {
		ending, staying := c.add(0, rooms...), c.newMember(0)
		var both sync.WaitGroup
		both.Go(func() { node.LeaveAll(ending) })
		both.Go(func() { c.join(staying, rooms...) })
		both.Wait()
		event := c.emit(0, adapters.Target{Rooms: rooms})
		if n, ended := staying.count(event), ending.count(event); n != 1 || ended != 0 {
			c.t.Fatalf("round %d: who joined got %d, who ended got %d packets", i, n, ended)
		}
		node.LeaveAll(staying)
	}
	c.wantRooms("all ended")
}

func closeEnds(c *cluster) {
	for i, node := range c.nodes {
		for range 2 {
			if err := node.Close(c.ctx); err != nil {
				c.t.Errorf("node %d: Close: %v", i, err)
			}
		}
		if err := node.Join(c.ctx, c.newMember(i), "r"); err == nil {
			c.t.Errorf("node %d: Join after Close gave no error", i)
		}
	}
}
