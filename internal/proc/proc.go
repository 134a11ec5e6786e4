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

// Process is a program that runs in a test. Its methods may be called from any
// goroutine, but those that fail the test only from the test's own.
type Process struct {
	*Child
	t     testing.TB
	dir   string
	grace time.Duration
	out   *output
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
	p := &Process{t: t, dir: c.Dir, grace: c.Grace, out: newOutput()}
	cmd := exec.Command(c.Path, c.Args...)
	cmd.Dir = c.Dir
	cmd.Env = append(os.Environ(), c.Env...)
	cmd.Stdout, cmd.Stderr = p.out, p.out
	if c.Stdin {
		if _, err := cmd.StdinPipe(); err != nil { // closed by Wait
			t.Fatalf("proc: %v", err)
		}
	}
	var err error
	if p.Child, err = launch(cmd, true, p.out.close); err != nil {
		t.Fatalf("proc: %v", err)
	}
	t.Cleanup(p.end)
	return p
}

// end stops the program after the test.
func (p *Process) end() {
	p.End(p.grace)
	if p.t.Failed() {
		p.t.Logf("output of %s (pid %d, %v):\n%s", filepath.Base(p.cmd.Path), p.PID(), p.cmd.ProcessState, p.Output())
	}
}

// Dir returns the working directory.
func (p *Process) Dir() string { return p.dir }

// Output returns what the program wrote so far to its standard output and
// error, one with the other: the last megabyte.
func (p *Process) Output() string { return p.out.String() }

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
	if !p.endedWithin(within) {
		p.t.Fatalf("proc: %s did not end within %v", filepath.Base(p.cmd.Path), within)
	}
	return p.cmd.ProcessState.ExitCode()
}

// Stop asks the program to end (SIGTERM; where there is none it is killed),
// kills what is left of its group after the grace time, and returns the exit
// status, -1 if a signal ended it. It fails the test if the program had to be
// killed. A program that has ended already is left alone.
func (p *Process) Stop() int {
	p.t.Helper()
	if !p.End(p.grace) {
		p.t.Errorf("proc: %s did not end within %v of SIGTERM and was killed", filepath.Base(p.cmd.Path), p.grace)
	}
	return p.cmd.ProcessState.ExitCode()
}

// Build compiles a program of this module, named as for "go build" from the
// root of the module ("./server"), and returns the path of the executable,
// which goes away with the test.
func Build(t testing.TB, pkg string, flags ...string) string {
	t.Helper()
	exe, err := Compile(t.TempDir(), pkg, flags...)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return exe
}

// Compile is Build for a TestMain, whose tests share the executable; it goes to dir.
func Compile(dir, pkg string, flags ...string) (exe string, err error) {
	root, err := findRoot()
	if err != nil {
		return "", fmt.Errorf("proc: %w", err)
	}
	exe = filepath.Join(dir, "program")
	if runtime.GOOS == "windows" {
		exe += ".exe"
	}
	args := append([]string{"build", "-o", exe}, flags...)
	cmd := exec.Command("go", append(args, pkg)...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("proc: go build %s: %w\n%s", pkg, err, out)
	}
	return exe, nil
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
