//go:build node

package cluster

import (
	"fmt"
	"slices"
	"testing"

	"github.com/hermod-io/hermod/internal/redistest"
	"github.com/hermod-io/hermod/tests/cluster/internal/nodes"
)

// together: nodes of both kinds in the main namespace, each of which calls all
// others.
func together(t *testing.T, all []*nodes.Node) {
	nodes.Meet(t, "/", all...)
	var clients []*nodes.Client
	var names, ids []string
	for _, n := range all {
		c := n.Dial(t, "/", nodes.ClientOptions{Name: "of " + n.Name})
		clients, names, ids = append(clients, c), append(names, fmt.Sprintf("%q", c.Name)), append(ids, c.ID)
	}
	slices.Sort(names)
	slices.Sort(ids)
	for _, n := range all {
		event := "hello of " + n.Name
		n.Do(t, "emit", nodes.Q{"event": event, "args": []string{n.Name}})
		nodes.Fence(t, n, nil, clients...)
		for _, c := range clients {
			if got := c.Args(event); len(got) != 1 || got[0] != fmt.Sprintf("[%q]", n.Name) {
				t.Errorf("%s heard %q", c.Name, got)
			}
		}
		replies, failed := sorted(t, n.Do(t, "emit-ack", nodes.Q{"event": "ask of " + n.Name, "timeout": enough}))
		if failed != "" || !slices.Equal(replies, names) {
			t.Errorf("acks for %s: %q, %q", n.Name, replies, failed)
		}
		var found []remote
		var got []string
		n.Into(t, &found, "fetch", nodes.Q{})
		for _, r := range found {
			got = append(got, r.ID)
		}
		if slices.Sort(got); !slices.Equal(got, ids) {
			t.Errorf("%s fetched %q, want %q", n.Name, got, ids)
		}
		replies, failed = sorted(t, n.Do(t, "server-side-emit-ack", nodes.Q{"event": "ask"}))
		var others []string
		for _, other := range all {
			if other != n {
				others = append(others, fmt.Sprintf(`{"args":[],"node":%q}`, other.Name))
			}
		}
		if slices.Sort(others); failed != "" || !slices.Equal(replies, others) {
			t.Errorf("answers for %s: %q, %q, want %q", n.Name, replies, failed, others)
		}
	}
}

// killed: a node dies while others wait for the acks of its sockets. Those that
// came are given to both; a node of ours does not wait to the end for those of a
// node that is known to be gone.
func killed(t *testing.T, r *redistest.Server, f nodes.Flavour, kind nodes.Kind, list map[nodes.Kind][]*nodes.Node) {
	victim := nodes.Start(t, r, nodes.Options{Kind: kind, Flavour: f, Name: "victim"})
	official, hermod := list[nodes.Official][0], list[nodes.Hermod][0]
	nsp := "/killed-" + string(kind)
	nodes.Meet(t, nsp, official, hermod, victim)
	official.Dial(t, nsp, nodes.ClientOptions{Name: "one"})
	hermod.Dial(t, nsp, nodes.ClientOptions{Name: "two"})
	mute := victim.Dial(t, nsp, nodes.ClientOptions{Name: "mute"})
	mute.Mute()

	patient := enough
	if f == nodes.Classic {
		patient = 2 * short // its answers do not say whose they are
	}
	waits := []*nodes.Pending{
		official.Begin("emit-ack", nodes.Q{"nsp": nsp, "event": "who lives", "timeout": 2 * short}),
		hermod.Begin("emit-ack", nodes.Q{"nsp": nsp, "event": "who lives", "timeout": patient}),
	}
	mute.WantN(t, "who lives", len(waits))
	victim.Kill()
	for _, w := range waits {
		text, err := w.Wait()
		if err != nil {
			t.Fatal(err)
		}
		replies, failed := sorted(t, text)
		if want := []string{`"one"`, `"two"`}; failed == "" || !slices.Equal(replies, want) {
			t.Errorf("replies %q, error %q, want %q and an error", replies, failed, want)
		}
	}
	for _, n := range []*nodes.Node{official, hermod} {
		var found []remote
		n.Into(t, &found, "fetch", nodes.Q{"nsp": nsp})
		if len(found) != 2 {
			t.Errorf("%s fetched %d sockets, want 2", n.Name, len(found))
		}
	}
}
