package redisadapter

import (
	"testing"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/internal/redistest"
)

// TestSlowRedis: while Redis is slow this node's sockets get everything when
// Broadcast returns; the others get it afterwards, all of it, once and in order.
func TestSlowRedis(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{Args: []string{"--enable-debug-command", "yes"}})
	client := server.Client()
	// answered returns what is closed when Redis answers a command.
	answered := func(args ...any) <-chan struct{} {
		done := make(chan struct{})
		go func() { // ends with the answer
			defer close(done)
			if err := client.Do(t.Context(), args...).Err(); err != nil {
				t.Error(err)
			}
		}()
		return done
	}
	for name, flavour := range flavours {
		t.Run(name, func(t *testing.T) {
			f := &flow{t: t}
			f.a = makeAdapter(t, flavour(client, name, cluster.Options{}), "/")
			b := makeAdapter(t, flavour(client, name, cluster.Options{}), "/")
			f.near = enterSharded(t, f.a, &shardedMember{id: "near"}, "r")
			f.far = enterSharded(t, b, &shardedMember{id: "far"}, "r")
			f.emit()
			f.arrived("before")

			server.Do("CLIENT", "PAUSE", 60_000, "WRITE")
			for range 500 {
				f.emit()
			}
			if n := len(f.far.events()); n != 1 {
				t.Errorf("%d events of the other node while writes are paused, want 1", n)
			}
			server.Do("CLIENT", "UNPAUSE")
			f.arrived("during a pause of writes")

			server.Do("CLIENT", "PAUSE", 300, "ALL")
			f.until(answered("PING"))
			f.arrived("during a pause")
			f.until(answered("DEBUG", "SLEEP", "0.3"))
			f.arrived("while Redis slept")
			if found, err := f.a.Fetch(t.Context(), adapters.Target{}); err != nil || len(found) != 2 {
				t.Errorf("%d sockets, %v", len(found), err)
			}
		})
	}
}

// flow is what a node sends to a socket of its own and to one of another node.
type flow struct {
	t         *testing.T
	a         adapters.Adapter
	near, far *shardedMember
	sent      int
}

// emit sends the next event, which the near socket has then.
func (f *flow) emit() {
	f.t.Helper()
	emitN(f.t, f.a, f.sent, f.sent+1)
	f.sent++
	if n := len(f.near.events()); n != f.sent {
		f.t.Fatalf("%d events of %d are delivered when Broadcast returned", n, f.sent)
	}
}

// until sends events until end is closed.
func (f *flow) until(end <-chan struct{}) {
	f.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		f.emit()
		select {
		case <-end:
			return
		case <-tick.C:
		}
	}
}

// arrived waits until the far socket has all.
func (f *flow) arrived(when string) {
	f.t.Helper()
	wantGot(f.t, f.far, numbered(0, f.sent), "what was sent "+when)
}
