package wscore_test

import (
	"bufio"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/await"
	"github.com/hermod-io/hermod/wscore"
)

// limit is how long anything in these tests may take.
const limit = 30 * time.Second

// echoHandler is a server of mirrors.
func echoHandler(t *testing.T, s wscore.Settings, seen func(*http.Request)) http.Handler {
	srv := wscore.NewServer(s)
	t.Cleanup(func() { closeWithin(t, srv.Close) })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if seen != nil {
			seen(r)
		}
		conn, err := srv.Accept(w, r, http.Header{"X-Hello": {"yes"}})
		if err == nil {
			conn.Serve(echo{conn})
		}
	})
}

func closeWithin(t *testing.T, f func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := f(ctx); err != nil {
		t.Errorf("close: %v", err)
	}
}

func wantEcho(t *testing.T, c *wscore.Conn, op wscore.Opcode, s string) {
	t.Helper()
	if err := c.Send(op, []byte(s)); err != nil {
		t.Fatal(err)
	}
	gotOp, got, err := c.Read(await.Context(t))
	if err != nil || gotOp != op || string(got) != s {
		t.Fatalf("got %d, %d bytes, %v; want %d, %d bytes", gotOp, len(got), err, op, len(s))
	}
}

func noProxy(*http.Request) (*url.URL, error) { return nil, nil }

func TestDialEcho(t *testing.T) {
	var got *http.Request
	hs := httptest.NewServer(echoHandler(t, wscore.Settings{Subprotocols: []string{"b"}}, func(r *http.Request) { got = r }))
	defer hs.Close()
	d := wscore.NewDialer(wscore.Settings{Subprotocols: []string{"a", "b"}})
	c, resp, err := d.Dial(await.Context(t), strings.Replace(hs.URL, "http", "ws", 1)+"/path?q=1", &wscore.DialOptions{
		Header: http.Header{"X-Mine": {"1"}, "Sec-Websocket-Key": {"forged"}, "Host": {"other.test"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 1, 125, 126, 65535, 65536, 300000} {
		wantEcho(t, c, wscore.OpText, strings.Repeat("x", n))
		wantEcho(t, c, wscore.OpBinary, strings.Repeat("\xff", n))
	}
	if c.Subprotocol() != "b" || resp.Header.Get("X-Hello") != "yes" || resp.StatusCode != 101 {
		t.Errorf("subprotocol %q, response %v", c.Subprotocol(), resp)
	}
	if got.Host != "other.test" || got.URL.RequestURI() != "/path?q=1" || got.Header.Get("X-Mine") != "1" {
		t.Errorf("request: %v %v %v", got.Host, got.URL, got.Header)
	}
	if n := d.Conns(); n != 1 {
		t.Errorf("%d connections", n)
	}
	if err := c.Close(wscore.CloseNormal, "bye"); err != nil {
		t.Error(err)
	}
	var ce *wscore.CloseError
	if _, _, err := c.Read(await.Context(t)); !errors.As(err, &ce) || ce.Code != wscore.CloseNormal || ce.Remote {
		t.Errorf("after Close: %v", err)
	}
	closeWithin(t, d.Close)
}

// answering is a server made of raw bytes: it reads a request and lets f answer.
func answering(t *testing.T, f func(nc net.Conn, key string)) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			r, err := http.ReadRequest(bufio.NewReader(nc))
			if err == nil {
				f(nc, r.Header.Get("Sec-Websocket-Key"))
			}
			_ = nc.Close()
		}
	}()
	return "ws://" + l.Addr().String()
}

func sum(key string) string {
	s := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(s[:])
}

