package redisadapter

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/internal/redistest"
)

// Rooms are moved for a while, and all of them when there are too many to tell.
func TestMoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m moved
		want := func(room string, want bool) {
			t.Helper()
			if got := m.has(room); got != want {
				t.Errorf("%s moved: %v, want %v", room, got, want)
			}
		}
		want("a", false)
		m.add([]string{"a", "b"}, time.Now())
		want("a", true)
		want("c", false)
		time.Sleep(movedFor - time.Second)
		m.add([]string{"c"}, time.Now())
		time.Sleep(2 * time.Second)
		want("a", false)
		want("c", true)
		time.Sleep(movedFor)
		want("c", false)
		if m.rooms != nil || m.until.Load() != 0 {
			t.Error("something is kept")
		}
		for i := range maxMoved + 1 {
			m.add([]string{strconv.Itoa(i)}, time.Now())
		}
		want("any", true)
		time.Sleep(movedFor + 1)
		want("any", false)
	})
}

// A node that heard of a SocketsJoin of another one, and was told to emit to the
// room, reaches the sockets of a third, which has not subscribed the channel of the
// room yet.
func TestMovedByAnother(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	for name, k := range kinds {
		far := redistest.NewProxy(t, server.Addr())
		client := redis.NewClient(&redis.Options{Addr: far.Addr()})
		t.Cleanup(func() { _ = client.Close() })
		told := &shardedLocal{name: "/"}
		a := testAdapter(t, k.factory(server.Client(), name, cluster.Options{}), &shardedLocal{name: "/"})
		b := testAdapter(t, k.factory(server.Client(), name, cluster.Options{}), told)
		c := testAdapter(t, k.factory(client, name, cluster.Options{}), &shardedLocal{name: "/"})
		m := enterSharded(t, c, &shardedMember{id: "m"})
		far.Delay(20 * time.Millisecond)
		if err := a.SocketsJoin(t.Context(), inRooms("m"), "room"); err != nil {
			t.Fatal(err)
		}
		if err := a.ServerSideEmit(t.Context(), shardedArgs(`["go"]`), nil); err != nil {
			t.Fatal(err)
		}
		redistest.Until(t, name+": the node is told", func() bool { return len(told.serverEvents()) == 1 })
		if err := b.Broadcast(shardedEvent(shardedArgs(`["e"]`)), inRooms("room")); err != nil {
			t.Fatal(err)
		}
		if err := b.Broadcast(shardedEvent(shardedArgs(`["end"]`)), adapters.Target{}); err != nil {
			t.Fatal(err)
		}
		wantGot(t, m, []string{`["e"]`, `["end"]`}, name)
	}
}
