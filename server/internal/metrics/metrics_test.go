package metrics

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/server/internal/nodes"
	"github.com/hermod-io/hermod/socketio"
)

// full is a snapshot in which nothing is missing.
func full() *snapshot {
	f := &snapshot{rooms: map[string]int{"/": 4}, plain: new(3), expiry: new(time.Unix(2e9, 0)), nodes: &nodes.Stats{Router: new(cluster.RouterStats)}}
	f.engine.Closed = map[engineio.Reason]uint64{engineio.PingTimeout: 2}
	f.nodes.Reachable = true
	f.nodes.Redis.Queued = 5
	f.nodes.Router.Forged = 6
	f.sio.Refused.RoomsPerSocket = 7
	return f
}

// wantLines looks for lines of the text format.
func wantLines(t *testing.T, m *Metrics, lines ...string) {
	t.Helper()
	res := httptest.NewRecorder()
	m.Handler(nil).ServeHTTP(res, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if res.Code != http.StatusOK || !strings.HasPrefix(res.Header().Get("Content-Type"), "text/plain; version=0.0.4") {
		t.Errorf("%d %v", res.Code, res.Header())
	}
	got := strings.Split(res.Body.String(), "\n")
	for _, line := range lines {
		if !slices.Contains(got, line) {
			t.Errorf("there is no %q", line)
		}
	}
}

// Names and help follow the conventions of Prometheus, and no two figures are one.
func TestNames(t *testing.T) {
	m := New()
	w := newSockets()
	m.registry.MustRegister(&reader{full}, w.open, w.connected, w.disconnected)
	w.open.WithLabelValues("/")
	w.connected.WithLabelValues("/")
	w.disconnected.WithLabelValues("/", "forced close")
	problems, err := testutil.GatherAndLint(m.registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	all, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	ours := 0
	for _, f := range all {
		if strings.HasPrefix(f.GetName(), "hermod_") {
			ours++
		}
	}
	if want := len(figures) + 4; ours != want {
		t.Errorf("%d figures, want %d", ours, want)
	}
}

func TestFigures(t *testing.T) {
	m := New()
	m.registry.MustRegister(&reader{full})
	wantLines(t, m,
		`hermod_clients_closed_total{reason="ping timeout"} 2`,
		`hermod_plain_websockets 3`,
		`hermod_rooms{namespace="/"} 4`,
		`hermod_redis_up 1`,
		`hermod_redis_queued_bytes 5`,
		`hermod_router_refused_total{reason="forged"} 6`,
		`hermod_limits_refused_total{limit="RoomsPerSocket"} 7`,
		`hermod_tls_certificate_expiry_timestamp_seconds 2e+09`,
	)
}

// What is not there is not told of, instead of being zero.
func TestWithoutNodes(t *testing.T) {
	srv, err := socketio.New(socketio.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = srv.Close(t.Context()) }()
	m := New()
	m.Watch(Sources{SocketIO: srv, Namespaces: []string{"/", "/other"}})
	wantLines(t, m, `hermod_sockets{namespace="/other"} 0`, `hermod_rooms{namespace="/"} 0`,
		`hermod_sockets_disconnected_total{namespace="/",reason="server shutting down"} 0`)
	all, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		for _, prefix := range []string{"hermod_redis", "hermod_router", "hermod_plain", "hermod_tls"} {
			if strings.HasPrefix(f.GetName(), prefix) {
				t.Errorf("%s is told", f.GetName())
			}
		}
	}
}

// Each refusal has its reason, which is among those that are known beforehand.
func TestRefusals(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	m := New()
	for code, want := range map[int]string{
		engineio.CodeUnknownTransport: "unknown_transport", engineio.CodeUnknownSID: "unknown_sid", engineio.CodeBadMethod: "bad_method",
		engineio.CodeBadRequest: "bad_request", engineio.CodeForbidden: "forbidden", engineio.CodeVersion: "unsupported_version", 99: "other",
	} {
		e := &engineio.ConnectionError{Request: r, Code: code}
		if got := refusal(e); got != want || !slices.Contains(refusals, got) {
			t.Errorf("code %d: %q, want %q", code, got, want)
		}
		m.Refused(e)
		if n := testutil.ToFloat64(m.refused.WithLabelValues(want)); n != 1 {
			t.Errorf("%s: %v", want, n)
		}
	}
	if n := testutil.CollectAndCount(m.refused); n != len(refusals) {
		t.Errorf("%d series, want %d", n, len(refusals))
	}
	(*Metrics)(nil).Refused(&engineio.ConnectionError{Request: r}) // counts nothing
}
