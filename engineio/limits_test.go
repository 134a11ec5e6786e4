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
		if n := len(w.srv.limits.count) + len(w.srv.limits.of); n != 0 {
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
