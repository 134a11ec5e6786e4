//go:build node

package cluster

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/hermod-io/hermod/tests/cluster/internal/nodes"
)

var requests = []scenario{
	{"socketsJoin and socketsLeave of all", func(t *testing.T, p *pair) {
		p.call(t, "sockets-join", nodes.Q{"rooms": []string{"j1", "j2"}})
		for _, c := range p.clients() {
			p.rooms(t, c, "j1", true)
			p.rooms(t, c, "j2", true)
		}
		p.call(t, "sockets-leave", nodes.Q{"rooms": []string{"j1"}})
		for _, c := range p.clients() {
			p.rooms(t, c, "j1", false)
			p.rooms(t, c, "j2", true)
		}
	}},
	{"socketsJoin of some", func(t *testing.T, p *pair) {
		p.join(t, p.a1, "some")
		p.join(t, p.b1, "some", "not")
		p.join(t, p.b2, "some")
		p.call(t, "sockets-join", nodes.Q{"to": []string{"some"}, "except": []string{"not"}, "rooms": []string{"joined"}})
		p.rooms(t, p.a1, "joined", true)
		p.rooms(t, p.b2, "joined", true)
		nodes.Reach(t, p.a, p.q(nodes.Q{"to": []string{"joined"}}), p.a1, p.b2)
		p.emits(t, nodes.Q{"to": []string{"joined"}}, "joined", `["x"]`, only(p.a1, p.b2))
		p.call(t, "sockets-leave", nodes.Q{"to": []string{p.b2.ID}, "rooms": []string{"joined"}})
		p.rooms(t, p.b2, "joined", false)
		p.emits(t, nodes.Q{"to": []string{"joined"}}, "left again", `["x"]`, only(p.a1))
	}},
	{"disconnectSockets", func(t *testing.T, p *pair) {
		for _, closeConn := range []bool{false, true} {
			room := fmt.Sprint("out ", closeConn)
			near, far := p.dial(t, p.a, "near"), p.dial(t, p.b, "far")
			p.a.Do(t, "join", p.q(nodes.Q{"id": near.ID, "rooms": []string{room}}))
			p.b.Do(t, "join", p.q(nodes.Q{"id": far.ID, "rooms": []string{room}}))
			p.call(t, "sockets-disconnect", nodes.Q{"to": []string{room}, "close": closeConn})
			wantDisconnected(t, near, closeConn)
			wantDisconnected(t, far, closeConn)
		}
		wantFetched(t, p.fetch(t, nodes.Q{}), p.clients()...)
	}},
	{"serverSideEmit", func(t *testing.T, p *pair) {
		p.call(t, "server-side-emit", nodes.Q{"event": "note", "args": json.RawMessage(`["x",{"a":[1,null,"ü"]},{"$undefined":true}]`)})
		p.wantTold(t, `["x",{"a":[1,null,"ü"]},null]`)
	}},
	{"serverSideEmit with bytes", func(t *testing.T, p *pair) {
		p.call(t, "server-side-emit", nodes.Q{"event": "note", "args": json.RawMessage(`[{"$bin":"AQL/"}]`)})
		if p.flavour == nodes.Classic { // what JSON makes of them
			p.wantTold(t, `[{"data":[1,2,255],"type":"Buffer"}]`)
		} else {
			p.wantTold(t, `[{"$bin":"AQL/"}]`)
		}
	}},
	{"serverSideEmitWithAck", func(t *testing.T, p *pair) {
		replies, failed := p.collect(t, "server-side-emit-ack", nodes.Q{"event": "ask", "args": json.RawMessage(`["ü",1.5,[null]]`)})
		p.wantReplies(t, replies, failed, fmt.Sprintf(`{"args":["ü",1.5,[null]],"node":%q}`, p.b.Name))
	}},
	{"serverSideEmitWithAck with bytes", func(t *testing.T, p *pair) {
		replies, failed := p.collect(t, "server-side-emit-ack", nodes.Q{"event": "ask", "args": json.RawMessage(`[{"$bin":"AQL/"}]`)})
		want := fmt.Sprintf(`{"args":[{"$bin":"AQL/"}],"node":%q}`, p.b.Name)
		if p.flavour == nodes.Classic {
			want = fmt.Sprintf(`{"args":[{"data":[1,2,255],"type":"Buffer"}],"node":%q}`, p.b.Name)
		}
		p.wantReplies(t, replies, failed, want)
	}},
	{"allRooms", func(t *testing.T, p *pair) {
		if p.a.Kind == nodes.Official && p.flavour != nodes.Classic {
			return // the official adapter has no such method
		}
		p.join(t, p.a1, "near room")
		p.join(t, p.b1, "far room", "ünï")
		var rooms []string
		p.a.Into(t, &rooms, "all-rooms", p.q(nodes.Q{}))
		for _, room := range []string{"near room", "far room", "ünï", p.a2.ID, p.b2.ID} {
			if !slices.Contains(rooms, room) {
				t.Errorf("no %q in %q", room, rooms)
			}
		}
		slices.Sort(rooms)
		if len(slices.Compact(slices.Clone(rooms))) != len(rooms) {
			t.Errorf("a room twice: %q", rooms)
		}
	}},
}

// wantTold waits until B was told a note, and checks that A was not.
func (p *pair) wantTold(t *testing.T, want string) {
	t.Helper()
	p.wantNote(t, p.b, want)
	if slices.Contains(p.notes(t, p.a), nodes.Canon(t, []byte(want))) {
		t.Errorf("%s was told its own %s", p.a.Name, want)
	}
}

// wantNote waits until a node was told a note.
func (p *pair) wantNote(t *testing.T, n *nodes.Node, want string) {
	t.Helper()
	nodes.Until(t, fmt.Sprintf("%s is told %s", n.Name, want), func() bool {
		return slices.Contains(p.notes(t, n), nodes.Canon(t, []byte(want)))
	})
}

// notes are what a node was told.
func (p *pair) notes(t *testing.T, n *nodes.Node) (list []string) {
	t.Helper()
	var told []struct{ Args json.RawMessage }
	n.Into(t, &told, "server-side-log", p.q(nodes.Q{"event": "note"}))
	for _, one := range told {
		list = append(list, nodes.Canon(t, one.Args))
	}
	return list
}
