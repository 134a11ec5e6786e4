//go:build node

package main

import (
	"context"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/proc"
	"github.com/hermod-io/hermod/internal/redistest"
	"github.com/hermod-io/hermod/socketio/event"
	"github.com/hermod-io/hermod/socketio/sioclient"
)

const limit = time.Minute

// start starts a node of each kind on one Redis.
func start(t *testing.T) (node, ours *proc.Process) {
	t.Helper()
	r := redistest.Start(t, redistest.Options{})
	flags := func(more ...string) []string {
		return append(more, "--addr", "127.0.0.1:0", "--redis", "redis://"+r.Addr())
	}
	node = proc.Start(t, proc.Command{Path: "node", Args: flags(filepath.Join(proc.Root(t), "examples/mixed/server.mjs"))})
	ours = proc.Start(t, proc.Command{Path: proc.Build(t, "./examples/mixed"), Args: flags()})
	return node, ours
}

// person is a client of a node.
type person struct {
	t    *testing.T
	s    *sioclient.Socket
	said chan Line
}

// enter connects a client and puts it into the lobby; node is the name of where it
// should be.
func enter(t *testing.T, p *proc.Process, node, name string) *person {
	t.Helper()
	s, err := sioclient.New(p.WaitFor(`^\w+: listening on (\S+)$`, limit)[1], sioclient.Config{})
	if err != nil {
		t.Fatal(err)
	}
	c := &person{t, s, make(chan Line, 1000)}
	sioclient.HandleMessage(s, Said, func(_ context.Context, _ *sioclient.Socket, l Line) error { c.said <- l; return nil })
	sioclient.HandleRequest(s, Present, func(context.Context, *sioclient.Socket, event.None) (string, error) { return name + " is here", nil })
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	if err := s.Connect(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	if got, err := Join.Call(ctx, s, Seat{name, "lobby"}); err != nil || got != node {
		t.Fatalf("%s is on %q: %v", name, got, err)
	}
	return c
}

// hears waits until the client hears a line, and returns how many it heard up to
// then, that one included.
func (c *person) hears(l Line) (n int) {
	c.t.Helper()
	for timeout := time.After(limit); ; {
		select {
		case got := <-c.said:
			if n++; got == l {
				return n
			}
		case <-timeout:
			c.t.Fatalf("%v was not heard", l)
		}
	}
}

// asks calls a request that is answered with a list, until the list is the one that
// is wanted: the nodes may not know each other yet.
func asks[In any](c *person, q event.Request[In, []string], in In, want ...string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), limit)
	defer cancel()
	for {
		got, err := q.Call(ctx, c.s, in)
		if err != nil {
			c.t.Fatalf("%s: %v, last %q", q.Name(), err, got)
		}
		if slices.Equal(got, want) {
			return
		}
	}
}

// A room, acks and what nodes say to each other span both kinds of nodes.
func TestMixed(t *testing.T) {
	node, ours := start(t)
	ann, bob := enter(t, node, "node", "ann"), enter(t, ours, "go", "bob")
	for _, c := range []*person{ann, bob} {
		asks(c, Nodes, event.None{}, "go", "node") // serverSideEmitWithAck
		asks(c, People, "lobby", "ann", "bob")     // fetchSockets
		asks(c, Roll, "lobby", "ann is here", "bob is here")
	}
	// A broadcast of either is heard by both, once and in order: the roll call has
	// shown that each node hears the other.
	for who, c := range map[string]*person{"ann": ann, "bob": bob} {
		at := map[string]string{"ann": "node", "bob": "go"}[who]
		for _, text := range []string{"one", "two", "three"} {
			if err := Say.Emit(c.s, Words{Room: "lobby", Text: text}); err != nil {
				t.Fatal(err)
			}
		}
		for _, listener := range []*person{ann, bob} {
			for _, text := range []string{"one", "two", "three"} {
				if n := listener.hears(Line{who, at, text}); n != 1 {
					t.Errorf("%q of %s was heard as number %d", text, who, n)
				}
			}
		}
	}
	// serverSideEmit: each node prints who came to the other one.
	enter(t, node, "node", "carol")
	ours.WaitFor(`^carol came to node$`, limit)
	enter(t, ours, "go", "dave")
	node.WaitFor(`^dave came to go$`, limit)
	for _, p := range []*proc.Process{node, ours} {
		if status := p.Stop(); status != 0 {
			t.Errorf("a node ended with status %d", status)
		}
	}
}
