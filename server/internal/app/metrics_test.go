package app

import (
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/sirupsen/logrus"
	logtest "github.com/sirupsen/logrus/hooks/test"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/engineio/eioclient"
	"github.com/hermod-io/hermod/internal/await"
	"github.com/hermod-io/hermod/server/internal/config"
	"github.com/hermod-io/hermod/server/internal/sockets"
	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/sioclient"
)

// metricsAddr is where the figures of a are, as its log says.
func metricsAddr(t *testing.T, a *App) string {
	t.Helper()
	for _, h := range a.log.Hooks[logrus.InfoLevel] {
		for _, e := range h.(*logtest.Hook).AllEntries() {
			if e.Message == "serving metrics" {
				return e.Data["addr"].(string)
			}
		}
	}
	t.Fatal("nobody said where the metrics are")
	return ""
}

// scrape returns all figures, by name and labels as the text format has them.
func scrape(t *testing.T, addr string) map[string]float64 {
	t.Helper()
	res, err := http.Get("http://" + addr + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	p := expfmt.NewTextParser(model.LegacyValidation)
	families, err := p.TextToMetricFamilies(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]float64)
	for name, f := range families {
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetName()+`="`+l.GetValue()+`"`)
			}
			key := name
			if labels != nil {
				key += "{" + strings.Join(labels, ",") + "}"
			}
			all[key] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return all
}

// wantFigures waits until these are as they are to be, and all other clients_, sockets_
// and connections_ are 0.
func wantFigures(t *testing.T, addr, why string, want map[string]float64) {
	t.Helper()
	var got map[string]float64
	await.Until(t, why, func() bool {
		got = maps.Clone(want)
		for name, v := range scrape(t, addr) {
			_, asked := want[name]
			plain := strings.HasPrefix(name, "hermod_clients") || strings.HasPrefix(name, "hermod_sockets") || strings.HasPrefix(name, "hermod_connections")
			if asked || plain && v != 0 {
				got[name] = v
			}
		}
		return maps.Equal(got, want)
	}, func() string { return strings.Join(strings.Fields(formatted(got)), "\n") })
}

func formatted(figures map[string]float64) string {
	var b strings.Builder
	for name, v := range figures {
		b.WriteString(strings.ReplaceAll(name, " ", "_") + "=" + model.SampleValue(v).String() + "\n")
	}
	return b.String()
}

