package proc

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// The foreign program is this test program, told by a variable what to be.
const role = "HERMOD_PROC_ROLE"

// byeFile names a file that "server" writes when it ends well.
const byeFile = "HERMOD_PROC_BYE"

// long is a deadline that is only reached when something is wrong.
const long = time.Minute

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "":
		os.Exit(m.Run())
	case "greeter": // says where it is, ends with 3
		dir, _ := os.Getwd()
		fmt.Printf("here: %s\n", dir)
		fmt.Fprintln(os.Stderr, "port 12345")
		fmt.Print("unfinished ")
		os.Exit(3)
	case "server": // ends well when asked to
		c := make(chan os.Signal, 1)
		signal.Notify(c, terminate...)
		fmt.Println("ready")
		<-c
		if name := os.Getenv(byeFile); name != "" {
			_ = os.WriteFile(name, []byte("bye"), 0o600) // the test looks for it
		}
		fmt.Println("bye")
	case "stubborn": // never ends
		signal.Ignore(terminate...)
		fmt.Println("ready")
		<-time.After(time.Hour) // with a timer, this is no deadlock to the runtime
	case "owner": // is a test with a program that never ends
		p := Start(&fake{}, Command{Path: os.Args[0], Dir: os.TempDir(), Env: []string{role + "=stubborn"}})
		p.WaitFor("^ready$", long)
		fmt.Printf("child %d\n", p.PID())
		<-p.Done()
	case "launcher": // has a program that ends well when asked to
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), role+"=server")
		cmd.Stdout = os.Stdout
		c, err := Launch(cmd)
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Printf("child %d\n", c.PID())
		<-c.Done()
	case "parent": // has a child that never ends
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), role+"=stubborn")
		out, err := child.StdoutPipe()
		if err == nil {
			err = child.Start()
		}
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		bufio.NewReader(out).ReadString('\n')
		fmt.Printf("child %d\n", child.Process.Pid)
	}
}

func start(t testing.TB, what string, grace time.Duration) *Process {
	t.Helper()
	return Start(t, Command{Path: os.Args[0], Env: []string{role + "=" + what}, Grace: grace})
}

func TestOutputAndStatus(t *testing.T) {
	p := start(t, "greeter", 0)
	if m := p.WaitFor(`^port (\d+)$`, long); m[1] != "12345" {
		t.Fatalf("matched %q", m)
	}
	dir, err := filepath.EvalSymlinks(p.Dir())
	if m := p.WaitFor(`^here: (.*)$`, long); err != nil || m[1] != dir {
		t.Fatalf("ran in %q, want %q (%v)", m[1], dir, err)
	}
	if status := p.Wait(long); status != 3 {
		t.Fatalf("ended with %d", status)
	}
	p.WaitFor(`^unfinished $`, long) // the last line needs no end once the program has
	if !strings.Contains(p.Output(), "port 12345\n") {
		t.Fatalf("output %q", p.Output())
	}
	if status := p.Stop(); status != 3 {
		t.Fatalf("Stop after the end returned %d", status)
	}
}

func TestStop(t *testing.T) {
	p := start(t, "server", 0)
	p.WaitFor("^ready$", long)
	if status := p.Stop(); status != cleanStatus {
		t.Fatalf("ended with %d", status)
	}
	<-p.Done()
}

// fake is a test that may fail.
type fake struct {
	testing.TB
	failures []string
	cleanups []func()
}

func (f *fake) Helper()          {}
func (f *fake) Failed() bool     { return len(f.failures) > 0 }
func (f *fake) Cleanup(c func()) { f.cleanups = append(f.cleanups, c) }
func (f *fake) Errorf(s string, a ...any) {
	f.failures = append(f.failures, fmt.Sprintf(s, a...))
}
func (f *fake) Logf(s string, a ...any) { f.Errorf(s, a...) }
func (f *fake) Fatalf(s string, a ...any) {
	f.Errorf(s, a...)
	runtime.Goexit()
}

// failing runs body as a test of its own, to its end or first fatal failure,
// then what it left to clean up, and returns what it complained about.
func failing(t *testing.T, body func(testing.TB)) string {
	t.Helper()
	f := &fake{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		body(f)
	}()
	<-done
	for _, c := range f.cleanups {
		c()
	}
	return strings.Join(f.failures, "\n")
}

func TestFailuresAreShown(t *testing.T) {
	for want, body := range map[string]func(p *Process){
		`waiting for "^never$": no such line after 1ms`: func(p *Process) { p.WaitFor("^never$", time.Millisecond) },
		"did not end within 1ms":                        func(p *Process) { p.Wait(time.Millisecond) },
	} {
		got := failing(t, func(t testing.TB) {
			p := start(t, "server", 0)
			p.WaitFor("^ready$", long)
			body(p)
			t.Errorf("still here")
		})
		if !strings.Contains(got, want) || strings.Contains(got, "still here") {
			t.Errorf("no %q in, or the test went on:\n%s", want, got)
		}
		if !strings.Contains(got, "output of ") || !strings.Contains(got, "ready\nbye") {
			t.Errorf("the output is not shown:\n%s", got)
		}
	}
}

func TestWaitForEndsWithTheProgram(t *testing.T) {
	got := failing(t, func(t testing.TB) { start(t, "greeter", 0).WaitFor("^never$", long) })
	if !strings.Contains(got, "the program has ended") {
		t.Errorf("got %s", got)
	}
}

func TestNoSuchProgram(t *testing.T) {
	absent := filepath.Join(t.TempDir(), "absent")
	if got := failing(t, func(t testing.TB) { Start(t, Command{Path: absent}) }); !strings.Contains(got, absent) {
		t.Errorf("got %q", got)
	}
}

func TestBuild(t *testing.T) {
	if _, err := os.Stat(filepath.Join(Root(t), "go.mod")); err != nil {
		t.Fatal(err)
	}
	got := failing(t, func(t testing.TB) { Build(t, "./no/such/package") })
	if !strings.Contains(got, "go build ./no/such/package") {
		t.Errorf("got %q", got)
	}
}
