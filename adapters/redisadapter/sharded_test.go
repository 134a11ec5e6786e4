package redisadapter

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/adaptertest"
	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/internal/redistest"
)

// shardedNodes makes a factory, and so a node of its own, for each of locals, and
// waits until they know one another.
func shardedNodes(t testing.TB, client redis.UniversalClient, opts ShardedOptions, locals ...adapters.Local) []*cluster.Adapter {
	t.Helper()
	var all []*cluster.Adapter
	for _, l := range locals {
		a, err := NewSharded(client, opts)(l)
		if err != nil {
			t.Fatal(err)
		}
		ca := a.(*cluster.Adapter)
		t.Cleanup(func() { _ = ca.Close(context.Background()) })
		all = append(all, ca)
	}
	for _, a := range all {
		redistest.Until(t, "the nodes know one another", func() bool {
			n, err := a.ServerCount(t.Context())
			return err == nil && n == len(locals)
		})
	}
	return all
}

// shardedSuite runs the suite; each cluster of nodes has channels of its own.
func shardedSuite(t *testing.T, client redis.UniversalClient, mode SubscriptionMode) {
	n := 0
	adaptertest.Run(t, adaptertest.Config{
		Nodes: 3,
		New: func(t testing.TB, locals []adapters.Local) []adapters.Adapter {
			n++
			opts := ShardedOptions{ChannelPrefix: fmt.Sprint(t.Name(), n), SubscriptionMode: mode}
			opts.JoinTimeout = 20 * time.Second
			var all []adapters.Adapter
			for _, a := range shardedNodes(t, client, opts, locals...) {
				all = append(all, a)
			}
			return all
		},
	})
}

// TestShardedSuite runs the suite over one server and over a Cluster, there in the
// mode with the most channels, and so slots. Most of its time it waits for
// timeouts: so the runs go on at once.
//
// compat: redis-adapter, sharded
// compat: option subscriptionMode
// compat: option channelPrefix
func TestShardedSuite(t *testing.T) {
	t.Parallel()
	one := redistest.Start(t, redistest.Options{}).Client()
	many := redistest.StartCluster(t).Client()
	var runs sync.WaitGroup
	run := func(name string, client redis.UniversalClient, mode SubscriptionMode) {
		runs.Go(func() { t.Run(name, func(t *testing.T) { shardedSuite(t, client, mode) }) })
	}
	run("dynamic", one, Dynamic)
	run("static", one, Static)
	run("dynamic-private", one, DynamicPrivate)
	run("Cluster", many, DynamicPrivate)
	runs.Wait()
}

// TestShardedRace: when Join returned, what other nodes send to the room arrives.
// Of the official adapters' messages a quarter was lost.
func TestShardedRace(t *testing.T) {
	t.Parallel()
	one := redistest.Start(t, redistest.Options{}).Client()
	many := redistest.StartCluster(t).Client()
	for where, client := range map[string]redis.UniversalClient{"server": one, "Cluster": many} {
		for _, mode := range []SubscriptionMode{Dynamic, DynamicPrivate, Static} {
			opts := ShardedOptions{ChannelPrefix: mode.String(), SubscriptionMode: mode}
			opts.JoinTimeout = time.Minute
			nodes := shardedNodes(t, client, opts, &shardedLocal{name: "/"}, &shardedLocal{name: "/"})
			var all []*shardedMember
			for i := range 40 {
				m := &shardedMember{id: fmt.Sprintf("socket-of-20-char-%02d", i)}
				room := fmt.Sprint("room", i)
				enterSharded(t, nodes[1], m, room)
				if err := nodes[0].Broadcast(shardedEvent(shardedArgs(`["e"]`)), inRooms(room)); err != nil {
					t.Fatal(err)
				}
				if err := nodes[0].Broadcast(shardedEvent(shardedArgs(`["id"]`)), inRooms(m.id)); err != nil {
					t.Fatal(err)
				}
				all = append(all, m)
			}
			last := func() bool { return len(all[39].events()) == 2 }
			redistest.Until(t, fmt.Sprint(where, ", ", mode, ": the last message"), last)
			redistest.Until(t, fmt.Sprint(where, ", ", mode, ": all 80 messages"), func() bool {
				n := 0
				for _, m := range all {
					n += len(m.events())
				}
				return n == 80
			})
		}
	}
}

