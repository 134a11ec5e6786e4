//go:build node

package cluster

import (
	"fmt"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/redistest"
	"github.com/hermod-io/hermod/tests/cluster/internal/nodes"
)

// A node that is not patient with Redis serves its clients before what it sends is
// back from the stream. Who loses the node after that, with nothing heard in
// between, hears it again; from a patient node all is heard once, and later.
func TestLogPatience(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	clients := nodes.StartOfficials(t)
	for _, c := range []struct {
		patience time.Duration
		heard    int
	}{{0, 2}, {nodes.Patience, 1}} {
		t.Run(fmt.Sprintf("%v", c.patience), func(t *testing.T) {
			if got := lastWords(t, r, clients, c.patience); got != c.heard {
				t.Errorf("heard %d times, want %d", got, c.heard)
			}
		})
	}
}

// lastWords is how often a client hears what its node sends before it is killed,
// when Redis is slow for that node.
func lastWords(t *testing.T, r *redistest.Server, clients *nodes.Officials, patience time.Duration) (heard int) {
	t.Helper()
	nsp := "/patience-" + patience.String()
	list := nodes.StartAll(t, r,
		nodes.Options{Kind: nodes.Hermod, Flavour: nodes.Streams, Name: "victim", Recovery: 2 * time.Minute, LogPatience: patience, Proxied: true},
		nodes.Options{Kind: nodes.Hermod, Flavour: nodes.Streams, Name: "other", Recovery: 2 * time.Minute})
	victim, other := list[0], list[1]
	nodes.Meet(t, nsp, victim, other)
	c, witness := clients.Dial(t, victim, nsp), other.Dial(t, nsp, nodes.ClientOptions{Name: "witness"})
	victim.Do(t, "emit", nodes.Q{"nsp": nsp, "event": "first"})
	c.Want(t, "first")
	id := c.State(t).Connects[0].ID
	nodes.Until(t, "the session is saved", func() bool { return saved(t, r, id) })

	victim.Redis.Delay(500 * time.Millisecond)
	victim.Do(t, "emit", nodes.Q{"nsp": nsp, "event": "last"})
	witness.Want(t, "last") // it is in the stream
	if patience == 0 {
		c.Want(t, "last")
	}
	victim.Kill()
	c.Back(t, other)
	other.Do(t, "emit", nodes.Q{"nsp": nsp, "event": "after"})
	c.Want(t, "after")
	state := c.State(t)
	if last := state.Connects[len(state.Connects)-1]; !last.Recovered || last.ID != id {
		t.Errorf("connected again as %+v, want %s", last, id)
	}
	for _, h := range state.Heard {
		if h.Event == "last" {
			heard++
		}
	}
	return heard
}
