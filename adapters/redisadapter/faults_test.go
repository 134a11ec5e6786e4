package redisadapter

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/internal/redistest"
)

// TestFaults: whatever Redis does to the connections of nodes, this node's sockets
// get everything when Broadcast returned, and afterwards each node hears the other
// as before: in order, and once, but for entries of a stream that were written
// while a connection broke.
func TestFaults(t *testing.T) {
	t.Parallel()
	for name, flavour := range flavours {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t, redistest.Options{})
			p := newFaultPair(t, server, flavour, strings.HasPrefix(name, "streams"))
			p.talk("at the beginning")
			for _, id := range p.connections() {
				p.admin("CLIENT", "KILL", "ID", id)
				p.talk("after the end of connection " + id)
			}
			p.fault("too many clients", "maxclients", "1", "10000")
			p.fault("a password that nobody knows", "requirepass", "secret", "")
			p.fault("a bound on what they have not read", "client-output-buffer-limit", "pubsub 1 1 0", "pubsub 32mb 8mb 60")
		})
	}
}

// faultPair is two nodes, with a socket each.
type faultPair struct {
	t       *testing.T
	conn    *redis.Conn // open before the faults
	twice   bool        // events may come twice
	nodes   [2]*cluster.Adapter
	sockets [2]*shardedMember
	sent    [2]int
}

func newFaultPair(t *testing.T, server *redistest.Server, flavour func(redis.UniversalClient, string, cluster.Options) adapters.Factory, twice bool) *faultPair {
	p := &faultPair{t: t, conn: server.Client().Conn(), twice: twice}
	t.Cleanup(func() { _ = p.conn.Close() })
	p.admin("PING")
	for i := range p.nodes {
		p.nodes[i] = makeAdapter(t, flavour(server.Client(), "faults", cluster.Options{}), "/")
		p.sockets[i] = enterSharded(t, p.nodes[i], &shardedMember{id: fmt.Sprint("s", i)}, "r")
	}
	return p
}

// admin sends a command over a connection of its own.
func (p *faultPair) admin(args ...any) any {
	p.t.Helper()
	v, err := p.conn.Do(p.t.Context(), args...).Result()
	if err != nil {
		p.t.Fatalf("%v: %v", args, err)
	}
	return v
}

// connections are the ids of those of the nodes.
func (p *faultPair) connections() (ids []string) {
	own := fmt.Sprint("id=", p.admin("CLIENT", "ID"))
	for line := range strings.Lines(p.admin("CLIENT", "LIST").(string)) {
		if id := strings.Fields(line)[0]; id != own {
			ids = append(ids, strings.TrimPrefix(id, "id="))
		}
	}
	return ids
}

// big is an event that Redis keeps apart from its other output.
var big = `["big","` + strings.Repeat("x", 50_000) + `"]`

// fault sets something, ends all connections, and sets it back.
func (p *faultPair) fault(name, setting, bad, good string) {
	p.t.Helper()
	p.admin("CONFIG", "SET", setting, bad)
	for _, kind := range []string{"normal", "pubsub"} {
		p.admin("CLIENT", "KILL", "TYPE", kind)
	}
	for i := range 100 {
		p.emit(i % 2)
		if err := p.nodes[i%2].ServerSideEmit(p.t.Context(), shardedArgs(big), nil); err != nil {
			p.t.Fatal(err)
		}
	}
	p.admin("CONFIG", "SET", setting, good)
	p.talk("after " + name)
}

// emit has a node send the next number to all, which its own socket has then. The
// numbers of node 0 are even, those of node 1 odd.
func (p *faultPair) emit(node int) (number int) {
	p.t.Helper()
	number = p.sent[node]*2 + node
	p.sent[node]++
	emitN(p.t, p.nodes[node], number, number+1)
	if !slices.Contains(p.heard(node, node, 1), number) {
		p.t.Fatalf("%d is not delivered when Broadcast returned", number)
	}
	return number
}

// heard is the last numbers of one node that the socket of another has got, the
// newest first.
func (p *faultPair) heard(at, from, most int) (numbers []int) {
	p.t.Helper()
	for _, text := range slices.Backward(p.sockets[at].events()) {
		digits := strings.TrimSuffix(strings.TrimPrefix(text, `["n",`), "]")
		n, err := strconv.Atoi(digits)
		if err != nil {
			p.t.Fatal(text)
		}
		if n%2 == from {
			numbers = append(numbers, n)
		}
		if len(numbers) == most {
			break
		}
	}
	return numbers
}

// talk waits until each node hears the other, and demands that it has heard it in
// order.
func (p *faultPair) talk(when string) {
	p.t.Helper()
	for from := range p.nodes {
		first := p.emit(from)
		redistest.Until(p.t, "one hears the other "+when, func() bool {
			p.emit(from)
			got := p.heard(1-from, from, 1)
			return len(got) > 0 && got[0] >= first
		})
		redistest.Until(p.t, "all sockets are found "+when, func() bool {
			found, err := p.nodes[from].Fetch(p.t.Context(), adapters.Target{})
			return err == nil && len(found) == 2
		})
		newest, seen := -1, map[int]bool{}
		for _, n := range slices.Backward(p.heard(1-from, from, -1)) {
			if n <= newest && !(p.twice && seen[n]) {
				p.t.Fatalf("%d comes after %d %s", n, newest, when)
			}
			newest, seen[n] = max(newest, n), true
		}
	}
}
