package nodes

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/hermod-io/hermod/internal/proc"
)

// Officials is a process with official clients (npm socket.io-client), each in
// one namespace. They do not connect again by themselves.
type Officials struct {
	program Node
	serial  int
}

// StartOfficials starts the process, which ends with the test.
func StartOfficials(t testing.TB) *Officials {
	t.Helper()
	o := &Officials{program: Node{Options: Options{Name: "clients"}}}
	o.program.process = proc.Start(t, proc.Command{
		Path: "node", Args: []string{filepath.Join(proc.Root(t), "tests/cluster/clients.mjs")}, Stdin: true,
	})
	o.program.URL = "http://" + o.program.process.WaitFor(`^listening (\S+)$`, Patience)[1]
	return o
}

// OfficialClient is one of the clients.
type OfficialClient struct {
	all *Officials
	id  int
}

// OfficialState is what a client has seen: all of it since it was made.
type OfficialState struct {
	Heard []struct {
		Event string
		Args  []json.RawMessage
	}
	Connects []struct {
		ID        string
		Recovered bool
	}
	Connected bool
	Error     string // of the last attempt to connect that failed
}

// Dial connects a client to a node and waits until it is.
func (o *Officials) Dial(t testing.TB, n *Node, nsp string) *OfficialClient {
	t.Helper()
	o.serial++
	c := &OfficialClient{o, o.serial}
	o.program.Do(t, "open", Q{"id": c.id, "url": n.URL, "nsp": nsp})
	c.WantConnects(t, 1)
	return c
}

// State returns what the client has seen.
func (c *OfficialClient) State(t testing.TB) OfficialState {
	t.Helper()
	var s OfficialState
	c.all.program.Into(t, &s, "state", Q{"id": c.id})
	return s
}

// Cut ends the connection without a word, as when the network fails.
func (c *OfficialClient) Cut(t testing.TB) {
	t.Helper()
	c.all.program.Do(t, "cut", Q{"id": c.id})
}

// Back connects to a node, with the session that the client had, and waits until
// it has connected.
func (c *OfficialClient) Back(t testing.TB, n *Node) {
	t.Helper()
	count := len(c.State(t).Connects)
	c.all.program.Do(t, "back", Q{"id": c.id, "url": n.URL})
	c.WantConnects(t, count+1)
}

// Leave disconnects on purpose.
func (c *OfficialClient) Leave(t testing.TB) {
	t.Helper()
	c.all.program.Do(t, "leave", Q{"id": c.id})
}

// WantConnects waits until the client has connected so many times.
func (c *OfficialClient) WantConnects(t testing.TB, count int) {
	t.Helper()
	Until(t, fmt.Sprintf("client %d has connected %d times", c.id, count), func() bool {
		s := c.State(t)
		return len(s.Connects) >= count && s.Connected
	})
}

// Want waits until the client has heard an event.
func (c *OfficialClient) Want(t testing.TB, event string) {
	t.Helper()
	Until(t, fmt.Sprintf("client %d has heard %q", c.id, event), func() bool {
		for _, h := range c.State(t).Heard {
			if h.Event == event {
				return true
			}
		}
		return false
	})
}
