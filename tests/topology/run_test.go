//go:build node

package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/proc"
)

// bin is the folder of the two programs, which TestMain has built.
var bin string

func TestMain(m *testing.M) { os.Exit(build(m)) }

func build(m *testing.M) int {
	var err error
	if bin, err = os.MkdirTemp("", "topology-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(bin) }()
	cmd := exec.Command("go", "build", "-o", bin+"/", "./server", "./tests/topology")
	cmd.Dir = "../.."
	out, err := cmd.CombinedOutput()
	if err == nil {
		err = os.Chmod(bin, 0o755) // another user runs them, see TestUser
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "topology: go build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// running is the program with what it has started.
type running struct {
	*proc.Process
	dir   string // its files
	url   string // of nginx
	addrs map[string]string
}

// launch starts the program on a free port, by way of another program if there is
// a wrapper, and waits until it is ready.
func launch(t *testing.T, root string, wrapper ...string) *running {
	t.Helper()
	words := append(wrapper, filepath.Join(bin, "topology"),
		"-addr", "127.0.0.1:0", "-root", root, "-server", filepath.Join(bin, "server"))
	r := &running{addrs: map[string]string{}}
	r.Process = proc.Start(t, proc.Command{Path: words[0], Args: words[1:], Dir: bin, Grace: patience})
	r.WaitFor(`^ready: open http://localhost:\d+; `, 2*patience)
	r.dir = r.WaitFor(`^configuration and access log of nginx: (.+)$`, patience)[1]
	for _, m := range started.FindAllStringSubmatch(r.Output(), -1) {
		r.addrs[m[1]] = m[3]
	}
	r.url = "http://" + r.addrs["nginx"]
	return r
}

var started = regexp.MustCompile(`(?m)^(\w+): pid (\d+), at (\S+)$`)

// pids are those of all programs that were started, and those of nginx' workers.
func (r *running) pids() (list []int) {
	for _, m := range started.FindAllStringSubmatch(r.Output(), -1) {
		pid, _ := strconv.Atoi(m[2])
		list = append(list, pid)
		children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid)) // of those that live
		for text := range strings.FieldsSeq(string(children)) {
			if pid, err := strconv.Atoi(text); err == nil {
				list = append(list, pid)
			}
		}
	}
	return list
}

// pid is that of a service, as it was started last.
func (r *running) pid(name string) (pid int) {
	for _, m := range started.FindAllStringSubmatch(r.Output(), -1) {
		if m[1] == name {
			pid, _ = strconv.Atoi(m[2])
		}
	}
	return pid
}

// ended checks that nothing is left, once the program has been told to end.
func (r *running) ended(t *testing.T, pids []int) {
	t.Helper()
	if status := r.Wait(patience); status != 0 {
		t.Errorf("it ended with status %d", status)
	}
	if len(pids) < 6 && runtime.GOOS == "linux" { // elsewhere the workers of nginx are not seen
		t.Errorf("only %d processes were seen", len(pids))
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, 0); err == nil {
			t.Errorf("process %d is still there", pid)
		}
	}
	if _, err := os.Stat(r.dir); !os.IsNotExist(err) {
		t.Errorf("the files are still there: %v", err)
	}
	for name, addr := range r.addrs {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_ = l.Close()
	}
	if strings.Contains(r.Output(), "had to be killed") {
		t.Error("a program had to be killed")
	}
}

// Ctrl-C ends everything.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	r := launch(t, proc.Root(t))
	pids := r.pids()
	r.Signal(syscall.SIGINT)
	r.ended(t, pids)
}

// A port that is taken is an error, and nothing is left behind.
func TestPortTaken(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	p := proc.Start(t, proc.Command{
		Path: filepath.Join(bin, "topology"),
		Args: []string{"-addr", l.Addr().String(), "-root", proc.Root(t), "-server", filepath.Join(bin, "server")},
		Env:  []string{"TMPDIR=" + t.TempDir()},
	})
	if status := p.Wait(patience); status != 1 || !strings.Contains(p.Output(), "address already in use") {
		t.Errorf("status %d: %s", status, p.Output())
	}
}

// A program that cannot do its work ends all others.
func TestBroken(t *testing.T) {
	t.Parallel()
	root, tmp := t.TempDir(), t.TempDir()
	copyTree(t, root)
	file := filepath.Join(root, "server", "deploy", "nginx.conf")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(text, "nonsense;\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	p := proc.Start(t, proc.Command{
		Path: filepath.Join(bin, "topology"), Env: []string{"TMPDIR=" + tmp},
		Args: []string{"-addr", "127.0.0.1:0", "-root", root, "-server", filepath.Join(bin, "server")},
	})
	if status := p.Wait(patience); status != 1 || !strings.Contains(p.Output(), "topology: nginx has ended (exit status 1)") {
		t.Errorf("status %d: %s", status, p.Output())
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// copyTree copies what the program reads of the project.
func copyTree(t *testing.T, to string) {
	t.Helper()
	for _, name := range []string{"docker-compose.yml", "server/deploy/nginx.conf"} {
		text, err := os.ReadFile(filepath.Join(proc.Root(t), name))
		if err != nil {
			t.Fatal(err)
		}
		dest := filepath.Join(to, name)
		if err := os.MkdirAll(filepath.Dir(dest), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(dest, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// Any user may start it: root, as on a test machine, and one who is nobody.
func TestUser(t *testing.T) {
	t.Parallel()
	root := filepath.Join(bin, "root") // which others may read, unlike a folder of the test
	copyTree(t, root)
	var wrapper []string
	if os.Geteuid() == 0 {
		wrapper = []string{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--pdeathsig=TERM", "--"}
	}
	r := launch(t, root, wrapper...)
	c := newClients(t, r, 1)
	if !c.round(t, 1) {
		t.Error("clients were disconnected")
	}
	c.file(t)
	pids := r.pids()
	r.Signal(syscall.SIGTERM)
	r.ended(t, pids)
}

// until waits for a condition, looked at again and again. What more there is to
// say goes into the failure.
func until(t *testing.T, what string, ok func() bool, more ...func() any) {
	t.Helper()
	end := time.Now().Add(2 * patience)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Now().After(end) {
			for _, say := range more {
				t.Logf("%+v", say())
			}
			t.Fatalf("not within %v: %s", 2*patience, what)
		}
		<-tick.C
	}
}
