//go:build node

package cluster

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/redistest"
	"github.com/hermod-io/hermod/tests/cluster/internal/nodes"
)

// faultFlavours are those that differ when something goes wrong.
var faultFlavours = []nodes.Flavour{nodes.Classic, nodes.ShardedDynamic, nodes.Streams}

// volley is how many messages are counted at a time.
const volley = 100

// faulty is a cluster in which something goes wrong: two nodes of ours and an
// official one. Between B and Redis is a proxy.
type faulty struct {
	t          *testing.T // lives as long as the nodes
	flavour    nodes.Flavour
	redis      *redistest.Server
	a, b, peer *nodes.Node
	nsp        string
	ca, cb, cp *nodes.Client
}

// fault is something that goes wrong.
type fault struct {
	name string
	run  func(t *testing.T, f *faulty)
}

var faults = []fault{
	{"a node is cut off", cutOff},
	{"a node is cut off without a sign", silenced},
	{"a node is frozen", frozen},
	{"Redis stands still", standstill},
	{"Redis is slow", slow},
	{"poison", poisoned},
	{"a node is killed with requests in flight", killedInFlight},
	{"the stream is trimmed", trimmed},
	{"Redis is killed and comes back empty", redisKilled},
}

func TestFaults(t *testing.T) {
	for _, flavour := range faultFlavours {
		t.Run(string(flavour), func(t *testing.T) {
			t.Parallel()
			f := newFaulty(t, flavour)
			for i, x := range faults {
				t.Run(x.name, func(t *testing.T) {
					f.enter(t, fmt.Sprintf("/fault-%d", i))
					x.run(t, f)
					f.well(t)
				})
			}
		})
	}
}

func newFaulty(t *testing.T, flavour nodes.Flavour) *faulty {
	t.Helper()
	f := &faulty{t: t, flavour: flavour, redis: redistest.Start(t, redistest.Options{})}
	list := nodes.StartAll(t, f.redis,
		nodes.Options{Kind: nodes.Hermod, Flavour: flavour, Name: "a", RequestTimeout: requestTimeout},
		nodes.Options{Kind: nodes.Hermod, Flavour: flavour, Name: "b", RequestTimeout: requestTimeout, Proxied: true},
		nodes.Options{Kind: nodes.Official, Flavour: flavour, Name: "peer", RequestTimeout: requestTimeout})
	f.a, f.b, f.peer = list[0], list[1], list[2]
	return f
}

// enter opens a namespace, with a client on each node; more are nodes that are
// there as well.
func (f *faulty) enter(t *testing.T, nsp string, more ...*nodes.Node) {
	t.Helper()
	f.nsp = nsp
	nodes.Meet(t, nsp, append([]*nodes.Node{f.a, f.b, f.peer}, more...)...)
	f.ca = f.a.Dial(t, nsp, nodes.ClientOptions{Name: "client of a"})
	f.cb = f.b.Dial(t, nsp, nodes.ClientOptions{Name: "client of b"})
	f.cp = f.peer.Dial(t, nsp, nodes.ClientOptions{Name: "client of peer"})
}

func (f *faulty) q(q nodes.Q) nodes.Q {
	q["nsp"] = f.nsp
	return q
}

// send lets a node broadcast a volley.
func (f *faulty) send(t *testing.T, n *nodes.Node, event string) {
	t.Helper()
	n.Do(t, "burst", f.q(nodes.Q{"event": event, "from": 0, "until": volley}))
}

// whole waits until a client has a volley: everything, once, in order.
func whole(t *testing.T, c *nodes.Client, event string) {
	t.Helper()
	c.WantN(t, event, volley)
	if got := numbers(t, c, event); !slices.Equal(got, upTo(volley)) {
		t.Errorf("%s heard of %q: %v", c.Name, event, got)
	}
}

