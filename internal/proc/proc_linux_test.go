package proc

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// A test that is killed has no chance to stop its programs: the kernel does.
func TestKilledTestTakesItsProgramsAlong(t *testing.T) {
	p := start(t, "owner", 0)
	child, _ := strconv.Atoi(p.WaitFor(`^child (\d+)$`, long)[1])
	if err := syscall.Kill(child, 0); err != nil {
		t.Fatalf("the program does not run: %v", err)
	}
	if err := syscall.Kill(p.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	wantGone(t, child)
}

// A program that was launched is asked to end, so that it can end what it has
// started in its turn.
func TestKilledLauncherAsksItsProgramsToEnd(t *testing.T) {
	bye := filepath.Join(t.TempDir(), "bye")
	p := Start(t, Command{Path: os.Args[0], Env: []string{role + "=launcher", byeFile + "=" + bye}})
	child, _ := strconv.Atoi(p.WaitFor(`^child (\d+)$`, long)[1])
	p.WaitFor("^ready$", long)
	if err := syscall.Kill(p.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	wantGone(t, child)
	if _, err := os.Stat(bye); err != nil {
		t.Errorf("it did not end by itself: %v", err)
	}
}
