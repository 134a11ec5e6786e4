package wscore

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const sampleKey, sampleAccept = "dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" // RFC 6455 section 1.3

// handshake is a correct upgrade request with lines changed: "Name: value"
// replaces, "Name:" removes, the first may be a request line.
func handshake(changes ...string) string {
	lines := []string{"GET /ws HTTP/1.1", "Host: here.example", "Upgrade: websocket", "Connection: keep-alive, Upgrade",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: " + sampleKey}
next:
	for _, c := range changes {
		if strings.HasSuffix(c, "HTTP/1.1") || strings.HasSuffix(c, "HTTP/1.0") {
			lines[0] = c
			continue
		}
		name, value, _ := strings.Cut(c, ":")
		for i, l := range lines {
			if strings.HasPrefix(l, name+":") {
				lines[i] = c
				if value == "" {
					lines = append(lines[:i], lines[i+1:]...)
				}
				continue next
			}
		}
		lines = append(lines, c)
	}
	return strings.Join(lines, "\r\n") + "\r\n\r\n"
}

// acceptor serves handshakes over TCP loopback. Its connections echo.
type acceptor struct {
	*httptest.Server
	ws   *Server
	errs chan error
}

type echo struct{ c *Conn }

func (e echo) OnMessage(op Opcode, data []byte) { _ = e.c.Send(op, data) }
func (e echo) OnClose(error)                    {}

func newAcceptor(t testing.TB, s Settings, extra http.Header) *acceptor {
	a := &acceptor{ws: NewServer(s), errs: make(chan error, 100)}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := a.ws.Accept(w, r, extra)
		if err != nil {
			a.errs <- err
			return
		}
		c.Serve(echo{c})
	}))
	t.Cleanup(func() {
		if err := a.ws.Close(t.Context()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
		a.Close()
	})
	return a
}

// dial sends a request, and what else there is, in one piece.
func (a *acceptor) dial(t testing.TB, request string) (net.Conn, *bufio.Reader, *http.Response) {
	t.Helper()
	nc, err := net.Dial("tcp", a.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(nc, request); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(nc)
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	return nc, r, res
}

// Bytes that came with the request are part of the stream; the answer has what
// it must have.
func TestAccept(t *testing.T) {
	a := newAcceptor(t, Settings{Subprotocols: []string{"b", "a"}}, http.Header{"X-Extra": {"1", "2\r\nInjected: yes"}, "Upgrade": {"no"}})
	nc, r, res := a.dial(t, handshake("Sec-WebSocket-Protocol: a, b, c")+string(text("early")))
	if res.StatusCode != http.StatusSwitchingProtocols || res.Header.Get("Sec-Websocket-Accept") != sampleAccept ||
		res.Header.Get("Upgrade") != "websocket" || res.Header.Get("Connection") != "Upgrade" || res.Header.Get("Sec-Websocket-Protocol") != "b" {
		t.Errorf("%s %v", res.Status, res.Header)
	}
	if res.Header.Get("X-Extra") != "1" || res.Header.Get("Injected") != "" {
		t.Errorf("extra headers: %v", res.Header)
	}
	if op, b, err := readServerFrame(r); err != nil || op != OpText || string(b) != "early" {
		t.Fatalf("%d %q %v", op, b, err)
	}
	if _, err := nc.Write(text("later")); err != nil {
		t.Fatal(err)
	}
	if _, b, err := readServerFrame(r); err != nil || string(b) != "later" {
		t.Fatalf("%q %v", b, err)
	}
}

func TestAcceptRefuses(t *testing.T) {
	a := newAcceptor(t, Settings{Origins: []string{"*.friend.example", "other.example:8080", "[2001:db8::1]:8080"}}, nil)
	for _, c := range []struct {
		name, request string
		status        int
	}{
		{"as it should be", handshake(), 101},
		{"no upgrade", handshake("Upgrade:"), 426},
		{"another upgrade", handshake("Upgrade: h2c"), 426},
		{"no connection token", handshake("Connection: close"), 426},
		{"no version", handshake("Sec-WebSocket-Version:"), 426},
		{"version 8", handshake("Sec-WebSocket-Version: 8"), 426},
		{"two versions", handshake("Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 8"), 426},
		{"POST", handshake("POST /ws HTTP/1.1"), 405},
		{"HTTP/1.0", handshake("GET /ws HTTP/1.0"), 400},
		{"no key", handshake("Sec-WebSocket-Key:"), 400},
		{"key of 15 bytes", handshake("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j"), 400},
		{"key that is no base64", handshake("Sec-WebSocket-Key: ????????????????????????"), 400},
		{"body", handshake("Content-Length: 5") + "abcde", 400},
		{"chunked body", handshake("Transfer-Encoding: chunked") + "0\r\n\r\n", 400},
		{"same host", handshake("Origin: http://here.example"), 101},
		{"same host, other case", handshake("Origin: https://HERE.example"), 101},
		{"pattern", handshake("Origin: https://a.friend.example"), 101},
		{"listed with a port", handshake("Origin: http://other.example:8080"), 101}, {"another port", handshake("Origin: http://other.example"), 403},
		{"listed with an address", handshake("Origin: http://[2001:DB8::1]:8080"), 101},
		{"foreign", handshake("Origin: http://evil.example"), 403},
		{"two origins", handshake("Origin: http://here.example\r\nOrigin: http://evil.example"), 403},
		{"a suffix of ours", handshake("Origin: http://here.example.evil.example"), 403},
		{"null", handshake("Origin: null"), 403}, {"unparsable", handshake("Origin: http://%zz"), 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, r, res := a.dial(t, c.request)
			if res.StatusCode != c.status {
				t.Fatalf("status %d, want %d", res.StatusCode, c.status)
			}
			if c.status == 101 {
				return
			}
			if v := res.Header.Get("Sec-Websocket-Version"); (c.status == 426) != (v == "13") {
				t.Errorf("version header %q", v)
			}
			if !res.Close {
				t.Error("the connection is to be closed: a proxy in front may take what follows for frames")
			}
			if _, err := io.Copy(io.Discard, res.Body); err != nil {
				t.Error(err)
			}
			if _, err := r.ReadByte(); err == nil {
				t.Error("the connection stays open")
			}
			var he *HandshakeError
			if err := <-a.errs; !errors.As(err, &he) || he.Status != c.status {
				t.Errorf("Accept: %v", err)
			}
		})
	}
	if n := a.ws.Conns(); n > 6 {
		t.Errorf("%d connections", n)
	}
}