func TestDialRefused(t *testing.T) {
	const good = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	for _, tt := range []struct {
		name, answer string // ACCEPT stands for the right value
		status       int    // of the *HandshakeError; 0: another error
		text         string
	}{
		{"forbidden", "HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nno!\n", 403, "403"},
		{"redirected", "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", 302, "302"},
		{"200", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, "200"},
		{"no upgrade", "HTTP/1.1 101 S\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ACCEPT\r\n\r\n", 101, "without an upgrade"},
		{"no connection", "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ACCEPT\r\n\r\n", 101, "without an upgrade"},
		{"no accept", good + "\r\n", 101, "wrong Sec-WebSocket-Accept"},
		{"wrong accept", good + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n", 101, "wrong Sec-WebSocket-Accept"},
		{"foreign subprotocol", good + "Sec-WebSocket-Accept: ACCEPT\r\nSec-WebSocket-Protocol: c\r\n\r\n", 101, "subprotocol"},
		{"two subprotocols", good + "Sec-WebSocket-Accept: ACCEPT\r\nSec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b\r\n\r\n", 101, "subprotocol"},
		{"extension", good + "Sec-WebSocket-Accept: ACCEPT\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n", 101, "extension"},
		{"nothing", "", 0, "before the handshake"},
		{"half a head", "HTTP/1.1 101 Switch", 0, "before the handshake"},
		{"no HTTP", "220 smtp ready\r\n\r\n", 0, "malformed"},
		{"endless head", "HTTP/1.1 101 S\r\n" + strings.Repeat("X: "+strings.Repeat("y", 1000)+"\r\n", 80), 0, "too long"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u := answering(t, func(nc net.Conn, key string) {
				_, _ = io.WriteString(nc, strings.ReplaceAll(tt.answer, "ACCEPT", sum(key)))
			})
			c, resp, err := wscore.Dial(await.Context(t), u, &wscore.Settings{Subprotocols: []string{"a", "b"}}, nil)
			if c != nil || err == nil || !strings.Contains(err.Error(), tt.text) {
				t.Fatalf("got %v, %v", c, err)
			}
			var he *wscore.HandshakeError
			if errors.As(err, &he) != (tt.status != 0) || he != nil && he.Status != tt.status {
				t.Errorf("got %#v", err)
			}
			if tt.status == 403 {
				if b, err := io.ReadAll(resp.Body); err != nil || string(b) != "no!\n" {
					t.Errorf("body %q, %v", b, err)
				}
			}
		})
	}
}

func TestDialURLs(t *testing.T) {
	for _, u := range []string{"", "ftp://x/", "ws://", "ws:///path", "ws://h/#frag", "ws://h:port/", "ws+unix://", "::"} {
		if c, resp, err := wscore.Dial(await.Context(t), u, nil, nil); err == nil || c != nil || resp != nil {
			t.Errorf("%q: %v, %v, %v", u, c, resp, err)
		}
	}
}

// The first frames may come with the answer, and a masked one is a fault.
func TestDialEarlyFrames(t *testing.T) {
	answer := func(nc net.Conn, key, frames string) {
		_, _ = io.WriteString(nc, "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Accept: "+sum(key)+"\r\n\r\n"+frames)
		_, _ = io.Copy(io.Discard, nc)
	}
	u := answering(t, func(nc net.Conn, key string) { answer(nc, key, "\x81\x02hi\x82\x01!") })
	c, _, err := wscore.Dial(await.Context(t), u, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"hi", "!"} {
		if _, got, err := c.Read(await.Context(t)); err != nil || string(got) != want {
			t.Fatalf("got %q, %v", got, err)
		}
	}
	_ = c.CloseNow()
	u = answering(t, func(nc net.Conn, key string) { answer(nc, key, "\x81\x82abcdhi") })
	if c, _, err = wscore.Dial(await.Context(t), u, nil, nil); err != nil {
		t.Fatal(err)
	}
	var ce *wscore.CloseError
	if _, _, err := c.Read(await.Context(t)); !errors.As(err, &ce) || ce.Code != wscore.CloseProtocolError || ce.Remote {
		t.Errorf("a masked frame of the server: %v", err)
	}
}

