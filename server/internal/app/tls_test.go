package app

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sirupsen/logrus"
	logtest "github.com/sirupsen/logrus/hooks/test"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/engineio/eioclient"
	"github.com/hermod-io/hermod/internal/await"
	"github.com/hermod-io/hermod/internal/certtest"
	"github.com/hermod-io/hermod/internal/loglimit"
	"github.com/hermod-io/hermod/server/internal/config"
	"github.com/hermod-io/hermod/server/internal/sockets"
	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/sioclient"
	"github.com/hermod-io/hermod/wscore"
)

// startTLS is start with a certificate of its own.
func startTLS(t *testing.T, args ...string) (a *App, url string, c certtest.Certificate, end func()) {
	t.Helper()
	c = certtest.Write(t, t.TempDir())
	a, url, stop, ended := start(t, append([]string{"-tls-cert", c.Cert, "-tls-key", c.Key}, args...)...)
	if !strings.HasPrefix(url, "https://127.0.0.1:") {
		t.Errorf("it says %q", url)
	}
	a.sio.On("echo", socketio.Reply(func(_ context.Context, s *socketio.Socket, data []byte) ([]byte, error) { return data, nil }))
	return a, url, c, func() { t.Helper(); finish(t, stop, ended) }
}

// echoed sends bytes there and back.
func echoed(t *testing.T, s *sioclient.Socket) {
	t.Helper()
	want := bytes.Repeat([]byte{0, 1, 0xfe}, 100_000)
	var got socketio.Owned
	if err := s.Call(await.Context(t), "echo", &got, want); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes come back, %v", len(got), err)
	}
}

func TestTLS(t *testing.T) {
	_, url, c, end := startTLS(t, "-ws-chat")
	for name, transports := range map[string][]string{
		"polling": {engineio.Polling}, "websocket": {engineio.WebSocket}, "upgrade": {engineio.Polling, engineio.WebSocket},
	} {
		t.Run(name, func(t *testing.T) {
			s := dial(t, url, eioclient.Config{Transports: transports, TLS: c.Client()})
			want := transports[len(transports)-1]
			await.Until(t, "the transport", func() bool { return s.Manager().Session().Transport() == want })
			echoed(t, s)
		})
	}
	plain, _, err := wscore.Dial(await.Context(t), url+sockets.ChatPath, nil, &wscore.DialOptions{TLS: c.Client()})
	if err != nil {
		t.Fatal(err)
	}
	_ = plain.CloseNow()
	var unknown x509.UnknownAuthorityError
	if _, err := http.Get(url); !errors.As(err, &unknown) { // nobody else has made it
		t.Errorf("without trust: %v", err)
	}
	end()
}

// overHTTP2 counts the answers over each protocol.
type overHTTP2 struct {
	http.RoundTripper
	two, other atomic.Int64
}

func (o *overHTTP2) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := o.RoundTripper.RoundTrip(r)
	if err == nil && res.ProtoMajor == 2 {
		o.two.Add(1)
	} else if err == nil {
		o.other.Add(1)
	}
	return res, err
}

// Polling goes over HTTP/2 where the client likes to, for many heartbeats, and ends
// with the server; an upgrade from there has a connection of its own.
func TestPollingOverHTTP2(t *testing.T) {
	a, url, c, end := startTLS(t, "-ping-interval", "200ms")
	rt := &overHTTP2{RoundTripper: &http.Transport{TLSClientConfig: c.Client(), ForceAttemptHTTP2: true}}
	s := dial(t, url, eioclient.Config{Transports: []string{engineio.Polling}, RoundTripper: rt})
	up := dial(t, url, eioclient.Config{RoundTripper: rt, TLS: c.Client()})
	await.Until(t, "the upgrade", func() bool { return up.Manager().Session().Transport() == engineio.WebSocket })
	echoed(t, s)
	echoed(t, up)
	began := rt.two.Load()
	await.Until(t, "some heartbeats", func() bool { return rt.two.Load() > began+10 })
	if n := rt.other.Load(); n > 0 || !s.Connected() || a.sio.Engine().Clients() != 2 {
		t.Errorf("%d answers over HTTP/1; connected: %v", n, s.Connected())
	}
	gone := make(chan sioclient.Reason, 1)
	s.OnDisconnect(func(_ *sioclient.Socket, r sioclient.Reason) { gone <- r })
	end()
	select {
	case <-gone:
	case <-time.After(await.Patience):
		t.Error("the client has not heard of the end")
	}
}

// serial is that of the certificate that a new connection sees.
func serial(t *testing.T, url string) string {
	t.Helper()
	nc, err := tls.Dial("tcp", strings.TrimPrefix(url, "https://"), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = nc.Close() }()
	return nc.ConnectionState().PeerCertificates[0].SerialNumber.String()
}

