package main

import (
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// program builds the server.
func program(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "server")
	if out, err := exec.Command("go", "build", "-o", file, "../server").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return file
}

// Every measurement runs with every server, all messages are checked, and there
// is a figure for each.
func TestMeasurementsRun(t *testing.T) {
	p := plan{
		program: program(t), libs: []string{"hermod", "gws", "coder"}, profiles: t.TempDir(),
		rounds: 1, idleRounds: 1, slice: 10 * time.Millisecond,
		echoConns: 3, fanConns: 20, fans: 2, idleConns: 20, deflateConns: 10,
	}
	if err := p.run(); err != nil {
		t.Fatal(err)
	}
	if files, _ := filepath.Glob(filepath.Join(p.profiles, "*.pprof")); len(files) != 18 {
		t.Errorf("profiles: %q, want 6 of each server", files)
	}
}

func TestWorkIsCounted(t *testing.T) {
	s, err := start(program(t), "hermod", "off", false)
	if err != nil {
		t.Fatal(err)
	}
	defer s.stop()
	conns, err := dialAll(s.addr, "/fan", 4, false)
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll(conns)
	q, err := newPoll(conns)
	if err != nil {
		t.Fatal(err)
	}
	defer q.close()
	if n, err := fan(q, newMessage(200), 3); n != 12 || err != nil {
		t.Errorf("%d deliveries, %v; want 12", n, err)
	}
	if cost, err := (loaded{s, q}).cost(func(q *poll) (int, error) { return fan(q, newMessage(200), 1) }); cost <= 0 || err != nil {
		t.Errorf("a delivery costs %v µs, %v", cost, err)
	}
}
