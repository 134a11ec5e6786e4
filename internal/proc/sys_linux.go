package proc

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// setSystem gives the program a group of its own. It ends with this one, even if
// that is killed: by SIGKILL, or by being asked to.
func setSystem(cmd *exec.Cmd, kill bool) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if kill {
		cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	}
}

// stopped reports whether all threads of the program are stopped or have ended.
func stopped(pid int) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid)) // the pattern is well-formed
	for _, thread := range threads {
		stat, err := os.ReadFile(thread)
		if err != nil {
			continue // it has just ended
		}
		// The state follows the name, which may hold anything but ends with the last ")".
		state := bytes.TrimLeft(stat[bytes.LastIndexByte(stat, ')')+1:], " ")
		if len(state) > 0 && bytes.IndexByte([]byte("TtZX"), state[0]) < 0 {
			return false
		}
	}
	return true
}
