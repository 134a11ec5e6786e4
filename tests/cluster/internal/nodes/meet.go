package nodes

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// private begins the names of the harness' own events.
const private = "$"

// serial makes the names of events.
var serial atomic.Int64

func unique(what string) string { return fmt.Sprintf("%s%s-%d", private, what, serial.Add(1)) }

// Meet opens a namespace on the nodes and waits until each hears all others:
// requests, their answers, and broadcasts. With one of OldStreams among them it
// is broadcasts alone.
func Meet(t testing.TB, nsp string, all ...*Node) {
	t.Helper()
	for _, n := range all {
		n.Do(t, "namespace", Q{"nsp": nsp})
	}
	requests := !slices.ContainsFunc(all, func(n *Node) bool { return n.Flavour == OldStreams })
	for _, n := range all {
		if !requests {
			break
		}
		Until(t, fmt.Sprintf("%s has the answers of %d others in %s", n.Name, len(all)-1, nsp), func() bool {
			var r Replies
			text, err := n.Try("server-side-emit-ack", Q{"nsp": nsp, "event": "ask", "args": []any{}})
			return err == nil && json.Unmarshal(text, &r) == nil && r.Error == "" && len(r.Replies) == len(all)-1
		})
	}
	clients := make([]*Client, len(all))
	for i, n := range all {
		clients[i] = n.Dial(t, nsp, ClientOptions{Name: "meeting " + n.Name})
	}
	for _, n := range all {
		Reach(t, n, Q{"nsp": nsp}, clients...)
	}
	for _, c := range clients {
		c.Close()
	}
	for _, n := range all {
		WantSockets(t, n, nsp, 0)
	}
}

// Reach waits until what a node broadcasts, to whom q says, reaches the clients;
// an official node does not tell when its subscription to a room is confirmed.
func Reach(t testing.TB, n *Node, q Q, clients ...*Client) {
	t.Helper()
	request := maps.Clone(q)
	request["event"] = unique("reach")
	end := time.Now().Add(Patience)
	for _, c := range clients {
		for !c.hears(request["event"].(string), 1, time.Now()) {
			if time.Now().After(end) {
				t.Fatalf("what %s sends to %v does not reach the client %s", n.Name, q, c.Name)
			}
			n.Do(t, "emit", request)
			c.hears(request["event"].(string), 1, time.Now().Add(20*time.Millisecond))
		}
	}
	Fence(t, n, q["nsp"], clients...)
}

// Fence lets a node broadcast to all of a namespace and waits until the clients
// have heard that, and so all that the node has broadcast before.
func Fence(t testing.TB, n *Node, nsp any, clients ...*Client) {
	t.Helper()
	q := Q{}
	if nsp != nil {
		q["nsp"] = nsp
	}
	FenceBy(t, n, q, clients...)
}

// FenceBy is Fence with more fields of the request, such as "emitter".
func FenceBy(t testing.TB, n *Node, q Q, clients ...*Client) {
	t.Helper()
	request := maps.Clone(q)
	event := unique("fence")
	request["event"] = event
	n.Do(t, "emit", request)
	for _, c := range clients {
		c.Want(t, event)
	}
}

// WantSockets waits until a node has so many sockets of its own in a namespace.
func WantSockets(t testing.TB, n *Node, nsp string, count int) {
	t.Helper()
	Until(t, fmt.Sprintf("%s has %d sockets in %s", n.Name, count, nsp), func() bool {
		var ids []string
		n.Into(t, &ids, "sockets", Q{"nsp": nsp})
		return len(ids) == count
	})
}

// Until waits for a condition, looked at again and again; what is its name for
// the failure of the test.
func Until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	end := time.Now().Add(Patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", Patience, what)
		}
		<-tick.C
	}
}
