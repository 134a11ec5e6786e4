//go:build !race

package parser

import (
	"strings"
	"testing"

	"github.com/hermod-io/hermod/internal/alloctest"
)

var (
	eventText = []byte(`2/chat,17["message","a text of some length, sixty-four bytes with its quotes...."]`)
	flatText  = []byte(`{"id":1234567,"name":"Ada Lovelace","room":"the analytical engine","active":true,"score":12.5}`)
)

func wantAllocs(t *testing.T, what string, limit float64, f func()) {
	t.Helper()
	if n := alloctest.PerRun(200, f); n > limit {
		t.Errorf("%s: %v allocations, want at most %v", what, n, limit)
	}
}

// What the hot paths promise; the figures are in docs/adr/0001-json-codec.md.
func TestAllocations(t *testing.T) {
	d := Default().NewDecoder(Limits{})
	wantAllocs(t, "decode an event", 0, func() {
		p, ok, err := d.Decode(false, eventText)
		if name, named := p.EventName(); !ok || err != nil || !named || string(name) != "message" {
			t.Fatal(p, ok, err)
		}
	})
	p, _, _ := d.Decode(false, eventText)
	buf := make([]byte, 0, 512)
	wantAllocs(t, "append a packet", 0, func() { Default().AppendPacket(buf, &p) })
	wantAllocs(t, "clone", 1, func() { p.Args.Clone() })
	wantAllocs(t, "tail", 1, func() { p.Args.Tail() })
	wantAllocs(t, "find an element", 0, func() { p.Raw(1) })

	header, data := []byte(`51-["a",{"_placeholder":true,"num":0}]`), []byte("data")
	wantAllocs(t, "decode a binary event", 3, func() { // text, list and data
		d.Decode(false, header)
		if _, ok, err := d.Decode(true, data); !ok || err != nil {
			t.Fatal(ok, err)
		}
	})

	j := DefaultJSON()
	att := make([][]byte, 0, 4)
	var text, number, binary any = strings.Repeat("a \"text\" ü", 20), 12345.5, []byte("bytes")
	wantAllocs(t, "append a string", 0, func() { j.Append(buf, nil, text) })
	wantAllocs(t, "append a number", 0, func() { j.Append(buf, nil, number) })
	wantAllocs(t, "append bytes", 0, func() { j.Append(buf, att, binary) })
	wantAllocs(t, "append a map", 0, func() { j.Append(buf, att, sampleMap) })
	var value, pointer any = sampleFlat, &sampleFlat
	wantAllocs(t, "append a struct", 1, func() { j.Append(buf, nil, value) })
	wantAllocs(t, "append a pointer to a struct", 0, func() { j.Append(buf, nil, pointer) })

	raw := p.Raw(1)
	var s string
	wantAllocs(t, "decode a string", 1, func() { j.Decode(raw, nil, &s) })
	wantAllocs(t, "decode a struct with two strings", 3, func() { j.Decode(flatText, nil, new(flat)) })
}

func TestMsgpackAllocations(t *testing.T) {
	p, _, _ := Default().NewDecoder(Limits{}).Decode(false, eventText)
	data, buf := []byte("data"), make([]byte, 0, 512)
	m := MsgPack().NewDecoder(Limits{})
	wire, _, _ := MsgPack().AppendPacket(nil, &p)
	wantAllocs(t, "decode an event from MessagePack", 1, func() { // text
		if _, ok, err := m.Decode(true, wire); !ok || err != nil {
			t.Fatal(ok, err)
		}
	})
	bin := Packet{Type: Event, Args: Args{JSON: []byte(`["a",{"_placeholder":true,"num":0}]`), Attachments: [][]byte{data}}}
	binWire, _, _ := MsgPack().AppendPacket(nil, &bin)
	wantAllocs(t, "decode a binary event from MessagePack", 3, func() { // text, list and data
		if _, ok, err := m.Decode(true, binWire); !ok || err != nil {
			t.Fatal(ok, err)
		}
	})
	escaped, _, _ := AppendEvent(DefaultJSON(), nil, nil, "a", strings.Repeat("a\"", 4000))
	escapedWire, _, _ := MsgPack().AppendPacket(nil, &Packet{Type: Event, Args: Args{JSON: escaped}})
	wantAllocs(t, "decode a long text with escapes from MessagePack", 4, func() {
		if _, ok, err := m.Decode(true, escapedWire); !ok || err != nil {
			t.Fatal(ok, err)
		}
	})
	wantAllocs(t, "append a packet as MessagePack", 0, func() { MsgPack().AppendPacket(buf, &p) })
	wantAllocs(t, "append a binary packet as MessagePack", 0, func() { MsgPack().AppendPacket(buf, &bin) })
}
