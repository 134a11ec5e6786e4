package engineio

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"
)

const forbidden = `{"code":4,"message":"`

func (w *world) wantRefused(status int, message, why string) {
	w.t.Helper()
	res := w.request("GET", pollingQuery, "")
	if res.status != status || res.body != forbidden+message+`"}` || res.header.Get("Retry-After") != "1" {
		w.t.Fatalf("%s: %+v", why, res)
	}
}

func TestLimitOfConnections(t *testing.T) {
	var told []*ConnectionError
	cfg := Config{Limits: Limits{Connections: 2}, OnConnectionError: func(e *ConnectionError) { told = append(told, e) }}
	scenario(t, cfg, func(w *world) {
		p := w.poller()
		ws := w.websocket()
		w.wantRefused(http.StatusServiceUnavailable, "Too many connections", "the third session")
		up := w.request("GET", "EIO=4&transport=websocket", "", strings.Split(strings.TrimSpace(wsHeaders), "\r\n")[1:]...)
		if up.status != http.StatusServiceUnavailable || up.body != "Too many connections" {
			t.Fatalf("an upgrade: %+v", up)
		}
		if len(told) != 2 || told[0].Context["limit"] != "Connections" {
			t.Fatalf("the hook was told %+v", told)
		}
		p.post("1")
		w.poller()
		_ = ws.nc.Close()
		w.pass(0)
		w.poller()
		w.wantRefused(http.StatusServiceUnavailable, "Too many connections", "two are open again")
	})
}

func TestLimitPerAddress(t *testing.T) {
	cfg := Config{Limits: Limits{PerIP: 2, ClientIP: func(r *http.Request) netip.Addr {
		ip, _ := netip.ParseAddr(r.Header.Get("X-Real-IP"))
		return ip
	}}}
	scenario(t, cfg, func(w *world) {
		open := func(ip string) response { return w.request("GET", pollingQuery, "", "X-Real-IP: "+ip) }
		for _, c := range []struct {
			ip     string
			status int
		}{
			{"192.0.2.1", 200},
			{"::ffff:192.0.2.1", 200},
			{"192.0.2.1", 429},
			{"192.0.2.2", 200},
			{"2001:db8::1", 200},
			{"2001:db8::2", 200},
			{"2001:db8::3", 429}, // the same network
			{"2001:db8:1::3", 200},
			{"nobody", 200},
			{"nobody", 200},
			{"nobody", 200}, // without an address nothing is counted
		} {
			if res := open(c.ip); res.status != c.status {
				t.Errorf("%s: %+v, want %d", c.ip, res, c.status)
			}
		}
		w.h.session(0).Close(true)
		w.pass(0)
		if res := open("192.0.2.1"); res.status != 200 {
			t.Errorf("after one has left: %+v", res)
		}
		for s := range w.srv.Sessions() {
			s.Close(true)
		}
		w.pass(0)
		if n := w.srv.limits.count.Len() + w.srv.limits.of.Len(); n != 0 {
			t.Errorf("%d entries are left", n)
		}
	})
}

func TestLimitPerAddressOfThePeer(t *testing.T) {
	scenario(t, Config{Limits: Limits{PerIP: 1}}, func(w *world) {
		w.poller()
		w.wantRefused(http.StatusTooManyRequests, "Too many connections from this address", "the peer has one")
	})
}

// A session that was refused for another reason does not stay counted.
func TestRefusedSessionsDoNotCount(t *testing.T) {
	scenario(t, Config{Limits: Limits{PerIP: 1}, GenerateID: func(*http.Request) (string, error) { return "same", nil }}, func(w *world) {
		p := w.poller()
		p.post("1")
		w.pass(0)
		w.poller()
		if res := w.request("GET", pollingQuery, ""); res.status != http.StatusTooManyRequests {
			t.Fatalf("%+v", res)
		}
	})
}

func TestLimitOfHandshakes(t *testing.T) {
	scenario(t, Config{Limits: Limits{Handshakes: 10, Burst: 2}}, func(w *world) {
		p := w.poller()
		w.poller()
		w.wantRefused(http.StatusServiceUnavailable, "Too many handshakes", "the third at once")
		p.post("4x") // requests of a session are no handshakes
		w.pass(200 * time.Millisecond)
		w.poller()
		w.poller()
		w.wantRefused(http.StatusServiceUnavailable, "Too many handshakes", "two more in 200 ms")
	})
}

func TestLimitsAreOffByDefault(t *testing.T) {
	scenario(t, Config{}, func(w *world) {
		for range 50 {
			w.poller()
		}
	})
}

// Connections of another kind count with the sessions.
func TestAdmit(t *testing.T) {
	ip := func(r *http.Request) netip.Addr {
		a, _ := netip.ParseAddr(r.Header.Get("X-Real-IP"))
		return a
	}
	told := 0
	cfg := Config{Limits: Limits{Connections: 3, PerIP: 2, Handshakes: 1e-3, Burst: 9, ClientIP: ip}, OnConnectionError: func(*ConnectionError) { told++ }}
	scenario(t, cfg, func(w *world) {
		admit := func(from, want string, status int) func() {
			t.Helper()
			leave, e := w.srv.Admit(&http.Request{Header: http.Header{"X-Real-Ip": {from}}})
			switch {
			case want == "" && e != nil:
				t.Fatalf("from %s: %+v", from, e)
			case want != "" && (e == nil || e.Message != want || e.Code != CodeForbidden || e.Status() != status):
				t.Fatalf("from %s: %+v, want %q", from, e, want)
			}
			return leave
		}
		open := func(from string) int { return w.request("GET", pollingQuery, "", "X-Real-IP: "+from).status }
		if status := open("192.0.2.1"); status != 200 { // 1st handshake
			t.Fatalf("a session: %d", status)
		}
		leave := admit("192.0.2.1", "", 0)
		admit("192.0.2.1", "Too many connections from this address", 429)
		if status := open("192.0.2.1"); status != 429 {
			t.Errorf("a session from there: %d", status)
		}
		third := admit("192.0.2.2", "", 0)
		admit("192.0.2.3", "Too many connections", 503)
		if status := open("192.0.2.3"); status != 503 {
			t.Errorf("a session too many: %d", status)
		}
		leave()
		leave() // counts once
		admit("192.0.2.1", "", 0)()
		if status := open("192.0.2.3"); status != 200 { // 9th
			t.Errorf("a session in its place: %d", status)
		}
		admit("192.0.2.4", "Too many handshakes", 503)
		third()
		for s := range w.srv.Sessions() {
			s.Close(true)
		}
		w.pass(0)
		if n := w.srv.limits.count.Len() + w.srv.limits.of.Len() + w.srv.others; n != 0 || told != 2 {
			t.Errorf("%d entries are left, %d errors were told", n, told)
		}
		w.srv.stop()
		w.srv.limits.handshakes = nil
		admit("192.0.2.1", shuttingDown, 503)
	})
}
