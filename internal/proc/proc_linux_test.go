package proc

import (
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
