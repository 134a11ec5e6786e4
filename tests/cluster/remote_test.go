//go:build node

package cluster

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/hermod-io/hermod/tests/cluster/internal/nodes"
)

// remote is a socket as fetchSockets tells of it.
type remote struct {
	ID        string
	Rooms     []string
	Data      json.RawMessage
	Handshake struct {
		Headers                map[string]string
		Time, Address, URL     string
		XDomain, Secure        bool
		Issued                 int64
		Query                  map[string]string
		Auth                   map[string]any
		SessionStore, Whatever any
	}
}

// fetch lets A fetch sockets, by their ids.
func (p *pair) fetch(t *testing.T, q nodes.Q) map[string]remote {
	t.Helper()
	var list []remote
	p.a.Into(t, &list, "fetch", p.q(q))
	found := map[string]remote{}
	for _, r := range list {
		found[r.ID] = r
	}
	if len(found) != len(list) {
		t.Errorf("%d sockets, but only %d are different", len(list), len(found))
	}
	return found
}

// wantFetched checks whom a fetch has found.
func wantFetched(t *testing.T, found map[string]remote, want ...*nodes.Client) {
	t.Helper()
	for _, c := range want {
		if _, ok := found[c.ID]; !ok {
			t.Errorf("%s is not found", c.Name)
		}
	}
	if len(found) != len(want) {
		t.Errorf("%d sockets found, want %d", len(found), len(want))
	}
}

var remotes = []scenario{
	{"fetchSockets of all", func(t *testing.T, p *pair) {
		wantFetched(t, p.fetch(t, nodes.Q{}), p.clients()...)
	}},
	{"fetchSockets of a room", func(t *testing.T, p *pair) {
		p.join(t, p.a1, "fetch")
		p.join(t, p.b1, "fetch", "fetch2")
		wantFetched(t, p.fetch(t, nodes.Q{"to": []string{"fetch"}}), p.a1, p.b1)
		wantFetched(t, p.fetch(t, nodes.Q{"to": []string{"fetch", "fetch2"}}), p.a1, p.b1)
		wantFetched(t, p.fetch(t, nodes.Q{"to": []string{"fetch"}, "except": []string{"fetch2"}}), p.a1)
		wantFetched(t, p.fetch(t, nodes.Q{"except": []string{"fetch"}}), p.a2, p.b2)
		wantFetched(t, p.fetch(t, nodes.Q{"to": []string{p.b2.ID}}), p.b2)
		wantFetched(t, p.fetch(t, nodes.Q{"to": []string{"nobody"}}))
		wantFetched(t, p.fetch(t, nodes.Q{"local": true}), p.a1, p.a2)
	}},
	{"fetchSockets: rooms", func(t *testing.T, p *pair) {
		p.join(t, p.b2, "fetch rooms", "ünï", "17")
		rooms := p.fetch(t, nodes.Q{"to": []string{p.b2.ID}})[p.b2.ID].Rooms
		for _, room := range []string{p.b2.ID, "fetch rooms", "ünï", "17"} {
			if !slices.Contains(rooms, room) {
				t.Errorf("no %q in %q", room, rooms)
			}
		}
	}},
	{"fetchSockets: data", fetchData},
	{"fetchSockets: handshake", func(t *testing.T, p *pair) {
		h := p.fetch(t, nodes.Q{"to": []string{p.b1.ID}})[p.b1.ID].Handshake
		if h.Query["who"] != "b1" || h.Query["ü"] != "ø&=" || h.Query["EIO"] != "4" || h.Query["transport"] != "websocket" {
			t.Errorf("query %q", h.Query)
		}
		if h.Auth["token"] != "s3cret b1" || len(h.Auth) != 1 {
			t.Errorf("auth %q", h.Auth)
		}
		if !strings.HasPrefix(h.URL, "/socket.io/?") || !strings.Contains(h.Address, "127.0.0.1") {
			t.Errorf("url %q, address %q", h.URL, h.Address)
		}
		if !strings.HasPrefix(p.b.URL, "http://"+h.Headers["host"]) || !strings.EqualFold(h.Headers["upgrade"], "websocket") {
			t.Errorf("headers %q", h.Headers)
		}
		if h.Time == "" || h.Issued < 1e12 || h.Secure || h.XDomain {
			t.Errorf("time %q, issued %d, secure %v, xdomain %v", h.Time, h.Issued, h.Secure, h.XDomain)
		}
	}},
	{"RemoteSocket.emit", func(t *testing.T, p *pair) {
		const args = `["x",{"$bin":"AQI="}]`
		p.call(t, "remote-emit", nodes.Q{"id": p.b1.ID, "event": "remote", "args": json.RawMessage(args)})
		nodes.Fence(t, p.a, p.nsp, p.clients()...)
		p.heard(t, "remote", args, only(p.b1))
	}},
	{"RemoteSocket.emitWithAck", func(t *testing.T, p *pair) {
		p.b1.Answer(map[string]any{"bytes": []byte{1}})
		defer p.b1.Answer("b1")
		replies, failed := p.collect(t, "remote-emit-ack", nodes.Q{"id": p.b1.ID, "event": "remote ack", "timeout": enough, "args": json.RawMessage(`[1]`)})
		p.wantReplies(t, replies, failed, `{"bytes":{"$bin":"AQ=="}}`)
		p.heard(t, "remote ack", `[1]`, only(p.b1))
	}},
	{"RemoteSocket.emitWithAck that is not answered", func(t *testing.T, p *pair) {
		p.b1.Mute()
		defer p.b1.Answer("b1")
		replies, failed := p.collect(t, "remote-emit-ack", nodes.Q{"id": p.b1.ID, "event": "remote silence", "timeout": short})
		if len(replies) != 0 || failed == "" {
			t.Errorf("replies %q, error %q", replies, failed)
		}
	}},
	{"RemoteSocket.join and leave", func(t *testing.T, p *pair) {
		p.call(t, "remote-join", nodes.Q{"id": p.b1.ID, "rooms": []string{"rj1", "rj2"}})
		p.rooms(t, p.b1, "rj1", true)
		p.rooms(t, p.b1, "rj2", true)
		p.call(t, "remote-leave", nodes.Q{"id": p.b1.ID, "rooms": []string{"rj1"}})
		p.rooms(t, p.b1, "rj1", false)
		p.rooms(t, p.b1, "rj2", true)
		if p.isIn(t, p.b2, "rj2") {
			t.Error("the other socket joined, too")
		}
	}},
	{"RemoteSocket.disconnect", func(t *testing.T, p *pair) {
		for _, closeConn := range []bool{false, true} {
			gone := p.dial(t, p.b, "gone")
			p.call(t, "remote-disconnect", nodes.Q{"id": gone.ID, "close": closeConn})
			wantDisconnected(t, gone, closeConn)
		}
		wantFetched(t, p.fetch(t, nodes.Q{}), p.clients()...)
	}},
}