// dial connects an official client's like.
func dial(t *testing.T, url string, c eioclient.Config) *sioclient.Socket {
	t.Helper()
	s, err := sioclient.Dial(await.Context(t), url, sioclient.Config{Engine: c, NoReconnection: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	return s
}

func TestMetrics(t *testing.T) {
	a, url, stop, ended := start(t, "-metrics-addr", "127.0.0.1:0", "-ws-chat")
	addr := metricsAddr(t, a)
	want := map[string]float64{`hermod_rooms{namespace="/"}`: 0, "hermod_panics_total": 0, "hermod_plain_websockets": 0}
	wantFigures(t, addr, "at first", want)
	polling := dial(t, url, eioclient.Config{Transports: []string{engineio.Polling}})
	dial(t, url, eioclient.Config{Transports: []string{engineio.WebSocket}})
	dial(t, url, eioclient.Config{Transports: []string{engineio.Polling, engineio.WebSocket}})
	plain(t, url, sockets.ChatPath, "chat")
	maps.Copy(want, map[string]float64{
		`hermod_clients{transport="polling"}`: 1, `hermod_clients{transport="websocket"}`: 2, "hermod_clients_upgraded_total": 1,
		`hermod_clients_opened_total{transport="polling"}`: 2, `hermod_clients_opened_total{transport="websocket"}`: 1,
		`hermod_sockets{namespace="/"}`: 3, `hermod_sockets_connected_total{namespace="/"}`: 3, `hermod_rooms{namespace="/"}`: 3,
		"hermod_plain_websockets": 1,
	})
	wantFigures(t, addr, "three are connected", want)
	_ = polling.Close(t.Context())
	maps.Copy(want, map[string]float64{
		`hermod_clients{transport="polling"}`: 0, `hermod_clients_closed_total{reason="transport close"}`: 1,
		`hermod_sockets{namespace="/"}`: 2, `hermod_rooms{namespace="/"}`: 2,
		`hermod_sockets_disconnected_total{namespace="/",reason="client namespace disconnect"}`: 1,
	})
	wantFigures(t, addr, "one has left", want)
	for range 2 {
		if res, err := http.Get(url + "/socket.io/?EIO=4&transport=pigeon"); err != nil || res.Body.Close() != nil || res.StatusCode != http.StatusBadRequest {
			t.Fatalf("%+v, %v", res, err)
		}
	}
	want[`hermod_connections_refused_total{reason="unknown_transport"}`] = 2
	wantFigures(t, addr, "two were refused", want)
	for s := range a.sio.Engine().Sessions() {
		s.Close(false) // without a DISCONNECT: its client might close first
	}
	maps.Copy(want, map[string]float64{
		`hermod_clients{transport="websocket"}`: 0, `hermod_clients_closed_total{reason="forced close"}`: 2, `hermod_sockets{namespace="/"}`: 0,
		`hermod_rooms{namespace="/"}`: 0, `hermod_sockets_disconnected_total{namespace="/",reason="forced close"}`: 2,
	})
	wantFigures(t, addr, "the server has closed", want)
	finish(t, stop, ended)
	if nc, err := net.Dial("tcp", addr); err == nil {
		_ = nc.Close()
		t.Error("the listener of the metrics is still there")
	}
}

// What the limits refuse has their names, plain WebSockets included.
func TestMetricsOfLimits(t *testing.T) {
	for flag, reason := range map[string]string{"-max-connections": "max_connections", "-max-connections-per-ip": "max_connections_per_ip", "-max-handshakes": "max_handshakes"} {
		t.Run(reason, func(t *testing.T) {
			value := "1"
			if flag == "-max-handshakes" {
				value = "0.001"
			}
			a, url, stop, ended := start(t, "-metrics-addr", "127.0.0.1:0", "-ws-chat", flag, value)
			addr := metricsAddr(t, a)
			opened(t, url)
			if status := opened(t, url); status == http.StatusOK {
				t.Error("a second one is let in")
			}
			if _, status := plain(t, url, sockets.ChatPath, "chat"); status == 0 {
				t.Error("a plain one is let in")
			}
			name := `hermod_connections_refused_total{reason="` + reason + `"}`
			if n := scrape(t, addr)[name]; n != 2 {
				t.Errorf("%s is %v", name, n)
			}
			a.sio.Engine().Sessions()(func(s *engineio.Session) bool { s.Close(true); return true })
			finish(t, stop, ended)
		})
	}
}

// A panic is counted; a client that does not read is told from others that are lost.
func TestMetricsOfFaults(t *testing.T) {
	a, url, stop, ended := start(t, "-metrics-addr", "127.0.0.1:0", "-queue-packets", "10")
	addr := metricsAddr(t, a)
	a.sio.On("panic", func(context.Context, *socketio.Socket, *socketio.Event) error { panic("on purpose") })
	c := dial(t, url, eioclient.Config{Transports: []string{engineio.WebSocket}})
	_ = c.Emit("panic")
	await.Until(t, "the panic", func() bool { return scrape(t, addr)["hermod_panics_total"] == 1 })
	_ = c.Close(t.Context())
	if status := opened(t, url); status != http.StatusOK { // and polls no more
		t.Fatal(status)
	}
	a.sio.Engine().Sessions()(func(s *engineio.Session) bool {
		for range 11 {
			_ = s.Send(0, engineio.Message{Data: []byte("2[\"x\"]")})
		}
		return true
	})
	all := scrape(t, addr)
	if n := all["hermod_clients_queue_full_total"]; n != 1 || all[`hermod_clients_closed_total{reason="transport error"}`] != 1 {
		t.Errorf("%v were cut off", n)
	}
	finish(t, stop, ended)
}

// Figures are told of the process, at /metrics and on that listener alone, to who reads.
func TestMetricsListener(t *testing.T) {
	a, url, stop, ended := start(t, "-metrics-addr", "127.0.0.1:0")
	addr := metricsAddr(t, a)
	all := scrape(t, addr)
	for _, name := range []string{"go_goroutines", "process_open_fds", "process_start_time_seconds"} {
		if all[name] == 0 {
			t.Errorf("no %s", name)
		}
	}
	for request, want := range map[string]int{
		"GET " + url + "/metrics": http.StatusNotFound, "GET http://" + addr + "/": http.StatusNotFound,
		"POST http://" + addr + "/metrics": http.StatusMethodNotAllowed, "GET http://" + addr + "/socket.io/": http.StatusNotFound,
	} {
		method, target, _ := strings.Cut(request, " ")
		req, err := http.NewRequestWithContext(t.Context(), method, target, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%s: %s", request, res.Status)
		}
	}
	finish(t, stop, ended)
}

// Where the figures cannot be served it does not begin, and says which flag it is.
func TestMetricsPortTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	cfg, err := config.Parse([]string{"-addr", "127.0.0.1:0", "-metrics-addr", l.Addr().String()}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	log, _ := logtest.NewNullLogger()
	a, err := New(t.Context(), cfg, log)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out strings.Builder
	if err := a.Run(ctx, &out); err == nil || !strings.HasPrefix(err.Error(), "-metrics-addr: ") || !strings.Contains(err.Error(), "in use") {
		t.Errorf("Run: %v", err)
	}
	if out.Len() > 0 {
		t.Errorf("it says %q", &out)
	}
}
