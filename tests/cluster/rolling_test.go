//go:build node

package cluster

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/redistest"
	"github.com/hermod-io/hermod/tests/cluster/internal/nodes"
)

// rolling is three nodes of ours with recovery, which are restarted, and a crowd
// of official clients that come back through a balancer. Each request of theirs
// goes to any node.
type rolling struct {
	*crowd
	redis    *redistest.Server
	balancer *balancer
	list     []*nodes.Node
	started  int // nodes so far
}

func newRolling(t *testing.T, o redistest.Options) *rolling {
	t.Helper()
	r := &rolling{redis: redistest.Start(t, o), balancer: newBalancer(t)}
	for range 3 {
		r.list = append(r.list, r.node(t))
	}
	nodes.Meet(t, "/", r.list...)
	r.balancer.set(r.list)
	r.crowd = gather(t, r.balancer.addr())
	return r
}

// node starts a node.
func (r *rolling) node(t *testing.T) *nodes.Node {
	t.Helper()
	r.started++
	n := nodes.Start(t, r.redis, nodes.Options{
		Kind: nodes.Hermod, Flavour: nodes.Streams, Name: fmt.Sprintf("node%d", r.started),
		Transports: []string{"polling", "websocket"}, ClusterKey: "the key of a cluster of tests",
		Recovery: 2 * time.Minute, Drain: 10 * time.Second, MaxLen: 1_000_000,
		// An official client whose upgrade fails while it waits for its last polling
		// answer polls no more, until it notices that there are no pings.
		PingInterval: 5 * time.Second, PingTimeout: 10 * time.Second,
	})
	n.Do(t, "namespace", nodes.Q{})
	n.Do(t, "said", nodes.Q{})
	return n
}

// amid has clients be in the midst of an upgrade, at each stage of it, until what
// it returns is called.
func (r *rolling) amid(t *testing.T) (goOn func()) {
	t.Helper()
	r.balancer.gate.close()
	r.tell(t, "again", nil)
	nodes.Until(t, "clients at each stage of an upgrade", r.balancer.gate.full)
	return r.balancer.gate.open
}

// restart puts a new node into the place of one, which is drained.
func (r *rolling) restart(t *testing.T, i int) {
	t.Helper()
	old := r.list[i]
	r.list[i] = r.node(t)
	goOn := r.amid(t)
	r.balancer.set(r.list)
	if status := old.Stop(); status != 0 {
		t.Errorf("%s ended with status %d", old.Name, status)
	}
	goOn()
	r.whole(t)
	r.acked(t, some)
}

// kill kills a node, and starts another one later.
func (r *rolling) kill(t *testing.T, i int) {
	t.Helper()
	goOn := r.amid(t)
	r.list[i].Kill()
	goOn()
	r.whole(t)
	r.list[i] = r.node(t)
	r.balancer.set(r.list)
	r.acked(t, some)
}

// heardAll ends the talk; all that was acknowledged must have been heard.
func (r *rolling) heardAll(t *testing.T) []voice {
	t.Helper()
	report := r.finish(t, r.list)
	if lost := unheard(report); len(lost) > 0 {
		t.Errorf("acknowledged and not heard: %q", lost)
	}
	return report
}

// never is for check: nothing may have been written twice.
func never(utterance) bool { return false }

// Nodes are restarted one after the other while clients talk: each client hears
// everything, once, in the order of each node.
//
// compat: option connectionStateRecovery
func TestRollingRestart(t *testing.T) {
	t.Parallel()
	r := newRolling(t, redistest.Options{})
	for i := range r.list {
		r.restart(t, i)
	}
	r.check(t, r.heardAll(t), truth(t, r.redis), "", never)
}

// Redis dies in the middle and comes back with its data: everything is heard in
// order, and once but for what was sent while the connections broke and until they were back.
func TestRollingRestartRedisKilled(t *testing.T) {
	t.Parallel()
	r := newRolling(t, redistest.Options{Persist: true})
	r.restart(t, 0)
	began := r.numbers(t)
	r.fence(t, r.list) // what was sent before has come to all
	r.redis.Kill()
	r.acked(t, some/5) // soon: who comes back and waits 10 s for Redis is a new client
	r.redis.Restart()
	r.fence(t, r.list)
	ended := r.numbers(t)
	r.restart(t, 1)
	r.check(t, r.heardAll(t), truth(t, r.redis), "", func(u utterance) bool { return u.number >= began[u.node] && u.number < ended[u.node] })
}

// numbers is how many broadcasts each node has made.
func (r *rolling) numbers(t *testing.T) map[string]int {
	t.Helper()
	all := map[string]int{}
	for _, n := range r.list {
		var count int
		n.Into(t, &count, "watch-said", nodes.Q{})
		all[n.Name] = count
	}
	return all
}

// A node is killed while clients talk: they recover elsewhere, and hear once what
// got into the stream.
func TestNodeKilledUnderLoad(t *testing.T) {
	t.Parallel()
	r := newRolling(t, redistest.Options{})
	victim := r.list[0].Name
	r.kill(t, 0)
	report := r.finish(t, r.list)
	if lost := unheard(report); len(lost) > r.clients { // what each had said last, at most
		t.Errorf("acknowledged and not heard: %q", lost)
	}
	r.check(t, report, truth(t, r.redis), victim, never)
}

// names is a list of nodes, for the balancer.
func names(list []*nodes.Node) (all []string) {
	for _, n := range list {
		all = append(all, n.URL[len("http://"):])
	}
	slices.Sort(all)
	return all
}
