//go:build node

package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/hermod-io/hermod/internal/proc"
	"github.com/hermod-io/hermod/internal/redistest"
	"github.com/hermod-io/hermod/tests/cluster/internal/nodes"
)

// some is how many acks are waited for before something goes on.
const some = 100

// kinds are those of the clients of a crowd, in turn; see crowd.mjs.
var kinds = []string{
	"websocket", "upgrade", "websocket", "polling", "websocket",
	"restless", "websocket", "upgrade", "websocket", "websocket",
}

// crowd is many official clients that talk and note what they hear.
type crowd struct {
	url     string
	clients int
	fenced  int // fences that were sent
}

// state is what the crowd tells of itself.
type state struct {
	Connected, Talking, Acked, Connects, Upgrades, Fresh, Repeated, Fences int
}

// voice is what one client has said and heard.
type voice struct {
	Name, Kind string
	Heard      []hearing
	Acked      []string
	Ends       []string // why its connections ended
	Fresh      int
}

// hearing is a broadcast as a client heard it.
type hearing struct {
	utterance
	text   string
	offset string
}

// UnmarshalJSON reads the arguments of the event.
func (h *hearing) UnmarshalJSON(text []byte) error {
	return json.Unmarshal(text, &[]any{&h.node, &h.number, &h.text, &h.offset})
}

// utterance names one broadcast: the node, and its number there.
type utterance struct {
	node   string
	number int
}

