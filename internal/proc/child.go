package proc

import (
	"os"
	"os/exec"
	"runtime"
	"time"
)

// Child is a program that runs in a process group of its own, together with what
// it starts. Its methods may be called from any goroutine.
type Child struct {
	cmd   *exec.Cmd
	ended func()        // called when the program has ended, before done is closed
	done  chan struct{} // closed when it was waited for
}

// Launch starts a command that was not started yet, for a program that is no
// test; in tests it is Start. The caller ends it with End or Kill. On Linux it is
// asked to end (SIGTERM) if this program ends before. The error is that of
// exec.Cmd.Start.
func Launch(cmd *exec.Cmd) (*Child, error) { return launch(cmd, false, func() {}) }

// launch is Launch; kill says that the command is killed if this program ends.
func launch(cmd *exec.Cmd, kill bool, ended func()) (*Child, error) {
	cmd.WaitDelay = 2 * time.Second // a grandchild may keep the output open
	setSystem(cmd, kill)
	c := &Child{cmd: cmd, ended: ended, done: make(chan struct{})}
	started := make(chan error)
	go c.run(started) // until the program ends
	if err := <-started; err != nil {
		return nil, err
	}
	return c, nil
}

// run starts the program and ends with it. The signal that Linux sends to the
// child when its parent dies is tied to the thread that started it, so that
// thread is kept.
func (c *Child) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := c.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	_ = c.cmd.Wait() // ProcessState says how it ended
	c.ended()
	close(c.done)
}

// PID returns the process id.
func (c *Child) PID() int { return c.cmd.Process.Pid }

// Done returns a channel that is closed when the program has ended.
func (c *Child) Done() <-chan struct{} { return c.done }

// State says how the program ended. It may be called when Done is closed.
func (c *Child) State() *os.ProcessState { return c.cmd.ProcessState }

// Kill ends the program and its group at once, with SIGKILL.
func (c *Child) Kill() {
	c.killGroup()
	<-c.done
}

// End asks the program to end (SIGTERM; where there is none it is killed), kills
// what is left of its group after the grace time, and reports whether the
// program ended by itself. It returns when it has ended.
func (c *Child) End(grace time.Duration) bool {
	select {
	case <-c.done:
		c.killGroup() // children that outlived it
		return true
	default:
	}
	c.resume()
	c.terminate()
	if c.endedWithin(grace) {
		c.killGroup()
		return true
	}
	c.Kill()
	return false
}

func (c *Child) endedWithin(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-c.done:
		return true
	case <-timer.C:
		return false
	}
}
