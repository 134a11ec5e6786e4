package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hermod-io/hermod/internal/proc"
)

// deployed is the configuration of the compose setup and its nodes, at addresses
// of this machine.
func deployed(t *testing.T) (text string, nodes []*service) {
	t.Helper()
	root := proc.Root(t)
	c, err := readCompose(root)
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range c.nodes() {
		nodes = append(nodes, &service{name: name, addr: "127.0.0.1:400" + string(rune('0'+i))})
	}
	b, err := os.ReadFile(filepath.Join(root, "server", "deploy", "nginx.conf"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b), nodes
}

// Only the nodes, the port and the paths differ from what is deployed.
func TestConfigure(t *testing.T) {
	text, nodes := deployed(t)
	ours, err := configure(text, nodes, "127.0.0.1:3000", "/tmp/x")
	if err != nil {
		t.Fatal(err)
	}
	before, after := strings.Split(text, "\n"), strings.Split(ours, "\n")
	gone := slices.DeleteFunc(slices.Clone(before), func(l string) bool { return slices.Contains(after, l) })
	come := slices.DeleteFunc(slices.Clone(after), func(l string) bool { return slices.Contains(before, l) })
	for _, list := range []*[]string{&gone, &come} {
		for i, l := range *list {
			(*list)[i] = strings.TrimSpace(l)
		}
	}
	if want := []string{"server hermod1:3000;", "server hermod2:3000;", "server hermod3:3000;", "listen 80;"}; !slices.Equal(gone, want) {
		t.Errorf("gone are %q", gone)
	}
	if want := []string{"server 127.0.0.1:4000;", "server 127.0.0.1:4001;", "server 127.0.0.1:4002;", "listen 127.0.0.1:3000;"}; !slices.Equal(come[len(come)-4:], want) {
		t.Errorf("instead there are %q", come[len(come)-4:])
	}
	for _, l := range come[:len(come)-4] {
		if !strings.HasPrefix(l, "log_format ") && !strings.Contains(l, ` "/tmp/x/`) {
			t.Errorf("added: %q", l)
		}
	}
}

// What does not fit the compose file is an error.
func TestConfigureRefuses(t *testing.T) {
	text, nodes := deployed(t)
	for what, c := range map[string]struct {
		text  string
		nodes []*service
	}{
		"a node that the file has not": {text, append(slices.Clone(nodes), &service{name: "hermod4"})},
		"a node too many in the file":  {text, nodes[1:]},
		"no port to replace":           {strings.Replace(text, "listen 80;", "listen 81;", 1), nodes},
	} {
		if _, err := configure(c.text, c.nodes, "127.0.0.1:3000", "/tmp/x"); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

// The nodes get what the compose file sets, but for the address of Redis and the
// key.
func TestEnvironment(t *testing.T) {
	c, err := readCompose(proc.Root(t))
	if err != nil {
		t.Fatal(err)
	}
	if got := c.nodes(); !slices.Equal(got, []string{"hermod1", "hermod2", "hermod3"}) {
		t.Errorf("the nodes are %q", got)
	}
	env, err := c.environment("hermod2", "127.0.0.1:7", "secret")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"HERMOD_ADAPTER=redis", "HERMOD_SESSIONS_ANYWHERE=true", "HERMOD_REDIS_URL=redis://127.0.0.1:7", "HERMOD_CLUSTER_KEY=secret"} {
		if !slices.Contains(env, want) {
			t.Errorf("no %s in %q", want, env)
		}
	}
	c.Services["hermod2"].Environment["HERMOD_OTHER"] = "${OTHER}"
	if _, err := c.environment("hermod2", "127.0.0.1:7", "secret"); err == nil {
		t.Error("what is left to the environment is passed on")
	}
}
