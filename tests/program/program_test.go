// Package program runs the server program as a user does: from the command
// line, with nothing else beside it.
package program

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/polltest"
	"github.com/hermod-io/hermod/internal/proc"
)

const patience = time.Minute

// bin is the program, which TestMain builds once for all tests.
var bin string

func TestMain(m *testing.M) { os.Exit(runAll(m)) }

func runAll(m *testing.M) (status int) {
	dir, err := os.MkdirTemp("", "hermod-program-")
	if err == nil {
		defer func() { _ = os.RemoveAll(dir) }()
		bin, err = proc.Compile(dir, "./server")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// start runs the program on a free port and returns its address.
func start(t *testing.T, args ...string) (*proc.Process, string) {
	t.Helper()
	p := proc.Start(t, proc.Command{Path: bin, Args: append([]string{"-addr", "127.0.0.1:0"}, args...)})
	return p, p.WaitFor(`listening on (https?://127\.0\.0\.1:\d+)`, patience)[1]
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// It serves a Socket.IO client and the page, and ends with status 0 on SIGTERM,
// also while a client is connected.
func TestServesAndStops(t *testing.T) {
	p, url := start(t)
	for _, path := range []string{"/", "/healthz", "/readyz"} {
		if status, _ := get(t, url+path); status != http.StatusOK {
			t.Errorf("%s: %d", path, status)
		}
	}
	polltest.Dial(t, url)
	if status := p.Stop(); status != 0 {
		t.Errorf("exit status %d", status)
	}
}

// Without the browser client the server runs, and says what to do.
func TestWithoutClientFiles(t *testing.T) {
	p, url := start(t, "-client-dir", filepath.Join(t.TempDir(), "none"))
	if status, _ := get(t, url+"/socket.io/socket.io.js"); status != http.StatusBadRequest {
		t.Errorf("status %d", status)
	}
	if status, body := get(t, url+"/"); status != http.StatusOK || !strings.Contains(body, "make web") {
		t.Errorf("the page says nothing of make web: %d", status)
	}
	p.WaitFor(`make web`, patience)
	polltest.Dial(t, url)
}

// At another path the page asks for the browser client there.
func TestOtherPath(t *testing.T) {
	_, url := start(t, "-path", "/live/")
	if status, body := get(t, url+"/"); status != http.StatusOK || !strings.Contains(body, `src="/live/socket.io.js"`) {
		t.Errorf("the page looks for its client elsewhere: %d", status)
	}
	if status, _ := get(t, url+"/live/?EIO=4&transport=polling"); status != http.StatusOK {
		t.Errorf("the endpoint is not there: %d", status)
	}
}

// Where it cannot listen it says so, and nothing of an end of what never began.
func TestPortTaken(t *testing.T) {
	_, url := start(t)
	p := proc.Start(t, proc.Command{Path: bin, Args: []string{"-addr", strings.TrimPrefix(url, "http://")}})
	if status := p.Wait(patience); status != 1 {
		t.Errorf("exit status %d", status)
	}
	out := p.Output()
	if !strings.Contains(out, "address already in use") || strings.Contains(out, "draining") || strings.Contains(out, "stopped") {
		t.Errorf("it says %q", out)
	}
}

func TestHealthcheck(t *testing.T) {
	_, url := start(t)
	for addr, want := range map[string]int{strings.TrimPrefix(url, "http://"): 0, "127.0.0.1:1": 1} {
		p := proc.Start(t, proc.Command{Path: bin, Args: []string{"-healthcheck", "-addr", addr}})
		if status := p.Wait(patience); status != want {
			t.Errorf("-healthcheck of %s: exit status %d, want %d", addr, status, want)
		}
	}
}

func TestHelp(t *testing.T) {
	p := proc.Start(t, proc.Command{Path: bin, Args: []string{"-h"}})
	if status := p.Wait(patience); status != 0 {
		t.Errorf("exit status %d", status)
	}
	if !strings.Contains(p.Output(), "-addr host:port") {
		t.Errorf("it says %q", p.Output())
	}
}

// It says of what version it is, and by which Go it was built.
func TestVersion(t *testing.T) {
	p := proc.Start(t, proc.Command{Path: bin, Args: []string{"-version"}})
	if status := p.Wait(patience); status != 0 {
		t.Errorf("exit status %d", status)
	}
	if !regexp.MustCompile(`^hermod \S+ go1\.\S+\n$`).MatchString(p.Output()) {
		t.Errorf("it says %q", p.Output())
	}
}
