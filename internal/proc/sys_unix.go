//go:build unix

package proc

import (
	"syscall"
	"time"
)

// terminate asks the whole group to end.
func (c *Child) terminate() { c.signal(syscall.SIGTERM) }

// killGroup ends the whole group. The group of a program that has ended exists
// as long as one of its children does.
func (c *Child) killGroup() { c.signal(syscall.SIGKILL) }

func (c *Child) resume() { c.signal(syscall.SIGCONT) }

// signal sends a signal to the group. That there is none any more is no error.
func (c *Child) signal(s syscall.Signal) { _ = syscall.Kill(-c.PID(), s) }

// Signal sends a signal to the program and its group.
func (c *Child) Signal(s syscall.Signal) { c.signal(s) }

// Pause stops the program where it is (SIGSTOP): its connections stay open and
// nothing answers. It goes on at Resume, or when the test ends.
//
// The kernel stops a program when one of its threads has taken the signal; until
// then, on a busy machine for a while, the others go on. So Pause waits until all
// have stopped, where the system tells.
func (p *Process) Pause() {
	p.t.Helper()
	p.t.Cleanup(p.resume)
	p.signal(syscall.SIGSTOP)
	for deadline := time.Now().Add(20 * time.Second); !stopped(p.PID()); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			p.t.Fatalf("process %d does not stop", p.PID())
		}
	}
}

// Resume lets a paused program go on.
func (c *Child) Resume() { c.resume() }