// wantDisconnected waits until a client hears that its server wants no more of
// it.
func wantDisconnected(t *testing.T, c *nodes.Client, closeConn bool) {
	t.Helper()
	if reason := c.WantGone(t); reason != "io server disconnect" && (!closeConn || reason != "transport close") {
		t.Errorf("the client %s ended with %q", c.Name, reason)
	}
}

// fetchData: what is attached to a socket. Bytes are bytes where the answer is
// msgpack; in the JSON of the classic flavour they are a Buffer's JSON form.
func fetchData(t *testing.T, p *pair) {
	p.b.Do(t, "data", p.q(nodes.Q{"id": p.b1.ID, "data": json.RawMessage(`{"user":"ü","n":{"a":[1,null,true]},"big":4294967296}`)}))
	got := p.fetch(t, nodes.Q{"to": []string{p.b1.ID}})[p.b1.ID].Data
	if want := `{"big":4294967296,"n":{"a":[1,null,true]},"user":"ü"}`; nodes.Canon(t, got) != want {
		t.Errorf("data %s, want %s", got, want)
	}
	p.b.Do(t, "data", p.q(nodes.Q{"id": p.b2.ID, "data": json.RawMessage(`{"raw":{"$bin":"AQL/"}}`)}))
	got = p.fetch(t, nodes.Q{"to": []string{p.b2.ID}})[p.b2.ID].Data
	buffer := `{"raw":{"data":[1,2,255],"type":"Buffer"}}`
	if text := nodes.Canon(t, got); text != buffer && (p.flavour == nodes.Classic || text != `{"raw":{"$bin":"AQL/"}}`) {
		t.Errorf("data %s, want %s", text, buffer)
	}
}
