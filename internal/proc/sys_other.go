//go:build !unix

package proc

import "os/exec"

func setSystem(*exec.Cmd) {}

// There are no signals: to be asked to end is to be killed.
func (p *Process) terminate() { p.killGroup() }

func (p *Process) killGroup() { _ = p.cmd.Process.Kill() }

func (p *Process) resume() {}
