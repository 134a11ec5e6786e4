//go:build unix && !linux

package proc

import (
	"os/exec"
	"syscall"
)

// setSystem gives the program a group of its own.
func setSystem(cmd *exec.Cmd, _ bool) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}

// stopped cannot tell here.
func stopped(int) bool { return true }
