package siotest

import (
	"testing"

	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/socketio"
)

// ServeCluster starts n servers, each as Serve does, that are the nodes of one
// cluster: what one of them sends reaches the clients of all. They talk within the
// process (cluster.Loopback, in place of cfg.Server.Adapter), so a broadcast is on its
// way to another node when the call returns, as it is over Redis. Sessions are not
// recovered; cfg.New must be nil. Stop takes a node out of the cluster, Start puts a
// new one in its place.
func ServeCluster(t testing.TB, n int, setup func(srv *socketio.Server), cfg Config) []*Server {
	t.Helper()
	if cfg.New != nil {
		t.Fatal("siotest: ServeCluster makes its servers itself, Config.New must be nil")
	}
	cfg.Server.Adapter = cluster.New(cluster.NewLoopback().Connect, cluster.Options{})
	nodes := make([]*Server, n)
	for i := range nodes {
		nodes[i] = Serve(t, setup, cfg)
	}
	return nodes
}
