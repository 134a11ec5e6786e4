package redistest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// MasterName is the name of the master for the sentinels.
const MasterName = "main"

// Sentinel is a master, a replica, and sentinels that make the latter the
// master within about a second if the former fails.
type Sentinel struct {
	t         testing.TB
	Servers   []*Server // the first is the master at the beginning
	Sentinels []*Server
}

// StartSentinel starts all of them, with 1 or 3 sentinels, and waits until the
// replica is in step and known to each sentinel.
func StartSentinel(t testing.TB, sentinels int) *Sentinel {
	t.Helper()
	master := Start(t, Options{})
	replica := Start(t, Options{Args: []string{
		"--replicaof", "127.0.0.1 " + strings.TrimPrefix(master.Addr(), "127.0.0.1:"), "--repl-diskless-sync-delay", "0",
	}})
	s := &Sentinel{t: t, Servers: []*Server{master, replica}}
	Until(t, "the replica is in step", func() bool {
		return strings.Contains(replica.Text("info", "replication"), "master_link_status:up")
	})
	for range sentinels {
		s.Sentinels = append(s.Sentinels, startSentinel(t, master.port, sentinels/2+1))
	}
	for _, x := range s.Sentinels {
		Until(t, "a sentinel knows the others", func() bool {
			info := x.Text("info", "sentinel")
			return strings.Contains(info, fmt.Sprintf("slaves=1,sentinels=%d", sentinels))
		})
	}
	return s
}

func startSentinel(t testing.TB, port, quorum int) *Server {
	t.Helper()
	x := newServer(t)
	conf := filepath.Join(x.dir, "sentinel.conf")
	text := fmt.Sprintf("port %d\nbind 127.0.0.1\ndir %s\nsentinel monitor %s 127.0.0.1 %d %d\n"+
		"sentinel down-after-milliseconds %s 500\nsentinel failover-timeout %s 3000\n",
		x.port, x.dir, MasterName, port, quorum, MasterName, MasterName)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatalf("redistest: %v", err)
	}
	x.args = []string{conf, "--sentinel"}
	x.launch()
	return x
}

// Client returns a client of the master, whoever that is, which is closed with
// the test.
func (s *Sentinel) Client() *redis.Client {
	var addrs []string
	for _, x := range s.Sentinels {
		addrs = append(addrs, x.Addr())
	}
	c := redis.NewFailoverClient(&redis.FailoverOptions{MasterName: MasterName, SentinelAddrs: addrs})
	s.t.Cleanup(func() { _ = c.Close() })
	return c
}
