package app

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sirupsen/logrus"
	logtest "github.com/sirupsen/logrus/hooks/test"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/internal/loglimit"
	"github.com/hermod-io/hermod/server/internal/config"
)

// logged is what a server of these flags logs of one request with this Origin.
func logged(t *testing.T, url, origin string, args ...string) []*logrus.Entry {
	t.Helper()
	cfg, err := config.Parse(args, nil)
	if err != nil {
		t.Fatal(err)
	}
	log, lines := logtest.NewNullLogger()
	a, err := New(t.Context(), cfg, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.end)
	lines.Reset()
	r := httptest.NewRequest(http.MethodGet, url, nil)
	r.RemoteAddr = "10.0.0.7:1234"
	r.Header.Set("Origin", origin)
	r.Header.Set("X-Forwarded-For", "192.0.2.1")
	a.http.Handler.ServeHTTP(httptest.NewRecorder(), r)
	return lines.AllEntries()
}

// The operator reads why a page cannot connect: nothing was logged of it.
func TestRefusalsAreLogged(t *testing.T) {
	const handshake = "/socket.io/?EIO=4&transport=polling"
	for name, c := range map[string]struct {
		url    string
		args   []string
		code   int
		remote string
	}{
		"same origin":    {handshake, nil, engineio.CodeForbidden, "10.0.0.7"},
		"listed":         {handshake, []string{"-cors-origin", "https://a.example"}, engineio.CodeForbidden, "10.0.0.7"},
		"version":        {"/socket.io/?EIO=3&transport=polling", []string{"-cors-origin", "*"}, engineio.CodeVersion, "10.0.0.7"},
		"behind a proxy": {handshake, []string{"-trusted-proxies", "10.0.0.0/8"}, engineio.CodeForbidden, "192.0.2.1"},
	} {
		t.Run(name, func(t *testing.T) {
			got := logged(t, c.url, "https://b.example", c.args...)
			if len(got) != 1 {
				t.Fatalf("%d lines", len(got))
			}
			f := got[0].Data
			if got[0].Level != logrus.InfoLevel || f["code"] != c.code || f["remote"] != c.remote || f["origin"] != "https://b.example" {
				t.Errorf("%v %v", got[0].Message, f)
			}
		})
	}
}

// A restart is no reason for a line of each client.
func TestUnknownSessionsAreNotLogged(t *testing.T) {
	if got := logged(t, "/socket.io/?EIO=4&transport=polling&sid=none", ""); len(got) != 0 {
		t.Errorf("%d lines", len(got))
	}
}

// Who is refused very often does not fill the log; how often is told.
func TestManyRefusals(t *testing.T) { synctest.Test(t, testManyRefusals) }

func testManyRefusals(t *testing.T) {
	log, lines := logtest.NewNullLogger()
	f := newRefusals(log, nil)
	e := &engineio.ConnectionError{Request: httptest.NewRequest(http.MethodGet, "/", nil), Code: engineio.CodeForbidden}
	for range 1000 {
		f.note(e)
	}
	if n := len(lines.AllEntries()); n != loglimit.PerSecond {
		t.Errorf("%d lines", n)
	}
	lines.Reset()
	time.Sleep(time.Second)
	f.note(e)
	if got := lines.AllEntries(); len(got) != 2 || got[0].Data["count"] != int64(1000-loglimit.PerSecond) {
		t.Errorf("in the next second: %v", got)
	}
}
