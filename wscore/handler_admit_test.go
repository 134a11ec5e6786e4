package wscore_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/hermod-io/hermod/internal/await"
	"github.com/hermod-io/hermod/wscore"
)

// Who bounds the connections is told of the end of each, whatever becomes of it.
func TestHandlerAdmits(t *testing.T) {
	spec, events := talking("/x", "x")
	spec.Check = func(u *wscore.Upgrade) error {
		switch u.Header.Get("X-Want") {
		case "veto":
			return errors.New("no")
		case "panic":
			panic(http.ErrAbortHandler)
		}
		return nil
	}
	var open, asked atomic.Int32
	h, u := serving(t, wscore.ProcessSettings{Admit: func(r *http.Request) (func(), error) {
		asked.Add(1)
		if r.Header.Get("X-Want") == "uncounted" {
			return nil, nil
		}
		if open.Add(1) > 2 {
			open.Add(-1)
			return nil, &wscore.HandshakeError{Status: 503, Msg: "too many"}
		}
		return func() { open.Add(-1) }, nil
	}}, spec)
	for _, want := range []string{"veto", "panic", "veto"} {
		if _, _, err := dialNames(t, u+"/x", http.Header{"X-Want": {want}}, "x"); err == nil {
			t.Fatalf("%s: accepted", want)
		}
	}
	await.Until(t, "none is left of those refused after all", func() bool { return open.Load() == 0 })
	if _, _, err := dialNames(t, u+"/y", nil, "y"); err == nil || asked.Load() != 3 {
		t.Errorf("no such protocol: %v, asked %d times", err, asked.Load())
	}
	conns := map[int]*wscore.Conn{}
	for i, header := range []http.Header{{}, {"X-Want": {"uncounted"}}, {}} {
		c, _, err := dialNames(t, u+"/x", header, "x")
		if err != nil {
			t.Fatal(err)
		}
		want(t, events, "open")
		conns[i] = c
	}
	var he *wscore.HandshakeError
	if _, resp, err := dialNames(t, u+"/x", nil, "x"); !errors.As(err, &he) || he.Status != 503 || resp.Header.Get("Retry-After") != "1" {
		t.Errorf("one too many: %v", err)
	}
	if open.Load() != 2 {
		t.Errorf("%d are open", open.Load())
	}
	for _, c := range conns {
		_ = c.CloseNow()
	}
	await.Until(t, "all have left", func() bool { return h.Len() == 0 })
	if open.Load() != 0 {
		t.Errorf("%d are still counted", open.Load())
	}
}

// So is it of a connection that could not be taken over.
func TestHandlerAdmitsInVain(t *testing.T) {
	spec, _ := talking("/x", "x")
	list := new(wscore.ProtocolList)
	list.Add(spec)
	open := 0
	h := wscore.NewHandler(list, wscore.ProcessSettings{Admit: func(*http.Request) (func(), error) {
		open++
		return func() { open-- }, nil
	}})
	r := httptest.NewRequest(http.MethodGet, "/x", nil)
	for name, value := range map[string]string{"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
		"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Protocol": "x"} {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder() // is no http.Hijacker
	h.ServeHTTP(w, r)
	if w.Code != http.StatusInternalServerError || open != 0 {
		t.Errorf("status %d, %d are counted", w.Code, open)
	}
	closeWithin(t, h.Shutdown)
}

// So is it of one whose New ended its goroutine, so that nobody reads.
func TestHandlerAdmitsWhoExits(t *testing.T) {
	var open, asked atomic.Int32
	_, u := serving(t, wscore.ProcessSettings{Admit: func(*http.Request) (func(), error) {
		asked.Add(1)
		open.Add(1)
		return func() { open.Add(-1) }, nil
	}}, wscore.ProtocolSpec{URI: "/x", Names: []string{"x"}, New: func(*wscore.Process) wscore.Protocol {
		runtime.Goexit()
		return nil
	}})
	if c, _, err := dialNames(t, u+"/x", nil, "x"); err == nil {
		defer func() { _ = c.CloseNow() }()
	}
	await.Until(t, "none is left", func() bool { return asked.Load() == 1 && open.Load() == 0 })
}
