package wscore_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/await"
	"github.com/hermod-io/hermod/wscore"
)

const switching = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "

// What a URL leads to: the address that is dialled, and the request.
func TestDialTargets(t *testing.T) {
	stop := errors.New("far enough")
	for _, c := range []struct{ url, network, addr, host, uri, auth string }{
		{"ws://h", "tcp", "h:80", "h", "/", ""},
		{"WS://h:/a%20b?q=%2F", "tcp", "h:80", "h:", "/a%20b?q=%2F", ""},
		{"http://h:8080?q", "tcp", "h:8080", "h:8080", "/?q", ""},
		{"ws://[::1]/", "tcp", "[::1]:80", "[::1]", "/", ""},
		{"ws://[fe80::1%25lo]:81/", "tcp", "[fe80::1%lo]:81", "[fe80::1]:81", "/", ""},
		{"ws://u:p%3a@h/", "tcp", "h:80", "h", "/", "Basic dTpwOg=="},
		{"ws+unix:///run/s", "unix", "/run/s", "localhost", "/", ""},
		{"ws+unix:///run/a%3Ab%2F:/c%2Fd?e=f:g", "unix", "/run/a:b/", "localhost", "/c%2Fd?e=f:g", ""},
		{"ws+unix://u:p:@/run/s:/", "unix", "/run/s", "localhost", "/", "Basic dTpwOg=="},
	} {
		t.Run(c.url, func(t *testing.T) {
			a, b := net.Pipe()
			asked := make(chan *http.Request, 1)
			go func() {
				r, _ := http.ReadRequest(bufio.NewReader(b))
				asked <- r
				_ = b.Close()
			}()
			var network, addr string
			_, _, err := wscore.Dial(await.Context(t), c.url, nil, &wscore.DialOptions{
				Proxy: noProxy,
				NetDial: func(_ context.Context, n, a2 string) (net.Conn, error) {
					network, addr = n, a2
					return a, nil
				},
			})
			_ = a.Close()
			r := <-asked
			if network != c.network || addr != c.addr || r == nil {
				t.Fatalf("dialled %s %s, request %v; %v", network, addr, r, err)
			}
			if r.Host != c.host || r.RequestURI != c.uri || r.Header.Get("Authorization") != c.auth {
				t.Errorf("host %q, URI %q, authorization %q", r.Host, r.RequestURI, r.Header.Get("Authorization"))
			}
		})
	}
	for _, u := range []string{"ws+unix://run/s:/x", "ws+unix:///run/s:x", "ws+unix:///run/s:/x#f", "ws+unix::/x", "ws+unix:///run/%zz"} {
		_, _, err := wscore.Dial(await.Context(t), u, nil, &wscore.DialOptions{
			NetDial: func(context.Context, string, string) (net.Conn, error) { return nil, stop },
		})
		if err == nil || errors.Is(err, stop) {
			t.Errorf("%s is dialled", u)
		}
	}
}

// The percent-encoding of a socket's path stands for the path.
func TestDialUnixPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a:b c")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	hs := &httptest.Server{Listener: l, Config: &http.Server{Handler: echoHandler(t, wscore.Settings{}, nil)}}
	hs.Start()
	defer hs.Close()
	escaped := strings.ReplaceAll((&url.URL{Path: path}).EscapedPath(), ":", "%3A")
	c, _, err := wscore.Dial(await.Context(t), "ws+unix://"+escaped, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantEcho(t, c, wscore.OpText, "at a path with a colon")
	_ = c.CloseNow()
}

// A server may say other things before the answer: RFC 9110 section 15.2.
func TestDialInformational(t *testing.T) {
	hints := "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
	u := answering(t, func(nc net.Conn, key string) {
		_, _ = io.WriteString(nc, "HTTP/1.1 100 Continue\r\n\r\n"+hints+switching+sum(key)+"\r\n\r\n\x81\x02hi")
		_, _ = io.Copy(io.Discard, nc)
	})
	c, resp, err := wscore.Dial(await.Context(t), u, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, b, err := c.Read(await.Context(t)); err != nil || string(b) != "hi" || resp.StatusCode != 101 {
		t.Errorf("%q, %v, %s", b, err, resp.Status)
	}
	_ = c.CloseNow()
	u = answering(t, func(nc net.Conn, _ string) { _, _ = io.WriteString(nc, strings.Repeat(hints, 3000)) })
	if _, _, err := wscore.Dial(await.Context(t), u, nil, nil); err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("hints without end: %v", err)
	}
}

