//go:build unix

package program

import (
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/hermod-io/hermod/internal/proc"
)

// A terminal that is closed ends the program as SIGTERM does. Terminal and shell may
// both say so: the second time changes nothing.
func TestHangup(t *testing.T) {
	p, url := start(t)
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

// Under nohup it stays.
func TestHangupIgnored(t *testing.T) {
	bin := proc.Build(t, "./server")
	p := proc.Start(t, proc.Command{Path: "sh", Args: []string{"-c", `trap "" HUP; exec "$0" "$@"`, bin, "-addr", "127.0.0.1:0"}})
	url := p.WaitFor(`listening on (http://127\.0\.0\.1:\d+)`, patience)[1]
	p.Signal(syscall.SIGHUP)
	for range 100 {
		if status, _ := get(t, url+"/readyz"); status != http.StatusOK {
			t.Fatalf("readyz: %d", status)
		}
	}
	if status := p.Stop(); status != 0 {
		t.Errorf("exit status %d", status)
	}
}
