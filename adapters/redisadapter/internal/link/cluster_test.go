package link

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/await"
	"github.com/hermod-io/hermod/internal/redistest"
)

// On a Cluster: sharded channels of all nodes, plain ones, order for each
// channel, counts, and few connections.
func TestCluster(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t)
	l := newLink(t, c.Client(), Config{})
	const channels, each = 300, 30
	sharded, plain := make([]inbox, channels), make([]inbox, channels)
	list := names(channels)
	for i, name := range list {
		go func() { _ = l.Subscribe(await.Context(t), Sharded, sharded[i].handle, "s-"+name) }()
		go func() { _ = l.Subscribe(await.Context(t), Plain, plain[i].handle, "p-"+name) }()
	}
	redistest.Until(t, "all are confirmed", func() bool { return l.Stats().Confirmed == 2*channels })
	for i := range each {
		for _, name := range list {
			if err := l.SPublish("s-"+name, []byte(strconv.Itoa(i))); err != nil {
				t.Fatal(err)
			}
			publish(t, l.Writer, "p-"+name, strconv.Itoa(i))
		}
	}
	for i := range list {
		wantRising(t, sharded[i].await(t, each), each)
		wantRising(t, plain[i].await(t, each), each)
	}
	connections := 0
	for _, s := range c.Nodes {
		connections += strings.Count(s.Text("client", "list", "type", "pubsub"), "\n")
	}
	if connections > 3 {
		t.Errorf("%d connections for subscriptions, want at most 3", connections)
	}
	counts, err := l.NumSub(await.Context(t), Sharded, "s-channel-0", "s-channel-1", "s-none")
	if fmt.Sprint(counts) != "[1 1 0]" || err != nil {
		t.Errorf("SHARDNUMSUB: %v, %v", counts, err)
	}
	counts, err = l.NumSub(await.Context(t), Plain, "p-channel-0", "s-channel-1")
	if fmt.Sprint(counts) != "[1 0]" || err != nil {
		t.Errorf("NUMSUB: %v, %v", counts, err)
	}
	t.Run("slot moves", func(t *testing.T) { clusterMove(t, c) })
	t.Run("keys move", func(t *testing.T) { clusterAsk(t, c) })
	t.Run("node hangs and dies", func(t *testing.T) { clusterNode(t, c) })
}

// A slot goes to another node: what is published and subscribed follows, in
// order, and the gap is told.
func clusterMove(t *testing.T, c *redistest.Cluster) {
	var g gapped
	l := newLink(t, c.Client(), Config{OnGap: g.onGap})
	var in inbox
	slot := int(keySlot("{move}"))
	subscribe(t, l, Sharded, in.handle, "{move}1", "{move}2")
	publishTo := func(from, to int) {
		for i := from; i < to; i++ {
			if err := l.SPublish("{move}1", []byte(strconv.Itoa(i))); err != nil {
				t.Fatal(err)
			}
			if err := l.Append(xadd("{move}stream", strconv.Itoa(i))); err != nil {
				t.Fatal(err)
			}
		}
	}
	publishTo(0, 100)
	wantRising(t, in.await(t, 100), 100)
	answered(t, l.Writer)
	owner := c.Owner(slot)
	c.Nodes[owner].Do("del", "{move}stream")
	c.MoveSlot(slot, (owner+1)%3)
	x := g.await(t, 1)
	if !x.from.Before(x.to) {
		t.Errorf("gap from %v to %v", x.from, x.to)
	}
	publishTo(100, 300)
	answered(t, l.Writer)
	wantRising(t, in.await(t, 300), 300)
	if list := stream(t, c.Nodes[(owner+1)%3], "{move}stream"); len(list) != 200 || list[0] != "100" || list[199] != "299" {
		t.Errorf("the new owner has %d entries", len(list))
	}
	if s := l.Stats(); s.Refused != 0 || s.Dropped != 0 || s.Confirmed != 2 {
		t.Errorf("%+v: want nothing refused or dropped", s)
	}
	l.Unsubscribe(Sharded, "{move}1")
}

