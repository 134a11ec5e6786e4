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

// Only Connection makes an upgrade of a request: one that had Upgrade alone, as
// some proxies and HTTP clients send it, was once refused.
func TestUpgradeNeedsConnection(t *testing.T) {
	const bad, open = `{"code":3,"message":"Bad request"}`, `0{"sid":"`
	scenario(t, Config{}, func(w *world) {
		for _, c := range []struct {
			query, upgrade, connection string
			status                     int
			body, contentType          string
		}{
			{pollingQuery, "h2c", "keep-alive", 200, open, typeText},
			{pollingQuery, "websocket", "keep-alive", 200, open, typeText},
			{pollingQuery, "websocket", "upgraded, keep-alive", 200, open, typeText},
			{pollingQuery, "", "upgrade", 200, open, typeText},
			{pollingQuery, "websocket", "keep-alive,\tUPGRADE", 400, "Bad request", "text/html"},
			{pollingQuery, "websocket", "keep-alive\r\nConnection: upgrade", 400, "Bad request", "text/html"},
			{"EIO=4&transport=websocket", "websocket", "keep-alive", 400, bad, "application/json"},
			{"EIO=4&transport=websocket", "", "upgrade", 400, bad, "application/json"},
		} {
			res := w.request("GET", c.query, "", "Upgrade: "+c.upgrade, "Connection: "+c.connection,
				"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
			if res.status != c.status || !strings.HasPrefix(res.body, c.body) || res.header.Get("Content-Type") != c.contentType {
				t.Errorf("%+v: %+v", c, res)
			}
		}
		p := w.poller()
		_ = w.h.session(w.srv.Clients()-1).Send(0, Message{Data: []byte("x")})
		res := w.request("GET", p.query(), "", "Upgrade: h2c", "Connection: keep-alive")
		if res.status != 200 || res.body != "4x" {
			t.Errorf("of a session: %+v", res)
		}
		res = w.request("GET", "EIO=4&transport=websocket&sid="+p.sid, "", "Upgrade: websocket", "Connection: keep-alive")
		if res.status != 400 || res.body != bad {
			t.Errorf("no upgrade of a session: %+v", res)
		}
	})
}

// Nothing is to keep an answer to a POST either.
func TestAnswersAreNotStored(t *testing.T) {
	scenario(t, Config{}, func(w *world) {
		p := w.poller()
		if res := w.request("POST", p.query(), "4x"); res.body != "ok" || res.header.Get("Cache-Control") != "no-store" || res.header.Get("Content-Type") != "text/html" {
			t.Errorf("%+v", res)
		}
	})
}
