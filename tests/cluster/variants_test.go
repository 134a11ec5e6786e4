//go:build node

package cluster

import (
	"fmt"
	"slices"
	"testing"

	"github.com/hermod-io/hermod/internal/redistest"
	"github.com/hermod-io/hermod/tests/cluster/internal/nodes"
)

// variant is a flavour with options that are not the default.
type variant struct {
	name      string
	official  nodes.Options
	hermod    nodes.Options
	scenarios []scenario
}

var variants = []variant{
	{
		"classic, answers of Hermod on specific channels",
		nodes.Options{Flavour: nodes.Classic}, nodes.Options{Flavour: nodes.Classic, SpecificResponses: true},
		slices.Concat(acks, remotes, requests),
	},
	{
		"classic, answers of official nodes on specific channels",
		nodes.Options{Flavour: nodes.Classic, SpecificResponses: true}, nodes.Options{Flavour: nodes.Classic},
		slices.Concat(acks, remotes, requests),
	},
	{
		"four streams, sharded pub-sub",
		nodes.Options{Flavour: nodes.Streams, StreamCount: 4, ShardedPubSub: true},
		nodes.Options{Flavour: nodes.Streams, StreamCount: 4, ShardedPubSub: true},
		slices.Concat(broadcasts, acks, remotes, requests),
	},
	{
		"streams of plain text",
		nodes.Options{Flavour: nodes.Streams, Plaintext: true}, nodes.Options{Flavour: nodes.Streams, Plaintext: true},
		[]scenario{{"broadcast to all", broadcasts[0].run}, {"bytes are objects", plainBytes}, {"acks of all", acks[0].run}},
	},
}

func TestVariants(t *testing.T) {
	t.Parallel()
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			r := redistest.Start(t, redistest.Options{})
			v.official.Kind, v.hermod.Kind = nodes.Official, nodes.Hermod
			v.official.RequestTimeout, v.hermod.RequestTimeout = requestTimeout, requestTimeout
			list := nodes.StartAll(t, r, v.official, v.hermod)
			for i, a := range list {
				b := list[1-i]
				t.Run(fmt.Sprintf("%s calls %s", a.Kind, b.Kind), func(t *testing.T) {
					p := newPair(t, v.official.Flavour, a, b)
					for _, s := range v.scenarios {
						t.Run(s.name, func(t *testing.T) { s.run(t, p) })
					}
				})
			}
			if v.official.StreamCount > 1 {
				t.Run("a namespace whose stream has a negative number", func(t *testing.T) { negativeStream(t, list[0], list[1]) })
			}
		})
	}
}

// plainBytes: with onlyPlaintext bytes arrive elsewhere as what JSON makes of
// them.
func plainBytes(t *testing.T, p *pair) {
	p.call(t, "emit", nodes.Q{"event": "plain", "args": []any{map[string]string{"$bin": "AQL/"}}})
	p.fence(t, nil)
	for _, c := range p.clients() {
		want := `[{"$bin":"AQL/"}]`
		if p.home(c) == p.b {
			want = `[{"data":[1,2,255],"type":"Buffer"}]`
		}
		if got := c.Args("plain"); !slices.Equal(got, []string{want}) {
			t.Errorf("%s heard %q, want %s", c.Name, got, want)
		}
	}
}

// negativeStream: official nodes write some namespaces to a stream that none of
// them reads; ours do.
func negativeStream(t *testing.T, official, hermod *nodes.Node) {
	const nsp = "/dashboard"
	for _, n := range []*nodes.Node{official, hermod} {
		n.Do(t, "namespace", nodes.Q{"nsp": nsp})
	}
	near, far := official.Dial(t, nsp, nodes.ClientOptions{Name: "near"}), hermod.Dial(t, nsp, nodes.ClientOptions{Name: "far"})
	nodes.Reach(t, official, nodes.Q{"nsp": nsp}, near, far)
	official.Do(t, "emit", nodes.Q{"nsp": nsp, "event": "heard"})
	nodes.Fence(t, official, nsp, near, far)
	if got := far.Args("heard"); len(got) != 1 {
		t.Errorf("heard %q", got)
	}
}