// part checks that a client has of a volley what may be left of it: in order,
// nothing twice. It returns how much that is.
func part(t *testing.T, c *nodes.Client, event string) int {
	t.Helper()
	got := numbers(t, c, event)
	for i := range got {
		if i > 0 && got[i] <= got[i-1] {
			t.Errorf("%s heard of %q: %v", c.Name, event, got)
			break
		}
	}
	return len(got)
}

// kept is whole where the flavour loses nothing, else part.
func (f *faulty) kept(t *testing.T, c *nodes.Client, event string) {
	t.Helper()
	if f.flavour == nodes.Streams {
		whole(t, c, event)
		return
	}
	t.Logf("%s has %d of %d of %q", c.Name, part(t, c, event), volley, event)
}

func numbers(t *testing.T, c *nodes.Client, event string) (list []int) {
	t.Helper()
	for _, args := range c.Args(event) {
		first, _, _ := strings.Cut(strings.Trim(args, "[]"), ",")
		i, err := strconv.Atoi(first)
		if err != nil {
			t.Fatalf("%s heard %q with %s", c.Name, event, args)
		}
		list = append(list, i)
	}
	return list
}

func upTo(n int) (list []int) {
	for i := range n {
		list = append(list, i)
	}
	return list
}

// reach waits until each node reaches the clients of all others.
func (f *faulty) reach(t *testing.T) {
	t.Helper()
	for _, n := range []*nodes.Node{f.a, f.b, f.peer} {
		nodes.Reach(t, n, f.q(nodes.Q{}), f.ca, f.cb, f.cp)
	}
}

// well checks that nothing is left of a fault: what any node sends reaches all,
// and all are found.
func (f *faulty) well(t *testing.T) {
	t.Helper()
	f.reach(t)
	for _, n := range []*nodes.Node{f.a, f.b, f.peer} {
		event := "well " + n.Name
		f.send(t, n, event)
		for _, c := range []*nodes.Client{f.ca, f.cb, f.cp} {
			whole(t, c, event)
		}
	}
	nodes.Until(t, "a finds all", func() bool {
		r := f.collect(t, "fetch-partial", nodes.Q{})
		return r.Error == "" && len(r.Replies) == 3
	})
	f.leave()
}

// leave closes the clients.
func (f *faulty) leave() {
	for _, c := range []*nodes.Client{f.ca, f.cb, f.cp} {
		c.Close()
	}
}

// collect lets A ask the others.
func (f *faulty) collect(t *testing.T, op string, q nodes.Q) nodes.Replies {
	t.Helper()
	return nodes.Collect(t, f.a.Do(t, op, f.q(q)))
}

// gap waits until a node has told of a gap that begins before one time and ends
// after another.
func (f *faulty) gap(t *testing.T, n *nodes.Node, from, to time.Time) {
	t.Helper()
	var list []struct{ From, To time.Time }
	defer func() {
		if t.Failed() {
			t.Logf("gaps of %s: %v; wanted from %v to %v", n.Name, list, from, to)
		}
	}()
	nodes.Until(t, n.Name+" tells of the gap", func() bool {
		n.Into(t, &list, "watch-gaps", f.q(nodes.Q{}))
		for _, g := range list {
			if !g.From.After(from) && !g.To.Before(to) {
				return true
			}
		}
		return false
	})
}

// stats are those of redisadapter that the tests look at.
type stats struct{ Poison, Reconnects, Gaps, Queued int64 }

func counters(t *testing.T, n *nodes.Node) (s stats) {
	t.Helper()
	n.Into(t, &s, "watch-counters", nodes.Q{})
	return s
}

// cutOff: the connections of B to Redis break and none can be made. Its sockets
// hear it all the while, the others hear A, and B loses at most what was sent
// meanwhile, of which it tells.
func cutOff(t *testing.T, f *faulty) {
	f.b.Redis.Down()
	began := time.Now()
	f.outage(t)
	ended := time.Now()
	f.b.Redis.Up()
	f.reach(t)
	f.gap(t, f.b, began, ended)
	f.kept(t, f.cb, "of a")
	f.kept(t, f.ca, "of b")
	f.kept(t, f.cp, "of b")
}