// What an HTTP proxy may answer. RFC 9110 section 9.3.6: any 2xx is the tunnel, and
// lengths in it mean nothing.
func TestDialProxyAnswers(t *testing.T) {
	for answer, want := range map[string]string{
		"HTTP/1.1 200 Connection established\r\n\r\n":          "",
		"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n":         "",
		"HTTP/1.1 204 No Content\r\n\r\n":                      "",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n": "",
		"HTTP/1.1 101 Switching Protocols\r\n\r\n":             "101",
		"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n":            "302",
		"HTTP/1.1 200 OK\r\n\r\n\x81\x00":                      "bytes of its own",
		"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n":   "407",
		"": "closed before",
		strings.Repeat("HTTP/1.1 100 A\r\n\r\n", 5000): "too long",
	} {
		t.Run(answer[:min(len(answer), 40)], func(t *testing.T) {
			proxied, b := net.Pipe()
			go func() {
				defer func() { _ = b.Close() }()
				br := bufio.NewReader(b)
				if r, err := http.ReadRequest(br); err != nil || r.Method != http.MethodConnect || r.RequestURI != "[::1]:80" {
					t.Errorf("asked for %v, %v", r, err)
				}
				if _, err := io.WriteString(b, answer); err != nil || answer == "" {
					return
				}
				r, err := http.ReadRequest(br)
				if err != nil {
					return
				}
				_, _ = io.WriteString(b, switching+sum(r.Header.Get("Sec-Websocket-Key"))+"\r\n\r\n")
				_, _ = io.Copy(io.Discard, br)
			}()
			c, _, err := wscore.Dial(await.Context(t), "ws://[::1]/", nil, &wscore.DialOptions{
				Proxy:   func(*http.Request) (*url.URL, error) { return url.Parse("http://proxy.test:3128") },
				NetDial: func(context.Context, string, string) (net.Conn, error) { return proxied, nil },
			})
			if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("got %v, want %q", err, want)
			}
			if c != nil {
				_ = c.CloseNow()
			}
			_ = proxied.Close()
		})
	}
}

// timeless is a stream without deadlines, as those through an SSH connection are.
type timeless struct{ net.Conn }

func (timeless) SetDeadline(time.Time) error { return os.ErrNoDeadline }

func TestDialEndsWithoutDeadlines(t *testing.T) {
	for _, via := range []string{"", "http://proxy.test"} {
		a, b := net.Pipe()
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			_, _ = http.ReadRequest(bufio.NewReader(b))
			cancel()
		}()
		done := make(chan error)
		go func() {
			_, _, err := wscore.Dial(ctx, "ws://h/", nil, &wscore.DialOptions{
				Proxy: func(*http.Request) (*url.URL, error) {
					if via == "" {
						return nil, nil
					}
					return url.Parse(via)
				},
				NetDial: func(context.Context, string, string) (net.Conn, error) { return timeless{a}, nil },
			})
			done <- err
		}()
		select {
		case err := <-done:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("through %q: %v", via, err)
			}
		case <-time.After(5 * time.Second):
			t.Errorf("through %q: Dial goes on after the end of its context", via)
		}
		_ = b.Close()
	}
}

// lateCancel cancels when the answer is there.
type lateCancel struct {
	net.Conn
	cancel func()
}

func (c lateCancel) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.cancel()
	return n, err
}

// With an error that is no *HandshakeError there is no response, however late
// it comes.
func TestDialCancelledAtTheEnd(t *testing.T) {
	u := answering(t, func(nc net.Conn, key string) {
		_, _ = io.WriteString(nc, switching+sum(key)+"\r\n\r\n")
		_, _ = io.Copy(io.Discard, nc)
	})
	ctx, cancel := context.WithCancel(t.Context())
	c, resp, err := wscore.Dial(ctx, u, nil, &wscore.DialOptions{
		NetDial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			nc, err := new(net.Dialer).DialContext(ctx, network, addr)
			return lateCancel{nc, cancel}, err
		},
	})
	if c != nil || resp != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, %v, %v", c, resp, err)
	}
}
