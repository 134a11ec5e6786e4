//go:build !unix

package proc

import "os/exec"

func setSystem(*exec.Cmd, bool) {}

// There are no signals: to be asked to end is to be killed.
func (c *Child) terminate() { c.killGroup() }

func (c *Child) killGroup() { _ = c.cmd.Process.Kill() }

func (c *Child) resume() {}
