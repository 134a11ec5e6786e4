//go:build node

package cluster

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/hermod-io/hermod/tests/cluster/internal/nodes"
)

// enough is a timeout for acks that all come, short one for those that do not;
// in milliseconds.
const enough, short = 50_000, 1_500

var acks = []scenario{
	{"acks of all", func(t *testing.T, p *pair) {
		replies, failed := p.collect(t, "emit-ack", nodes.Q{"event": "ack all", "timeout": enough, "args": json.RawMessage(`["x",1]`)})
		p.wantReplies(t, replies, failed, `"a1"`, `"a2"`, `"b1"`, `"b2"`)
		p.heard(t, "ack all", `["x",1]`, p.all())
	}},
	{"acks of a room", func(t *testing.T, p *pair) {
		p.join(t, p.a1, "ack")
		p.join(t, p.b1, "ack", "ack2")
		replies, failed := p.collect(t, "emit-ack", nodes.Q{"to": []string{"ack", "ack2"}, "event": "ack room", "timeout": enough})
		p.wantReplies(t, replies, failed, `"a1"`, `"b1"`)
	}},
	{"acks of a remote socket", func(t *testing.T, p *pair) {
		replies, failed := p.collect(t, "emit-ack", nodes.Q{"to": []string{p.b1.ID}, "event": "ack sid", "timeout": enough})
		p.wantReplies(t, replies, failed, `"b1"`)
	}},
	{"acks except a room", func(t *testing.T, p *pair) {
		p.join(t, p.b1, "ack except")
		replies, failed := p.collect(t, "emit-ack", nodes.Q{"except": []string{"ack except"}, "event": "ack except", "timeout": enough})
		p.wantReplies(t, replies, failed, `"a1"`, `"a2"`, `"b2"`)
	}},
	{"acks of nobody", func(t *testing.T, p *pair) {
		replies, failed := p.collect(t, "emit-ack", nodes.Q{"to": []string{"no one"}, "event": "ack nobody", "timeout": enough})
		p.wantReplies(t, replies, failed)
	}},
	{"acks, local", func(t *testing.T, p *pair) {
		timeout := enough
		if p.a.Kind == nodes.Official {
			timeout = short // it waits for the other nodes, which were not asked
		}
		replies, failed := p.collect(t, "emit-ack", nodes.Q{"local": true, "event": "ack local", "timeout": timeout})
		if p.a.Kind == nodes.Official && failed != "" {
			failed = ""
		}
		p.wantReplies(t, replies, failed, `"a1"`, `"a2"`)
		p.heard(t, "ack local", `[]`, only(p.a1, p.a2))
	}},
	{"acks of an event with bytes", func(t *testing.T, p *pair) {
		const args = `[{"$bin":"AQI="},{"a":{"$bin":"Aw=="}}]`
		replies, failed := p.collect(t, "emit-ack", nodes.Q{"event": "ack bytes", "timeout": enough, "args": json.RawMessage(args)})
		p.wantReplies(t, replies, failed, `"a1"`, `"a2"`, `"b1"`, `"b2"`)
		p.heard(t, "ack bytes", args, p.all())
	}},
	{"values of acks", ackValues},
	{"acks that do not all come", func(t *testing.T, p *pair) {
		p.b2.Mute()
		defer p.b2.Answer("b2")
		replies, failed := p.collect(t, "emit-ack", nodes.Q{"event": "ack some", "timeout": short})
		if want := []string{`"a1"`, `"a2"`, `"b1"`}; failed == "" || !slices.Equal(replies, want) {
			t.Errorf("replies %q, error %q, want an error and %q", replies, failed, want)
		}
	}},
}

// wantReplies checks replies that all came.
func (p *pair) wantReplies(t *testing.T, replies []string, failed string, want ...string) {
	t.Helper()
	if failed != "" || !slices.Equal(replies, want) {
		t.Errorf("replies %q, error %q, want %q", replies, failed, want)
	}
}

func ackValues(t *testing.T, p *pair) {
	defer p.b1.Answer("b1")
	for _, v := range []any{
		[]byte{1, 2, 255}, map[string]any{"a": []any{[]byte{3}, "ü", nil}}, []any{}, []any{1.0, []any{"x"}},
		"", 0.0, -1.5, 4294967296.0, true, false, nil, map[string]any{}, "2020-01-02T03:04:05.678Z",
	} {
		p.b1.Answer(v)
		replies, failed := p.collect(t, "emit-ack", nodes.Q{"to": []string{p.b1.ID}, "event": "ack value", "timeout": enough})
		p.wantReplies(t, replies, failed, nodes.JSON(t, v))
	}
}
