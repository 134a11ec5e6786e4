//go:build node

package program

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/hermod-io/hermod/internal/certtest"
	"github.com/hermod-io/hermod/internal/proc"
)

// Official clients connect over TLS by each transport, upgrade, and send files.
func TestNodeClientsOverTLS(t *testing.T) {
	c := certtest.Write(t, t.TempDir())
	_, url := start(t, "-tls-cert", c.Cert, "-tls-key", c.Key)
	p := proc.Start(t, proc.Command{Path: "node", Args: []string{filepath.Join(proc.Root(t), "tests/program/tls.mjs"), url, c.Cert}})
	if status := p.Wait(patience); status != 0 {
		t.Errorf("exit status %d", status)
	}
	const want = "polling polling whole\nwebsocket websocket whole\nupgrade websocket whole\n"
	if out := p.Output(); !strings.Contains(out, want) {
		t.Errorf("it says %q", out)
	}
}
