package engineio

import (
	"bufio"
	"crypto/tls"
	"net/http"
	"net/textproto"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"unsafe"
)

// browserRequest is the handshake of a browser that was on the site before.
func browserRequest(t testing.TB, addr, cookie string) *http.Request {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader("GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n" +
		"Host: chat.example.com\r\nConnection: Upgrade\r\nPragma: no-cache\r\nCache-Control: no-cache\r\n" +
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36\r\n" +
		"Upgrade: websocket\r\nOrigin: http://chat.example.com\r\nSec-WebSocket-Version: 13\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n" +
		"Accept-Language: en-GB,en-US;q=0.9,en;q=0.8,da;q=0.7\r\nCookie: " + cookie + "\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
		"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	r.RemoteAddr = addr
	return r
}

// same compares a request with what was kept of it.
func same(t *testing.T, r *http.Request) {
	t.Helper()
	p := packHandshake(r)
	h := p.unpack()
	want := http.Header{"Host": {r.Host}}
	for name, values := range r.Header {
		for _, v := range values {
			want.Add(name, textproto.TrimString(strings.NewReplacer("\n", " ", "\r", " ").Replace(v)))
		}
	}
	if !reflect.DeepEqual(h.Header, want) {
		t.Errorf("headers %v, want %v", h.Header, want)
	}
	if h.Method != r.Method || h.URL.RequestURI() != r.URL.RequestURI() || h.RemoteAddr != r.RemoteAddr || h.Secure != (r.TLS != nil) ||
		h.Time.UnixMilli() != p.at {
		t.Errorf("%+v of %+v", h, r)
	}
}

// What is kept is the request, whatever is in it.
func TestHandshakeKeepsAll(t *testing.T) {
	plain := func(change func(r *http.Request)) *http.Request {
		r := &http.Request{Method: "GET", URL: &url.URL{Path: "/engine.io/", RawQuery: "EIO=4&transport=polling"}, Host: "here.example",
			Header: http.Header{}, RemoteAddr: "127.0.0.1:1"}
		change(r)
		return r
	}
	long := strings.Repeat("x", 5000)
	for name, r := range map[string]*http.Request{
		"browser":             browserRequest(t, "127.0.0.1:65535", "session=1; theme=dark"),
		"nothing":             plain(func(*http.Request) {}),
		"no host, no address": plain(func(r *http.Request) { r.Host, r.RemoteAddr = "", "" }),
		"tls":                 plain(func(r *http.Request) { r.TLS = &tls.ConnectionState{} }),
		"a query of its own":  plain(func(r *http.Request) { r.URL.RawQuery += "&token=a%20b&t=Ox" }),
		"a long path":         plain(func(r *http.Request) { r.URL.Path = "/" + long }),
		"POST":                plain(func(r *http.Request) { r.Method = http.MethodPost }),
		"empty values":        plain(func(r *http.Request) { r.Header["Accept"], r.Header["X-Mine"] = []string{""}, []string{"", ""} }),
		"several values": plain(func(r *http.Request) {
			r.Header["X-Two"], r.Header["Via"] = []string{"1", "2"}, []string{"a", "b", "a"}
		}),
		"names without lists": plain(func(r *http.Request) { r.Header["X-None"] = nil }),
		"colons": plain(func(r *http.Request) {
			r.Header["Origin"], r.Header["X-Mine"] = []string{"http://a:1"}, []string{"a: b"}
		}),
		"long values": plain(func(r *http.Request) { r.Header["User-Agent"], r.Header["X-Mine"] = []string{long}, []string{long} }),
		"lines": plain(func(r *http.Request) {
			r.Header["Origin"], r.Header["X-Mine"] = []string{"a\nX-Forged: 1"}, []string{"a\r\nX-Forged: 1\n"}
		}),
		"spaces": plain(func(r *http.Request) { r.Header["Accept"], r.Header["X-Mine"] = []string{" a "}, []string{"\tb\t"} }),
		"utf-8":  plain(func(r *http.Request) { r.Header["Accept"], r.Header["X-Mine"] = []string{"Zoë"}, []string{"Zoë"} }),
		"a name of a middleware": plain(func(r *http.Request) {
			r.Header["x-mine"], r.Header["user-agent"] = []string{"1"}, []string{"2"}
		}),
		"many": plain(func(r *http.Request) {
			for i := range 100 {
				r.Header.Add("X-"+strings.Repeat("n", i+1), strings.Repeat("v", i))
			}
		}),
	} {
		t.Run(name, func(t *testing.T) { same(t, r) })
	}
}

// A name that no header can have is left out, as it is from what is written.
func TestHandshakeWithoutBadNames(t *testing.T) {
	r := browserRequest(t, "127.0.0.1:1", "a=b")
	for _, name := range []string{"", "a:b", "a b", "a\nX-Forged", "é"} {
		r.Header[name] = []string{"bad"}
	}
	h := packHandshake(r).unpack()
	if len(h.Header) != 13 || h.Header.Get("Cookie") != "a=b" || h.Header.Get("Host") != "chat.example.com" {
		t.Errorf("%d headers: %v", len(h.Header), h.Header)
	}
}

// Sessions of like browsers have in common what their requests say alike, and
// nobody's secret is in it.
func TestHandshakeIsShared(t *testing.T) {
	const secret = "session=c2Vzc2lvbi1pZA"
	a, b := packHandshake(browserRequest(t, "127.0.0.1:65535", secret)), packHandshake(browserRequest(t, "127.0.0.2:1", "session=other"))
	if a.form != b.form {
		t.Errorf("%q is not %q", a.form.Value(), b.form.Value())
	}
	if strings.Contains(a.form.Value(), secret) {
		t.Errorf("%q is shared", a.form.Value())
	}
	if most := len(secret) + len("127.0.0.1:65535") + 24 + 3; len(a.own) > most {
		t.Errorf("%q has %d bytes, at most %d", a.own, len(a.own), most)
	}
	other := browserRequest(t, "127.0.0.1:65535", secret)
	for _, header := range []string{"Authorization", "X-Forwarded-For", "Sec-Websocket-Protocol", "X-Token"} {
		other.Header.Set(header, secret)
	}
	other.URL.RawQuery += "&auth=" + secret
	if form := packHandshake(other).form.Value(); strings.Contains(form, secret) {
		t.Errorf("%q is shared", form)
	}
}

// What one large request needed is not kept for all others, nor are its names.
func TestPackersStaySmall(t *testing.T) {
	plain := func() *packer { return &packer{make([]byte, 0, 1<<10), make([]byte, 0, 1<<10), nil} }
	many := http.Header{}
	for i := range 1000 {
		many[string([]byte{'X', 'a' + byte(i%26), 'a' + byte(i/26%26), 'a' + byte(i/676)})] = nil
	}
	for name, h := range map[string]http.Header{"a long value": {"Cookie": {strings.Repeat("x", 100_000)}}, "many names": many} {
		p := plain()
		p.headers(h)
		if p.reset() {
			t.Errorf("%s: %d bytes are kept", name, p.room())
		}
	}
	p := plain()
	p.headers(browserRequest(t, "127.0.0.1:1", "a=b").Header)
	if !p.reset() {
		t.Errorf("the %d bytes for a browser are not kept", p.room())
	}
	if len(p.form)+len(p.own)+len(p.names) > 0 || strings.Join(p.names[:cap(p.names)], "") != "" {
		t.Errorf("%q %q %q are kept", p.form, p.own, p.names[:cap(p.names)])
	}
}

// TestSessionSize: what an idle session over WebSocket has of its own.
func TestSessionSize(t *testing.T) {
	if got := unsafe.Sizeof(Session{}); got > 208 {
		t.Errorf("Session has %d bytes", got)
	}
}