func TestAcceptAnyOrigin(t *testing.T) {
	a := newAcceptor(t, Settings{Origins: []string{"null"}}, nil)
	if _, _, res := a.dial(t, handshake("Origin: null")); res.StatusCode != 101 {
		t.Error(res.Status)
	}
	a = newAcceptor(t, Settings{Origins: []string{"*"}}, nil)
	if _, _, res := a.dial(t, handshake("Origin: http://anywhere.example")); res.StatusCode != 101 {
		t.Error(res.Status)
	}
}

// Names of subprotocols are compared as they are: a client that offers "A" fails
// a connection that is answered with "a".
func TestAcceptSubprotocolCase(t *testing.T) {
	a := newAcceptor(t, Settings{Subprotocols: []string{"a", "B"}}, nil)
	for offered, want := range map[string]string{"A": "", "A, B": "B", "b,a": "a"} {
		if _, _, res := a.dial(t, handshake("Sec-WebSocket-Protocol: "+offered)); res.StatusCode != 101 || res.Header.Get("Sec-Websocket-Protocol") != want {
			t.Errorf("offered %q: %s, %q; want %q", offered, res.Status, res.Header.Get("Sec-Websocket-Protocol"), want)
		}
	}
}

// Clients fail a connection that is given none of the subprotocols they offer, so
// a server that has none of its own could not be reached by those who offer some.
func TestAcceptAnySubprotocol(t *testing.T) {
	a := newAcceptor(t, Settings{Subprotocols: []string{"ours"}, AnySubprotocol: true}, nil)
	for offers, want := range map[string]string{
		"Sec-WebSocket-Protocol: a":                                     "a",
		"Sec-WebSocket-Protocol: B, a":                                  "B",
		"Sec-WebSocket-Protocol: a, ours":                               "ours",
		"Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b":        "a",
		"Sec-WebSocket-Protocol: ,\t, a ,b":                             "a",
		"Sec-WebSocket-Protocol: no token, a/b, \"a\", a:b, fine~proto": "fine~proto",
		"Sec-WebSocket-Protocol:":                                       "",
		"X-Other: a":                                                    "",
	} {
		_, _, res := a.dial(t, handshake(offers))
		if got := res.Header.Get("Sec-Websocket-Protocol"); res.StatusCode != 101 || got != want {
			t.Errorf("%q: %s, %q; want %q", offers, res.Status, got, want)
		}
		if _, ok := res.Header["Sec-Websocket-Protocol"]; ok != (want != "") {
			t.Errorf("%q: %v", offers, res.Header)
		}
	}
}