// setting reads a number that an environment variable may change.
func setting(t *testing.T, name string, standard int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return standard
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// gather connects a crowd to an address and lets it talk. CLUSTER_CLIENTS is how
// many there are, CLUSTER_RATE how many things they say a second.
func gather(t *testing.T, addr string) *crowd {
	t.Helper()
	c := &crowd{clients: setting(t, "CLUSTER_CLIENTS", 50)}
	pace := c.clients * 1000 / setting(t, "CLUSTER_RATE", 250)
	text, err := json.Marshal(map[string]any{"url": "http://" + addr, "clients": c.clients, "kinds": kinds, "pace": pace})
	if err != nil {
		t.Fatal(err)
	}
	p := proc.Start(t, proc.Command{Path: "node", Args: []string{filepath.Join(proc.Root(t), "tests/cluster/crowd.mjs"), string(text)}, Stdin: true})
	c.url = "http://" + p.WaitFor(`^listening (\S+)$`, nodes.Patience)[1]
	c.whole(t)
	c.tell(t, "start", nil)
	c.acked(t, some)
	return c
}

func (c *crowd) tell(t *testing.T, op string, into any) {
	t.Helper()
	client := http.Client{Timeout: nodes.Patience}
	res, err := client.Get(c.url + "/" + op)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if into == nil {
		return
	}
	if err := json.NewDecoder(res.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
}

func (c *crowd) state(t *testing.T) (s state) {
	t.Helper()
	c.tell(t, "state", &s)
	return s
}

// whole waits until all are connected.
func (c *crowd) whole(t *testing.T) {
	t.Helper()
	defer c.behind(t)
	nodes.Until(t, "all clients are connected", func() bool { return c.state(t).Connected == c.clients })
}

// acked waits until so much more was acknowledged.
func (c *crowd) acked(t *testing.T, more int) {
	t.Helper()
	goal := c.state(t).Acked + more
	nodes.Until(t, fmt.Sprintf("%d acks", goal), func() bool { return c.state(t).Acked >= goal })
}

// fence waits until all have heard something of each node.
func (c *crowd) fence(t *testing.T, list []*nodes.Node) {
	t.Helper()
	for _, n := range list {
		c.fenced++
		n.Do(t, "emit", nodes.Q{"event": "fence", "args": []int{c.fenced}})
	}
	defer c.behind(t)
	nodes.Until(t, "all have heard all nodes", func() bool { return c.state(t).Fences >= c.fenced })
}

// behind shows which clients lag, if the test has failed.
func (c *crowd) behind(t *testing.T) {
	t.Helper()
	if t.Failed() {
		var text json.RawMessage
		c.tell(t, "behind", &text)
		t.Logf("%s", text)
	}
}

// finish ends the talk, waits until all have heard what each node has sent, and
// returns what they have heard.
func (c *crowd) finish(t *testing.T, list []*nodes.Node) []voice {
	t.Helper()
	c.tell(t, "stop", nil)
	nodes.Until(t, "all are silent", func() bool { return c.state(t).Talking == 0 })
	c.whole(t)
	c.fence(t, list)
	var report []voice
	c.tell(t, "report", &report)
	return report
}

// unheard are the texts that were acknowledged and not heard by their client.
func unheard(report []voice) (list []string) {
	for _, v := range report {
		own := map[string]bool{}
		for _, h := range v.Heard {
			own[h.text] = true
		}
		for _, text := range v.Acked {
			if !own[text] {
				list = append(list, text)
			}
		}
	}
	return list
}

// written are the broadcasts that got into the stream, with their offsets: one
// each, unless the connection to Redis broke meanwhile.
type written map[utterance][]string

// truth reads the stream.
func truth(t *testing.T, r *redistest.Server) written {
	t.Helper()
	entries, err := r.Client().XRange(t.Context(), "socket.io", "-", "+").Result()
	if err != nil {
		t.Fatal(err)
	}
	all := written{}
	for _, e := range entries {
		var event struct {
			Packet struct{ Data []json.RawMessage }
		}
		text, _ := e.Values["data"].(string)
		if json.Unmarshal([]byte(text), &event) != nil || len(event.Packet.Data) < 3 || string(event.Packet.Data[0]) != `"said"` {
			continue
		}
		var u utterance
		if err := errors.Join(json.Unmarshal(event.Packet.Data[1], &u.node), json.Unmarshal(event.Packet.Data[2], &u.number)); err != nil {
			t.Fatal(err)
		}
		all[u] = append(all[u], e.ID)
	}
	return all
}

// late reports whether a broadcast was handed over before its node had it from the
// stream: then its offset is that of an earlier one. See
// cluster.Options.LogPatience.
func (w written) late(h *hearing) bool { return !slices.Contains(w[h.utterance], h.offset) }

// verdict is what check finds.
type verdict struct {
	heard, late, doubled int
}

// check looks at what all have heard: what is in the stream, in the order of each
// node, by sessions that were recovered, and once. What was late the first time may
// be heard again; of a node that was killed it need not be in the stream. Entries
// that were written twice must be among those that twice tells of.
func (c *crowd) check(t *testing.T, report []voice, w written, killed string, twice func(utterance) bool) {
	t.Helper()
	var sum verdict
	for u, offsets := range w {
		if len(offsets) > 1 && !twice(u) {
			t.Errorf("%v was written %d times", u, len(offsets))
		}
	}
	for i := range report {
		v := &report[i]
		seen := v.check(t, w, &sum)
		var missing []string
		for u := range w {
			if !seen[u] {
				missing = append(missing, fmt.Sprintf("%v at %s", u, w[u]))
			}
		}
		for u := range seen {
			if len(w[u]) == 0 && u.node != killed {
				t.Errorf("%s (%s) heard %v, which is not in the stream", v.Name, v.Kind, u)
			}
		}
		if len(missing) > 0 || v.Fresh > 0 {
			t.Errorf("%s (%s) has not heard %d of %d: %q; was not recovered %d times; ends: %q",
				v.Name, v.Kind, len(missing), len(w), missing[:min(len(missing), 5)], v.Fresh, v.Ends)
		}
	}
	s := c.state(t)
	t.Logf("%d clients, %d connections, %d upgrades, %d acknowledged, %d said again, %d in the stream, %d heard, %d late, %d twice by right",
		c.clients, s.Connects, s.Upgrades, s.Acked, s.Repeated, len(w), sum.heard, sum.late, sum.doubled)
}

// check looks at what one client has heard, and returns that.
func (v *voice) check(t *testing.T, w written, sum *verdict) map[utterance]bool {
	t.Helper()
	again := map[utterance]int{} // how often it may be heard from now on
	seen := map[utterance]bool{}
	last := map[string]int{}
	var wrong []string
	for i := range v.Heard {
		h := &v.Heard[i]
		sum.heard++
		if seen[h.utterance] {
			sum.doubled++
			if again[h.utterance]--; again[h.utterance] < 0 {
				wrong = append(wrong, fmt.Sprintf("%v again in place %d", h.utterance, i))
			}
			continue
		}
		if number, ok := last[h.node]; ok && h.number != number+1 || !ok && h.number != 0 {
			wrong = append(wrong, fmt.Sprintf("%v after %d in place %d: %v", h.utterance, number, i, v.Heard[max(i-5, 0):min(i+2, len(v.Heard))]))
		}
		seen[h.utterance], last[h.node] = true, h.number
		again[h.utterance] = len(w[h.utterance])
		if w.late(h) {
			sum.late++
		} else {
			again[h.utterance]--
		}
	}
	if len(wrong) > 0 {
		t.Errorf("%s (%s) heard %d wrong: %q; ends: %q", v.Name, v.Kind, len(wrong), wrong[:min(len(wrong), 5)], v.Ends)
	}
	return seen
}
