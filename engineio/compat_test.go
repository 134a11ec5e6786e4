package engineio

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestSessionKnows: what a session tells of itself, before and after its
// upgrade, and when it is over.
//
// compat: engineSocket.id
// compat: engineSocket.protocol
// compat: engineSocket.request
// compat: engineSocket.remoteAddress
// compat: engineSocket.readyState
// compat: engineSocket.transport
// compat: engineSocket.upgraded
// compat: engineSocket.send
// compat: engineSocket.write
// compat: engineSocket.close
// compat: engine.clientsCount
// compat: engine.opts
// compat: engine event connection
// compat: engineSocket event open
// compat: engineSocket event message
// compat: engineSocket event data
// compat: engineSocket event close
func TestSessionKnows(t *testing.T) {
	scenario(t, Config{PingInterval: time.Minute}, func(w *world) {
		p := w.poller()
		s := w.h.session(0)
		if s.ID() != p.sid || s.Protocol() != 4 || s.Transport() != Polling || s.Handshake().URL.Query().Get("transport") != Polling || s.Handshake().RemoteAddr == "" {
			w.t.Errorf("session %s of protocol %d over %s", s.ID(), s.Protocol(), s.Transport())
		}
		if n, all := w.srv.Clients(), slices.Collect(w.srv.Sessions()); n != 1 || len(all) != 1 || all[0] != s {
			w.t.Errorf("%d sessions, %v", n, all)
		}
		if cfg := w.srv.Config(); cfg.PingInterval != time.Minute || cfg.PingTimeout != 20*time.Second || cfg.MaxHTTPBufferSize != 1_000_000 {
			w.t.Errorf("settings %+v", cfg)
		}
		c := p.switched()
		if s.Transport() != WebSocket {
			w.t.Errorf("transport %s", s.Transport())
		}
		c.send("4hello")
		if err := s.Send(0, Message{Data: []byte("world")}); err != nil {
			w.t.Error(err)
		}
		c.want("4world", "what was sent")
		select {
		case <-s.Done():
			w.t.Error("it is over")
		default:
		}
		s.Close(false)
		<-s.Done()
		synctest.Wait()
		w.want("its life", "open", "text hello", "close: forced close")
		if n := w.srv.Clients(); n != 0 {
			w.t.Errorf("%d sessions", n)
		}
	})
}

// TestContexts: the context of a refused request has the name that the official
// server gives it.
//
// compat: event connection_error
// compat: context TRANSPORT_HANDSHAKE_ERROR
// compat: context TRANSPORT_MISMATCH
// compat: context INVALID_ORIGIN
// compat: context ID_GENERATION_ERROR
// compat: context PROTOCOL_MISMATCH
// compat: transport webtransport
// compat: engine.onWebTransportSession
func TestContexts(t *testing.T) {
	var last *ConnectionError
	cfg := Config{
		OnConnectionError: func(e *ConnectionError) { last = e },
		GenerateID: func(r *http.Request) (string, error) {
			if r.Header.Get("X-Fail") != "" {
				return "", http.ErrAbortHandler
			}
			return strings.Repeat("i", 20), nil
		},
	}
	scenario(t, cfg, func(w *world) {
		p := w.poller()
		for _, c := range []struct {
			query  string
			header []string
			code   int
			name   string
		}{
			{"EIO=4&transport=websocket", nil, CodeBadRequest, "TRANSPORT_HANDSHAKE_ERROR"},
			{"EIO=4&transport=websocket&sid=" + p.sid, nil, CodeBadRequest, "TRANSPORT_MISMATCH"},
			{"EIO=3&transport=polling&sid=" + p.sid, nil, CodeBadRequest, "PROTOCOL_MISMATCH"},
			{pollingQuery, []string{"X-Fail: 1"}, CodeBadRequest, "ID_GENERATION_ERROR"},
			{"EIO=4&transport=webtransport", nil, CodeUnknownTransport, ""},
			{"EIO=4&transport=webtransport&sid=" + p.sid, nil, CodeUnknownTransport, ""},
		} {
			last = nil
			res := w.request("GET", c.query, "", c.header...)
			switch {
			case last == nil:
				w.t.Errorf("%s: not refused: %+v", c.query, res)
			case last.Code != c.code || c.name != "" && last.Context["name"] != c.name:
				w.t.Errorf("%s: code %d, context %v", c.query, last.Code, last.Context)
			}
		}
		bad := httptest.NewRequest(http.MethodGet, "/engine.io/?"+pollingQuery, nil)
		bad.Header.Set("Origin", "http://a\x7fb") // net/http would refuse it by itself
		w.srv.ServeHTTP(httptest.NewRecorder(), bad)
		if last.Code != CodeBadRequest || last.Context["name"] != "INVALID_ORIGIN" {
			w.t.Errorf("an origin that no header may have: code %d, context %v", last.Code, last.Context)
		}
		w.want("the session is as before", "open")
	})
}

// ending is a Handler that keeps how its sessions end.
type ending struct{ ends chan error }

func (ending) OnOpen(*Session)                  {}
func (ending) OnMessage(*Session, bool, []byte) {}
func (e ending) OnClose(_ *Session, reason Reason, err error) {
	e.ends <- fmt.Errorf("%s: %w", reason, err)
}

// TestSessionEndsWithError: OnClose has what went wrong.
//
// compat: engineSocket event error
// compat: engineSocket event close
func TestSessionEndsWithError(t *testing.T) {
	h := ending{make(chan error, 1)}
	srv, err := New(Config{}, h)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(method, query, body string) string {
		w := httptest.NewRecorder()
		srv.ServeHTTP(w, httptest.NewRequest(method, "/engine.io/?"+pollingQuery+query, strings.NewReader(body)))
		return w.Body.String()
	}
	_, rest, _ := strings.Cut(ask(http.MethodGet, "", ""), `"sid":"`)
	sid, _, _ := strings.Cut(rest, `"`)
	ask(http.MethodPost, "&sid="+sid, "x")
	if end := <-h.ends; !strings.HasPrefix(end.Error(), "parse error: ") || errors.Unwrap(end) == nil {
		t.Errorf("the end: %v", end)
	}
	if err := srv.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestTransportsOfConfig: what is not in the list is refused, and not offered.
//
// compat: option transports
// compat: engine.upgrades
func TestTransportsOfConfig(t *testing.T) {
	scenario(t, Config{Transports: []string{Polling}}, func(w *world) {
		if res := w.request("GET", pollingQuery, ""); !strings.Contains(res.body, `"upgrades":[],`) {
			w.t.Errorf("open packet %s", res.body)
		}
		if res := w.request("GET", "EIO=4&transport=websocket", "", "Upgrade: websocket", "Connection: Upgrade"); res.status != 400 || res.body != "Transport unknown" {
			w.t.Errorf("a websocket: %+v", res)
		}
	})
	scenario(t, Config{Transports: []string{WebSocket}}, func(w *world) {
		if res := w.request("GET", pollingQuery, ""); res.body != `{"code":0,"message":"Transport unknown"}` {
			w.t.Errorf("polling: %+v", res)
		}
		w.websocket()
	})
}

// A list that is there and empty is a mistake, as in a Dialer, and not the default: the
// server would refuse everyone.
func TestNoTransports(t *testing.T) {
	if _, err := New(Config{Transports: []string{}}, mute{}); err == nil || !strings.Contains(err.Error(), "Transports is empty") {
		t.Errorf("error %v", err)
	}
}
