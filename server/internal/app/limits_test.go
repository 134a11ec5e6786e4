package app

import (
	"errors"
	"net/http"
	"testing"

	"github.com/hermod-io/hermod/internal/await"
	"github.com/hermod-io/hermod/internal/polltest"
	"github.com/hermod-io/hermod/server/internal/sockets"
	"github.com/hermod-io/hermod/wscore"
)

// plain opens a plain WebSocket; status is that of the refusal.
func plain(t *testing.T, addr, path, name string) (c *wscore.Conn, status int) {
	t.Helper()
	c, resp, err := wscore.Dial(await.Context(t), addr+path, &wscore.Settings{Subprotocols: []string{name}}, nil)
	if err == nil {
		t.Cleanup(func() { _ = c.CloseNow() })
		return c, 0
	}
	var he *wscore.HandshakeError
	if !errors.As(err, &he) || resp == nil || resp.Header.Get("Retry-After") != "1" {
		t.Fatalf("%v, %+v", err, resp)
	}
	return nil, he.Status
}

// opened is the status of a new session of Socket.IO.
func opened(t *testing.T, addr string) int {
	t.Helper()
	res, err := http.Get(addr + "/socket.io/?EIO=4&transport=polling")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode
}

// The limits hold for Socket.IO and plain WebSockets together.
func TestLimitsHoldForPlainSockets(t *testing.T) {
	for _, c := range []struct {
		flag    string
		refused int
	}{{"-max-connections", http.StatusServiceUnavailable}, {"-max-connections-per-ip", http.StatusTooManyRequests}} {
		t.Run(c.flag, func(t *testing.T) {
			a, addr, stop, ended := start(t, c.flag, "3", "-ws-chat", "-ws-rest")
			polltest.Dial(t, addr)
			ch, _ := plain(t, addr, sockets.ChatPath, "chat")
			api, status := plain(t, addr, sockets.RESTPath, "synopsejson")
			if status != 0 {
				t.Fatalf("the third: %d", status)
			}
			if _, status := plain(t, addr, sockets.RESTPath, "synopsejson"); status != c.refused {
				t.Errorf("a plain one too many: %d", status)
			}
			if status := opened(t, addr); status != c.refused {
				t.Errorf("a session too many: %d", status)
			}
			_ = ch.CloseNow()
			await.Until(t, "it leaves", func() bool { return a.sockets.Len() == 1 })
			if status := opened(t, addr); status != http.StatusOK {
				t.Errorf("a session in the place of one that has left: %d", status)
			}
			if _, status := plain(t, addr, sockets.ChatPath, "chat"); status != c.refused {
				t.Errorf("one too many again: %d", status)
			}
			_ = api.CloseNow()
			finish(t, stop, ended)
		})
	}
}

// So does the rate.
func TestRateHoldsForPlainSockets(t *testing.T) {
	_, addr, stop, ended := start(t, "-max-handshakes", "0.001", "-ws-chat")
	c, status := plain(t, addr, sockets.ChatPath, "chat")
	if status != 0 {
		t.Fatalf("the first: %d", status)
	}
	if _, status := plain(t, addr, sockets.ChatPath, "chat"); status != http.StatusServiceUnavailable {
		t.Errorf("the second: %d", status)
	}
	if status := opened(t, addr); status != http.StatusServiceUnavailable {
		t.Errorf("a session: %d", status)
	}
	_ = c.CloseNow()
	finish(t, stop, ended)
}
