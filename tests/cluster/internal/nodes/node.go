package nodes

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/proc"
	"github.com/hermod-io/hermod/internal/redistest"
)

// Patience bounds every wait; it is only reached when something is wrong.
const Patience = time.Minute

// gonode is the program of Hermod's nodes, which Main has built.
var gonode string

// Main is the TestMain of tests with nodes: it builds the program of Hermod's
// nodes, runs the tests and returns their status.
func Main(m *testing.M) int {
	dir, err := os.MkdirTemp("", "nodes-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	gonode = filepath.Join(dir, "gonode")
	cmd := exec.Command("go", "build", "-o", gonode, "github.com/hermod-io/hermod/tests/cluster/gonode")
	if os.Getenv("CLUSTER_RACE") != "" {
		cmd.Args = append(cmd.Args[:2:2], append([]string{"-race"}, cmd.Args[2:]...)...)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "nodes: go build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// Node is a server in a process of its own, which ends with the test that
// started it. Methods that are given a test fail that one.
type Node struct {
	Options
	// Redis is what stands between the node and Redis, nil unless Proxied.
	Redis *redistest.Proxy
	// URL is where clients connect to.
	URL     string
	process *proc.Process
}

// Start starts a node and waits until it serves. Its adapters may not hear one
// another yet: see Meet.
func Start(t testing.TB, r *redistest.Server, o Options) *Node {
	t.Helper()
	return launch(t, r, o)()
}

// StartAll starts several at once.
func StartAll(t testing.TB, r *redistest.Server, all ...Options) []*Node {
	t.Helper()
	var ready []func() *Node
	for _, o := range all {
		ready = append(ready, launch(t, r, o))
	}
	var list []*Node
	for _, wait := range ready {
		list = append(list, wait())
	}
	return list
}

// launch starts a node and returns what waits until it serves.
func launch(t testing.TB, r *redistest.Server, o Options) func() *Node {
	t.Helper()
	o.Name = cmp.Or(o.Name, string(o.Kind))
	o.Client = cmp.Or(o.Client, "ioredis")
	n := &Node{Options: o}
	addr := r.Addr()
	if o.Proxied {
		n.Redis = redistest.NewProxy(t, addr)
		addr = n.Redis.Addr()
	}
	text, err := json.Marshal(o.wire(addr))
	if err != nil {
		t.Fatal(err)
	}
	c := proc.Command{Path: gonode, Args: []string{string(text)}, Env: []string{"GORACE=halt_on_error=1"}, Stdin: true}
	if o.Kind == Official {
		c.Path = "node"
		c.Args = []string{filepath.Join(proc.Root(t), "tests/cluster/node.mjs"), string(text)}
	}
	n.process = proc.Start(t, c)
	return func() *Node {
		t.Helper()
		n.URL = "http://" + n.process.WaitFor(`^listening (\S+)$`, Patience)[1]
		return n
	}
}

// Kill ends the node at once (SIGKILL).
func (n *Node) Kill() { n.process.Kill() }

// Stop asks the node to end (SIGTERM), waits until it has, and returns its
// status.
func (n *Node) Stop() int { return n.process.Stop() }

// Output is what the node wrote.
func (n *Node) Output() string { return n.process.Output() }

// PID is the process id.
func (n *Node) PID() int { return n.process.PID() }

// Q are the fields of a request to a node.
type Q map[string]any

// Do makes the node do something and returns the answer; an error fails the
// test.
func (n *Node) Do(t testing.TB, op string, q Q) json.RawMessage {
	t.Helper()
	out, err := n.Try(op, q)
	if err != nil {
		t.Fatalf("%s of the node %s: %v", op, n.Name, err)
	}
	return out
}

// Into is Do that decodes the answer into v, a pointer.
func (n *Node) Into(t testing.TB, v any, op string, q Q) {
	t.Helper()
	text := n.Do(t, op, q)
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatalf("%s of the node %s: %v in %s", op, n.Name, err, text)
	}
}

// caller makes a connection for each request, as nodes end and freeze.
var caller = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: Patience}

// Try is Do that returns the error. It may be called from any goroutine.
func (n *Node) Try(op string, q Q) (json.RawMessage, error) {
	body, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	res, err := caller.Post(n.URL+"/_app/"+op, "application/json", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		var failed struct{ Error string }
		if err := json.Unmarshal(text, &failed); err != nil || failed.Error == "" {
			return nil, fmt.Errorf("status %d: %s", res.StatusCode, text)
		}
		return nil, errors.New(failed.Error)
	}
	return text, nil
}

// Pending is an operation that runs.
type Pending struct {
	done chan struct{}
	text json.RawMessage
	err  error
}

// Begin is Try that does not wait.
func (n *Node) Begin(op string, q Q) *Pending {
	p := &Pending{done: make(chan struct{})}
	go func() {
		p.text, p.err = n.Try(op, q)
		close(p.done)
	}()
	return p
}

// Wait waits for the answer, within Patience.
func (p *Pending) Wait() (json.RawMessage, error) {
	<-p.done
	return p.text, p.err
}

// Done is closed when the answer is there.
func (p *Pending) Done() <-chan struct{} { return p.done }

// Replies are the answer to an operation that collects acks.
type Replies struct {
	Replies []json.RawMessage
	Error   string // "" when all came
	// Nodes is how many nodes are missing, as those of Hermod say in a
	// *PartialError; -1 is another error.
	Nodes int
}

// Collect decodes the answer to an operation that collects acks.
func Collect(t testing.TB, text json.RawMessage) Replies {
	t.Helper()
	var r Replies
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return r
}
