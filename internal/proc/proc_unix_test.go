//go:build unix

package proc

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

var terminate = []os.Signal{syscall.SIGTERM}

const cleanStatus = 0

func TestStubbornProgramIsKilled(t *testing.T) {
	var status int
	got := failing(t, func(t testing.TB) {
		p := start(t, "stubborn", 100*time.Millisecond)
		p.WaitFor("^ready$", long)
		status = p.Stop()
	})
	if status != -1 || !strings.Contains(got, "was killed") {
		t.Errorf("status %d: %s", status, got)
	}
}

// A child of the program ends with it, although nobody told it to.
func TestChildrenEnd(t *testing.T) {
	p := start(t, "parent", 0)
	child, _ := strconv.Atoi(p.WaitFor(`^child (\d+)$`, long)[1])
	p.Wait(long)
	if err := syscall.Kill(child, 0); err != nil {
		t.Fatalf("the child did not outlive its parent: %v", err)
	}
	p.Stop()
	wantGone(t, child)
}

// wantGone waits for a process to end, or to wait as a zombie for whoever
// reaps orphans here.
func wantGone(t *testing.T, pid int) {
	t.Helper()
	gone := func() bool {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		return syscall.Kill(pid, 0) != nil || err == nil && strings.Contains(string(stat), ") Z ")
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(long); !gone(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatal("the child lives on")
		}
	}
}

func TestPause(t *testing.T) {
	p := start(t, "server", 0)
	p.WaitFor("^ready$", long)
	p.Pause()
	p.Signal(syscall.SIGTERM)
	if p.endedWithin(200 * time.Millisecond) {
		t.Fatal("a paused program ended")
	}
	p.Resume()
	if status := p.Wait(long); status != cleanStatus {
		t.Fatalf("ended with %d", status)
	}
}

// A program that the test left paused is woken and stopped with the test.
func TestPausedProgramEnds(t *testing.T) {
	var p *Process
	if got := failing(t, func(t testing.TB) {
		p = start(t, "server", 0)
		p.WaitFor("^ready$", long)
		p.Pause()
	}); got != "" {
		t.Fatal(got)
	}
	if status := p.Wait(long); status != cleanStatus {
		t.Fatalf("ended with %d", status)
	}
}

// A program that is no test starts and ends one in the same way.
func TestLaunch(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), role+"=server")
	out := newOutput()
	cmd.Stdout, cmd.Stderr = out, out
	c, err := Launch(cmd)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := out.waitFor("^ready$", long); err != nil {
		t.Error(err)
	}
	if !c.End(long) || !c.State().Success() || !strings.Contains(out.String(), "bye") {
		t.Errorf("it ended with %v: %s", c.State(), out)
	}
	if !c.End(long) {
		t.Error("it has ended, and is killed")
	}
	if _, err := Launch(exec.Command(filepath.Join(t.TempDir(), "absent"))); err == nil {
		t.Error("what is not there was started")
	}
}
