package adaptertest

import (
	"slices"
	"strings"
	"sync"

	"github.com/hermod-io/hermod/adapters"
)

func socketsCases() []testCase {
	return []testCase{
		{name: "SocketsJoinAndLeave", body: socketsMove},
		{name: "SocketsJoinDoesNotBringBack", body: socketsJoinRace},
		{name: "SocketsLocal", body: socketsLocal},
		{name: "PendingSocketsArePassedOver", body: pendingSockets},
		{name: "DisconnectSockets", body: disconnectSockets},
		{name: "Fetch", body: fetch},
		{name: "FetchDescribes", body: fetchDescribes},
	}
}

// wantRoomsSoon is wantRoomsOf for what another node set in motion.
func (c *cluster) wantRoomsSoon(m *member, why string, want ...string) {
	c.t.Helper()
	slices.Sort(want)
	c.news.await(c.t, func() bool { return slices.Equal(visible(c.nodes[m.node].RoomsOf(m)), want) }, "%s is in %q: %s", m.id, want, why)
}

func (c *cluster) socketsJoin(node int, t adapters.Target, rooms ...string) {
	c.t.Helper()
	if err := c.nodes[node%len(c.nodes)].SocketsJoin(c.ctx, t, rooms...); err != nil {
		c.t.Errorf("SocketsJoin(%+v, %q): %v", t, rooms, err)
	}
}

func (c *cluster) socketsLeave(node int, t adapters.Target, rooms ...string) {
	c.t.Helper()
	if err := c.nodes[node%len(c.nodes)].SocketsLeave(c.ctx, t, rooms...); err != nil {
		c.t.Errorf("SocketsLeave(%+v, %q): %v", t, rooms, err)
	}
}

func socketsMove(c *cluster) {
	a, b, d := c.add(0, "a"), c.add(1, "a"), c.add(2, "d")
	c.socketsJoin(0, adapters.Target{Rooms: []string{"a"}}, "x", "y")
	c.wantRoomsSoon(a, "moved with a", "a", "x", "y")
	c.wantRoomsSoon(b, "moved with a", "a", "x", "y")
	c.wantRoomsOf(d, "not in a", "d")
	c.socketsJoin(1, adapters.Target{Except: []string{a.id}}, "z")
	c.wantRoomsSoon(b, "all but one", "a", "x", "y", "z")
	c.wantRoomsSoon(d, "all but one", "d", "z")
	c.wantRoomsOf(a, "the one", "a", "x", "y")
	c.socketsLeave(2, adapters.Target{}, "x", "y", "nowhere")
	c.wantRoomsSoon(a, "all left", "a")
	c.wantRoomsSoon(b, "all left", "a", "z")
	c.wantRoomsSoon(d, "all left", "d", "z")
	c.socketsLeave(0, adapters.Target{Rooms: []string{"z"}}, "z")
	c.wantRooms("z was left by the members it names", "a", "d")
	c.socketsJoin(0, adapters.Target{Rooms: []string{"nowhere"}}, "q")
	c.wantRooms("nobody moved", "a", "d")
}

// socketsJoinRace: a socket that ends while others move it stays gone.
func socketsJoinRace(c *cluster) {
	node := c.nodes[0]
	for i := range raceRounds / 4 {
		m := c.add(0, "r")
		var both sync.WaitGroup
		both.Go(func() { node.LeaveAll(m) })
		both.Go(func() {
			c.socketsJoin(0, adapters.Target{Rooms: []string{"r"}, Flags: adapters.Flags{Local: true}}, "x")
		})
		both.Wait()
		if rooms := node.RoomsOf(m); len(rooms) != 0 {
			c.t.Fatalf("round %d: the member is back in %q", i, rooms)
		}
	}
	c.wantRooms("all ended")
}

func socketsLocal(c *cluster) {
	var all []*member
	for i := range c.nodes {
		all = append(all, c.add(i))
	}
	t := adapters.Target{Flags: adapters.Flags{Local: true}}
	c.socketsJoin(0, t, "mine")
	c.settle()
	c.wantRoomsOf(all[0], "of the node", "mine")
	for _, m := range all[1:] {
		c.wantRoomsOf(m, "of another node")
	}
	c.wantFetched(0, t, all[0])
	c.socketsLeave(0, t, "mine")
	c.wantRoomsOf(all[0], "of the node")
}

