package main

// The container files are checked here without a container engine.

import (
	"bytes"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/hermod-io/hermod/server/internal/config"
)

const root = ".."

type compose struct {
	Services map[string]struct {
		Build       string            `yaml:"build"`
		Image       string            `yaml:"image"`
		Init        bool              `yaml:"init"`
		Restart     string            `yaml:"restart"`
		Grace       string            `yaml:"stop_grace_period"`
		Ports       []string          `yaml:"ports"`
		Command     []string          `yaml:"command"`
		Volumes     []string          `yaml:"volumes"`
		DependsOn   []string          `yaml:"depends_on"`
		Environment map[string]string `yaml:"environment"`
	} `yaml:"services"`
}

// The servers take every setting that the compose file gives them. They can only
// be reached by way of nginx, which has them all.
func TestCompose(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docker-compose.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var c compose
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&c); err != nil {
		t.Fatal(err)
	}
	var nodes []string
	for name, s := range c.Services {
		for _, other := range s.DependsOn {
			if _, ok := c.Services[other]; !ok {
				t.Errorf("%s depends on %s, which is not there", name, other)
			}
		}
		if s.Build == "" {
			continue
		}
		nodes = append(nodes, "server "+name+":3000;")
		if s.Build != "." || len(s.Ports) > 0 {
			t.Errorf("%s: %+v", name, s)
		}
		checkEnvironment(t, s.Environment)
	}
	if len(nodes) != 3 || c.Services["redis"].Image == "" {
		t.Errorf("the nodes are %q", nodes)
	}
	front := c.Services["nginx"]
	if !slices.Equal(front.Ports, []string{"3000:80"}) || !slices.Equal(front.Volumes, []string{"./server/deploy/nginx.conf:/etc/nginx/nginx.conf:ro"}) {
		t.Errorf("nginx: %+v", front)
	}
	checkNginx(t, nodes)
}

// checkNginx looks for the nodes and for what WebSockets and polling need in the
// configuration of nginx.
func checkNginx(t *testing.T, nodes []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "server", "deploy", "nginx.conf"))
	if err != nil {
		t.Fatal(err)
	}
	lines := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		lines[strings.Join(strings.Fields(line), " ")] = true
	}
	for _, want := range append(nodes, "listen 80;", "proxy_pass http://nodes;", "proxy_http_version 1.1;",
		"proxy_set_header Upgrade $http_upgrade;", "proxy_set_header Connection $connection_upgrade;",
		"proxy_set_header Host $http_host;", "proxy_read_timeout 75s;", "proxy_send_timeout 75s;") {
		if !lines[want] {
			t.Errorf("nginx.conf: there is no %q", want)
		}
	}
	if n := strings.Count(string(text), "{") - strings.Count(string(text), "}"); n != 0 {
		t.Errorf("nginx.conf: %d braces too many", n)
	}
}

// checkEnvironment starts from the variables alone and compares with the flags
// of the same names.
func checkEnvironment(t *testing.T, env map[string]string) {
	t.Helper()
	var args []string
	for _, k := range slices.Sorted(maps.Keys(env)) {
		name, ok := strings.CutPrefix(k, config.Prefix+"_")
		if !ok {
			t.Errorf("%s is no setting of the server", k)
			continue
		}
		args = append(args, "-"+strings.ToLower(strings.ReplaceAll(name, "_", "-"))+"="+env[k])
	}
	if _, err := config.Parse(args, io.Discard); err != nil {
		t.Errorf("%q: %v", args, err)
	}
}

// Every file the Dockerfile copies is in the tree, and every stage it copies
// from is one of its own.
func TestDockerfile(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	stages := map[string]bool{}
	env := map[string]string{}
	seen := map[string]int{}
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(line, "#") {
			continue
		}
		seen[words[0]]++
		switch words[0] {
		case "FROM":
			if len(words) == 4 && words[2] == "AS" {
				stages[words[3]] = true
			}
		case "COPY":
			checkCopy(t, stages, words[1:])
		case "ENV":
			for _, w := range words[1:] {
				k, v, _ := strings.Cut(w, "=")
				env[k] = v
			}
		}
	}
	if seen["FROM"] != 3 || seen["USER"] != 1 || seen["HEALTHCHECK"] != 1 || seen["ENTRYPOINT"] != 1 {
		t.Errorf("instructions: %v", seen)
	}
	if !strings.Contains(string(text), "COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/") {
		t.Error("the slim image has no certificates: Redis over TLS (rediss) would be refused")
	}
	checkEnvironment(t, env)
}

func checkCopy(t *testing.T, stages map[string]bool, words []string) {
	t.Helper()
	if stage, ok := strings.CutPrefix(words[0], "--from="); ok {
		if !stages[stage] {
			t.Errorf("COPY from %q, which is no stage", stage)
		}
		return
	}
	for _, src := range words[:len(words)-1] {
		if _, err := os.Stat(filepath.Join(root, src)); err != nil {
			t.Errorf("COPY: %v", err)
		}
	}
}