// New connections see a renewed certificate, without a restart; those that are there go on.
func TestRenewedCertificate(t *testing.T) {
	a, url, c, end := startTLS(t, "-metrics-addr", "127.0.0.1:0")
	s := dial(t, url, eioclient.Config{TLS: c.Client()})
	if got := serial(t, url); got != c.Leaf.SerialNumber.String() {
		t.Errorf("serial %s", got)
	}
	const name = "hermod_tls_certificate_expiry_timestamp_seconds"
	if got := scrape(t, metricsAddr(t, a))[name]; got != float64(c.Leaf.NotAfter.Unix()) {
		t.Errorf("%s is %v", name, got)
	}
	renewed := certtest.Write(t, strings.TrimSuffix(c.Cert, "cert.pem"))
	await.Until(t, "the renewed one", func() bool { return serial(t, url) == renewed.Leaf.SerialNumber.String() })
	echoed(t, s)
	echoed(t, dial(t, url, eioclient.Config{TLS: renewed.Client()}))
	end()
}

func TestOldTLSIsRefused(t *testing.T) {
	_, url, c, end := startTLS(t)
	for version, want := range map[uint16]bool{tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		cfg := c.Client()
		cfg.MinVersion, cfg.MaxVersion = tls.VersionTLS10, version
		nc, err := tls.Dial("tcp", strings.TrimPrefix(url, "https://"), cfg)
		if (err == nil) != want {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
		if err == nil {
			_ = nc.Close()
		}
	}
	end()
}

func TestNoCertificate(t *testing.T) {
	c := certtest.Write(t, t.TempDir())
	cfg, err := config.Parse([]string{"-tls-cert", c.Cert, "-tls-key", c.Key + ".none"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	log, _ := logtest.NewNullLogger()
	if _, err := New(t.Context(), cfg, log); !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), "-tls-cert, -tls-key: ") {
		t.Errorf("%v", err)
	}
}

// On loopback the program may be asked under a name that its certificate has not. Without
// TLS the two do not understand each other.
func TestHealthcheckOverTLS(t *testing.T) {
	_, url, _, end := startTLS(t)
	addr := strings.TrimPrefix(url, "https://")
	if err := Healthcheck(addr, true); err != nil {
		t.Error(err)
	}
	if err := Healthcheck(addr, false); err == nil {
		t.Error("asked without TLS it says yes")
	}
	for addr, want := range map[net.Addr]bool{
		&net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}: true, &net.TCPAddr{IP: net.IPv6loopback}: true,
		&net.TCPAddr{IP: net.IPv4(10, 0, 0, 1)}: false, &net.UnixAddr{}: false,
	} {
		if isLoopback(addr) != want {
			t.Errorf("%v is loopback: %v", addr, !want)
		}
	}
	end()
}

// Strangers that know nothing of TLS do not fill the log.
func TestHandshakeErrorsAreBounded(t *testing.T) { synctest.Test(t, testHandshakeErrorsAreBounded) }

func testHandshakeErrorsAreBounded(t *testing.T) {
	log, lines := logtest.NewNullLogger()
	w := httpErrors{log, loglimit.New()}
	for range 100 {
		_, _ = io.WriteString(w, "http: TLS handshake error from 192.0.2.1:5: EOF\n")
	}
	if n := len(lines.AllEntries()); n != loglimit.PerSecond {
		t.Errorf("%d lines", n)
	}
	lines.Reset()
	time.Sleep(time.Second)
	_, _ = io.WriteString(w, "http: TLS handshake error from 192.0.2.1:5: EOF\n")
	if got := lines.AllEntries(); len(got) != 2 || got[0].Data["count"] != int64(100-loglimit.PerSecond) || got[1].Level != logrus.InfoLevel {
		t.Errorf("in the next second: %v", got)
	}
}

// Nor do those that speak HTTP/2 and mean nothing by it: each was a warning.
func TestHTTP2ErrorsAreBounded(t *testing.T) {
	a, url, c, end := startTLS(t)
	lines := logtest.NewLocal(a.log)
	const strangers = 3 * loglimit.PerSecond
	settings := c.Client()
	settings.NextProtos = []string{"h2"}
	began := time.Now()
	for range strangers {
		nc, err := tls.Dial("tcp", strings.TrimPrefix(url, "https://"), settings)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = io.WriteString(nc, strings.Repeat("nothing ", 10)); err != nil {
			t.Error(err)
		}
		_, _ = io.Copy(io.Discard, nc) // until the server has had enough
		_ = nc.Close()
	}
	end()
	most, n := loglimit.PerSecond*(2+int(time.Since(began)/time.Second)), 0
	for _, e := range lines.AllEntries() {
		if strings.Contains(e.Message, "http2") {
			n++
			if e.Level != logrus.InfoLevel {
				t.Errorf("%v: %s", e.Level, e.Message)
			}
		}
	}
	if n == 0 || n > most {
		t.Errorf("%d lines", n)
	}
}

// What may be a fault of ours is always told.
func TestOtherErrorsAreWarnings(t *testing.T) {
	for _, line := range []string{
		"http: panic serving 192.0.2.1:5: oh", "http2: panic serving 192.0.2.1:5: oh", "http: Accept error: oh; retrying in 5ms",
	} {
		log, lines := logtest.NewNullLogger()
		w := httpErrors{log, loglimit.New()}
		for range 2 * loglimit.PerSecond {
			_, _ = io.WriteString(w, line+"\n")
		}
		if e := lines.LastEntry(); len(lines.AllEntries()) != 2*loglimit.PerSecond || e.Level != logrus.WarnLevel || e.Message != line {
			t.Errorf("%q: %v", line, lines.AllEntries())
		}
	}
}
