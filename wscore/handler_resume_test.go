package wscore_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"testing"

	"github.com/hermod-io/hermod/internal/await"
	"github.com/hermod-io/hermod/wscore"
)

func TestTrustedProxies(t *testing.T) {
	spec, _ := talking("/x", "x")
	var got netip.Addr
	s := wscore.ProcessSettings{OnUpgrade: func(u *wscore.Upgrade) error { got = u.RemoteAddr; return nil }}
	s.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}
	_, trusting := serving(t, s, spec)
	s.TrustedProxies = nil
	_, careful := serving(t, s, spec)
	for _, tt := range []struct {
		name, value, want string
	}{
		{"X-Forwarded-For", "203.0.113.7", "203.0.113.7"},
		{"X-Forwarded-For", "6.6.6.6, 203.0.113.7, 10.1.1.1", "203.0.113.7"},
		{"X-Forwarded-For", "[2001:db8::1]:4711", "2001:db8::1"},
		{"X-Forwarded-For", "garbage", "127.0.0.1"},
		{"X-Real-IP", "203.0.113.8", "203.0.113.8"},
		{"Forwarded", `for=6.6.6.6, for="[2001:db8::2]:80";proto=http;by=10.0.0.1, For=10.2.2.2`, "2001:db8::2"},
		{"Sec-WebSocket-RemoteIP", "6.6.6.6", "127.0.0.1"},
		{"X-Unused", "", "127.0.0.1"},
	} {
		for u, want := range map[string]string{trusting: tt.want, careful: "127.0.0.1"} {
			c, _, err := dialNames(t, u+"/x", http.Header{tt.name: {tt.value}}, "x")
			if err != nil {
				t.Fatal(err)
			}
			_ = c.CloseNow()
			if got != netip.MustParseAddr(want) {
				t.Errorf("%s: %s: %v, want %s", tt.name, tt.value, got, want)
			}
		}
	}
}

func TestResume(t *testing.T) {
	spec, events := talking("/x", "x")
	lost := make(chan string, 10)
	h, u := serving(t, wscore.ProcessSettings{OnDisconnect: func(p *wscore.Process, err error) { lost <- fmt.Sprint(p.Upgrade().Resumed) }}, spec)
	connect := func(token string) (*wscore.Conn, string, string) {
		c, resp, err := dialNames(t, u+"/x", http.Header{"Sec-Websocket-Resume": {token}}, "x")
		if err != nil {
			t.Fatal(err)
		}
		want(t, events, "open")
		return c, resp.Header.Get("Sec-Websocket-Connection-Id"), resp.Header.Get("Sec-Websocket-Resume")
	}
	c1, id1, token1 := connect("")
	var id int64
	_, _ = fmt.Sscan(id1, &id)
	p1, _ := h.Lookup(id)
	p1.SetData("mine")
	// One that still lives is closed, and the new one is found in its place.
	c2, id2, token2 := connect(token1)
	if id2 != id1 || token2 == token1 {
		t.Errorf("resumed as %s, %s", id2, token2)
	}
	if p, ok := h.Lookup(id); !ok || p == p1 || !p.Upgrade().Resumed || p.Data() != "mine" {
		t.Errorf("Lookup: %v", p)
	}
	var ce *wscore.CloseError
	if _, _, err := c1.Read(await.Context(t)); !errors.As(err, &ce) || ce.Code != wscore.ClosePolicy {
		t.Errorf("the old one: %v", err)
	}
	want(t, lost, "false")
	want(t, events, "close")
	// A token is good for once, as soon as the client shows that it has the next one.
	_ = c2.Send(wscore.OpText, []byte("here"))
	want(t, events, "message 1 here")
	_, id3, _ := connect(token1)
	if id3 == id1 {
		t.Error("a used token")
	}
	// One that is lost keeps its data.
	_ = c2.CloseNow()
	want(t, lost, "true")
	want(t, events, "close")
	await.Until(t, "it is gone", func() bool { _, ok := h.Lookup(id); return !ok })
	_, id4, _ := connect(token2)
	if p, ok := h.Lookup(id); id4 != id1 || !ok || p.Data() != "mine" {
		t.Errorf("resumed as %s: %v", id4, p)
	}
	if _, id5, _ := connect("no such token"); id5 == id1 {
		t.Error("a forged token")
	}
}

