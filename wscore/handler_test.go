package wscore_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/await"
	"github.com/hermod-io/hermod/wscore"
)

// talk is a protocol that tells its test what happens, and echoes.
type talk struct {
	p      *wscore.Process
	events chan string
}

func (t *talk) OnOpen()                              { t.events <- "open" }
func (t *talk) OnControl(op wscore.Opcode, d []byte) { t.events <- fmt.Sprintf("control %d %s", op, d) }
func (t *talk) OnClose(err error)                    { t.events <- "close" }
func (t *talk) OnMessage(op wscore.Opcode, d []byte) {
	t.events <- fmt.Sprintf("message %d %s", op, d)
	_ = t.p.Send(op, d)
}

// talking is the spec of talk under those names and on that path.
func talking(uri string, names ...string) (spec wscore.ProtocolSpec, events chan string) {
	events = make(chan string, 100)
	return wscore.ProtocolSpec{Names: names, URI: uri, New: func(p *wscore.Process) wscore.Protocol {
		return &talk{p, events}
	}}, events
}

// serving is a running handler.
func serving(t *testing.T, s wscore.ProcessSettings, specs ...wscore.ProtocolSpec) (*wscore.Handler, string) {
	t.Helper()
	list := new(wscore.ProtocolList)
	for _, spec := range specs {
		if !list.Add(spec) {
			t.Fatalf("%v refused", spec.Names)
		}
	}
	s.Conn.CloseTimeout = 300 * time.Millisecond // for clients that do not read any more
	h := wscore.NewHandler(list, s)
	hs := httptest.NewServer(h)
	t.Cleanup(func() {
		closeWithin(t, h.Shutdown)
		hs.Close()
	})
	return h, strings.Replace(hs.URL, "http", "ws", 1)
}

func want(t *testing.T, events chan string, list ...string) {
	t.Helper()
	for _, w := range list {
		select {
		case got := <-events:
			if got != w {
				t.Fatalf("got %q, want %q", got, w)
			}
		case <-time.After(limit):
			t.Fatalf("%q did not come", w)
		}
	}
}

func dialNames(t *testing.T, u string, h http.Header, names ...string) (*wscore.Conn, *http.Response, error) {
	return wscore.Dial(await.Context(t), u, &wscore.Settings{Subprotocols: names}, &wscore.DialOptions{Header: h})
}

func TestHandlerChoosesProtocol(t *testing.T) {
	spec := func(mark, uri string, names ...string) wscore.ProtocolSpec {
		return wscore.ProtocolSpec{Names: names, URI: uri, New: func(p *wscore.Process) wscore.Protocol { return greeter{p, mark} }}
	}
	_, u := serving(t, wscore.ProcessSettings{},
		spec("A", "", "alpha", "alias"), spec("B", "/b", "beta"), spec("N", "nameless"), spec("C", "chat/room", "chat"))
	for _, tt := range []struct {
		path, names, mark, echo string
		status                  int
	}{
		{"/", "alpha", "A", "alpha", 0},
		{"/any/where?q=1", "ALPHA", "A", "ALPHA", 0},
		{"/", "unknown,alias", "A", "alias", 0},
		{"/b", "beta", "B", "beta", 0},
		{"/B?x", "beta,alpha", "B", "beta", 0},
		{"/b", "alpha,beta", "A", "alpha", 0}, // the client's order
		{"/other", "beta", "", "", 400},
		{"/", "unknown", "", "", 400},
		{"/", "", "", "", 400}, // an empty path never matches
		{"/b", "", "B", "", 0}, // by path alone
		{"/nameless", "", "N", "", 0},
		{"/NAMELESS?x=1", "", "N", "", 0},
		{"/nameless/sub", "", "", "", 400},
		{"/chat/room", "", "C", "", 0},
		{"/chat", "chat", "", "", 400},
	} {
		t.Run(tt.path+" "+tt.names, func(t *testing.T) {
			var names []string
			if tt.names != "" {
				names = strings.Split(tt.names, ",")
			}
			c, resp, err := dialNames(t, u+tt.path, nil, names...)
			if tt.status != 0 {
				var he *wscore.HandshakeError
				if !errors.As(err, &he) || he.Status != tt.status {
					t.Fatalf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.CloseNow() }()
			if _, got, err := c.Read(await.Context(t)); err != nil || string(got) != tt.mark {
				t.Errorf("served by %q, %v", got, err)
			}
			if got := resp.Header.Get("Sec-Websocket-Protocol"); got != tt.echo || c.Subprotocol() != tt.echo {
				t.Errorf("subprotocol %q", got)
			}
		})
	}
}

// greeter says its name.
type greeter struct {
	p    *wscore.Process
	mark string
}

func (g greeter) OnOpen()                         { _ = g.p.Send(wscore.OpText, []byte(g.mark)) }
func (g greeter) OnMessage(wscore.Opcode, []byte) {}
func (g greeter) OnClose(error)                   {}

func TestProtocolListRefusesDuplicates(t *testing.T) {
	spec := func(uri string, names ...string) wscore.ProtocolSpec {
		s, _ := talking(uri, names...)
		return s
	}
	var l wscore.ProtocolList
	for _, tt := range []struct {
		spec wscore.ProtocolSpec
		ok   bool
	}{
		{spec("", "a", "b"), true}, {spec("", "A"), false}, {spec("/x", "b"), false}, // a is everywhere
		{spec("/x", "c"), true}, {spec("X", "c"), false}, {spec("/y", "c"), true}, {spec("", "c"), true},
		{spec("/n"), true}, {spec("n"), false}, {spec("/n", "d"), true}, {spec("/m"), true},
	} {
		if ok := l.Add(tt.spec); ok != tt.ok {
			t.Errorf("Add(%q, %q) = %v", tt.spec.Names, tt.spec.URI, ok)
		}
	}
	if n := l.Len(); n != 7 {
		t.Errorf("%d protocols", n)
	}
	if l.AddOnce(spec("/x", "b")); l.Len() != 7 {
		t.Errorf("%d protocols after AddOnce", l.Len())
	}
	if !l.Remove("B", "x") || l.Remove("b", "/x") || !l.Remove("", "n") || l.Remove("zzz", "") {
		t.Error("Remove")
	}
	if n := l.Len(); n != 5 {
		t.Errorf("%d protocols after Remove", n)
	}
	for name, bad := range map[string]wscore.ProtocolSpec{"without New": {Names: []string{"x"}}, "unreachable": {New: func(*wscore.Process) wscore.Protocol { return nil }}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			l.Add(bad)
		}()
	}
}

