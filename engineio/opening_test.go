package engineio

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A hook that panicked while a session was being opened once left it behind:
// over WebSocket for ever, since its heartbeat had not begun, and its address
// was refused from then on.
func TestHookPanicsWhileOpening(t *testing.T) {
	for _, hook := range []string{"OnInitialHeaders", "OnHeaders"} {
		for _, transport := range []string{Polling, WebSocket} {
			t.Run(hook+" "+transport, func(t *testing.T) {
				boom := true
				f := func(http.Header, *http.Request) {
					if boom {
						boom = false
						panic(http.ErrAbortHandler)
					}
				}
				cfg := Config{Limits: Limits{PerIP: 1}, OnHeaders: f}
				if hook == "OnInitialHeaders" {
					cfg.OnHeaders, cfg.OnInitialHeaders = nil, f
				}
				scenario(t, cfg, func(w *world) {
					w.raw("GET /engine.io/?EIO=4&transport=" + transport + " HTTP/1.1\r\n" + strings.Replace(wsHeaders, "Upgrade: websocket\r\nConnection: Upgrade\r\n", upgradeOf(transport), 1))
					w.want("the handler has not heard of it")
					if n := w.srv.Clients(); n != 0 {
						t.Fatalf("%d sessions are left", n)
					}
					w.poller()
				})
			})
		}
	}
}

func upgradeOf(transport string) string {
	if transport == WebSocket {
		return "Upgrade: websocket\r\nConnection: Upgrade\r\n"
	}
	return ""
}

// raw sends a request and returns all that comes, up to the end.
func (w *world) raw(request string) string {
	w.t.Helper()
	nc, err := w.l.Dial()
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = nc.Close() }()
	if _, err := io.WriteString(nc, request); err != nil {
		w.t.Fatal(err)
	}
	_ = nc.SetReadDeadline(time.Now().Add(10 * time.Minute))
	b, _ := io.ReadAll(nc)
	return string(b)
}

// A server closed between the registration of a session and the refusal of its
// WebSocket handshake once waited for that session for ever.
func TestServerCloseWhileOpening(t *testing.T) {
	for _, refused := range []bool{true, false} {
		var w *world
		closed := make(chan error, 1)
		cfg := Config{OnHeaders: func(http.Header, *http.Request) {
			go func() { // ends within the minute
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				defer cancel()
				closed <- w.srv.Close(ctx)
			}()
			w.pass(time.Millisecond) // it is at work
		}}
		scenario(t, cfg, func(world *world) {
			w = world
			closed = make(chan error, 1)
			headers, want := wsHeaders, []string{"open", "close: forced close"}
			if refused {
				headers, want = strings.Replace(headers, "Version: 13", "Version: 12", 1), nil
			}
			w.raw("GET /engine.io/?EIO=4&transport=websocket HTTP/1.1\r\n" + headers)
			if err := <-closed; err != nil {
				t.Errorf("refused %v: Close: %v", refused, err)
			}
			w.want("the handler hears of it if it was opened", want...)
		})
	}
}

// The id of a session is known before the session is there: who guesses it may
// end it. Its WebSocket once stayed then, without a heartbeat.
func TestSessionEndsWhileOpening(t *testing.T) {
	var w *world
	cfg := Config{
		GenerateID: func(*http.Request) (string, error) { return "guessed", nil },
		OnInitialHeaders: func(http.Header, *http.Request) {
			if res := w.request("POST", pollingQuery+"&sid=guessed", "1"); res.status != http.StatusOK {
				w.t.Errorf("the guess: %+v", res)
			}
		},
	}
	scenario(t, cfg, func(world *world) {
		w = world
		got := w.raw("GET /engine.io/?EIO=4&transport=websocket HTTP/1.1\r\n" + wsHeaders)
		if !strings.HasPrefix(got, "HTTP/1.1 101 ") {
			t.Errorf("%q", got)
		}
		w.want("it ends", "open", "close: transport close")
	})
}

// An id that no request can name is refused, not given to a session that nobody
// can reach.
func TestEmptyID(t *testing.T) {
	scenario(t, Config{GenerateID: func(*http.Request) (string, error) { return "", nil }}, func(w *world) {
		if res := w.request("GET", pollingQuery, ""); res.status != http.StatusBadRequest || !strings.Contains(res.body, `"code":3`) {
			t.Errorf("%+v", res)
		}
	})
}
