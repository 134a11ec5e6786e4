package config

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"

	"github.com/hermod-io/hermod/server/internal/nodes"
)

func (c *Config) cluster(fs *flag.FlagSet) {
	fs.DurationVar(&c.Recovery, "recovery", 0, "`time` in which a lost client may come back as the same socket, with what it missed; 0 for never; with the adapters memory and redis-streams only")
	fs.StringVar(&c.Adapter, "adapter", nodes.Memory, "`name` of how broadcasts reach the nodes of a cluster: "+strings.Join(nodes.Adapters, ", ")+"; memory: there is one node")
	fs.StringVar(&c.RedisURL, "redis-url", "redis://127.0.0.1:6379", "`address` of Redis: redis://user:password@host:port/db, redis://host1,host2 or redis+cluster://host for a Cluster, "+
		"redis+sentinel://host1,host2/db?master_name=m; rediss for TLS; with a password better in the environment or the -config, where other users do not see it")
	fs.StringVar(&c.RedisPrefix, "redis-prefix", "", "`name` that begins the channels, streams and keys in Redis; empty: those of the official adapters, socket.io")
	fs.BoolVar(&c.RedisBatches, "redis-batches", false, "messages that wait for the same channel or stream go as one, which is less work for Redis; where all nodes are of this program, in a version that has the flag")
	fs.BoolVar(&c.SessionsAnywhere, "sessions-anywhere", false, "any node serves any request, so that a load balancer needs no sticky sessions; between nodes of this program only")
	fs.StringVar(&c.ClusterKey, "cluster-key", "", "`secret` of all nodes for -sessions-anywhere, 16 bytes at least; better in the environment or the -config, where other users do not see it")
}

func (c *Config) validateCluster() error {
	switch {
	case !slices.Contains(nodes.Adapters, c.Adapter):
		return fmt.Errorf("config: -adapter: %q is none of %s", c.Adapter, strings.Join(nodes.Adapters, ", "))
	case c.Recovery < 0:
		return errors.New("config: -recovery is negative")
	case c.Recovery > 0 && c.Adapter != nodes.Memory && c.Adapter != nodes.Streams:
		return fmt.Errorf("config: -recovery: the adapter %s keeps nothing that a client could be given again; memory and redis-streams do", c.Adapter)
	case c.SessionsAnywhere && c.Adapter == nodes.Memory:
		return errors.New("config: -sessions-anywhere is for several nodes: choose an -adapter over Redis")
	case c.SessionsAnywhere && len(c.ClusterKey) < nodes.MinKey:
		return fmt.Errorf("config: -sessions-anywhere needs a -cluster-key (%s_CLUSTER_KEY) of at least %d bytes", Prefix, nodes.MinKey)
	case c.Adapter == nodes.Memory:
		return nil
	}
	if _, err := nodes.ParseURL(c.RedisURL); err != nil {
		return fmt.Errorf("config: -redis-url: %w", err)
	}
	return nil
}

// Nodes says how this node is connected with the others.
func (c *Config) Nodes() nodes.Config {
	n := nodes.Config{Adapter: c.Adapter, URL: c.RedisURL, Prefix: c.RedisPrefix, Batches: c.RedisBatches}
	if c.SessionsAnywhere {
		n.Key = c.ClusterKey
	}
	return n
}
