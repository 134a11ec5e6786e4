//go:build node

package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/hermod-io/hermod/internal/proc"
)

// Official clients talk through nginx to three nodes, without sticky sessions: what
// each says all others hear once, in order. A node is killed meanwhile; its clients
// come back.
func TestOfficialClients(t *testing.T) {
	t.Parallel()
	r := launch(t, proc.Root(t))
	c := newClients(t, r, 12)
	c.spread(t)
	if !c.round(t, 1) {
		t.Error("clients were disconnected")
	}
	c.file(t)
	for _, q := range r.requests(t) {
		if q.status >= 400 && q.status != 499 {
			t.Errorf("nginx answered %+v", q)
		}
	}

	victim := "hermod2"
	id := nodeID(t, r.addrs[victim])
	before := c.states(t)
	c.tell(t, nil, "talk", "round", "2", "texts", "0", "pace", "500")
	c.moreAcked(t, 2*c.n)
	if err := syscall.Kill(r.pid(victim), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	r.WaitFor(`^hermod2 has ended \(signal: killed\); it is started again$`, patience)
	c.allIn(t, id)
	c.moreAcked(t, 2*c.n)
	c.tell(t, nil, "stop")
	c.silent(t)
	last := 3
	for after := c.states(t); !c.round(t, last); after = c.states(t) {
		if last++; last > 10 {
			t.Fatalf("clients are disconnected again and again: %+v", after)
		}
		c.allIn(t, id)
	}
	c.through(t, before, 2)
	until(t, "the node that was killed is back", func() bool { return answers(t.Context(), r.addrs[victim]) })
	c.answers(t, victim)

	pids := r.pids()
	r.Signal(syscall.SIGTERM)
	r.ended(t, pids)
}

// spread checks that there are clients on all nodes.
func (c *clients) spread(t *testing.T) {
	t.Helper()
	count := map[string]int{}
	for _, s := range c.states(t) {
		count[s.Node]++
	}
	t.Logf("clients by node: %v", count)
	for _, name := range []string{"hermod1", "hermod2", "hermod3"} {
		if count[nodeID(t, c.addrs[name])] == 0 {
			t.Errorf("no client is on %s", name)
		}
	}
}

// nodeID is what the sessions of a node have in their ids; see
// docs/adr/0004-any-node.md.
func nodeID(t *testing.T, addr string) string {
	t.Helper()
	res, err := http.Get("http://" + addr + "/socket.io/?EIO=4&transport=polling")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var open struct{ SID string }
	if err := json.Unmarshal([]byte(strings.TrimPrefix(string(body), "0")), &open); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	sid, err := base64.RawURLEncoding.DecodeString(open.SID)
	if err != nil || len(sid) != 15 {
		t.Fatalf("the sid %q: %v", open.SID, err)
	}
	return hex.EncodeToString(sid[:4])
}

// through checks what was heard in a round in which a node was killed: of each
// client that was always connected all others that were so heard everything, once;
// of the rest what was heard is in order, and nothing comes twice but what was
// said again.
func (c *clients) through(t *testing.T, before []state, round int) {
	t.Helper()
	report, now := c.report(t), c.states(t)
	steady := func(i int) bool { return now[i].Losses == before[i].Losses }
	pairs := 0
	for i, v := range report {
		for j, from := range report {
			if i == j || !steady(i) {
				continue
			}
			got := v.of(from.Name, round)
			if steady(j) {
				pairs++
				if want := upTo(len(numbers(from.Acked, round))); !slices.Equal(got, want) {
					t.Errorf("%s heard %v of %s, who was there all the time", v.Name, got, from.Name)
				}
				continue
			}
			again := numbers(from.Again, round)
			got = slices.CompactFunc(got, func(a, b int) bool { return a == b && slices.Contains(again, a) })
			for k := 1; k < len(got); k++ {
				if got[k] <= got[k-1] {
					t.Errorf("%s heard %v of %s, who said %v again", v.Name, got, from.Name, again)
					break
				}
			}
		}
	}
	lost := total(now, losses) - total(before, losses)
	t.Logf("%d connections were lost; %d pairs of clients were there all the time", lost, pairs)
	if lost == 0 || pairs == 0 {
		t.Error("nobody was hurt by the death of a node, or everybody")
	}
}

// request is a line of the access log of nginx.
type request struct {
	status int
	nodes  string // that were asked
	what   string // such as "GET /socket.io/"
}

var logged = regexp.MustCompile(`(?m)^\S+ (\d+) \[(.*?)\] \[.*?\] \S+ "(.*)"$`)

func (r *running) requests(t *testing.T) (list []request) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(r.dir, accessLog))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range logged.FindAllStringSubmatch(string(text), -1) {
		status, _ := strconv.Atoi(m[1])
		list = append(list, request{status, m[2], m[3]})
	}
	return list
}

var sidOf = regexp.MustCompile(`[?&]sid=([\w-]+)`)

// answers looks at what nginx has answered: errors of servers come from the node
// that was killed alone, and the requests of one session went to all nodes.
func (c *clients) answers(t *testing.T, victim string) {
	t.Helper()
	asked := map[string]map[string]bool{}
	most := 0
	for _, q := range c.requests(t) {
		if q.status >= 500 && !strings.Contains(q.nodes, c.addrs[victim]) {
			t.Errorf("nginx answered %+v", q)
		}
		if m := sidOf.FindStringSubmatch(q.what); m != nil {
			if asked[m[1]] == nil {
				asked[m[1]] = map[string]bool{}
			}
			asked[m[1]][q.nodes] = true
			most = max(most, len(asked[m[1]]))
		}
	}
	if len(asked) < c.n/2 || most < 3 {
		t.Errorf("%d sessions asked for more, one of them asked %d nodes", len(asked), most)
	}
}