// TestShardedOrder: what a node sends arrives in order, on one server whatever
// the channel, on a Cluster on each.
func TestShardedOrder(t *testing.T) {
	t.Parallel()
	const count = 999
	one := redistest.Start(t, redistest.Options{}).Client()
	many := redistest.StartCluster(t).Client()
	for where, client := range map[string]redis.UniversalClient{"server": one, "Cluster": many} {
		opts := ShardedOptions{SubscriptionMode: DynamicPrivate}
		opts.JoinTimeout = time.Minute
		nodes := shardedNodes(t, client, opts, &shardedLocal{name: "/"}, &shardedLocal{name: "/"})
		m := enterSharded(t, nodes[1], &shardedMember{id: "s"}, "r")
		targets := []adapters.Target{{}, inRooms("r"), inRooms("s")}
		for i := range count {
			if err := nodes[0].Broadcast(shardedEvent(shardedArgs(fmt.Sprintf(`["e",%d,%d]`, i%3, i))), targets[i%3]); err != nil {
				t.Fatal(err)
			}
		}
		redistest.Until(t, "all messages", func() bool { return len(m.events()) == count })
		next, last := 0, [3]int{-1, -1, -1}
		for _, text := range m.events() {
			var channel, i int
			if _, err := fmt.Sscanf(text, `["e",%d,%d]`, &channel, &i); err != nil {
				t.Fatal(err)
			}
			if where == "server" && i != next || i <= last[channel] {
				t.Fatalf("%s: %d came on channel %d after %v", where, i, channel, last)
			}
			next, last[channel] = i+1, i
		}
	}
}

// TestShardedTwentyCharacters: a room whose name is as long as the id of a socket
// has no channel, and hears what is published on that of all nodes.
func TestShardedTwentyCharacters(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"abcdefghijklmnopqrst": true, "abcdefghijklmnopqrs": false, "abcdefghijklmnopqrstu": false, "": false,
		"éééééééééééééééééééé": true, "😀😀😀😀😀😀😀😀😀😀": true, "😀😀😀😀😀😀😀😀😀a": false,
	} {
		if looksLikeSocketID(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
	client := redistest.Start(t, redistest.Options{}).Client()
	nodes := shardedNodes(t, client, ShardedOptions{}, &shardedLocal{name: "/"}, &shardedLocal{name: "/"})
	room := "abcdefghijklmnopqrst"
	m := enterSharded(t, nodes[1], &shardedMember{id: "s"}, room)
	if err := nodes[0].Broadcast(shardedEvent(shardedArgs(`["e"]`)), inRooms(room)); err != nil {
		t.Fatal(err)
	}
	redistest.Until(t, "the message", func() bool { return len(m.events()) == 1 })
	list, err := client.PubSubShardChannels(t.Context(), "*"+room+"*").Result()
	if err != nil || len(list) != 0 {
		t.Errorf("channels %q, %v", list, err)
	}
}

// TestShardedLinger: the channel of a room that is left outlives it by seconds.
func TestShardedLinger(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t, redistest.Options{}).Client()
	a := shardedNodes(t, client, ShardedOptions{}, &shardedLocal{name: "/"})[0]
	m := enterSharded(t, a, &shardedMember{id: "s"}, "r")
	subscribed := func() bool {
		n, err := client.PubSubShardNumSub(t.Context(), "socket.io#/#r#").Result()
		if err != nil {
			t.Fatal(err)
		}
		return n["socket.io#/#r#"] == 1
	}
	if !subscribed() {
		t.Error("not subscribed when Join returned")
	}
	a.Leave(m, "r")
	if !subscribed() {
		t.Error("not subscribed any more when Leave returned")
	}
	redistest.Until(t, "the channel is given up", func() bool { return !subscribed() })
}