func TestHandlerVeto(t *testing.T) {
	spec, _ := talking("/x", "x")
	spec.Check = func(u *wscore.Upgrade) error {
		switch u.Header.Get("X-Want") {
		case "404":
			return &wscore.HandshakeError{Status: 404, Msg: "no such room"}
		case "error":
			return errors.New("no")
		case "no status":
			return &wscore.HandshakeError{Msg: "no"}
		}
		u.Value = u.URI
		return nil
	}
	var last *wscore.Upgrade
	_, u := serving(t, wscore.ProcessSettings{OnUpgrade: func(u *wscore.Upgrade) error {
		last = u
		if u.BearerToken != "secret" {
			return &wscore.HandshakeError{Status: 401, Msg: "who are you?"}
		}
		return nil
	}}, spec)
	for _, tt := range []struct {
		header http.Header
		status int
	}{
		{http.Header{"X-Want": {"404"}}, 404},
		{http.Header{"X-Want": {"error"}}, 403},
		{http.Header{"X-Want": {"no status"}}, 403},
		{http.Header{}, 401},
		{http.Header{"Authorization": {"Basic secret"}}, 401},
		{http.Header{"Authorization": {"Bearer secret"}, "Sec-Websocket-Extensions": {"x"}}, 0},
		{http.Header{"Authorization": {"bearer  secret "}}, 0},
	} {
		c, _, err := dialNames(t, u+"/x?q=1", tt.header, "x")
		var he *wscore.HandshakeError
		switch {
		case tt.status == 0 && err != nil:
			t.Errorf("%v: %v", tt.header, err)
		case tt.status == 0:
			if last.Value != "x?q=1" || last.RemoteAddr != netip.MustParseAddr("127.0.0.1") || last.Secure || last.ID == 0 {
				t.Errorf("%+v", last)
			}
			_ = c.CloseNow()
		case !errors.As(err, &he) || he.Status != tt.status:
			t.Errorf("%v: %v", tt.header, err)
		}
	}
}

