package program

import (
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/hermod-io/hermod/internal/certtest"
	"github.com/hermod-io/hermod/internal/proc"
)

// It serves https by itself, is asked by -healthcheck with the settings of its own, as a
// container does, and ends with status 0.
func TestServesTLS(t *testing.T) {
	c := certtest.Write(t, t.TempDir())
	p, url := start(t, "-tls-cert", c.Cert, "-tls-key", c.Key)
	if !strings.HasPrefix(url, "https://") {
		t.Fatalf("it says %q", url)
	}
	tr := &http.Transport{TLSClientConfig: c.Client(), ForceAttemptHTTP2: true}
	defer tr.CloseIdleConnections()
	res, err := (&http.Client{Transport: tr}).Get(url + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil || string(b) != "ok\n" || res.TLS.Version != tls.VersionTLS13 {
		t.Errorf("%s %q %v", res.Proto, b, err)
	}
	check := proc.Start(t, proc.Command{Path: bin, Args: []string{"-healthcheck", "-addr", strings.TrimPrefix(url, "https://")},
		Env: []string{"HERMOD_TLS_CERT=" + c.Cert, "HERMOD_TLS_KEY=" + c.Key}})
	if status := check.Wait(patience); status != 0 {
		t.Errorf("-healthcheck: exit status %d", status)
	}
	if status := p.Stop(); status != 0 {
		t.Errorf("exit status %d", status)
	}
}

// What an operator got wrong ends the start with status 1 and names the flag, before the
// program says that it listens.
func TestOperatorsFaults(t *testing.T) {
	c := certtest.Write(t, t.TempDir())
	_, url := start(t)
	taken := strings.TrimPrefix(url, "http://")
	for name, f := range map[string]struct {
		args []string
		want string
	}{
		"metrics port taken": {[]string{"-metrics-addr", taken}, "-metrics-addr: listen tcp " + taken + ": bind: address already in use"},
		"no port":            {[]string{"-addr", "127.0.0.1:0", "-metrics-addr", "127.0.0.1"}, "-metrics-addr: "},
		"no key":             {[]string{"-tls-cert", c.Cert}, "-tls-cert and -tls-key go together"},
		"no certificate":     {[]string{"-tls-key", c.Key}, "-tls-cert and -tls-key go together"},
		"no such file":       {[]string{"-tls-cert", c.Cert + ".none", "-tls-key", c.Key}, "-tls-cert, -tls-key: "},
		"no key within":      {[]string{"-tls-cert", c.Cert, "-tls-key", c.Cert}, "-tls-cert, -tls-key: "},
	} {
		t.Run(name, func(t *testing.T) {
			p := proc.Start(t, proc.Command{Path: bin, Args: append([]string{"-addr", "127.0.0.1:0"}, f.args...)})
			if status := p.Wait(patience); status != 1 {
				t.Errorf("exit status %d", status)
			}
			if out := p.Output(); !strings.Contains(out, f.want) || strings.Contains(out, "listening") || strings.Contains(out, "draining") {
				t.Errorf("it says %q", out)
			}
		})
	}
}

// The metrics are on their own address, from the beginning to the end of the program, and
// -healthcheck does not care about them.
func TestServesMetrics(t *testing.T) {
	p, url := start(t, "-metrics-addr", "127.0.0.1:0")
	addr := p.WaitFor(`addr.*127\.0\.0\.1:(\d+).*serving metrics`, patience)[1]
	if status, body := get(t, "http://127.0.0.1:"+addr+"/metrics"); status != http.StatusOK || !strings.Contains(body, "\nhermod_clients{transport=\"polling\"} 0\n") || !strings.Contains(body, "\ngo_build_info{") {
		t.Errorf("%d %q", status, body)
	}
	check := proc.Start(t, proc.Command{Path: bin, Args: []string{"-healthcheck", "-addr", strings.TrimPrefix(url, "http://"), "-metrics-addr", "127.0.0.1:" + addr}})
	if status := check.Wait(patience); status != 0 {
		t.Errorf("-healthcheck: exit status %d", status)
	}
	if status := p.Stop(); status != 0 {
		t.Errorf("exit status %d", status)
	}
}
