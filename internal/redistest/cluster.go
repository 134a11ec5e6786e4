package redistest

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// masters is how many a Cluster has.
const masters = 3

// Cluster is a Redis Cluster of three masters without replicas, see AddReplica.
type Cluster struct {
	t     testing.TB
	Nodes []*Server // the masters
	ids   []string
	buses []int
}

// StartCluster starts a Cluster and waits until each of its nodes serves all
// slots.
func StartCluster(t testing.TB) *Cluster {
	t.Helper()
	c := &Cluster{t: t}
	for range masters {
		c.Nodes = append(c.Nodes, c.start())
	}
	for i, s := range c.Nodes {
		s.Do("cluster", "set-config-epoch", i+1)
		s.Do("cluster", "addslotsrange", i*16384/masters, (i+1)*16384/masters-1)
		c.ids = append(c.ids, s.Text("cluster", "myid"))
	}
	for i, s := range c.Nodes {
		for k, other := range c.Nodes {
			if k != i {
				s.Do("cluster", "meet", "127.0.0.1", other.port, c.buses[k])
			}
		}
	}
	for _, s := range c.Nodes {
		Until(t, "a node of the Cluster knows all slots", func() bool {
			info := s.Text("cluster", "info")
			return strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_slots_ok:16384") &&
				strings.Contains(info, fmt.Sprintf("cluster_known_nodes:%d", masters))
		})
	}
	return c
}

// start starts a server that is alone in its Cluster.
func (c *Cluster) start() *Server {
	s, bus := newServer(c.t), freePort(c.t)
	s.args = append(s.args, "--save", "", "--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(bus),
		"--cluster-node-timeout", "3000", "--cluster-require-full-coverage", "no")
	s.launch()
	c.buses = append(c.buses, bus)
	return s
}

// AddReplica adds a replica of a master, and waits until each master knows it as one
// that is in order. It is not among Nodes.
func (c *Cluster) AddReplica(of int) *Server {
	c.t.Helper()
	s := c.start()
	c.Nodes[of].Do("config", "set", "repl-ping-replica-period", 1) // it is named once it has something of its master
	s.Do("cluster", "meet", "127.0.0.1", c.Nodes[of].port, c.buses[of])
	Until(c.t, "the replica knows its master", func() bool { return strings.Contains(s.Text("cluster", "nodes"), c.ids[of]) })
	s.Do("cluster", "replicate", c.ids[of])
	for _, m := range c.Nodes {
		Until(c.t, "a master names the replica to clients", func() bool {
			return strings.Contains(fmt.Sprint(m.Do("cluster", "slots")), fmt.Sprint(" ", s.port, " "))
		})
	}
	return s
}

// Addrs returns the addresses of the nodes.
func (c *Cluster) Addrs() (list []string) {
	for _, s := range c.Nodes {
		list = append(list, s.Addr())
	}
	return list
}

// Client returns a client of the Cluster, which is closed with the test.
func (c *Cluster) Client() *redis.ClusterClient {
	cl := redis.NewClusterClient(&redis.ClusterOptions{Addrs: c.Addrs()})
	c.t.Cleanup(func() { _ = cl.Close() })
	return cl
}

// Owner returns the index of the node that has a slot, as it says itself.
func (c *Cluster) Owner(slot int) int {
	c.t.Helper()
	for i, s := range c.Nodes {
		cl := redis.NewClient(&redis.Options{Addr: s.Addr()})
		list, err := cl.ClusterShards(context.Background()).Result()
		_ = cl.Close()
		if err != nil {
			c.t.Fatalf("redistest: %v", err)
		}
		for _, shard := range list {
			for _, r := range shard.Slots {
				if r.Start <= int64(slot) && int64(slot) <= r.End && shard.Nodes[0].ID == c.ids[i] {
					return i
				}
			}
		}
	}
	c.t.Fatalf("redistest: nobody has slot %d", slot)
	return -1
}

// MoveSlot gives a slot, whose keys are not moved, to another node.
func (c *Cluster) MoveSlot(slot, to int) {
	c.t.Helper()
	from := c.Owner(slot)
	c.Nodes[to].Do("cluster", "setslot", slot, "importing", c.ids[from])
	c.Nodes[from].Do("cluster", "setslot", slot, "migrating", c.ids[to])
	c.Nodes[to].Do("cluster", "setslot", slot, "node", c.ids[to])
	c.Nodes[from].Do("cluster", "setslot", slot, "node", c.ids[to])
	for i := range c.Nodes {
		if i != from && i != to {
			c.Nodes[i].Do("cluster", "setslot", slot, "node", c.ids[to])
		}
	}
}

// Migrating begins to move a slot: keys that its owner does not have are asked
// for at the other node.
func (c *Cluster) Migrating(slot, to int) {
	c.t.Helper()
	from := c.Owner(slot)
	c.Nodes[to].Do("cluster", "setslot", slot, "importing", c.ids[from])
	c.Nodes[from].Do("cluster", "setslot", slot, "migrating", c.ids[to])
}
