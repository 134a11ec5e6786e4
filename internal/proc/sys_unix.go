//go:build unix

package proc

import (
	"syscall"
	"time"
)

// terminate asks the whole group to end.
func (p *Process) terminate() { p.signal(syscall.SIGTERM) }

// killGroup ends the whole group. The group of a program that has ended exists
// as long as one of its children does.
func (p *Process) killGroup() { p.signal(syscall.SIGKILL) }

func (p *Process) resume() { p.signal(syscall.SIGCONT) }

// signal sends a signal to the group. That there is none any more is no error.
func (p *Process) signal(s syscall.Signal) { _ = syscall.Kill(-p.PID(), s) }

// Signal sends a signal to the program and its group.
func (p *Process) Signal(s syscall.Signal) { p.signal(s) }

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
func (p *Process) Resume() { p.resume() }
