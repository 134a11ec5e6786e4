package proc

import (
	"os/exec"
	"syscall"
)

// setSystem gives the program a group of its own and ends it with the test
// program, even if that is killed.
func setSystem(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
