package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/socketio/parser"
)

// roamer is a client that loses its connections and comes back to any node.
type roamer struct {
	id  string
	on  *roamed // its last connection
	mu  sync.Mutex
	got []string // events without offsets, and
	at  string   // the offset of the last
}

func (g *roamer) pid() string { return "pid " + g.id }

func (g *roamer) session() adapters.Session { return adapters.Session{ID: g.id, PID: g.pid()} }

// take takes an event with its offset.
func (g *roamer) take(text string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := strings.LastIndexByte(text, ',')
	g.got = append(g.got, text[1:i])
	g.at = text[i+2 : len(text)-2]
}

// roamed is a connection of a roamer, which may be dead, and its Member.
type roamed struct {
	of   *roamer
	node *cluster.Recoverer

	mu      sync.Mutex // guards what follows
	dead    bool       // nothing reaches the client
	over    bool       // the node knows it
	holding bool       // its session is being restored
	held    []string
}

func (c *roamed) ID() string                { return c.of.id }
func (c *roamed) Info() adapters.SocketInfo { return adapters.SocketInfo{ID: c.of.id} }
func (c *roamed) Pending() bool             { return false }
func (c *roamed) Disconnect(bool)           {}

// Supersede implements adapters.Member.
func (c *roamed) Supersede() { go c.end() }

// die lets nothing reach the client any more.
func (c *roamed) die() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dead = true
}

// end has the node notice that the connection is gone.
func (c *roamed) end() {
	c.mu.Lock()
	first := !c.over
	c.over, c.dead = true, true
	c.mu.Unlock()
	if first {
		s := c.of.session()
		s.Rooms = c.node.RoomsOf(c)
		c.node.LeaveAll(c)
		c.node.Save(nil, s)
	}
}

func (c *roamed) push(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.dead:
	case c.holding:
		c.held = append(c.held, text)
	default:
		c.of.take(text)
	}
}

// welcome hands over what was missed, then what came since.
func (c *roamed) welcome(missed iter.Seq[*parser.Packet]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for p := range missed {
		c.of.take(string(p.JSON))
	}
	for _, text := range c.held {
		c.of.take(text)
	}
	c.holding, c.held = false, nil
}

// roaming is a namespace of roamers.
type roaming struct{ kept }

func (*roaming) Recovery() adapters.Recovery {
	return adapters.Recovery{On: true, MaxDisconnection: time.Hour, Retention: time.Hour}
}

func (*roaming) Deliver(p *parser.Packet, _ adapters.Flags, to iter.Seq[adapters.Member]) (n int) {
	for m := range to {
		m.(*roamed).push(string(p.JSON))
		n++
	}
	return n
}

// voyage is a run of the model: nodes, clients, and what happens to them.
type voyage struct {
	*testing.T
	rnd     *rand.Rand
	late    bool // entries may be late, and come twice
	log     *fakeLog
	nodes   []*cluster.Recoverer
	names   []string
	cut     int // the node that is cut off; -1: none
	roamers []*roamer
	sent    []int // by each node
}

// Whatever is cut and delayed, and wherever clients come back, they miss nothing and
// the order of each sender is kept; and they get nothing twice unless entries are
// late or written twice. Entries hold from one to four messages.
func TestRoamers(t *testing.T) {
	const seeds = 60
	first := rand.Uint64N(1 << 40)
	for i := range uint64(2 * seeds) {
		seed, late := first+i, i%2 > 0
		synctest.Test(t, func(t *testing.T) {
			v := &voyage{T: t, rnd: rand.New(rand.NewPCG(seed, 0)), late: late, log: newFakeLog(), cut: -1}
			v.log.parts = int(1 + seed/2%4)
			v.begin(3, 3)
			for range 120 {
				v.step()
			}
			v.arrive()
		})
		if t.Failed() {
			t.Fatalf("seed %d, late %v", seed, late)
		}
	}
}

// begin makes nodes and clients.
func (v *voyage) begin(nodes, clients int) {
	opts := patient
	if v.late {
		opts = impatient
	}
	for range nodes {
		connect := func(nsp string, r cluster.Receiver) (cluster.Log, error) {
			bus, err := v.log.connect(nsp, r)
			v.names = append(v.names, bus.Traits().Node)
			return bus, err
		}
		a, err := cluster.MakeLog(connect, opts, new(roaming))
		if err != nil {
			v.Fatal(err)
		}
		v.Cleanup(func() { _ = a.Close(context.Background()) }) // never an error
		v.nodes = append(v.nodes, a.(*cluster.Recoverer))
	}
	v.sent = make([]int, nodes)
	for i := range clients {
		g := &roamer{id: fmt.Sprint("c", i)}
		g.on = &roamed{of: g, node: v.nodes[v.rnd.IntN(nodes)]}
		if err := g.on.node.Join(v.Context(), g.on, g.id, "r"); err != nil {
			v.Fatal(err)
		}
		g.on.node.Save(g.on, g.session())
		v.roamers = append(v.roamers, g)
	}
}

