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
		Environment map[string]string `yaml:"environment"`
	} `yaml:"services"`
}

// The server takes every setting that the compose file gives it, and the port
// that is published is the one it listens on.
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
	s, ok := c.Services["hermod"]
	if !ok || s.Build != "." {
		t.Fatalf("no service hermod that is built here: %+v", c.Services)
	}
	if !slices.Equal(s.Ports, []string{"3000:3000"}) {
		t.Errorf("ports %q", s.Ports)
	}
	checkEnvironment(t, s.Environment)
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
		args = append(args, "-"+strings.ToLower(strings.ReplaceAll(name, "_", "-")), env[k])
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
