package siotest

import (
	"sync"
	"testing"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/socketio"
)

// ServeCluster starts n servers, each as Serve does, that are the nodes of one
// cluster: what one of them sends reaches the clients of all. They talk within the
// process (cluster.Loopback, in place of cfg.Server.Adapter), so a broadcast is on its
// way to another node when the call returns, as it is over Redis. Sessions are not
// recovered; cfg.New must be nil. Stop takes a node out of the cluster, Start puts a
// new one in its place. When it returns the nodes know of one another, in all namespaces
// that setup has made.
func ServeCluster(t testing.TB, n int, setup func(srv *socketio.Server), cfg Config) []*Server {
	t.Helper()
	if cfg.New != nil {
		t.Fatal("siotest: ServeCluster makes its servers itself, Config.New must be nil")
	}
	var m meeting
	cfg.Server.Adapter = m.of(cluster.New(cluster.NewLoopback().Connect, cluster.Options{}))
	nodes := make([]*Server, n)
	for i := range nodes {
		nodes[i] = Serve(t, setup, cfg)
	}
	if n > 0 {
		nodes[0].Eventually(t, "the nodes of a cluster have found one another", func() bool { return m.over(t) })
	}
	return nodes
}

// meeting is the beginning of a cluster, in which nodes hear of one another.
type meeting struct {
	mu       sync.Mutex // guards what follows
	adapters map[string][]*cluster.Adapter
}

// of is a factory that tells m what it makes.
func (m *meeting) of(factory adapters.Factory) adapters.Factory {
	return func(local adapters.Local) (adapters.Adapter, error) {
		made, err := factory(local)
		if a, ok := made.(*cluster.Adapter); ok {
			m.mu.Lock()
			defer m.mu.Unlock()
			if m.adapters == nil {
				m.adapters = make(map[string][]*cluster.Adapter)
			}
			m.adapters[local.Name()] = append(m.adapters[local.Name()], a)
		}
		return made, err
	}
}

// over reports whether each adapter knows of all others of its namespace.
func (m *meeting) over(t testing.TB) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, all := range m.adapters {
		for _, a := range all {
			if n, err := a.ServerCount(t.Context()); err != nil || n < len(all) {
				return false
			}
		}
	}
	return true
}