// pendingSockets: nobody but the socket itself acts on one that is not connected
// yet.
func pendingSockets(c *cluster) {
	var waiting, there []*member
	for i := range c.nodes {
		m := c.add(i, "a")
		m.setPending(true)
		waiting = append(waiting, m)
		there = append(there, c.add(i, "a"))
	}
	t := adapters.Target{Rooms: []string{"a"}}
	c.socketsJoin(0, t, "x")
	c.socketsLeave(0, adapters.Target{Rooms: []string{waiting[0].id, "x"}}, "a")
	if err := c.nodes[0].DisconnectSockets(c.ctx, adapters.Target{Except: []string{"nowhere"}}, true); err != nil {
		c.t.Fatalf("DisconnectSockets: %v", err)
	}
	for _, m := range there {
		c.wantRoomsSoon(m, "moved", "x")
		c.news.await(c.t, func() bool { return len(m.disconnects()) == 1 }, "%s is disconnected", m.id)
	}
	c.settle()
	for _, m := range waiting {
		c.wantRoomsOf(m, "pending", "a")
		if n := len(m.disconnects()); n != 0 {
			c.t.Errorf("%s was disconnected, but is pending", m.id)
		}
		m.setPending(false)
	}
	c.socketsJoin(0, t, "y")
	for _, m := range waiting {
		c.wantRoomsSoon(m, "connected now", "a", "y")
	}
}

func disconnectSockets(c *cluster) {
	a, b, d := c.add(0, "a"), c.add(1, "a"), c.add(2, "d")
	for i, closeConn := range []bool{false, true} {
		t := adapters.Target{Rooms: []string{"a"}, Except: []string{"d"}}
		if err := c.nodes[0].DisconnectSockets(c.ctx, t, closeConn); err != nil {
			c.t.Fatalf("DisconnectSockets: %v", err)
		}
		for _, m := range []*member{a, b} {
			c.news.await(c.t, func() bool { return len(m.disconnects()) == i+1 }, "%s is disconnected", m.id)
			if got := m.disconnects()[i]; got != closeConn {
				c.t.Errorf("%s: closeConn %v, want %v", m.id, got, closeConn)
			}
		}
	}
	c.settle()
	if n := len(d.disconnects()); n != 0 {
		c.t.Errorf("%s was disconnected, but is not in the room", d.id)
	}
	c.wantRoomsOf(a, "to leave is the socket's own business", "a")
}

// fetch returns the sockets that node finds, sorted, without the fences.
func (c *cluster) fetch(node int, t adapters.Target) []adapters.SocketInfo {
	c.t.Helper()
	infos, err := c.nodes[node%len(c.nodes)].Fetch(c.ctx, t)
	if err != nil {
		c.t.Fatalf("Fetch(%+v): %v", t, err)
	}
	infos = slices.DeleteFunc(infos, func(i adapters.SocketInfo) bool { return strings.HasPrefix(i.ID, fenceMember) })
	slices.SortFunc(infos, func(a, b adapters.SocketInfo) int { return strings.Compare(a.ID, b.ID) })
	return infos
}

func (c *cluster) wantFetched(node int, t adapters.Target, want ...*member) {
	c.t.Helper()
	var got []string
	for _, info := range c.fetch(node, t) {
		got = append(got, info.ID)
	}
	if w := ids(want); !slices.Equal(got, w) {
		c.t.Errorf("Fetch(%+v) from node %d found %q, want %q", t, node, got, w)
	}
}

func fetch(c *cluster) {
	ab, a, d := c.add(0, "a", "b"), c.add(1, "a"), c.add(2)
	for node := range c.nodes {
		c.wantFetched(node, adapters.Target{}, ab, a, d)
		c.wantFetched(node, adapters.Target{Rooms: []string{"a", "b"}}, ab, a)
		c.wantFetched(node, adapters.Target{Rooms: []string{"a"}, Except: []string{"b"}}, a)
		c.wantFetched(node, adapters.Target{Except: []string{"a"}}, d)
		c.wantFetched(node, adapters.Target{Rooms: []string{d.id}}, d)
		c.wantFetched(node, adapters.Target{Rooms: []string{"nowhere"}})
	}
}

func fetchDescribes(c *cluster) {
	m := c.newMember(0)
	m.data = `{"nick":"ada","n":[1,2.50,null]}`
	c.join(m, m.id, "a", "b")
	for node := range c.nodes {
		found := c.fetch(node, adapters.Target{Rooms: []string{"a"}})
		if len(found) != 1 {
			c.t.Fatalf("node %d found %d sockets, want 1", node, len(found))
		}
		got, want := found[0], m.Info()
		slices.Sort(got.Rooms)
		if !slices.Equal(got.Rooms, []string{"a", "b", m.id}) {
			c.t.Errorf("node %d: rooms %q", node, got.Rooms)
		}
		data := string(got.Data)
		if node != m.node { // some codecs know numbers, and not how they were written
			data = strings.Replace(data, "2.5,", "2.50,", 1)
		}
		if data != m.data {
			c.t.Errorf("node %d: data %s, want %s", node, got.Data, m.data)
		}
		h, w := got.Handshake, want.Handshake
		if h.Address != w.Address || h.URL != w.URL || h.Issued != w.Issued || h.Headers["x-member"] != m.id || h.Query["EIO"] != "4" || string(h.Auth) != string(w.Auth) {
			c.t.Errorf("node %d: handshake %+v, want %+v", node, h, w)
		}
	}
}
