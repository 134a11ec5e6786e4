//go:build unix

package program

import (
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/hermod-io/hermod/internal/polltest"
	"github.com/hermod-io/hermod/internal/proc"
)

// A terminal that is closed ends the program as SIGTERM does. Terminal and shell may
// both say so: the second time changes nothing.
func TestHangup(t *testing.T) {
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGHUP) // or the program would ignore what this one ignores, under nohup
	p, url := start(t)
	signal.Stop(caught)
	c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://")) // without a request it holds up the end for a while
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	get(t, url+"/healthz") // c is accepted
	p.Signal(syscall.SIGHUP)
	p.WaitFor(`draining`, patience)
	p.Signal(syscall.SIGHUP)
	_ = c.Close()
	if status := p.Wait(patience); status != 0 {
		t.Errorf("exit status %d", status)
	}
	p.WaitFor(`stopped`, patience)
}

// What was ignored from the beginning, as SIGHUP is under nohup and SIGINT in the
// background of a script, does not end it.
func TestIgnoredSignals(t *testing.T) {
	for name, sig := range map[string]syscall.Signal{"HUP": syscall.SIGHUP, "INT": syscall.SIGINT} {
		t.Run(name, func(t *testing.T) {
			p := proc.Start(t, proc.Command{Path: "sh", Args: []string{"-c", `trap "" ` + name + `; exec "$0" "$@"`, bin, "-addr", "127.0.0.1:0"}})
			url := p.WaitFor(`listening on (http://127\.0\.0\.1:\d+)`, patience)[1]
			p.Signal(sig)
			for range 100 {
				if status, _ := get(t, url+"/readyz"); status != http.StatusOK {
					t.Fatalf("readyz: %d", status)
				}
			}
			if status := p.Stop(); status != 0 {
				t.Errorf("exit status %d", status)
			}
		})
	}
}

// Who reads the log may go: the clients stay. The first line too many ended the
// program, and with it all connections.
func TestLogReaderGone(t *testing.T) {
	const script = `mkfifo log; (head -n 1 <log; echo reader gone) & exec "$0" "$@" 2>log`
	p := proc.Start(t, proc.Command{Path: "sh", Args: []string{"-c", script, bin, "-addr", "127.0.0.1:0", "-log-level", "debug"}})
	url := p.WaitFor(`listening on (http://127\.0\.0\.1:\d+)`, patience)[1]
	p.WaitFor(`reader gone`, patience)
	for range 10 {
		polltest.Dial(t, url) // each writes to the log
	}
	if status := p.Stop(); status != 0 {
		t.Errorf("exit status %d", status)
	}
}
