//go:build node

package cluster

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/redistest"
	"github.com/hermod-io/hermod/tests/cluster/internal/nodes"
)

// Version 0.2 of the official streams adapter shares with ours what is written to
// the stream without a wish for an answer: broadcasts, and what moves and
// disconnects sockets. docs/scaling.md tells what holds and what does not.
func TestOldStreams(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	list := nodes.StartAll(t, r,
		nodes.Options{Kind: nodes.Official, Flavour: nodes.OldStreams, Name: "old"},
		nodes.Options{Kind: nodes.Hermod, Flavour: nodes.Streams, Name: "ours", RequestTimeout: requestTimeout})
	shared := slices.Concat(broadcasts, values, named(t, requests, "socketsJoin and socketsLeave of all", "socketsJoin of some"),
		[]scenario{{"disconnectSockets", disconnects}})
	t.Run("old calls ours", func(t *testing.T) {
		runOldPair(t, list[0], list[1], slices.Concat(shared, named(t, requests, "serverSideEmit", "serverSideEmit with bytes"), []scenario{
			{"acks are not given to it", oldAcks}, {"fetchSockets fails", oldFetch}, {"serverSideEmitWithAck fails", oldAsks},
		}))
	})
	t.Run("ours calls old", func(t *testing.T) {
		runOldPair(t, list[1], list[0], slices.Concat(shared,
			named(t, emitters, "emitter to all", "emitter to rooms", "emitter: order", "emitter: socketsJoin and socketsLeave", "emitter: serverSideEmit"),
			[]scenario{{"requests do not reach it", oldUnasked}}))
	})
}

// named are the scenarios with those names.
func named(t *testing.T, list []scenario, names ...string) (out []scenario) {
	t.Helper()
	for _, name := range names {
		i := slices.IndexFunc(list, func(s scenario) bool { return s.name == name })
		if i < 0 {
			t.Fatalf("no scenario %q", name)
		}
		out = append(out, list[i])
	}
	return out
}

func runOldPair(t *testing.T, a, b *nodes.Node, all []scenario) {
	p := newPair(t, nodes.Streams, a, b)
	for _, s := range all {
		t.Run(s.name, func(t *testing.T) { s.run(t, p) })
	}
}

// disconnects is what the two can do of the scenario of that name: they cannot
// ask each other who is left.
func disconnects(t *testing.T, p *pair) {
	for _, closeConn := range []bool{false, true} {
		near, far := p.dial(t, p.a, "near"), p.dial(t, p.b, "far")
		p.call(t, "sockets-disconnect", nodes.Q{"to": []string{near.ID, far.ID}, "close": closeConn})
		wantDisconnected(t, near, closeConn)
		wantDisconnected(t, far, closeConn)
	}
	p.emits(t, nodes.Q{}, "still there", `[]`, p.all())
}

// oldAcks: an event that asks for acks reaches our sockets, but the old version,
// having heard of our node, waits in vain for their answers, which it would want
// in the stream.
func oldAcks(t *testing.T, p *pair) {
	nodes.Fence(t, p.b, p.nsp, p.clients()...)
	replies, failed := p.collect(t, "emit-ack", nodes.Q{"event": "ack", "timeout": short, "args": json.RawMessage(`["x"]`)})
	if want := []string{`"a1"`, `"a2"`}; failed == "" || !slices.Equal(replies, want) {
		t.Errorf("replies %q, error %q, want an error and %q", replies, failed, want)
	}
	p.fence(t, nil)
	p.heard(t, "ack", `["x"]`, p.all())
}

// oldFetch: having heard of our node, the old version waits for its answer.
func oldFetch(t *testing.T, p *pair) {
	nodes.Fence(t, p.b, p.nsp, p.clients()...)
	if out, err := p.a.Try("fetch", p.q(nodes.Q{"timeout": short})); err == nil {
		t.Errorf("fetched %s", out)
	}
}

// oldAsks: our node is asked, and its answer is not where the old version looks.
func oldAsks(t *testing.T, p *pair) {
	replies, failed := p.collect(t, "server-side-emit-ack", nodes.Q{"event": "ask", "args": json.RawMessage(`["of the old"]`)})
	if len(replies) != 0 || failed == "" {
		t.Errorf("replies %q, error %q, want an error alone", replies, failed)
	}
	var told []struct{ Args json.RawMessage }
	p.b.Into(t, &told, "server-side-log", p.q(nodes.Q{"event": "ask"}))
	if len(told) != 1 || string(told[0].Args) != `["of the old"]` {
		t.Errorf("%s was told %q", p.b.Name, told)
	}
}

// oldUnasked: the old version is not among those that our node asks, which has
// the answers of all others and no error.
func oldUnasked(t *testing.T, p *pair) {
	wantFetched(t, p.fetch(t, nodes.Q{}), p.a1, p.a2)
	replies, failed := p.collect(t, "emit-ack", nodes.Q{"event": "ack", "timeout": enough})
	p.wantReplies(t, replies, failed, `"a1"`, `"a2"`)
	p.call(t, "server-side-emit", nodes.Q{"event": "note", "args": json.RawMessage(`["not for the old"]`)})
	replies, failed = p.collect(t, "server-side-emit-ack", nodes.Q{"event": "ask"})
	p.wantReplies(t, replies, failed)
	p.fence(t, nil)
	p.heard(t, "ack", `[]`, only(p.a1, p.a2))
	if told := p.notes(t, p.b); slices.Contains(told, `["not for the old"]`) {
		t.Errorf("%s was told %q", p.b.Name, told)
	}
}

// A session moves between version 0.2 of the official streams adapter and ours,
// in both directions.
func TestOldStreamsRecovery(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	list := nodes.StartAll(t, r,
		nodes.Options{Kind: nodes.Official, Flavour: nodes.OldStreams, Name: "old", Recovery: 2 * time.Minute},
		nodes.Options{Kind: nodes.Hermod, Flavour: nodes.Streams, Name: "ours", Recovery: 2 * time.Minute})
	clients := nodes.StartOfficials(t)
	t.Run("from old to ours", func(t *testing.T) { recovery(t, clients, list[0], list[1], list[0], list[1]) })
	t.Run("from ours to old", func(t *testing.T) { recovery(t, clients, list[1], list[0], list[0], list[1]) })
}