// outage lets A and B send while B is cut off.
func (f *faulty) outage(t *testing.T) {
	t.Helper()
	f.send(t, f.a, "of a")
	f.send(t, f.b, "of b")
	whole(t, f.ca, "of a")
	whole(t, f.cp, "of a")
	whole(t, f.cb, "of b")
	if n := len(f.cb.Args("of a")) + len(f.ca.Args("of b")) + len(f.cp.Args("of b")); n != 0 {
		t.Errorf("%d messages got through while the node was cut off", n)
	}
}

// silenced: nothing comes through between B and Redis, and nobody says so. B
// finds that out.
func silenced(t *testing.T, f *faulty) {
	before := counters(t, f.b).Reconnects
	f.b.Redis.Silence()
	began := time.Now()
	f.outage(t)
	nodes.Until(t, "b gives its connections up", func() bool { return counters(t, f.b).Reconnects > before })
	ended := time.Now()
	f.b.Redis.Cut()
	f.b.Redis.Speak()
	f.reach(t)
	f.gap(t, f.b, began, ended)
	f.kept(t, f.cb, "of a")
	f.kept(t, f.ca, "of b")
	f.kept(t, f.cp, "of b")
}

// frozen: B stands still and its connections stay. Requests end at their time
// and have what the others answered; when it goes on it hears what was sent.
func frozen(t *testing.T, f *faulty) {
	f.b.Freeze()
	began := time.Now()
	short := (500 * time.Millisecond).Milliseconds()
	fetch := f.a.Begin("fetch-partial", f.q(nodes.Q{"timeout": short}))
	ask := f.a.Begin("server-side-emit-ack", f.q(nodes.Q{"event": "ask", "timeout": short}))
	acks := f.a.Begin("emit-ack", f.q(nodes.Q{"event": "who", "timeout": short}))
	f.send(t, f.a, "of a")
	whole(t, f.ca, "of a")
	whole(t, f.cp, "of a")
	for _, x := range []struct {
		what    string
		pending *nodes.Pending
		replies int
	}{{"fetchSockets", fetch, 2}, {"serverSideEmit", ask, 1}, {"emitWithAck", acks, 2}} {
		text, err := x.pending.Wait()
		if err != nil {
			t.Fatal(err)
		}
		if r := nodes.Collect(t, text); len(r.Replies) != x.replies || r.Error == "" || r.Nodes != 1 {
			t.Errorf("%s: %d replies, %q, %d nodes missing; want %d replies and 1 node", x.what, len(r.Replies), r.Error, r.Nodes, x.replies)
		}
	}
	ended := time.Now()
	f.b.Thaw()
	nodes.Reach(t, f.a, f.q(nodes.Q{}), f.cb)
	if f.flavour == nodes.Streams || part(t, f.cb, "of a") == volley {
		whole(t, f.cb, "of a")
		return
	}
	f.gap(t, f.b, began, ended) // it took its connections for dead
}

// standstill: Redis does nothing for a while, with all connections open. Nobody
// waits for it to serve its own sockets, and nothing is lost.
func standstill(t *testing.T, f *faulty) {
	f.redis.Pause()
	f.send(t, f.a, "of a")
	f.send(t, f.b, "of b")
	whole(t, f.ca, "of a")
	whole(t, f.cb, "of b")
	f.redis.Resume()
	f.reach(t)
	for _, c := range []*nodes.Client{f.ca, f.cb, f.cp} {
		for _, event := range []string{"of a", "of b"} {
			if f.flavour == nodes.Streams || counters(t, f.a).Gaps+counters(t, f.b).Gaps == 0 {
				whole(t, c, event)
			} else {
				part(t, c, event)
			}
		}
	}
}

