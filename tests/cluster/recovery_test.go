//go:build node

package cluster

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/redistest"
	"github.com/hermod-io/hermod/tests/cluster/internal/nodes"
)

// A client whose connection was lost comes back to another node than the one it
// had been at, as the same socket, and is given exactly what it missed, whoever
// sent that.
//
// compat: option connectionStateRecovery
// compat: socket.recovered
func TestRecovery(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	list := quartet(t, r, nodes.Streams, nodes.Options{Recovery: 2 * time.Minute})
	clients := nodes.StartOfficials(t)
	for _, from := range nodes.Kinds {
		for _, to := range nodes.Kinds {
			home, target := list[from][0], list[to][1]
			t.Run(fmt.Sprintf("from %s to %s", from, to), func(t *testing.T) {
				recovery(t, clients, home, target, list[nodes.Official][0], list[nodes.Hermod][0])
			})
		}
	}
	for _, to := range nodes.Kinds {
		t.Run(fmt.Sprintf("from go, killed, to %s", to), func(t *testing.T) {
			victim := nodes.Start(t, r, nodes.Options{Kind: nodes.Hermod, Flavour: nodes.Streams, Name: "victim", Recovery: 2 * time.Minute})
			recoveryOfKilled(t, r, clients, victim, list[to][1])
		})
	}
}

// stray is a client that lost its connection.
type stray struct {
	*nodes.OfficialClient
	id, nsp string
	heard   int // events that were looked at
}

// settle connects a client to home, with rooms and data, and lets it hear a first
// event: without one official nodes cannot restore a session.
func settle(t *testing.T, clients *nodes.Officials, nsp string, home *nodes.Node) *stray {
	t.Helper()
	c := &stray{OfficialClient: clients.Dial(t, home, nsp), nsp: nsp}
	c.id = c.State(t).Connects[0].ID
	home.Do(t, "join", nodes.Q{"nsp": nsp, "id": c.id, "rooms": []string{"room", "ünï", "left"}})
	home.Do(t, "leave", nodes.Q{"nsp": nsp, "id": c.id, "rooms": []string{"left"}})
	home.Do(t, "data", nodes.Q{"nsp": nsp, "id": c.id, "data": json.RawMessage(`{"user":{"name":"ü","age":36},"list":[1,null]}`)})
	return c
}

// wantHeard waits until the client has heard an event, the last one of want, and
// compares all events since the last call, without their offsets.
func (c *stray) wantHeard(t *testing.T, want ...string) {
	t.Helper()
	c.Want(t, regexp.MustCompile(`^[^\[]*`).FindString(want[len(want)-1]))
	var got []string
	all := c.State(t).Heard
	for _, h := range all[c.heard:] {
		var args []any
		for _, raw := range h.Args {
			var v any
			if err := json.Unmarshal(raw, &v); err != nil {
				t.Fatal(err)
			}
			args = append(args, v)
		}
		if n := len(args); n == 0 || !isOffset(args[n-1]) {
			t.Errorf("the event %s %s has no offset", h.Event, nodes.JSON(t, args))
		} else {
			args = args[:n-1]
		}
		got = append(got, h.Event+nodes.JSON(t, args))
	}
	c.heard = len(all)
	if !slices.Equal(got, want) {
		t.Errorf("heard %q, want %q", got, want)
	}
}

func isOffset(v any) bool {
	s, ok := v.(string)
	return ok && regexp.MustCompile(`^\d+-\d+$`).MatchString(s)
}

// emit lets a node broadcast.
func (c *stray) emit(t *testing.T, n *nodes.Node, q nodes.Q, event, args string) {
	t.Helper()
	q["nsp"], q["event"], q["args"] = c.nsp, event, json.RawMessage(args)
	n.Do(t, "emit", q)
}

// recovery moves a client from home to target. What it misses is sent by nodes
// of both kinds in turn; each is waited for, so that there is one order.
func recovery(t *testing.T, clients *nodes.Officials, home, target, official, hermod *nodes.Node) {
	nsp := fmt.Sprintf("/recovery-%s-%s", home.Kind, target.Kind)
	members := slices.Compact([]*nodes.Node{official, hermod})
	for _, n := range []*nodes.Node{home, target} {
		if !slices.Contains(members, n) {
			members = append(members, n)
		}
	}
	nodes.Meet(t, nsp, members...)
	witness := hermod.Dial(t, nsp, nodes.ClientOptions{Name: "witness"})
	hermod.Do(t, "join", nodes.Q{"nsp": nsp, "id": witness.ID, "rooms": []string{"room", "ünï", "left", "other"}})
	c := settle(t, clients, nsp, home)
	c.emit(t, official, nodes.Q{}, "before", `["node"]`)
	witness.Want(t, "before")
	c.emit(t, hermod, nodes.Q{}, "before2", `["go"]`)
	c.wantHeard(t, `before["node"]`, `before2["go"]`)

	c.Cut(t)
	left := 0
	if home == hermod {
		left = 1 // the witness
	}
	nodes.WantSockets(t, home, nsp, left)
	missed := missedEvents(t, c, witness, official, hermod)
	c.Back(t, target)
	c.emit(t, hermod, nodes.Q{"to": []string{"room", "ünï"}}, "after", `[]`)
	c.wantHeard(t, append(missed, `after[]`)...)
	wantSame(t, c, target)
	for _, n := range members { // and it goes on
		c.emit(t, n, nodes.Q{"to": []string{"room"}}, "live of "+n.Name, `[{"$bin":"AQI="}]`)
		c.wantHeard(t, "live of "+n.Name+`[{"$bin":"AQI="}]`)
	}
	c.Leave(t)
}

