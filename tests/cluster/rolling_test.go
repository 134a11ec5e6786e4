//go:build node

package cluster

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/proc"
	"github.com/hermod-io/hermod/internal/redistest"
	"github.com/hermod-io/hermod/tests/cluster/internal/nodes"
)

// rollers is how many clients there are; CLUSTER_CLIENTS says otherwise.
const rollers = 50

// rolling is three nodes of ours with recovery, which are restarted, and a crowd
// of official clients that come back through a balancer.
type rolling struct {
	redis    *redistest.Server
	balancer *balancer
	list     []*nodes.Node
	crowd    string // URL
	clients  int
	started  int // nodes so far
}

// state is what the crowd tells of itself.
type state struct {
	Connected, Talking, Acked, Connects, Fresh, Repeated, Fences int
}

// voice is what one client has said and heard.
type voice struct {
	Name     string
	Heard    [][3]any
	Acked    []string
	Repeated int
}

// utterance names one broadcast: the node, and its number there.
type utterance struct {
	node   string
	number int
}

func newRolling(t *testing.T, o redistest.Options) *rolling {
	t.Helper()
	r := &rolling{redis: redistest.Start(t, o), clients: rollers}
	if text := os.Getenv("CLUSTER_CLIENTS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		r.clients = n
	}
	r.balancer = newBalancer(t)
	for range 3 {
		r.list = append(r.list, r.node(t))
	}
	nodes.Meet(t, "/", r.list...)
	r.balancer.set(r.list)
	text, err := json.Marshal(map[string]any{"url": "http://" + r.balancer.addr(), "clients": r.clients, "pace": r.clients * r.clients / 25})
	if err != nil {
		t.Fatal(err)
	}
	p := proc.Start(t, proc.Command{Path: "node", Args: []string{filepath.Join(proc.Root(t), "tests/cluster/crowd.mjs"), string(text)}, Stdin: true})
	r.crowd = "http://" + p.WaitFor(`^listening (\S+)$`, nodes.Patience)[1]
	nodes.Until(t, "all clients are connected", func() bool { return r.state(t).Connected == r.clients })
	r.tell(t, "start", nil)
	r.acked(t, 2*r.clients)
	return r
}

// node starts a node.
func (r *rolling) node(t *testing.T) *nodes.Node {
	t.Helper()
	r.started++
	n := nodes.Start(t, r.redis, nodes.Options{
		Kind: nodes.Hermod, Flavour: nodes.Streams, Name: fmt.Sprintf("node%d", r.started),
		LogPatience: nodes.Patience, // on a busy machine Redis may be late, and then messages may come twice
		Recovery:    2 * time.Minute, Drain: 2 * time.Second, MaxLen: 1_000_000,
	})
	n.Do(t, "namespace", nodes.Q{})
	n.Do(t, "said", nodes.Q{})
	return n
}