// TestShardedOldRedis: a Redis before 7 is found out at once.
func TestShardedOldRedis(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{Args: []string{"--rename-command", "SSUBSCRIBE", ""}})
	long := cluster.Options{JoinTimeout: patient} // else it is for later that Redis says it
	_, err := NewSharded(r.Client(), ShardedOptions{Options: long})(&shardedLocal{name: "/"})
	if !errors.Is(err, ErrNoShardedPubSub) {
		t.Errorf("error %v", err)
	}
	opts := StreamsOptions{Options: long, UseShardedPubSub: true}
	if _, err := NewStreams(r.Client(), opts)(&shardedLocal{name: "/"}); !errors.Is(err, ErrNoShardedPubSub) {
		t.Errorf("streams: error %v", err)
	}
	if _, err := NewSharded(r.Client(), ShardedOptions{SubscriptionMode: 9})(&shardedLocal{name: "/"}); err == nil {
		t.Error("an unknown mode is taken")
	}
}

// TestShardedNamesWithSharp: the room b of /a and the namespace /a#b have the same
// channel; neither takes it from the other, nor hears what is not for it.
func TestShardedNamesWithSharp(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t, redistest.Options{}).Client()
	opts := ShardedOptions{Counters: new(Counters)}
	here, there := NewSharded(client, opts), NewSharded(client, ShardedOptions{})
	start := func(f adapters.Factory, nsp string) adapters.Adapter {
		a, err := f(&shardedLocal{name: nsp})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = a.Close(context.Background()) })
		return a
	}
	short, long := start(here, "/a"), start(here, "/a#b")
	fromShort, fromLong := start(there, "/a"), start(there, "/a#b")
	s := enterSharded(t, short, &shardedMember{id: "s"}, "b")
	l := enterSharded(t, long, &shardedMember{id: "l"}, "c")
	send := func(a adapters.Adapter, text string, to adapters.Target) {
		t.Helper()
		if err := a.Broadcast(shardedEvent(shardedArgs(text)), to); err != nil {
			t.Fatal(err)
		}
	}
	send(fromShort, `["short"]`, inRooms("b"))
	send(fromLong, `["long"]`, inRooms())
	redistest.Until(t, "both messages", func() bool { return len(s.events()) == 1 && len(l.events()) == 1 })
	short.Leave(s, "b")
	short.LeaveAll(s)
	if err := short.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	send(fromLong, `["again"]`, inRooms())
	redistest.Until(t, "the message of the other", func() bool { return len(l.events()) == 2 })
	if got := fmt.Sprint(s.events(), l.events()); got != `[["short"]] [["long"] ["again"]]` || opts.Counters.Stats().Poison != 0 {
		t.Errorf("got %s, %+v", got, opts.Counters.Stats())
	}
}

// TestShardedRoomOfNode: a room with the name of the node does not disturb its
// answers.
func TestShardedRoomOfNode(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t, redistest.Options{}).Client()
	opts := ShardedOptions{}
	opts.ids.node = func(string) string { return "node-a" }
	a := shardedNodes(t, client, opts, &shardedLocal{name: "/"})[0]
	b, err := NewSharded(client, ShardedOptions{})(&shardedLocal{name: "/"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close(context.Background()) })
	m := enterSharded(t, a, &shardedMember{id: "s"}, "node-a")
	if err := b.Broadcast(shardedEvent(shardedArgs(`["e"]`)), inRooms("node-a")); err != nil {
		t.Fatal(err)
	}
	redistest.Until(t, "the message", func() bool { return len(m.events()) == 1 })
	a.Leave(m, "node-a")
	enterSharded(t, b, &shardedMember{id: "far"})
	if found, err := a.Fetch(t.Context(), inRooms("far")); err != nil || len(found) != 1 {
		t.Errorf("found %v, %v", found, err)
	}
}
