package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// patience is how long all may take to be ready.
const patience = time.Minute

// topology is what runs. It belongs to the goroutine of run.
type topology struct {
	options
	compose *compose
	dir     string // of all files, which goes at the end
	out     *console
	list    []*service // Redis, the nodes, nginx
}

// run starts everything, says so, waits for the end of ctx, and ends everything.
func run(ctx context.Context, o options, out io.Writer) (err error) {
	t := &topology{options: o, out: &console{w: out}}
	if t.root, err = filepath.Abs(o.root); err != nil {
		return err
	}
	if t.server, err = filepath.Abs(o.server); err != nil {
		return err
	}
	if t.compose, err = readCompose(t.root); err != nil {
		return err
	}
	if t.dir, err = os.MkdirTemp("", "hermod-cluster-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(t.dir)) }()
	// Started by root nginx serves as another user, who has to get at its files.
	if err := os.Chmod(t.dir, 0o711); err != nil {
		return err
	}
	if err := t.plan(); err != nil {
		return err
	}
	return t.serve(ctx)
}

// plan makes the list of services.
func (t *topology) plan() error {
	names := t.compose.nodes()
	addrs, err := addresses(t.addr, 1+len(names))
	if err != nil {
		return err
	}
	front, redis := addrs[0], addrs[1]
	r, err := t.redis(redis)
	if err != nil {
		return err
	}
	var nodes []*service
	key := rand.Text()
	for i, name := range names {
		n, err := t.node(name, addrs[2+i], redis, key)
		if err != nil {
			return err
		}
		nodes = append(nodes, n)
	}
	x, err := t.nginx(nodes, front)
	if err != nil {
		return err
	}
	t.list = slices.Concat([]*service{r}, nodes, []*service{x})
	return nil
}

// addresses returns the one that is wanted, its port chosen if that is 0, and n
// more on the loopback interface. All are free at this moment.
func addresses(front string, n int) (list []string, err error) {
	for i := range 1 + n {
		addr := "127.0.0.1:0"
		if i == 0 {
			addr = front
		}
		l, err := net.Listen("tcp", addr)
		if err != nil {
			return nil, err
		}
		defer func() { _ = l.Close() }() // not before all are chosen
		addr = l.Addr().String()
		if host, port, err := net.SplitHostPort(addr); err == nil && net.ParseIP(host).IsUnspecified() {
			addr = "*:" + port
		}
		list = append(list, addr)
	}
	return list, nil
}

func (t *topology) redis(addr string) (*service, error) {
	command := t.compose.Services["redis"].Command
	path, err := lookPath(command[0], "")
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	args := append(slices.Clone(command[1:]), "--bind", host, "--port", port, "--dir", t.dir, "--loglevel", "warning")
	return t.service("redis", addr, func() *exec.Cmd { return exec.Command(path, args...) }), nil
}

func (t *topology) node(name, addr, redis, key string) (*service, error) {
	path, err := exec.LookPath(t.server)
	if err != nil {
		return nil, err
	}
	settings, err := t.compose.environment(name, redis, key)
	if err != nil {
		return nil, err
	}
	env := slices.DeleteFunc(os.Environ(), func(kv string) bool { return strings.HasPrefix(kv, "HERMOD_") })
	env = append(env, "HERMOD_ADDR="+addr, "HERMOD_CLIENT_DIR="+filepath.Join(t.root, "server", "web", "dist"), "HERMOD_LOG_FORMAT=text")
	env = append(env, settings...)
	return t.service(name, addr, func() *exec.Cmd {
		cmd := exec.Command(path)
		cmd.Dir, cmd.Env = t.dir, env
		return cmd
	}), nil
}

// serve starts the services, and ends them in the reverse order.
func (t *topology) serve(ctx context.Context) error {
	t.out.say("configuration and access log of nginx: %s", t.dir)
	failed, ready := make(chan error), make(chan struct{})
	for _, s := range t.list {
		s.start(failed, ready)
	}
	defer func() {
		for _, s := range slices.Backward(t.list) {
			s.stop()
		}
	}()
	if err := t.await(ctx, failed); err != nil {
		return err
	}
	close(ready)
	if ctx.Err() == nil {
		t.out.say("ready: open %s; ctrl-C ends it", t.url())
	}
	<-ctx.Done()
	return nil
}

// url is where a browser on this machine finds nginx.
func (t *topology) url() string {
	front := t.list[len(t.list)-1].addr
	host, port, _ := net.SplitHostPort(front) // it was made by net
	if host == "*" || net.ParseIP(host).IsLoopback() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// await waits until all nodes serve, and nginx with them, or ctx ends. That one of
// the programs ends is an error.
func (t *topology) await(ctx context.Context, failed <-chan error) error {
	limit := time.NewTimer(patience)
	defer limit.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for _, s := range t.list[1:] {
		for !answers(ctx, strings.Replace(s.addr, "*:", "127.0.0.1:", 1)) {
			select {
			case <-ctx.Done():
				return nil
			case err := <-failed:
				return err
			case <-limit.C:
				return fmt.Errorf("%s is not ready after %v", s.name, patience)
			case <-tick.C:
			}
		}
	}
	return nil
}

// answers reports whether a node, or one behind nginx, is ready.
func answers(ctx context.Context, addr string) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/readyz", nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(q)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}
