package adaptertest

import (
	"fmt"
	"slices"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/socketio/parser"
)

func broadcastCases() []testCase {
	return []testCase{
		{name: "NoRoomsMeansEveryone", body: everyone},
		{name: "UnionOnceEach", body: unionOnce},
		{name: "Except", body: except},
		{name: "ExceptSocket", body: exceptSocket},
		{name: "NobodyThere", body: nobodyThere},
		{name: "PacketArrivesWhole", body: packetWhole},
		{name: "FlagsArrive", body: flagsArrive},
		{name: "LocalStaysOnTheNode", body: localStays},
		{name: "OrderOfOneSender", body: orderOfOne},
		{name: "PendingIsPassedOver", body: pendingPassedOver},
	}
}

func everyone(c *cluster) {
	all := []*member{c.add(0), c.add(1, "a"), c.add(2, "b")}
	for node := range c.nodes {
		c.wantGot(c.emit(node, adapters.Target{}), "no rooms", all, all...)
	}
}

func unionOnce(c *cluster) {
	ab, a, b, none := c.add(0, "a", "b"), c.add(1, "a"), c.add(2, "b", "c"), c.add(0, "c")
	all := []*member{ab, a, b, none}
	for node := range c.nodes {
		c.wantGot(c.emit(node, adapters.Target{Rooms: []string{"a", "b"}}), "union", all, ab, a, b)
		c.wantGot(c.emit(node, adapters.Target{Rooms: []string{"b", "a", "b", "nowhere"}}), "a room named twice", all, ab, a, b)
		c.wantGot(c.emit(node, adapters.Target{Rooms: []string{"a", "a"}}), "one room named twice", all, ab, a)
		c.wantGot(c.emit(node, adapters.Target{Rooms: []string{"a", ab.id, a.id}}), "sockets and their room", all, ab, a)
	}
}

func except(c *cluster) {
	ab, a, b := c.add(0, "a", "b"), c.add(1, "a"), c.add(2, "b")
	all := []*member{ab, a, b}
	for node := range c.nodes {
		c.wantGot(c.emit(node, adapters.Target{Rooms: []string{"a"}, Except: []string{"b"}}), "a but b", all, a)
		c.wantGot(c.emit(node, adapters.Target{Except: []string{"b"}}), "all but b", all, a)
		c.wantGot(c.emit(node, adapters.Target{Except: []string{"a", "b"}}), "all but a and b", all)
		c.wantGot(c.emit(node, adapters.Target{Rooms: []string{"a", "b"}, Except: []string{"nowhere"}}), "except a room without members", all, all...)
		c.wantGot(c.emit(node, adapters.Target{Rooms: []string{"a"}, Except: []string{"a"}}), "a but a", all)
	}
}

func exceptSocket(c *cluster) {
	m, other, far, out := c.add(0, "a"), c.add(0, "a"), c.add(1, "a"), c.add(0)
	all := []*member{m, other, far, out}
	for node := range c.nodes {
		c.wantGot(c.emit(node, adapters.Target{Rooms: []string{"a"}, Except: []string{m.id}}), "the room but one", all, other, far)
		c.wantGot(c.emit(node, adapters.Target{Rooms: []string{"a"}, Except: []string{out.id}}), "but one who is not in it", all, m, other, far)
		c.wantGot(c.emit(node, adapters.Target{Except: []string{m.id}}), "all but one", all, other, far, out)
		c.wantGot(c.emit(node, adapters.Target{Except: []string{m.id, far.id}}), "all but two", all, other, out)
		c.wantGot(c.emit(node, adapters.Target{Rooms: []string{m.id}, Except: []string{m.id}}), "nobody", all)
	}
}

func nobodyThere(c *cluster) {
	c.emit(0, adapters.Target{})
	m := c.add(0, "a")
	event := c.emit(0, adapters.Target{Rooms: []string{"nowhere"}})
	c.wantGot(event, "an empty room", []*member{m})
	c.wantRooms("a broadcast makes no room", "a")
}