// slow: everything between B and Redis takes its time.
func slow(t *testing.T, f *faulty) {
	f.b.Redis.Delay(300 * time.Millisecond)
	f.send(t, f.a, "of a")
	f.send(t, f.b, "of b")
	for _, c := range []*nodes.Client{f.ca, f.cb, f.cp} {
		whole(t, c, "of a")
		whole(t, c, "of b")
	}
	r := f.collect(t, "fetch-partial", nodes.Q{"timeout": enough})
	if r.Error != "" || len(r.Replies) != 3 {
		t.Errorf("fetchSockets: %d sockets, %q", len(r.Replies), r.Error)
	}
	f.b.Redis.Delay(0)
}

// killedInFlight: a node that is asked dies. Those who ask do not wait until
// their time is over.
func killedInFlight(t *testing.T, f *faulty) {
	victim := nodes.Start(t, f.redis, nodes.Options{Kind: nodes.Hermod, Flavour: f.flavour, Name: "victim"})
	f.leave()
	f.enter(t, f.nsp+"-victim", victim)
	victim.Dial(t, f.nsp, nodes.ClientOptions{Name: "client of victim"})
	victim.Freeze()
	patience := (10 * nodes.Patience).Milliseconds()
	asked := map[*nodes.Pending]int{
		f.a.Begin("fetch-partial", f.q(nodes.Q{"timeout": patience})):                                    3,
		f.a.Begin("server-side-emit-ack", f.q(nodes.Q{"event": "ask", "timeout": patience})):             2,
		f.b.Begin("emit-ack", f.q(nodes.Q{"event": "who lives", "timeout": patience, "args": []int{1}})): 3,
	}
	f.ca.Want(t, "who lives")
	f.send(t, f.a, "of a")
	victim.Kill()
	for pending, replies := range asked {
		text, err := pending.Wait()
		if err != nil {
			t.Fatal(err)
		}
		if r := nodes.Collect(t, text); len(r.Replies) != replies {
			t.Errorf("%d replies, want %d; %q, %d nodes missing", len(r.Replies), replies, r.Error, r.Nodes)
		}
	}
	whole(t, f.cb, "of a")
	whole(t, f.cp, "of a")
}

// trimmed: what B has not read yet is gone from the stream. It says so, and goes
// on with what comes.
func trimmed(t *testing.T, f *faulty) {
	if f.flavour != nodes.Streams {
		f.reach(t) // there is no stream
		return
	}
	f.b.Redis.Down()
	began := time.Now()
	f.send(t, f.a, "of a")
	whole(t, f.cp, "of a") // they are in the stream
	f.redis.Do("XTRIM", "socket.io", "MAXLEN", 0)
	f.send(t, f.a, "later")
	whole(t, f.cp, "later")
	ended := time.Now()
	f.b.Redis.Up()
	f.gap(t, f.b, began, ended)
	nodes.Reach(t, f.a, f.q(nodes.Q{}), f.cb)
	if n := part(t, f.cb, "of a"); n != 0 {
		t.Errorf("%d messages that were trimmed arrived", n)
	}
	whole(t, f.cb, "later")
}

// redisKilled: Redis dies and comes back without its data. All nodes serve their
// own sockets meanwhile.
func redisKilled(t *testing.T, f *faulty) {
	f.redis.Kill()
	began := time.Now()
	f.send(t, f.a, "of a")
	f.send(t, f.b, "of b")
	whole(t, f.ca, "of a")
	whole(t, f.cb, "of b")
	r := f.collect(t, "fetch-partial", nodes.Q{"timeout": 500})
	if len(r.Replies) != 1 || r.Error == "" {
		t.Errorf("fetchSockets while Redis is down: %d sockets, %q", len(r.Replies), r.Error)
	}
	ended := time.Now()
	f.redis.RestartEmpty()
	f.reach(t)
	for _, n := range []*nodes.Node{f.a, f.b} {
		f.gap(t, n, began, ended)
	}
	f.kept(t, f.cb, "of a")
	f.kept(t, f.ca, "of b")
	part(t, f.cp, "of a")
	part(t, f.cp, "of b")
}