// wrapped hides the Hijacker, as a middleware may; unwrappable shows it again
// to http.ResponseController.
type wrapped struct{ http.ResponseWriter }

type unwrappable struct{ http.ResponseWriter }

func (u unwrappable) Unwrap() http.ResponseWriter { return u.ResponseWriter }

func TestAcceptThroughWrappers(t *testing.T) {
	ws := NewServer(Settings{})
	for _, c := range []struct {
		wrap   func(http.ResponseWriter) http.ResponseWriter
		status int
	}{
		{func(w http.ResponseWriter) http.ResponseWriter { return wrapped{w} }, 500},
		{func(w http.ResponseWriter) http.ResponseWriter { return unwrappable{w} }, 101},
	} {
		hs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if c, err := ws.Accept(c.wrap(w), r, nil); err == nil {
				c.Serve(echo{c})
			}
		}))
		a := &acceptor{Server: hs}
		if _, _, res := a.dial(t, handshake()); res.StatusCode != c.status {
			t.Errorf("status %d, want %d", res.StatusCode, c.status)
		}
		_ = ws.Close(t.Context())
		ws = NewServer(Settings{})
		hs.Close()
	}
}

// A real client of another make: the answer is one that net/http's client takes
// as an upgrade.
func TestAcceptNetHTTPClient(t *testing.T) {
	a := newAcceptor(t, Settings{}, nil)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range map[string]string{"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": sampleKey} {
		req.Header.Set(k, v)
	}
	res, err := a.Client().Do(req)
	if err != nil || res.StatusCode != 101 {
		t.Fatal(res, err)
	}
	rw, ok := res.Body.(io.ReadWriteCloser)
	if !ok {
		t.Fatalf("body is a %T", res.Body)
	}
	defer func() { _ = rw.Close() }()
	for i := range 3 {
		if _, err := rw.Write(text(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
		if _, b, err := readServerFrame(rw); err != nil || string(b) != fmt.Sprint(i) {
			t.Fatalf("%q %v", b, err)
		}
	}
}

// Headers of the application cannot become others, by their values or names.
func TestExtraHeaders(t *testing.T) {
	a := newAcceptor(t, Settings{}, http.Header{
		"X-Value":                          {"a\r\nInjected: yes", "b\x00\x7fc\td"},
		"X-Name: v\r\nInjected":            {"yes"},
		"Sec-Websocket-Accept: forged\r\n": {"v"},
		"Upgrade ":                         {"h2c"},
		"":                                 {"nameless"},
		"upgrade":                          {"h2c"},
	})
	_, _, res := a.dial(t, handshake())
	if res.StatusCode != 101 {
		t.Fatal(res.Status)
	}
	want := http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-Websocket-Accept": {sampleAccept},
		"X-Value": {"a  Injected: yes", "b  c\td"}}
	if fmt.Sprint(res.Header) != fmt.Sprint(want) {
		t.Errorf("got  %q\nwant %q", res.Header, want)
	}
}

// A connection with a Server of its own takes its settings from the call.
func TestAcceptAlone(t *testing.T) {
	for _, c := range []struct {
		settings *Settings
		protocol string
	}{{nil, ""}, {&Settings{Subprotocols: []string{"p"}}, "p"}} {
		done := make(chan error, 1)
		hs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			conn, err := Accept(w, r, c.settings)
			if err != nil {
				done <- err
				return
			}
			_, data, err := conn.Read(r.Context())
			if err == nil {
				err = conn.Send(OpText, data)
			}
			done <- errors.Join(err, conn.Close(CloseNormal, ""))
		}))
		a := &acceptor{Server: hs}
		nc, r, res := a.dial(t, handshake("Sec-WebSocket-Protocol: p")+string(text("hi")))
		if res.StatusCode != 101 || res.Header.Get("Sec-Websocket-Protocol") != c.protocol {
			t.Errorf("%s, protocol %q", res.Status, res.Header.Get("Sec-Websocket-Protocol"))
		}
		if _, b, err := readServerFrame(r); err != nil || string(b) != "hi" {
			t.Errorf("%q %v", b, err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		_ = nc.Close()
		hs.Close()
	}
}