// A slot under way: keys that the old owner does not have are written to the
// new one, in order.
func clusterAsk(t *testing.T, c *redistest.Cluster) {
	w := newWriter(t, c.Client(), Config{})
	slot := int(keySlot("{ask}"))
	to := (c.Owner(slot) + 1) % 3
	c.Migrating(slot, to)
	for i := range 200 {
		if err := w.Append(xadd("{ask}", strconv.Itoa(i))); err != nil {
			t.Fatal(err)
		}
	}
	answered(t, w)
	c.MoveSlot(slot, to)
	wantRising(t, stream(t, c.Nodes[to], "{ask}"), 200)
	if s := w.Stats(); s.Refused != 0 || s.Dropped != 0 {
		t.Errorf("%+v: want nothing refused or dropped", s)
	}
}

// A node that hangs does not hold up the others, and what is for it arrives
// when it is back.
func clusterNode(t *testing.T, c *redistest.Cluster) {
	var g gapped
	l := newLink(t, c.Client(), Config{OnGap: g.onGap, WriteTimeout: 300 * time.Millisecond, PingInterval: 200 * time.Millisecond})
	var in [3]inbox
	var channel [3]string
	for i := 0; channel[0] == "" || channel[1] == "" || channel[2] == ""; i++ {
		name := "n" + strconv.Itoa(i)
		if k := c.Owner(int(keySlot(name))); channel[k] == "" {
			channel[k] = name
			subscribe(t, l, Sharded, in[k].handle, name)
		}
	}
	send := func(from, to int) {
		for i := from; i < to; i++ {
			for k := range 3 {
				if err := l.Append(Command{Key: channel[k], Args: []any{"SPUBLISH", channel[k], strconv.Itoa(i)}}); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	send(0, 10)
	for k := range 3 {
		in[k].await(t, 10)
	}
	c.Nodes[2].Pause()
	send(10, 20)
	for k := range 2 {
		wantRising(t, in[k].await(t, 20), 20)
	}
	c.Nodes[2].Resume()
	redistest.Until(t, "all are confirmed", func() bool { return l.Stats().Confirmed == 3 })
	answered(t, l.Writer)

	before := g.count()
	c.Nodes[1].Kill()
	redistest.Until(t, "the subscriber notices", func() bool { return l.Stats().Confirmed < 3 })
	c.Nodes[1].Restart()
	redistest.Until(t, "a gap", func() bool { return g.count() > before && l.Stats().Confirmed == 3 })
	send(20, 30)
	for k := range 3 {
		redistest.Until(t, "the last message", func() bool {
			all := in[k].all()
			return all[len(all)-1] == "29"
		})
		wantIncreasing(t, in[k].all())
	}
}

// Who subscribes at a replica is counted, as the nodes in JavaScript do whose client
// is ioredis: what it sent to them came, but nobody waited for their answers.
func TestNumSubReplica(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t)
	replica := c.AddReplica(1)
	w := newWriter(t, c.Client(), Config{})
	subs := replica.Client().Subscribe(t.Context(), "c")
	defer func() { _ = subs.Close() }()
	if _, err := subs.Receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	redistest.Until(t, "it is counted", func() bool {
		counts, err := w.NumSub(await.Context(t), Plain, "c", "none")
		return err == nil && fmt.Sprint(counts) == "[1 0]"
	})
	publish(t, w, "c", "x")
	if m, err := subs.ReceiveMessage(t.Context()); err != nil || m.Payload != "x" {
		t.Errorf("at the replica: %v, %v", m, err)
	}
	replica.Kill()
	redistest.Until(t, "it is gone, and keeps nobody from counting", func() bool {
		counts, err := w.NumSub(await.Context(t), Plain, "c")
		return err == nil && counts[0] == 0
	})
}
