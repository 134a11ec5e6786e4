//go:build node

package cluster

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/redistest"
	"github.com/hermod-io/hermod/tests/cluster/internal/nodes"
)

// pair is a caller and a called node, alone in a namespace of theirs. Each has
// two clients, which stay for all scenarios.
type pair struct {
	flavour        nodes.Flavour
	a, b           *nodes.Node
	nsp            string
	a1, a2, b1, b2 *nodes.Client
	silent         *nodes.Pending // see TestPairs
}

func (p *pair) clients() []*nodes.Client { return []*nodes.Client{p.a1, p.a2, p.b1, p.b2} }

func newPair(t *testing.T, f nodes.Flavour, a, b *nodes.Node) *pair {
	t.Helper()
	p := &pair{flavour: f, a: a, b: b, nsp: fmt.Sprintf("/%s-%s", a.Kind, b.Kind)}
	for a.StreamCount > 1 && streamOf(p.nsp, a.StreamCount) < 0 {
		p.nsp += "+"
	}
	nodes.Meet(t, p.nsp, a, b)
	p.a1, p.a2 = p.dial(t, a, "a1"), p.dial(t, a, "a2")
	p.b1, p.b2 = p.dial(t, b, "b1"), p.dial(t, b, "b2")
	return p
}

// streamOf is the number of the stream that official nodes write a namespace to;
// they read only those from 0 on.
func streamOf(nsp string, count int) int {
	var hash int32
	for _, c := range nsp {
		hash = hash*31 + c
	}
	return int(hash) % count
}

func (p *pair) dial(t *testing.T, n *nodes.Node, name string) *nodes.Client {
	t.Helper()
	return n.Dial(t, p.nsp, nodes.ClientOptions{
		Name: name, Query: map[string]string{"who": name, "ü": "ø&="}, Auth: map[string]any{"token": "s3cret " + name},
	})
}

// q completes a request.
func (p *pair) q(q nodes.Q) nodes.Q {
	q["nsp"] = p.nsp
	return q
}

// call makes node A do something.
func (p *pair) call(t *testing.T, op string, q nodes.Q) json.RawMessage {
	t.Helper()
	return p.a.Do(t, op, p.q(q))
}

// collect makes node A do what collects acks; the replies are sorted.
func (p *pair) collect(t *testing.T, op string, q nodes.Q) (replies []string, failed string) {
	t.Helper()
	return sorted(t, p.call(t, op, q))
}

func sorted(t *testing.T, text json.RawMessage) (replies []string, failed string) {
	t.Helper()
	r := nodes.Collect(t, text)
	for _, one := range r.Replies {
		replies = append(replies, nodes.Canon(t, one))
	}
	slices.Sort(replies)
	return replies, r.Error
}

// home is the node of a client.
func (p *pair) home(c *nodes.Client) *nodes.Node {
	if c == p.a1 || c == p.a2 {
		return p.a
	}
	return p.b
}

// join puts a client into rooms and waits until what A sends there arrives.
func (p *pair) join(t *testing.T, c *nodes.Client, rooms ...string) {
	t.Helper()
	p.home(c).Do(t, "join", p.q(nodes.Q{"id": c.ID, "rooms": rooms}))
	for _, room := range rooms {
		nodes.Reach(t, p.a, p.q(nodes.Q{"to": []string{room}}), c)
	}
}

// emits lets A broadcast; want is how often each client of the pair hears that,
// with the arguments as they were sent.
func (p *pair) emits(t *testing.T, q nodes.Q, event, args string, want map[*nodes.Client]int) {
	t.Helper()
	p.emitsAs(t, q, event, args, args, want)
}

// emitsAs is emits for arguments that arrive as others.
func (p *pair) emitsAs(t *testing.T, q nodes.Q, event, args, heard string, want map[*nodes.Client]int) {
	t.Helper()
	q["event"], q["args"] = event, json.RawMessage(args)
	p.call(t, "emit", q)
	p.fence(t, q["emitter"])
	p.heard(t, event, heard, want)
}

// fence waits until all that A has sent, or its emitter, has arrived.
func (p *pair) fence(t *testing.T, emitter any) {
	t.Helper()
	q := p.q(nodes.Q{})
	if emitter != nil {
		q["emitter"] = emitter
	}
	nodes.FenceBy(t, p.a, q, p.clients()...)
}

// heard checks how often each client of the pair has heard an event.
func (p *pair) heard(t *testing.T, event, args string, want map[*nodes.Client]int) {
	t.Helper()
	for _, c := range p.clients() {
		expected := slices.Repeat([]string{nodes.Canon(t, []byte(args))}, want[c])
		if got := c.Args(event); !slices.Equal(got, expected) {
			t.Errorf("%s heard %q, want %q", c.Name, got, expected)
		}
	}
}

// all is a want of emits: each client once.
func (p *pair) all() map[*nodes.Client]int { return only(p.clients()...) }

// only is a want of emits: those clients once.
func only(list ...*nodes.Client) map[*nodes.Client]int {
	want := map[*nodes.Client]int{}
	for _, c := range list {
		want[c] = 1
	}
	return want
}

// rooms waits until a client is in a room, or is not.
func (p *pair) rooms(t *testing.T, c *nodes.Client, room string, in bool) {
	t.Helper()
	nodes.Until(t, fmt.Sprintf("%s in %s is %v", c.Name, room, in), func() bool { return p.isIn(t, c, room) == in })
}

func (p *pair) isIn(t *testing.T, c *nodes.Client, room string) bool {
	t.Helper()
	var rooms []string
	p.home(c).Into(t, &rooms, "rooms", p.q(nodes.Q{"id": c.ID}))
	return slices.Contains(rooms, room)
}

// scenario is something that A calls and B does.
type scenario struct {
	name string
	run  func(t *testing.T, p *pair)
}

// hasEmitter reports whether there is an emitter of A's kind for the flavour.
// That of the streams is not on npm; redisadapter's tests have what it writes.
func (p *pair) hasEmitter() bool {
	return p.flavour == nodes.Classic || p.flavour == nodes.Streams && p.a.Kind == nodes.Hermod
}

// requestTimeout is that of the nodes, where it is an option.
const requestTimeout = 2 * time.Second

// quartet starts two nodes of each kind; the official ones have each a Redis
// client of another make.
func quartet(t *testing.T, r *redistest.Server, f nodes.Flavour, o nodes.Options) map[nodes.Kind][]*nodes.Node {
	t.Helper()
	o.Flavour = f
	o.RequestTimeout = requestTimeout
	var all []nodes.Options
	for i, client := range []string{"redis", "ioredis"} {
		for _, kind := range nodes.Kinds {
			o.Kind, o.Client, o.Name = kind, client, fmt.Sprintf("%s%d", kind, i+1)
			all = append(all, o)
		}
	}
	list := map[nodes.Kind][]*nodes.Node{}
	for _, n := range nodes.StartAll(t, r, all...) {
		list[n.Kind] = append(list[n.Kind], n)
	}
	return list
}
