package engineio

import (
	"net/http"
	"strings"
	"testing"
)

// handshakeHeaders are those of a WebSocket handshake, and more.
func handshakeHeaders(more ...string) []string {
	return append(strings.Split(strings.TrimSuffix(wsHeaders, "\r\n\r\n"), "\r\n")[1:], more...)
}

// Clients with the option protocols once lost each WebSocket at once: they offer
// subprotocols, and the server chose none.
func TestSubprotocolIsTheFirstOffered(t *testing.T) {
	scenario(t, Config{}, func(w *world) {
		p := w.poller()
		for _, query := range []string{"EIO=4&transport=websocket", "EIO=4&transport=websocket&sid=" + p.sid} {
			res := w.request("GET", query, "", handshakeHeaders("Sec-WebSocket-Protocol: my-protocol-v1, other")...)
			if got := res.header.Get("Sec-WebSocket-Protocol"); res.status != http.StatusSwitchingProtocols || got != "my-protocol-v1" {
				t.Errorf("%s: %d, %q", query, res.status, got)
			}
		}
		res := w.request("GET", "EIO=4&transport=websocket", "", handshakeHeaders()...)
		if _, ok := res.header["Sec-Websocket-Protocol"]; ok || res.status != http.StatusSwitchingProtocols {
			t.Errorf("nothing was offered: %+v", res)
		}
	})
}

// What a middleware had set before, a cookie for example, was once missing on the
// answer to an upgrade.
//
// compat: engine.use
func TestHeadersOfMiddlewaresOnUpgrades(t *testing.T) {
	cfg := Config{OnHeaders: func(h http.Header, _ *http.Request) {
		h.Set("X-Hook", h.Get("X-Middleware")+" seen")
	}}
	scenario(t, cfg, func(w *world) {
		w.srv.Use(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				h := rw.Header()
				h.Set("X-Middleware", "1")
				h.Add("Set-Cookie", "a=1")
				h.Add("Set-Cookie", "b=2")
				for _, name := range []string{"Connection", "Content-Length", "Transfer-Encoding", "Trailer", "Sec-WebSocket-Protocol"} {
					h.Set(name, "7")
				}
				if r.URL.Query().Get("transport") == Polling || r.Header.Get("Sec-WebSocket-Version") != "13" {
					h.Del("Content-Length")
					h.Del("Transfer-Encoding")
				}
				next.ServeHTTP(rw, r)
			})
		})
		p := w.poller()
		for _, query := range []string{"EIO=4&transport=websocket", "EIO=4&transport=websocket&sid=" + p.sid} {
			res := w.request("GET", query, "", handshakeHeaders()...)
			if res.status != http.StatusSwitchingProtocols || res.header.Get("X-Middleware") != "1" || res.header.Get("X-Hook") != "1 seen" ||
				strings.Join(res.header["Set-Cookie"], ";") != "a=1;b=2" || res.header.Get("Connection") != "Upgrade" {
				t.Errorf("%s: %+v", query, res)
			}
			for _, name := range []string{"Content-Length", "Transfer-Encoding", "Trailer", "Sec-Websocket-Protocol"} {
				if v, ok := res.header[name]; ok {
					t.Errorf("%s: %s %q", query, name, v)
				}
			}
		}
		res := w.request("GET", "EIO=4&transport=websocket", "", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 12")
		if res.status != http.StatusUpgradeRequired || res.header.Get("X-Middleware") != "1" || res.header.Get("X-Hook") != "" {
			t.Errorf("refused: %+v", res)
		}
	})
}