func TestDialEndsWithContext(t *testing.T) {
	got := make(chan struct{})
	u := answering(t, func(nc net.Conn, _ string) {
		close(got)
		_, _ = io.Copy(io.Discard, nc)
	})
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() { <-got; cancel(cause) }()
	if _, _, err := wscore.Dial(ctx, u, nil, nil); !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
	u = answering(t, func(nc net.Conn, _ string) { _, _ = io.Copy(io.Discard, nc) })
	if _, _, err := wscore.Dial(t.Context(), u, nil, &wscore.DialOptions{Timeout: 20 * time.Millisecond}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestDialUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	hs := &httptest.Server{Listener: l, Config: &http.Server{Handler: echoHandler(t, wscore.Settings{}, func(r *http.Request) {
		if r.URL.RequestURI() != "/chat?x=1" {
			t.Errorf("request for %s", r.URL)
		}
	})}}
	hs.Start()
	defer hs.Close()
	c, _, err := wscore.Dial(await.Context(t), "ws+unix://"+path+":/chat?x=1", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantEcho(t, c, wscore.OpText, "over a socket file")
	_ = c.CloseNow()
}

// tunnel copies both ways until one end is closed.
func tunnel(a net.Conn, b net.Conn) {
	go func() { _, _ = io.Copy(a, b); _ = a.Close() }()
	_, _ = io.Copy(b, a)
	_ = b.Close()
}

func TestDialThroughHTTPProxy(t *testing.T) {
	hs := httptest.NewServer(echoHandler(t, wscore.Settings{}, nil))
	defer hs.Close()
	ps := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect || r.Header.Get("Proxy-Authorization") != "Basic dTpw" {
			http.Error(w, "no", http.StatusProxyAuthRequired)
			return
		}
		to, err := net.Dial("tcp", r.Host)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		w.WriteHeader(http.StatusOK)
		nc, rw, _ := http.NewResponseController(w).Hijack()
		_, _ = io.CopyN(to, rw, int64(rw.Reader.Buffered()))
		tunnel(nc, to)
	}))
	defer ps.Close()
	via := func(user string) *wscore.DialOptions {
		return &wscore.DialOptions{Proxy: func(r *http.Request) (*url.URL, error) {
			if r.URL.Scheme != "http" {
				t.Errorf("asked for the proxy of %s", r.URL)
			}
			return url.Parse(strings.Replace(ps.URL, "://", "://"+user, 1))
		}}
	}
	u := strings.Replace(hs.URL, "http", "ws", 1)
	c, _, err := wscore.Dial(await.Context(t), u, nil, via("u:p@"))
	if err != nil {
		t.Fatal(err)
	}
	wantEcho(t, c, wscore.OpText, "through the tunnel")
	_ = c.CloseNow()
	if _, _, err := wscore.Dial(await.Context(t), u, nil, via("")); err == nil || !strings.Contains(err.Error(), "407") {
		t.Errorf("a proxy that refuses: %v", err)
	}
}

func TestDialThroughSOCKS(t *testing.T) {
	hs := httptest.NewServer(echoHandler(t, wscore.Settings{}, nil))
	defer hs.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go socks5(nc)
		}
	}()
	c, _, err := wscore.Dial(await.Context(t), strings.Replace(hs.URL, "http", "ws", 1), nil, &wscore.DialOptions{
		Proxy: func(*http.Request) (*url.URL, error) { return url.Parse("socks5://" + l.Addr().String()) },
	})
	if err != nil {
		t.Fatal(err)
	}
	wantEcho(t, c, wscore.OpText, "through the proxy")
	_ = c.CloseNow()
}

// socks5 is a proxy for one connection to an IPv4 address. RFC 1928.
func socks5(nc net.Conn) {
	defer nc.Close()
	b := make([]byte, 10)
	if _, err := io.ReadFull(nc, b[:3]); err != nil {
		return
	}
	_, _ = nc.Write([]byte{5, 0})
	if _, err := io.ReadFull(nc, b); err != nil || b[3] != 1 {
		return
	}
	to, err := net.Dial("tcp", (&net.TCPAddr{IP: b[4:8], Port: int(binary.BigEndian.Uint16(b[8:]))}).String())
	if err != nil {
		return
	}
	_, _ = nc.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	tunnel(nc, to)
}

// A prepared message is masked anew for each connection of a client.
func TestClientSendsPrepared(t *testing.T) {
	hs := httptest.NewServer(echoHandler(t, wscore.Settings{}, nil))
	defer hs.Close()
	c, _, err := wscore.Dial(await.Context(t), hs.URL, nil, &wscore.DialOptions{Proxy: noProxy})
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("long ", 20000)
	p := wscore.NewPrepared(wscore.Message{Op: wscore.OpText, Data: []byte("one")}, wscore.Message{Op: wscore.OpBinary, Prefix: []byte("t"), Data: []byte("wo")},
		wscore.Message{Op: wscore.OpText, Data: []byte(long)})
	for range 2 {
		if err := c.SendPrepared(p, 0); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"one", "two", long} {
			if _, got, err := c.Read(await.Context(t)); err != nil || string(got) != want {
				t.Fatalf("got %.20q, %v", got, err)
			}
		}
	}
	_ = c.CloseNow()
}
