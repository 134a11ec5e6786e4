package redisadapter

import (
	"context"
	"encoding/base64"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster"
)

// recoveringLocal is the fake of a namespace with recovery.
type recoveringLocal struct {
	shardedLocal
	policy adapters.Recovery
}

func (l *recoveringLocal) Recovery() adapters.Recovery {
	p := l.policy
	p.On = true
	if p.MaxDisconnection == 0 {
		p.MaxDisconnection = time.Minute
	}
	p.Retention = p.MaxDisconnection + time.Minute
	return p
}

func (l *recoveringLocal) SessionExpired(s adapters.Session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, "expired "+s.PID)
}

// streamsNode makes a node.
func streamsNode(t testing.TB, client redis.UniversalClient, opts StreamsOptions, local adapters.Local) adapters.Adapter {
	t.Helper()
	a, err := NewStreams(client, opts)(local)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close(context.Background()) })
	return a
}

// recoverer makes a node with recovery.
func recoverer(t testing.TB, client redis.UniversalClient, opts StreamsOptions) (*cluster.Recoverer, *recoveringLocal) {
	t.Helper()
	local := &recoveringLocal{shardedLocal: shardedLocal{name: "/"}}
	return streamsNode(t, client, opts, local).(*cluster.Recoverer), local
}

// emitN broadcasts events with numbers.
func emitN(t testing.TB, a adapters.Adapter, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		if err := a.Broadcast(shardedEvent(shardedArgs(fmt.Sprintf(`["n",%d]`, i))), inRooms("r")); err != nil {
			t.Fatal(err)
		}
	}
}

func decode64(t testing.TB, text string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