// step has something happen.
func (v *voyage) step() {
	g := v.roamers[v.rnd.IntN(len(v.roamers))]
	switch n := v.rnd.IntN(24); {
	case n < 10:
		v.say()
	case n < 12:
		g.on.die()
	case n < 13:
		g.on.end()
	case n < 16:
		if v.late || v.reads() {
			v.back(g)
		}
	case n < 18:
		v.log.stall(n == 16)
	case n < 19:
		time.Sleep(time.Duration(v.rnd.IntN(30)) * time.Millisecond)
	case n < 20:
		v.log.set(func() { v.log.behind = v.names[v.rnd.IntN(len(v.names))] })
	case n < 21:
		if v.late {
			v.log.set(func() { v.log.entries = append(v.log.entries, v.log.entries[max(len(v.log.entries)-1, 0):]...) })
		}
	case n < 22:
		v.mend()
		if v.rnd.IntN(2) == 0 {
			v.cut = v.rnd.IntN(len(v.nodes))
			v.log.set(func() { delete(v.log.nodes, v.names[v.cut]) })
		}
	default:
		synctest.Wait()
	}
}

// reads reports whether all nodes read the log.
func (v *voyage) reads() bool {
	v.log.mu.Lock()
	defer v.log.mu.Unlock()
	return v.log.reading && v.log.behind == ""
}

// mend brings back the node that is cut off.
func (v *voyage) mend() {
	if v.cut >= 0 {
		v.log.set(func() { v.log.nodes[v.names[v.cut]] = true })
		v.cut = -1
	}
}

// say has a node send a numbered event that reaches all, in one way or another.
func (v *voyage) say() {
	from := v.rnd.IntN(len(v.nodes))
	ways := []adapters.Target{{}, {Rooms: []string{"r"}}, {Rooms: []string{"c0", "c1", "c2"}}, {Except: []string{"nobody"}}}
	sayTo(v.T, v.nodes[from], fmt.Sprintf(`["%d %d"]`, from, v.sent[from]), ways[v.rnd.IntN(len(ways))])
	v.sent[from]++
}

// back has a client come back to some node, whatever became of its connection. It
// may wait in vain while what was sent before cannot be read.
func (v *voyage) back(g *roamer) {
	at := v.rnd.IntN(len(v.nodes))
	if at == v.cut {
		at = (at + 1) % len(v.nodes)
	}
	g.on.die()
	c := &roamed{of: g, node: v.nodes[at], holding: true}
	ctx, cancel := context.WithTimeout(v.Context(), 5*time.Second)
	defer cancel()
	missed, err := c.node.Restore(ctx, g.pid(), g.at, func(adapters.Session) adapters.Member { return c })
	switch {
	case err == nil:
		c.welcome(missed)
		c.node.Save(c, g.session())
		g.on = c
	case !errors.Is(err, context.DeadlineExceeded) || v.reads():
		v.Errorf("%s is not restored: %v", g.id, err)
	}
}

// arrive lets everything come in and looks at what the clients have got.
func (v *voyage) arrive() {
	v.mend()
	v.log.set(func() { v.log.behind, v.log.reading = "", true })
	time.Sleep(time.Second)
	for _, g := range v.roamers {
		v.back(g)
		synctest.Wait()
		g.mu.Lock()
		v.judge(g)
		g.mu.Unlock()
	}
}

func (v *voyage) judge(g *roamer) {
	next := make([]int, len(v.nodes))
	for _, e := range g.got {
		var from, n int
		if _, err := fmt.Sscanf(e, `"%d %d"`, &from, &n); err != nil {
			v.Fatal(e, err)
		}
		switch {
		case n == next[from]:
			next[from]++
		case n > next[from] || !v.late:
			v.Errorf("%s got number %d of node %d, want %d: %q", g.id, n, from, next[from], g.got)
			return
		}
	}
	for from, n := range v.sent {
		if next[from] != n {
			v.Errorf("%s got %d of %d of node %d: %q", g.id, next[from], n, from, g.got)
		}
	}
}
