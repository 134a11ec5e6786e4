package proc

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// DefaultGrace is how long a program may take to end after it was asked to.
const DefaultGrace = 20 * time.Second

// Command says what to start.
type Command struct {
	Path  string        // the program; a name without a slash is looked up in PATH
	Args  []string      // without the program's name
	Env   []string      // "KEY=value", in addition to those of the test
	Dir   string        // working directory; "" means a new one under t.TempDir
	Stdin bool          // keeps the standard input open until the program ends; else it is empty
	Grace time.Duration // from SIGTERM to SIGKILL in Stop; 0 means DefaultGrace
}

// Process is a program that runs. Its methods may be called from any goroutine,
// but those that fail the test only from the test's own.
type Process struct {
	t     testing.TB
	cmd   *exec.Cmd
	dir   string
	grace time.Duration
	out   *output
	done  chan struct{} // closed when it was waited for
}

// Start starts a program and stops it when the test ends. It fails the test if
// that is not possible.
func Start(t testing.TB, c Command) *Process {
	t.Helper()
	if c.Dir == "" {
		c.Dir = t.TempDir()
	}
	if c.Grace <= 0 {
		c.Grace = DefaultGrace
	}
	p := &Process{t: t, dir: c.Dir, grace: c.Grace, out: newOutput(), done: make(chan struct{})}
	p.cmd = exec.Command(c.Path, c.Args...)
	p.cmd.Dir = c.Dir
	p.cmd.Env = append(os.Environ(), c.Env...)
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	p.cmd.WaitDelay = 2 * time.Second // a grandchild may keep the output open
	setSystem(p.cmd)
	if c.Stdin {
		if _, err := p.cmd.StdinPipe(); err != nil { // closed by Wait
			t.Fatalf("proc: %v", err)
		}
	}

	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		t.Fatalf("proc: %v", err)
	}
	t.Cleanup(p.end)
	return p
}

// run starts the program and ends with it. The signal that Linux sends to the
// child when its parent dies is tied to the thread that started it, so that
// thread is kept.
func (p *Process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	_ = p.cmd.Wait() // ProcessState says how it ended
	p.out.close()
	close(p.done)
}

// end stops the program after the test.
func (p *Process) end() {
	p.stop()
	if p.t.Failed() {
		p.t.Logf("output of %s (pid %d, %v):\n%s", filepath.Base(p.cmd.Path), p.PID(), p.cmd.ProcessState, p.Output())
	}
}

// PID returns the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Dir returns the working directory.
func (p *Process) Dir() string { return p.dir }

// Output returns what the program wrote so far to its standard output and
// error, one with the other: the last megabyte.
func (p *Process) Output() string { return p.out.String() }

// Done returns a channel that is closed when the program has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// WaitFor waits until a whole line of the output, of the past or the future,
// matches the regular expression, and returns the match and its groups. It
// fails the test if the program ends or the time is over before.
func (p *Process) WaitFor(expr string, within time.Duration) []string {
	p.t.Helper()
	match, err := p.out.waitFor(expr, within)
	if err != nil {
		p.t.Fatalf("proc: %s: waiting for %q: %v", filepath.Base(p.cmd.Path), expr, err)
	}
	return match
}

// Wait waits for the program to end by itself and returns its exit status,
// or -1 if a signal ended it. It fails the test when the time is over.
func (p *Process) Wait(within time.Duration) int {
	p.t.Helper()
	if !p.ended(within) {
		p.t.Fatalf("proc: %s did not end within %v", filepath.Base(p.cmd.Path), within)
	}
	return p.cmd.ProcessState.ExitCode()
}

func (p *Process) ended(within time.Duration) bool {
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-p.done:
		return true
	case <-timer.C:
		return false
	}
}

// Stop asks the program to end (SIGTERM; where there is none it is killed),
// kills what is left of its group after the grace time, and returns the exit
// status, -1 if a signal ended it. It fails the test if the program had to be
// killed. A program that has ended already is left alone.
func (p *Process) Stop() int {
	p.t.Helper()
	if !p.stop() {
		p.t.Errorf("proc: %s did not end within %v of SIGTERM and was killed", filepath.Base(p.cmd.Path), p.grace)
	}
	return p.cmd.ProcessState.ExitCode()
}

// Kill ends the program and its group at once, with SIGKILL.
func (p *Process) Kill() {
	p.killGroup()
	<-p.done
}

// stop reports whether the program ended without being killed.
func (p *Process) stop() bool {
	select {
	case <-p.done:
		p.killGroup() // children that outlived it
		return true
	default:
	}
	p.resume()
	p.terminate()
	if gently := p.ended(p.grace); gently {
		p.killGroup()
		return true
	}
	p.Kill()
	return false
}

// Build compiles a program of this module, named as for "go build" from the
// root of the module ("./server"), and returns the path of the executable,
// which goes away with the test.
func Build(t testing.TB, pkg string, flags ...string) string {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "program")
	if runtime.GOOS == "windows" {
		exe += ".exe"
	}
	args := append([]string{"build", "-o", exe}, flags...)
	cmd := exec.Command("go", append(args, pkg)...)
	cmd.Dir = Root(t)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("proc: go build %s: %v\n%s", pkg, err, out)
	}
	return exe
}

// Root returns the root folder of the module that the test is part of.
func Root(t testing.TB) string {
	t.Helper()
	root, err := findRoot()
	if err != nil {
		t.Fatalf("proc: %v", err)
	}
	return root
}

func findRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for start := dir; ; {
		_, err := os.Stat(filepath.Join(dir, "go.mod"))
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return dir, err
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("no go.mod above %s", start)
		}
		dir = parent
	}
}