// upgrade sends a good upgrade with one header changed, "" for none.
func upgrade(t *testing.T, u, method, key, value string) *http.Response {
	good := map[string]string{"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol": "x"}
	req, _ := http.NewRequestWithContext(await.Context(t), method, strings.Replace(u, "ws", "http", 1)+"/x", nil)
	for k, v := range good {
		req.Header.Set(k, v)
	}
	if req.Header.Set(key, value); value == "" {
		req.Header.Del(key)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

// What the handshake of the reference does wrongly is refused as RFC 6455 says.
func TestHandlerStrictHandshake(t *testing.T) {
	spec, _ := talking("/x", "x")
	h, u := serving(t, wscore.ProcessSettings{}, spec)
	for name, tt := range map[string]struct {
		method, key, value string
		status             int
	}{
		"good":             {"GET", "X", "", 101},
		"method":           {"POST", "X", "", 405},
		"version":          {"GET", "Sec-WebSocket-Version", "14", 426},
		"no version":       {"GET", "Sec-WebSocket-Version", "", 426},
		"upgrade":          {"GET", "Upgrade", "h2c", 426},
		"no connection":    {"GET", "Connection", "", 426},
		"short key":        {"GET", "Sec-WebSocket-Key", "c2hvcnQ=", 400},
		"no key":           {"GET", "Sec-WebSocket-Key", "", 400},
		"foreign protocol": {"GET", "Sec-WebSocket-Protocol", "y", 400},
		"empty protocol":   {"GET", "Sec-WebSocket-Protocol", " , ", 400},
		"ECDHE":            {"GET", "Sec-WebSocket-Extensions", "synhk; hk=AAAA", 406},
		"ECDHE in a list":  {"GET", "Sec-WebSocket-Extensions", "permessage-deflate, SYNHK;hk=AAAA", 406},
		"other extension":  {"GET", "Sec-WebSocket-Extensions", "permessage-deflate; bogus", 101},
		"foreign origin":   {"GET", "Origin", "http://evil.test", 403},
	} {
		t.Run(name, func(t *testing.T) {
			resp := upgrade(t, u, tt.method, tt.key, tt.value)
			if resp.StatusCode != tt.status {
				t.Errorf("status %d", resp.StatusCode)
			}
			if tt.status == 406 {
				if b, _ := io.ReadAll(resp.Body); !strings.Contains(string(b), "Noise") {
					t.Errorf("it says %q", b)
				}
			}
			if tt.status != 101 {
				return
			}
			if id := resp.Header.Get("Sec-Websocket-Connection-Id"); id == "" || id == "0" || resp.Header.Get("Sec-Websocket-Resume") == "" {
				t.Errorf("headers %v", resp.Header)
			}
			if resp.Header.Get("Sec-Websocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
				t.Error("wrong Sec-WebSocket-Accept")
			}
		})
	}
	closeWithin(t, h.Shutdown)
	var he *wscore.HandshakeError
	if _, _, err := dialNames(t, u+"/x", nil, "x"); !errors.As(err, &he) || he.Status != 503 {
		t.Errorf("after Shutdown: %v", err)
	}
}

// Two upgrades at once never swap what they negotiated.
func TestHandlerConcurrentUpgrades(t *testing.T) {
	spec := wscore.ProtocolSpec{Names: []string{"one", "two", "three"}, New: func(p *wscore.Process) wscore.Protocol {
		return greeter{p, p.Upgrade().Subprotocol}
	}}
	h, u := serving(t, wscore.ProcessSettings{}, spec)
	var wg sync.WaitGroup
	for i := range 60 {
		wg.Go(func() {
			name := spec.Names[i%3]
			c, _, err := dialNames(t, u, nil, name)
			if err != nil {
				t.Error(err)
				return
			}
			if _, got, err := c.Read(await.Context(t)); err != nil || string(got) != name || c.Subprotocol() != name {
				t.Errorf("asked for %s, got %q and %q, %v", name, c.Subprotocol(), got, err)
			}
			_ = c.Close(wscore.CloseNormal, "")
			_, _, _ = c.Read(await.Context(t))
		})
	}
	wg.Wait()
	await.Until(t, "all are gone", func() bool { return h.Len() == 0 })
}

func TestHandlerLookupAndBroadcast(t *testing.T) {
	spec, events := talking("/x", "x")
	h, u := serving(t, wscore.ProcessSettings{NotifyAllFrames: true}, spec)
	var conns []*wscore.Conn
	var ids []int64
	for range 3 {
		c, resp, err := dialNames(t, u+"/x", nil, "x")
		if err != nil {
			t.Fatal(err)
		}
		var id int64
		_, _ = fmt.Sscan(resp.Header.Get("Sec-Websocket-Connection-Id"), &id)
		conns, ids = append(conns, c), append(ids, id)
		want(t, events, "open")
	}
	if p, ok := h.Lookup(ids[1]); !ok || p.ID() != ids[1] || p.State() != wscore.StateRun || p.IsClient() || p.Protocol() == nil {
		t.Errorf("Lookup: %v", p)
	}
	if _, ok := h.Lookup(ids[0] + 1); ok || h.Len() != 3 {
		t.Error("Lookup finds who is not there")
	}
	raw := wscore.NewPrepared(wscore.Message{Op: wscore.OpText, Data: []byte("raw")})
	if n := h.Broadcast(wscore.OpText, []byte("all")); n != 3 {
		t.Errorf("Broadcast: %d", n)
	}
	if n := h.BroadcastTo([]int64{ids[0], 42}, wscore.OpText, []byte("one")); n != 1 {
		t.Errorf("BroadcastTo: %d", n)
	}
	if n := h.BroadcastRaw(raw); n != 3 {
		t.Errorf("BroadcastRaw: %d", n)
	}
	if n := h.BroadcastRawTo([]int64{ids[2], ids[2] + 1}, raw); n != 1 {
		t.Errorf("BroadcastRawTo: %d", n)
	}
	for i, list := range [][]string{{"all", "one", "raw"}, {"all", "raw"}, {"all", "raw", "raw"}} {
		for _, w := range list {
			if _, got, err := conns[i].Read(await.Context(t)); err != nil || string(got) != w {
				t.Fatalf("%d: got %q, %v, want %q", i, got, err, w)
			}
		}
	}
	_ = conns[0].Ping([]byte("hm"))
	want(t, events, "control 9 hm")
	_ = conns[0].Close(4000, "bye")
	_, _, _ = conns[0].Read(await.Context(t))
	want(t, events, "control 8 \x0f\xa0bye", "close")
	await.Until(t, "one is gone", func() bool { return h.Len() == 2 })
	closeWithin(t, h.Shutdown)
	var ce *wscore.CloseError
	if _, _, err := conns[1].Read(await.Context(t)); !errors.As(err, &ce) || ce.Code != wscore.CloseGoingAway || !ce.Remote {
		t.Errorf("Shutdown says %v", err)
	}
}

func TestHandlerShutdownIsBounded(t *testing.T) {
	block := make(chan struct{})
	spec := wscore.ProtocolSpec{Names: []string{"x"}, New: func(p *wscore.Process) wscore.Protocol { return blocking{block} }}
	list := new(wscore.ProtocolList)
	list.Add(spec)
	h := wscore.NewHandler(list, wscore.ProcessSettings{})
	hs := httptest.NewServer(h)
	defer hs.Close()
	c, _, err := dialNames(t, hs.URL, nil, "x")
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Send(wscore.OpText, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := h.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	close(block)
	closeWithin(t, h.Shutdown)
}

type blocking struct{ until chan struct{} }

func (b blocking) OnMessage(wscore.Opcode, []byte) { <-b.until }
func (b blocking) OnClose(error)                   { <-b.until }

func TestProcessOfAFailingProtocol(t *testing.T) {
	spec := wscore.ProtocolSpec{Names: []string{"nil", "panic"}, New: func(p *wscore.Process) wscore.Protocol {
		if p.Upgrade().Subprotocol == "panic" {
			panic("New fails")
		}
		return nil
	}}
	_, u := serving(t, wscore.ProcessSettings{}, spec)
	for _, name := range spec.Names {
		c, _, err := dialNames(t, u, nil, name)
		if err != nil {
			t.Fatal(err)
		}
		var ce *wscore.CloseError
		if _, _, err := c.Read(await.Context(t)); !errors.As(err, &ce) || ce.Code != wscore.CloseInternal {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What permessage-deflate saves shows in the counters, whatever way it was sent.
func TestCountersWithDeflate(t *testing.T) {
	spec, events := talking("/x", "x")
	h, u := serving(t, wscore.ProcessSettings{Conn: wscore.Settings{Deflate: &wscore.Deflate{}}}, spec)
	c, _, err := wscore.Dial(await.Context(t), u+"/x", &wscore.Settings{Subprotocols: []string{"x"}, Deflate: &wscore.Deflate{}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want(t, events, "open")
	text := strings.Repeat("again and ", 1000)
	_ = c.Send(wscore.OpText, []byte(text))
	want(t, events, "message 1 "+text)
	h.Broadcast(wscore.OpText, []byte(text))
	for range 2 {
		if _, got, err := c.Read(await.Context(t)); err != nil || string(got) != text {
			t.Fatal(err)
		}
	}
	for p := range h.Processes() {
		if n := p.Counters(); n.BytesIn != 10_000 || n.BytesOut != 20_000 || n.RatioIn() > 10 || n.RatioOut() > 10 {
			t.Errorf("%+v", n)
		}
	}
	_ = c.CloseNow()
}