// A client that never got the answer to its resumption has no other token than the
// one it used: it lost its id.
func TestResumeWhenTheAnswerIsLost(t *testing.T) {
	spec, events := talking("", "x")
	h, u := serving(t, wscore.ProcessSettings{}, spec)
	connect := func(token string) (*wscore.Conn, string, string) {
		c, resp, err := dialNames(t, u, http.Header{"Sec-Websocket-Resume": {token}}, "x")
		if err != nil {
			t.Fatal(err)
		}
		return c, resp.Header.Get("Sec-Websocket-Connection-Id"), resp.Header.Get("Sec-Websocket-Resume")
	}
	c, id, token := connect("")
	want(t, events, "open")
	for range 2 { // lost, and the one that resumes it, and again
		_ = c.CloseNow()
		want(t, events, "close")
		await.Until(t, "it is gone", func() bool { return h.Len() == 0 })
		var got, next string
		c, got, next = connect(token) // suppose next never arrives
		want(t, events, "open")
		if got != id || next == token {
			t.Fatalf("resumed as %s, %s", got, next)
		}
	}
	c2, got, last := connect(token) // while that one still lives
	want(t, events, "open", "close")
	_ = c2.Ping(nil) // a control frame shows it too
	_ = c2.Send(wscore.OpText, []byte("here"))
	want(t, events, "message 1 here")
	if _, other, _ := connect(token); got != id || other == id {
		t.Errorf("resumed as %s, and by a used token as %s", got, other)
	}
	want(t, events, "open")
	_ = c2.CloseNow()
	if _, got, _ := connect(last); got != id {
		t.Errorf("the last token: %s", got)
	}
}

// A connection that ended while the one that resumes it was being made left it
// nothing.
func TestResumeWhileTheOldEnds(t *testing.T) {
	var h *wscore.Handler
	list := make(chan *wscore.Process, 2)
	spec := wscore.ProtocolSpec{Names: []string{"x"}, New: func(p *wscore.Process) wscore.Protocol {
		if p.Upgrade().Resumed {
			old := <-list
			_ = old.CloseNow()
			await.Until(t, "the old one is gone", func() bool { return old.State() == wscore.StateDestroy && h.Len() == 0 })
			if p.Data() != "mine" {
				t.Errorf("New finds %v", p.Data())
			}
		}
		return quiet{}
	}}
	opened := make(chan struct{}, 2)
	h, u := serving(t, wscore.ProcessSettings{OnConnect: func(p *wscore.Process) {
		if !p.Upgrade().Resumed {
			p.SetData("mine")
		}
		list <- p
		opened <- struct{}{}
	}}, spec)
	_, resp, err := dialNames(t, u, nil, "x")
	if err != nil {
		t.Fatal(err)
	}
	<-opened
	if _, _, err = dialNames(t, u, http.Header{"Sec-Websocket-Resume": {resp.Header.Get("Sec-Websocket-Resume")}}, "x"); err != nil {
		t.Fatal(err)
	}
	<-opened
	if p := <-list; p.Data() != "mine" {
		t.Errorf("it has %v", p.Data())
	}
}

// A hook that asks the Handler while a message is sent waited for the Handler,
// which waited for what the hook holds.
func TestBeforeSendMayAskTheHandler(t *testing.T) {
	var h *wscore.Handler
	held, release := make(chan struct{}, 1), make(chan struct{})
	spec, _ := talking("", "x")
	h, u := serving(t, wscore.ProcessSettings{BeforeSend: func(*wscore.Process, wscore.Opcode, []byte) {
		held <- struct{}{}
		<-release
		_ = h.Len()
	}}, spec)
	_, resp, err := dialNames(t, u, nil, "x")
	if err != nil {
		t.Fatal(err)
	}
	var id int64
	_, _ = fmt.Sscan(resp.Header.Get("Sec-Websocket-Connection-Id"), &id)
	p, _ := h.Lookup(id)
	sent := make(chan error, 1)
	go func() { sent <- p.Send(wscore.OpText, []byte("x")) }()
	<-held
	again := make(chan error, 1)
	go func() {
		_, _, err := dialNames(t, u, http.Header{"Sec-Websocket-Resume": {resp.Header.Get("Sec-Websocket-Resume")}}, "x")
		again <- err
	}()
	if err := <-again; err != nil {
		t.Error("the other cannot resume: ", err)
	}
	close(release)
	<-sent
}
