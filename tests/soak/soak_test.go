//go:build node

package main

import (
	"strings"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/proc"
)

// limit bounds a run of some seconds.
const limit = 10 * time.Minute

// A short run of every kind of clients finds nothing.
func TestSmoke(t *testing.T) {
	p := proc.Start(t, proc.Command{Path: proc.Build(t, "./tests/soak"), Dir: proc.Root(t),
		Args: []string{"-clients", "50", "-duration", "20s", "-cuts", "6s", "-window", "15s"}})
	if code := p.Wait(limit); code != 0 {
		t.Errorf("exit status %d", code)
	}
	t.Log(p.Output())
	if !strings.Contains(p.Output(), "violations: 0") {
		t.Error("it did not come to its end")
	}
}

// A server that loses one broadcast in three is found out.
func TestPlantedLossIsFound(t *testing.T) {
	p := proc.Start(t, proc.Command{Path: proc.Build(t, "./tests/soak"), Dir: proc.Root(t),
		Args: []string{"-clients", "20", "-duration", "5m", "-window", "15s", "-plant", "3"}})
	if code := p.Wait(limit); code != 1 {
		t.Errorf("exit status %d, want 1", code)
	}
	if out := p.Output(); !strings.Contains(out, "VIOLATION (seed ") || !strings.Contains(out, ": lost ") {
		t.Errorf("no violation: %s", out)
	}
}
