package redisadapter

import (
	"errors"
	"testing"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/internal/redistest"
)

// A factory is for one server: of two that shared it one was deaf, and Redis
// counted them as one node.
func TestFactoryOfTwoServers(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t, redistest.Options{}).Client()
	for name, flavour := range flavours {
		f := flavour(client, name, cluster.Options{})
		a := makeAdapter(t, f, "/")
		if _, err := f(&shardedLocal{name: "/"}); err == nil {
			t.Errorf("%s: a second adapter of a namespace is made", name)
		}
		if err := a.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		makeAdapter(t, f, "/")
	}
}

// A closed namespace sends nothing, though the link of its factory is open.
func TestClosedNamespace(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t, redistest.Options{}).Client()
	for name, flavour := range flavours {
		f := flavour(client, name, cluster.Options{})
		makeAdapter(t, f, "/stays")
		a := makeAdapter(t, f, "/")
		if err := a.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := a.ServerSideEmit(t.Context(), shardedArgs(`["e"]`), nil); !errors.Is(err, adapters.ErrClosed) {
			t.Errorf("%s: ServerSideEmit: %v", name, err)
		}
	}
}

// Join is complete when all is heard that is sent to the room: what goes to all
// nodes comes on another channel than what goes to the room alone.
func TestClassicJoinNeedsAll(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	server.Do("acl", "setuser", "default", "resetchannels", "&rooms-*", "&rooms#/#?*#", "&pattern-*")
	all := map[string]*cluster.Adapter{}
	for name, pattern := range map[string]bool{"rooms": false, "pattern": true} {
		opts := Options{Key: name, PatternSubscription: pattern}
		opts.JoinTimeout = 100 * time.Millisecond
		all[name] = testAdapter(t, New(server.Client(), opts), &shardedLocal{name: "/"})
		var pending *adapters.SubscriptionPending
		if err := all[name].Join(t.Context(), &shardedMember{id: "s"}, "s", "r"); !errors.As(err, &pending) {
			t.Errorf("%s: Join when broadcasts to all are not heard: %v", name, err)
		}
	}
	server.Do("acl", "setuser", "default", "allchannels")
	for name, a := range all {
		redistest.Until(t, name+": Join when they are", func() bool {
			return a.Join(t.Context(), &shardedMember{id: "s"}, "s", "r") == nil
		})
	}
}

// A broadcast to a room into which sockets were moved just now reaches them: their
// node has not subscribed the channel of the room yet.
func TestShardedJoinThenEmit(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t, redistest.Options{}).Client()
	nodes := shardedNodes(t, client, ShardedOptions{}, &shardedLocal{name: "/"}, &shardedLocal{name: "/"})
	m := enterSharded(t, nodes[1], &shardedMember{id: "m"})
	var want []string
	for i := range 20 {
		room, text := numbered(i, i+1)[0], numbered(i, i+1)[0]
		if err := nodes[0].SocketsJoin(t.Context(), inRooms("m"), room); err != nil {
			t.Fatal(err)
		}
		if err := nodes[0].Broadcast(shardedEvent(shardedArgs(text)), inRooms(room)); err != nil {
			t.Fatal(err)
		}
		want = append(want, text)
	}
	if err := nodes[0].Broadcast(shardedEvent(shardedArgs(`["end"]`)), adapters.Target{}); err != nil {
		t.Fatal(err)
	}
	wantGot(t, m, append(want, `["end"]`), "what followed a SocketsJoin")
}
