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