func (r *rolling) tell(t *testing.T, op string, into any) {
	t.Helper()
	client := http.Client{Timeout: nodes.Patience}
	res, err := client.Get(r.crowd + "/" + op)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if into == nil {
		return
	}
	if err := json.NewDecoder(res.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
}

func (r *rolling) state(t *testing.T) (s state) {
	t.Helper()
	r.tell(t, "state", &s)
	return s
}

// acked waits until so much more was acknowledged.
func (r *rolling) acked(t *testing.T, more int) {
	t.Helper()
	goal := r.state(t).Acked + more
	nodes.Until(t, fmt.Sprintf("%d acks", goal), func() bool { return r.state(t).Acked >= goal })
}

// replace puts a new node into the place of one that is gone or about to go.
func (r *rolling) replace(t *testing.T, i int, end func(*nodes.Node)) {
	t.Helper()
	old := r.list[i]
	r.list[i] = r.node(t)
	r.balancer.set(r.list)
	end(old)
	nodes.Until(t, "all clients are back", func() bool { return r.state(t).Connected == r.clients })
	r.acked(t, 2*r.clients)
}

// finish ends the talk, waits until all have heard what each node has sent, and
// returns what they have heard. That is the same for all.
func (r *rolling) finish(t *testing.T) []voice {
	t.Helper()
	r.tell(t, "stop", nil)
	nodes.Until(t, "all are silent", func() bool { return r.state(t).Talking == 0 })
	for _, n := range r.list {
		n.Do(t, "emit", nodes.Q{"event": "fence"})
	}
	nodes.Until(t, "all have heard all nodes", func() bool { return r.state(t).Fences >= len(r.list) })
	var report []voice
	r.tell(t, "report", &report)
	all := map[utterance]bool{}
	for _, v := range report {
		for _, h := range v.Heard {
			all[said(h)] = true
		}
	}
	for _, v := range report {
		own := map[utterance]bool{}
		for _, h := range v.Heard {
			own[said(h)] = true
		}
		if len(own) != len(all) {
			t.Errorf("%s has heard %d of %d broadcasts", v.Name, len(own), len(all))
		}
	}
	return report
}

func said(h [3]any) utterance { return utterance{h[0].(string), int(h[1].(float64))} }

// unheard are the texts that were acknowledged and not heard by their client.
func unheard(report []voice) (list []string) {
	for _, v := range report {
		own := map[string]bool{}
		for _, h := range v.Heard {
			own[h[2].(string)] = true
		}
		for _, text := range v.Acked {
			if !own[text] {
				list = append(list, text)
			}
		}
	}
	return list
}

// check looks at what all have heard: in the order of each node, and, if once,
// nothing twice.
func (r *rolling) check(t *testing.T, report []voice, once bool) {
	t.Helper()
	total, doubled := 0, 0
	for _, v := range report {
		last := map[string]int{}
		seen := map[utterance]bool{}
		for _, h := range v.Heard {
			u := said(h)
			total++
			if seen[u] {
				doubled++
				continue
			}
			seen[u] = true
			if before, ok := last[u.node]; ok && u.number < before {
				t.Errorf("%s heard %v after %d", v.Name, u, before)
				return
			}
			last[u.node] = u.number
		}
		for node, n := range maps.All(last) {
			if got := heardOf(seen, node); got != n+1 {
				t.Errorf("%s heard %d of %s, whose last is %d", v.Name, got, node, n)
			}
		}
	}
	s := r.state(t)
	t.Logf("%d clients, %d acknowledged, %d said again, %d heard, %d twice, %d connections of which %d not recovered",
		r.clients, s.Acked, s.Repeated, total, doubled, s.Connects, s.Fresh)
	if once && (doubled > 0 || s.Fresh > 0) {
		t.Errorf("%d messages were heard twice, %d sessions were not recovered", doubled, s.Fresh)
	}
}

func heardOf(seen map[utterance]bool, node string) (n int) {
	for u := range seen {
		if u.node == node {
			n++
		}
	}
	return n
}

// Nodes are restarted one after the other while clients talk: each client hears
// everything, once, in the order of each node.
//
// compat: option connectionStateRecovery
func TestRollingRestart(t *testing.T) {
	t.Parallel()
	r := newRolling(t, redistest.Options{})
	for i := range r.list {
		r.replace(t, i, func(n *nodes.Node) { r.stop(t, n) })
	}
	report := r.finish(t)
	if lost := unheard(report); len(lost) > 0 {
		t.Errorf("acknowledged and not heard: %q", lost)
	}
	r.check(t, report, true)
}

// stop drains a node.
func (r *rolling) stop(t *testing.T, n *nodes.Node) {
	t.Helper()
	if status := n.Stop(); status != 0 {
		t.Errorf("%s ended with status %d", n.Name, status)
	}
}

// Redis dies in the middle and comes back with its data: everything is heard at
// least once, in order.
func TestRollingRestartRedisKilled(t *testing.T) {
	t.Parallel()
	r := newRolling(t, redistest.Options{Persist: true})
	r.replace(t, 0, func(n *nodes.Node) { r.stop(t, n) })
	r.redis.Kill()
	r.redis.Restart()
	r.acked(t, 2*r.clients)
	r.replace(t, 1, func(n *nodes.Node) { r.stop(t, n) })
	report := r.finish(t)
	if lost := unheard(report); len(lost) > 0 {
		t.Errorf("acknowledged and not heard: %q", lost)
	}
	r.check(t, report, false)
}

// A node is killed while clients talk: they recover elsewhere, and hear once what
// got into the stream.
func TestNodeKilledUnderLoad(t *testing.T) {
	t.Parallel()
	r := newRolling(t, redistest.Options{})
	r.replace(t, 0, func(n *nodes.Node) { n.Kill() })
	report := r.finish(t)
	lost := unheard(report)
	if len(lost) > r.clients { // what each had said last, at most
		t.Errorf("acknowledged and not heard: %q", lost)
	}
	r.check(t, report, true)
}

// names is a list of nodes, for the balancer.
func names(list []*nodes.Node) (all []string) {
	for _, n := range list {
		all = append(all, n.URL[len("http://"):])
	}
	slices.Sort(all)
	return all
}
