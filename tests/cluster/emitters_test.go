//go:build node

package cluster

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/hermod-io/hermod/tests/cluster/internal/nodes"
)

// emitters are programs that serve nobody; the node A lends its process.
var emitters = []scenario{
	{"emitter to all", func(t *testing.T, p *pair) {
		p.emits(t, nodes.Q{"emitter": true}, "emitter all", `["ü",1.5,{"a":[null,true]}]`, p.all())
		p.emits(t, nodes.Q{"emitter": true}, "emitter bytes", `[{"$bin":"AQL/"},{"a":{"$bin":""}}]`, p.all())
		p.emits(t, nodes.Q{"emitter": true, "volatile": true}, "emitter volatile", `["x"]`, p.all())
		p.emits(t, nodes.Q{"emitter": true, "compress": false}, "emitter compress", `["x"]`, p.all())
	}},
	{"emitter to rooms", func(t *testing.T, p *pair) {
		p.join(t, p.a1, "em1")
		p.join(t, p.b1, "em1", "em2")
		p.join(t, p.b2, "em3")
		p.emits(t, nodes.Q{"emitter": true, "to": []string{"em1"}}, "emitter room", `["x"]`, only(p.a1, p.b1))
		p.emits(t, nodes.Q{"emitter": true, "to": []string{"em1", "em2"}}, "emitter rooms", `["x"]`, only(p.a1, p.b1))
		p.emits(t, nodes.Q{"emitter": true, "except": []string{"em1"}}, "emitter except", `["x"]`, only(p.a2, p.b2))
		p.emits(t, nodes.Q{"emitter": true, "to": []string{"em1", "em3"}, "except": []string{"em2"}}, "emitter room except", `["x"]`, only(p.a1, p.b2))
		p.emits(t, nodes.Q{"emitter": true, "to": []string{p.b1.ID}}, "emitter sid", `["x"]`, only(p.b1))
	}},
	{"emitter: order", func(t *testing.T, p *pair) {
		const n = 200
		for i := range n {
			p.call(t, "emit", nodes.Q{"emitter": true, "event": "emitter order", "args": json.RawMessage(fmt.Sprintf("[%d]", i))})
		}
		p.fence(t, true)
		for _, c := range p.clients() {
			got := c.Args("emitter order")
			if len(got) != n {
				t.Fatalf("%s heard %d of %d", c.Name, len(got), n)
			}
			for i, args := range got {
				if args != fmt.Sprintf("[%d]", i) {
					t.Fatalf("%s heard %s in place %d", c.Name, args, i)
				}
			}
		}
	}},
	{"emitter: socketsJoin and socketsLeave", func(t *testing.T, p *pair) {
		p.call(t, "sockets-join", nodes.Q{"emitter": true, "rooms": []string{"ej1", "ej2"}, "except": []string{p.b2.ID}})
		for _, c := range []*nodes.Client{p.a1, p.a2, p.b1} {
			p.rooms(t, c, "ej1", true)
			p.rooms(t, c, "ej2", true)
		}
		p.call(t, "sockets-leave", nodes.Q{"emitter": true, "rooms": []string{"ej1"}, "to": []string{"ej1"}})
		for _, c := range []*nodes.Client{p.a1, p.a2, p.b1} {
			p.rooms(t, c, "ej1", false)
			p.rooms(t, c, "ej2", true)
		}
		if p.isIn(t, p.b2, "ej2") {
			t.Error("b2 joined, too")
		}
	}},
	{"emitter: disconnectSockets", func(t *testing.T, p *pair) {
		for _, closeConn := range []bool{false, true} {
			near, far := p.dial(t, p.a, "near"), p.dial(t, p.b, "far")
			p.call(t, "sockets-disconnect", nodes.Q{"emitter": true, "to": []string{near.ID, far.ID}, "close": closeConn})
			wantDisconnected(t, near, closeConn)
			wantDisconnected(t, far, closeConn)
		}
		wantFetched(t, p.fetch(t, nodes.Q{}), p.clients()...)
	}},
	{"emitter: serverSideEmit", func(t *testing.T, p *pair) {
		p.call(t, "server-side-emit", nodes.Q{"emitter": true, "event": "note", "args": json.RawMessage(`["of the emitter",[1,null]]`)})
		for _, n := range []*nodes.Node{p.a, p.b} {
			p.wantNote(t, n, `["of the emitter",[1,null]]`)
		}
	}},
}
