package link

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// movedFor is how long an owner of a slot that Redis named is believed before
// the client's own table is asked again.
const movedFor = 10 * time.Second

// topology says which server is in charge of a key and connects to it, by one
// connection at a time to each server.
type topology struct {
	client   redis.UniversalClient
	one      *redis.Options // of the only server; nil for a Cluster
	cluster  *redis.ClusterClient
	sentinel bool
	timeout  time.Duration // of reads and writes

	mu       sync.Mutex // guards what follows
	template *redis.Options
	moved    map[uint16]movedSlot
	greeted  map[string]identity // the last connection to each server, by its address
}

type movedSlot struct {
	addr  string
	until time.Time
}

func newTopology(client redis.UniversalClient, timeout time.Duration) (*topology, error) {
	t := &topology{client: client, timeout: timeout, greeted: make(map[string]identity)}
	switch c := client.(type) {
	case *redis.Client:
		t.one = c.Options()
		t.sentinel = t.one.Addr == "FailoverClient" // what redis.NewFailoverClient puts there
	case *redis.ClusterClient:
		t.cluster = c
		t.moved = make(map[uint16]movedSlot)
	default:
		return nil, fmt.Errorf("link: a client of type %T is not supported", client)
	}
	return t, nil
}

// owner returns the address of the master of a key; "" if there is only one
// server. It may ask the Cluster.
func (t *topology) owner(ctx context.Context, key string) (string, error) {
	if t.cluster == nil {
		return "", nil
	}
	slot := keySlot(key)
	t.mu.Lock()
	m, ok := t.moved[slot]
	if ok && time.Now().After(m.until) {
		delete(t.moved, slot)
		ok = false
	}
	known := t.template != nil
	t.mu.Unlock()
	if ok && known {
		return m.addr, nil
	}
	c, err := t.cluster.MasterForKey(ctx, key)
	if err != nil {
		return "", err
	}
	if !known {
		t.mu.Lock()
		t.template = c.Options()
		t.mu.Unlock()
	}
	return c.Options().Addr, nil
}

// setMoved notes the owner of a slot that Redis named.
func (t *topology) setMoved(slot uint16, addr string) {
	t.mu.Lock()
	t.moved[slot] = movedSlot{addr, time.Now().Add(movedFor)}
	t.mu.Unlock()
	t.cluster.ReloadState(context.Background())
}

// unreachable asks for a new table after a server could not be reached.
func (t *topology) unreachable(addr string) {
	if t.cluster == nil {
		return
	}
	t.mu.Lock()
	for slot, m := range t.moved {
		if m.addr == addr {
			delete(t.moved, slot)
		}
	}
	t.mu.Unlock()
	t.cluster.ReloadState(context.Background())
}

// options returns those of a connection to a server.
func (t *topology) options(addr string) redis.Options {
	if t.cluster == nil {
		return *t.one
	}
	t.mu.Lock()
	o := *t.template
	t.mu.Unlock()
	o.Addr, o.NodeAddress = addr, addr
	return o
}