// missedEvents sends what the client misses, and what it would not have heard,
// and returns the former.
func missedEvents(t *testing.T, c *stray, witness *nodes.Client, official, hermod *nodes.Node) (missed []string) {
	t.Helper()
	for i, m := range []struct {
		by   *nodes.Node
		q    nodes.Q
		args string
		mine bool
	}{
		{official, nodes.Q{}, `["all"]`, true},
		{hermod, nodes.Q{}, `["all",{"a":[1,null,"ü"]}]`, true},
		{official, nodes.Q{"to": []string{"room"}}, `[{"$bin":"AQL/"},1.5]`, true},
		{hermod, nodes.Q{"to": []string{"room", "ünï"}}, `[{"a":{"$bin":"AQL/"}}]`, true},
		{official, nodes.Q{"to": []string{"other"}}, `[]`, false},
		{hermod, nodes.Q{"to": []string{"left"}}, `[]`, false},
		{official, nodes.Q{"except": []string{"room"}}, `[]`, false},
		{hermod, nodes.Q{"except": []string{"room"}}, `[]`, false},
		{official, nodes.Q{"except": []string{"left"}}, `["not left"]`, true},
		{hermod, nodes.Q{"to": []string{"ünï"}, "except": []string{"left"}}, `["not left"]`, true},
		{official, nodes.Q{"to": []string{c.id}}, `["sid"]`, true},
		{hermod, nodes.Q{"to": []string{c.id}}, `["sid"]`, true},
		{official, nodes.Q{}, `["last"]`, true},
	} {
		event := fmt.Sprintf("missed %02d", i)
		c.emit(t, m.by, m.q, event, m.args)
		if m.mine {
			missed = append(missed, event+nodes.Canon(t, []byte(m.args)))
		}
		c.emit(t, m.by, nodes.Q{"to": []string{witness.ID}}, "then "+event, `[]`)
		witness.Want(t, "then "+event)
	}
	return missed
}

// wantSame checks that the client is the same socket as before.
func wantSame(t *testing.T, c *stray, target *nodes.Node) {
	t.Helper()
	connects := c.State(t).Connects
	if last := connects[len(connects)-1]; !last.Recovered || last.ID != c.id {
		t.Fatalf("connected again as %+v, want %s", last, c.id)
	}
	var state struct {
		Recovered bool
		Rooms     []string
		Data      json.RawMessage
	}
	target.Into(t, &state, "state", nodes.Q{"nsp": c.nsp, "id": c.id})
	slices.Sort(state.Rooms)
	want := []string{c.id, "room", "ünï"}
	slices.Sort(want)
	if !state.Recovered || !slices.Equal(state.Rooms, want) {
		t.Errorf("recovered %v, rooms %q, want %q", state.Recovered, state.Rooms, want)
	}
	if got, want := nodes.Canon(t, state.Data), `{"list":[1,null],"user":{"age":36,"name":"ü"}}`; got != want {
		t.Errorf("data %s, want %s", got, want)
	}
}

// recoveryOfKilled: a node of ours dies, and had no time to save anything.
func recoveryOfKilled(t *testing.T, r *redistest.Server, clients *nodes.Officials, victim, target *nodes.Node) {
	nsp := "/recovery-killed-" + string(target.Kind)
	nodes.Meet(t, nsp, victim, target)
	c := settle(t, clients, nsp, victim)
	c.emit(t, target, nodes.Q{}, "before", `[]`)
	c.wantHeard(t, `before[]`)
	nodes.Until(t, "the session is saved with its data", func() bool { return saved(t, r, c.id, "age") })
	victim.Kill()
	c.emit(t, target, nodes.Q{"to": []string{"room"}}, "missed", `["x"]`)
	c.emit(t, target, nodes.Q{"to": []string{"left"}}, "not mine", `["x"]`)
	c.Back(t, target)
	c.emit(t, target, nodes.Q{}, "after", `[]`)
	c.wantHeard(t, `missed["x"]`, `after[]`)
	wantSame(t, c, target)
	c.Leave(t)
}

// saved reports whether Redis has a session that holds all of the texts.
func saved(t *testing.T, r *redistest.Server, texts ...string) bool {
	t.Helper()
	client := r.Client()
	keys, err := client.Keys(t.Context(), "sio:session:*").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		value, _ := client.Get(t.Context(), key).Bytes() // it may be gone
		session, _ := base64.StdEncoding.DecodeString(string(value))
		if !slices.ContainsFunc(texts, func(text string) bool { return !bytes.Contains(session, []byte(text)) }) {
			return true
		}
	}
	return false
}