func packetWhole(c *cluster) {
	var all []*member
	for i := range c.nodes {
		all = append(all, c.add(i))
	}
	p := &parser.Packet{Type: parser.Event, Namespace: namespace}
	p.JSON = []byte(`["bin",{"_placeholder":true,"num":0},"ü",12345678901234567890,{"z":1,"a":[null]}]`)
	p.Attachments = [][]byte{{0, 1, 2, 255}}
	before := string(p.JSON)
	if err := c.nodes[0].Broadcast(p, adapters.Target{}); err != nil {
		c.t.Fatal(err)
	}
	c.wantGot(before, "values, their order and numbers are kept", all, all...)
	if string(p.JSON) != before || p.HasID || p.ID != 0 || len(p.Attachments) != 1 || !slices.Equal(p.Attachments[0], []byte{0, 1, 2, 255}) {
		c.t.Errorf("the packet was changed: %+v", p)
	}
	written := `["escaped", "\u00fc"]`
	p = &parser.Packet{Type: parser.Event, Namespace: namespace, Args: parser.Args{JSON: []byte(written)}}
	if err := c.nodes[0].Broadcast(p, adapters.Target{Flags: adapters.Flags{Local: true}}); err != nil {
		c.t.Fatal(err)
	}
	c.wantGot(written, "text is kept as it was written on the same node", all, all[0])
}

func flagsArrive(c *cluster) {
	var all []*member
	for i := range c.nodes {
		all = append(all, c.add(i))
	}
	for _, f := range []adapters.Flags{{}, {Volatile: true}, {NoCompress: true}, {Volatile: true, NoCompress: true}} {
		event := c.emit(0, adapters.Target{Flags: f})
		c.wantGot(event, "flags", all, all...)
		for _, m := range all {
			for _, d := range m.deliveries() {
				if d.event == event && (d.flags.Volatile != f.Volatile || d.flags.NoCompress != f.NoCompress) {
					c.t.Errorf("%s got flags %+v, want %+v", m.id, d.flags, f)
				}
			}
		}
	}
}

func localStays(c *cluster) {
	var all []*member
	for i := range c.nodes {
		all = append(all, c.add(i, "r"))
	}
	for i := range c.nodes {
		f := adapters.Flags{Local: true}
		c.wantGot(c.emit(i, adapters.Target{Flags: f}), "everyone of this node", all, all[i])
		c.wantGot(c.emit(i, adapters.Target{Rooms: []string{"r"}, Flags: f}), "the room on this node", all, all[i])
	}
}

// orderOfOne: what one goroutine broadcasts on one way arrives in that order.
func orderOfOne(c *cluster) {
	all := []*member{c.add(0, "r"), c.add(1, "r"), c.add(2, "r")}
	var sent []string
	for range 500 {
		sent = append(sent, c.emit(0, adapters.Target{Rooms: []string{"r"}}))
	}
	for _, m := range all {
		c.news.await(c.t, func() bool { return len(m.deliveries()) >= len(sent) }, "%s gets all %d", m.id, len(sent))
		for i, d := range m.deliveries() {
			if d.event != sent[i] {
				c.t.Fatalf("%s got %s as number %d, want %s", m.id, d.event, i, sent[i])
			}
		}
	}
}

// pendingPassedOver: a socket that is not connected yet may be in rooms; it
// gets nothing, and is neither asked nor fetched.
func pendingPassedOver(c *cluster) {
	m, live := c.add(0, "r"), c.add(0, "r")
	m.setPending(true)
	all := []*member{m, live}
	c.wantGot(c.emit(1, adapters.Target{Rooms: []string{"r"}}), "one is pending", all, live)
	c.wantFetched(1, adapters.Target{Rooms: []string{"r"}}, live)
	c.locals[0].answerAtOnce(func(m *member, answer func(string)) { answer(fmt.Sprintf("[%q]", m.id)) })
	got, err := c.ask(1, adapters.Target{Rooms: []string{"r"}, Flags: adapters.Flags{Timeout: patience}})
	if err != nil || len(got) != 1 {
		c.t.Errorf("answers %q, error %v; want the one of the member that is connected", got, err)
	}
	m.setPending(false)
	c.wantGot(c.emit(1, adapters.Target{Rooms: []string{"r"}}), "connected now", all, m, live)
}
