//go:build node

package cluster

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/hermod-io/hermod/tests/cluster/internal/nodes"
)

var broadcasts = []scenario{
	{"broadcast to all", func(t *testing.T, p *pair) {
		p.emits(t, nodes.Q{}, "all", `["x",1]`, p.all())
	}},
	{"broadcast without arguments", func(t *testing.T, p *pair) {
		p.emits(t, nodes.Q{}, "nothing", `[]`, p.all())
	}},
	{"broadcast to a room", func(t *testing.T, p *pair) {
		p.join(t, p.a1, "room")
		p.join(t, p.b1, "room")
		p.emits(t, nodes.Q{"to": []string{"room"}}, "room", `["x"]`, only(p.a1, p.b1))
	}},
	{"broadcast to a room that only B has", func(t *testing.T, p *pair) {
		p.join(t, p.b2, "far")
		p.emits(t, nodes.Q{"to": []string{"far"}}, "far", `["x"]`, only(p.b2))
	}},
	{"broadcast to a room that nobody has", func(t *testing.T, p *pair) {
		p.emits(t, nodes.Q{"to": []string{"empty"}}, "empty", `["x"]`, nil)
	}},
	{"broadcast to several rooms, each socket once", func(t *testing.T, p *pair) {
		p.join(t, p.a1, "s1", "s2")
		p.join(t, p.b1, "s1", "s2", "s3")
		p.join(t, p.b2, "s3")
		p.emits(t, nodes.Q{"to": []string{"s1", "s2", "s4"}}, "several", `["x"]`, only(p.a1, p.b1))
	}},
	{"broadcast except rooms", func(t *testing.T, p *pair) {
		p.join(t, p.a1, "e1")
		p.join(t, p.b1, "e1", "e2")
		p.join(t, p.b2, "e3")
		p.emits(t, nodes.Q{"except": []string{"e1"}}, "except", `["x"]`, only(p.a2, p.b2))
		p.emits(t, nodes.Q{"to": []string{"e1", "e3"}, "except": []string{"e2"}}, "room except", `["x"]`, only(p.a1, p.b2))
	}},
	{"broadcast except a remote socket", func(t *testing.T, p *pair) {
		p.emits(t, nodes.Q{"except": []string{p.b1.ID}}, "except sid", `["x"]`, only(p.a1, p.a2, p.b2))
	}},
	{"rooms that look like numbers", numericRooms},
	{"rooms with special names", specialRooms},
	{"broadcast to a remote socket", func(t *testing.T, p *pair) {
		p.emits(t, nodes.Q{"to": []string{p.b1.ID}}, "sid", `["x",{"$bin":"AQI="}]`, only(p.b1))
		p.emits(t, nodes.Q{"to": []string{p.b1.ID, p.a2.ID}}, "sids", `["x"]`, only(p.b1, p.a2))
	}},
	{"volatile and compress(false)", func(t *testing.T, p *pair) {
		p.emits(t, nodes.Q{"volatile": true}, "volatile", `["x"]`, p.all())
		p.emits(t, nodes.Q{"compress": false}, "compress", `["x"]`, p.all())
	}},
	{"local stays local", func(t *testing.T, p *pair) {
		p.emits(t, nodes.Q{"local": true}, "local", `["x"]`, only(p.a1, p.a2))
	}},
	{"broadcast of a socket", func(t *testing.T, p *pair) {
		p.join(t, p.a1, "mine")
		p.join(t, p.b1, "mine")
		p.emits(t, nodes.Q{"via": p.a1.ID}, "others", `["x"]`, only(p.a2, p.b1, p.b2))
		p.emits(t, nodes.Q{"via": p.a1.ID, "to": []string{"mine"}}, "others of a room", `["x"]`, only(p.b1))
	}},
	{"order", order},
	{"a room that was left", func(t *testing.T, p *pair) {
		p.join(t, p.b1, "left")
		p.b.Do(t, "leave", p.q(nodes.Q{"id": p.b1.ID, "rooms": []string{"left"}}))
		p.emits(t, nodes.Q{"to": []string{"left"}}, "left", `["x"]`, nil)
	}},
}

func numericRooms(t *testing.T, p *pair) {
	for _, room := range []string{"42", "007", "-1", "1e3"} {
		p.join(t, p.b1, room)
		p.emits(t, nodes.Q{"to": []string{room}}, "number "+room, `["x"]`, only(p.b1))
	}
	if p.a.Kind == nodes.Official && p.b.Kind == nodes.Hermod { // a number of JavaScript is the room of its text
		p.emits(t, nodes.Q{"to": []int{42}}, "a room of a number", `["x"]`, only(p.b1))
		p.emits(t, nodes.Q{"to": []int{42, 43}}, "rooms of numbers", `["x"]`, only(p.b1))
	}
}

func specialRooms(t *testing.T, p *pair) {
	for _, room := range []string{"a#b", "#", "*?[x]", "späti ☃ 💬", "exactly-20-characters", "with\nline", strings.Repeat("long", 200)} {
		p.join(t, p.b1, room)
		p.emits(t, nodes.Q{"to": []string{room}}, fmt.Sprintf("special %.20q", room), `["x"]`, only(p.b1))
	}
}

// order: what one node sends arrives in that order, to whomever it goes.
func order(t *testing.T, p *pair) {
	const n = 300
	p.join(t, p.b1, "ordered")
	p.call(t, "burst", nodes.Q{"event": "order", "from": 0, "until": n})
	p.call(t, "burst", nodes.Q{"event": "order", "from": n, "until": 2 * n, "to": []string{"ordered"}})
	p.call(t, "burst", nodes.Q{"event": "order", "from": 2 * n, "until": 3 * n, "args": json.RawMessage(`[{"$bin":"AQI="}]`)})
	nodes.Fence(t, p.a, p.nsp, p.clients()...)
	for _, c := range p.clients() {
		var want []string
		for i := range 3 * n {
			switch {
			case i >= 2*n:
				want = append(want, fmt.Sprintf(`[%d,{"$bin":"AQI="}]`, i))
			case i < n || c == p.b1:
				want = append(want, fmt.Sprintf(`[%d]`, i))
			}
		}
		got := c.Args("order")
		if len(got) != len(want) {
			t.Fatalf("%s heard %d events, want %d", c.Name, len(got), len(want))
		}
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("%s heard %s in place %d, want %s", c.Name, got[i], i, want[i])
			}
		}
	}
}
