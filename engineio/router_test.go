package engineio

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// signpost is a Router that knows one other session.
type signpost struct {
	here   Routed
	err    error
	routed []string
}

func (p *signpost) Attach(here Routed) error {
	p.here = here
	return p.err
}

func (p *signpost) NewID() (string, error) { return "of-this-node", p.err }

func (p *signpost) Route(w http.ResponseWriter, _ *http.Request, sid string) bool {
	p.routed = append(p.routed, sid)
	if sid != "elsewhere" {
		return false
	}
	w.WriteHeader(http.StatusTeapot)
	return true
}

// Only requests for sessions that are not here, and need one, go to the Router.
func TestRouter(t *testing.T) {
	p := &signpost{}
	srv, err := New(Config{Router: p, MaxHTTPBufferSize: 1000}, mute{})
	if err != nil {
		t.Fatal(err)
	}
	do := func(h http.Handler, method, query string, header ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "/engine.io/?EIO=4&"+query, strings.NewReader(""))
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	if w := do(srv, "GET", "transport=polling"); !strings.Contains(w.Body.String(), `"sid":"of-this-node"`) {
		t.Errorf("the handshake: %s", w.Body)
	}
	if !p.here.Has("of-this-node") || p.here.Has("elsewhere") {
		t.Error("Has is wrong")
	}
	const elsewhere, here = "transport=polling&sid=elsewhere", "transport=polling&sid=of-this-node"
	for _, c := range []struct {
		why, method, query string
		status             int
		routed             bool
		header             []string
	}{
		{"a POST to a session here", "POST", here, 200, false, nil},
		{"another node's", "GET", elsewhere, http.StatusTeapot, true, nil},
		{"another node's", "POST", elsewhere, http.StatusTeapot, true, nil},
		{"nobody's", "GET", "transport=polling&sid=nobodys", 400, true, nil},
		{"a preflight", "OPTIONS", elsewhere, 400, false, nil},
		{"an unknown transport", "GET", "transport=x&sid=elsewhere", 400, false, nil},
		{"a malformed origin", "GET", elsewhere, 400, false, []string{"Origin", "\x01"}},
	} {
		p.routed = nil
		if w := do(srv, c.method, c.query, c.header...); w.Code != c.status || (len(p.routed) > 0) != c.routed {
			t.Errorf("%s: %d, routed %v", c.why, w.Code, p.routed)
		}
	}
	p.routed = nil
	if w := do(p.here, "GET", elsewhere); w.Code != 400 || p.routed != nil {
		t.Errorf("what another node hands over is handed on: %d, %v", w.Code, p.routed)
	}
	if err := srv.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestRouterSettings(t *testing.T) {
	p := &signpost{err: errors.New("no")}
	if _, err := New(Config{Router: p}, mute{}); !errors.Is(err, p.err) {
		t.Errorf("Attach refuses: %v", err)
	}
	cfg := Config{Router: p, GenerateID: func(*http.Request) (string, error) { return "x", nil }}
	if cfg.Validate() == nil {
		t.Error("a Router and GenerateID together")
	}
}

// mute is a Handler that does nothing.
type mute struct{}

func (mute) OnOpen(*Session)                  {}
func (mute) OnMessage(*Session, bool, []byte) {}
func (mute) OnClose(*Session, Reason, error)  {}
