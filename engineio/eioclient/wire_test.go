package eioclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hermod-io/hermod/engineio/eioclient"
)

// fake is a server that counts what it is asked; the test answers a GET.
type fake struct {
	t         *testing.T
	handshake string
	answers   chan string // of GETs after the first
	posts     chan string
	release   chan struct{} // lets a POST be answered; nil does so at once

	mu         sync.Mutex // guards what follows
	gets, puts int        // under way
	requests   []*http.Request
}

func (f *fake) enter(n *int, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests = append(f.requests, r)
	if *n++; *n > 1 {
		f.t.Errorf("a second %s at the same time", r.Method)
	}
}

func (f *fake) leave(n *int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	*n--
}

// ServeHTTP implements http.Handler.
func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("transport") == "websocket" {
		http.Error(w, "no websocket here", http.StatusBadGateway)
		return
	}
	if r.Method == http.MethodPost {
		f.enter(&f.puts, r)
		defer f.leave(&f.puts)
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		f.posts <- string(body)
		if f.release != nil {
			select {
			case <-f.release:
			case <-r.Context().Done():
			}
		}
		_, _ = io.WriteString(w, "ok")
		return
	}
	f.enter(&f.gets, r)
	defer f.leave(&f.gets)
	if r.URL.Query().Get("sid") == "" {
		http.SetCookie(w, &http.Cookie{Name: "sticky", Value: "node1"})
		_, _ = io.WriteString(w, f.handshake)
		return
	}
	select {
	case a := <-f.answers:
		_, _ = io.WriteString(w, a)
	case <-r.Context().Done():
	}
}

// open is the packet of a handshake.
const open = `0{"sid":"id","upgrades":["websocket"],"pingInterval":%d,"pingTimeout":20000,"maxPayload":%d}`

// serve starts a fake server over loopback.
func serve(t *testing.T, interval, maxPayload int) (*fake, string) {
	f := &fake{t: t, handshake: fmt.Sprintf(open, interval, maxPayload), answers: make(chan string, 10), posts: make(chan string, 1000)}
	srv := httptest.NewServer(f)
	t.Cleanup(srv.Close)
	return f, srv.URL
}

// dialURL opens a session that ends with the test.
func dialURL(t *testing.T, url string, cfg eioclient.Config, h eioclient.Handler) (*eioclient.Session, error) {
	t.Helper()
	d, err := eioclient.NewDialer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return d.Dial(t.Context(), url, h)
}

// What waits goes into one POST, up to maxPayload; one at a time.
func TestBatches(t *testing.T) {
	f, url := serve(t, 25000, 30)
	f.release = make(chan struct{})
	s, err := dialURL(t, url, eioclient.Config{}, eioclient.Handler{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 7 {
		if err := s.Send(0, eioclient.Message{Data: fmt.Appendf(nil, "number %d", i)}); err != nil {
			t.Fatal(err)
		}
		if i == 0 { // the others wait for the end of this POST
			if got := <-f.posts; got != "4number 0" {
				t.Errorf("first %q", got)
			}
		}
	}
	if s.Writable() {
		t.Error("writable during a POST")
	}
	big := strings.Repeat("x", 100)
	if err := s.Send(0, eioclient.Message{Binary: true, Data: []byte{1, 2, 3}}, eioclient.Message{Data: []byte(big)}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"4number 1\x1e4number 2\x1e4number 3", "4number 4\x1e4number 5\x1e4number 6", "bAQID", "4" + big,
	} {
		f.release <- struct{}{}
		if got := <-f.posts; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	f.release <- struct{}{}
}

// A full queue refuses messages; an empty one takes any.
func TestQueueFull(t *testing.T) {
	f, url := serve(t, 25000, 1000)
	f.release = make(chan struct{})
	s, err := dialURL(t, url, eioclient.Config{Queue: eioclient.Queue{Packets: 3, Bytes: 20}}, eioclient.Handler{})
	if err != nil {
		t.Fatal(err)
	}
	long := eioclient.Message{Data: make([]byte, 100)}
	if err := s.Send(0, long); err != nil {
		t.Errorf("the first: %v", err)
	}
	if err := s.Send(0, eioclient.Message{}); !errors.Is(err, eioclient.ErrQueueFull) {
		t.Errorf("too many bytes: %v", err)
	}
	if err := s.Send(eioclient.Must, eioclient.Message{}); err != nil {
		t.Errorf("with Must: %v", err)
	}
	if bytes, packets := s.Buffered(); bytes != 102 || packets != 2 {
		t.Errorf("%d bytes, %d packets", bytes, packets)
	}
	close(f.release)
}

// Cookies, headers and the query are sent; a failed upgrade leaves the session
// alone; a ping is answered without its data, and what is no UTF-8 becomes U+FFFD, as
// with the official client.
func TestRequests(t *testing.T) {
	f, url := serve(t, 25000, 1000)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg := eioclient.Config{Jar: jar, Header: http.Header{"X-Own": {"h"}, "Host": {"virtual.example"}}, Query: map[string][]string{"q": {"1 2"}}, Path: "/at/"}
	got := make(chan string, 10)
	_, err = dialURL(t, url+"/ignored?u=v", cfg, eioclient.Handler{OnMessage: func(binary bool, data []byte) { got <- fmt.Sprint(binary, string(data)) }})
	if err != nil {
		t.Fatal(err)
	}
	f.answers <- "6\x1e4tex\xff\x1ebAQID\x1e2data"
	if a, b := <-got, <-got; a != "falsetex\ufffd" || b != "true\x01\x02\x03" {
		t.Errorf("got %q, %q", a, b)
	}
	if pong := <-f.posts; pong != "3" {
		t.Errorf("pong %q", pong)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, r := range f.requests {
		q := r.URL.Query()
		if r.URL.Path != "/at/" || q.Get("EIO") != "4" || q.Get("q") != "1 2" || q.Get("u") != "v" || r.Header.Get("X-Own") != "h" || r.Host != "virtual.example" {
			t.Errorf("request %d: %s %v %s", i, r.URL, r.Header, r.Host)
		}
		if c, err := r.Cookie("sticky"); i > 0 && (err != nil || c.Value != "node1" || q.Get("sid") != "id") {
			t.Errorf("request %d has no cookie or id: %v", i, r.Header)
		}
	}
}

// The ways in which a session ends.
func TestEnds(t *testing.T) {
	for _, c := range []struct {
		answer string
		reason eioclient.Reason
	}{
		{"1", eioclient.TransportClose},
		{"4before\x1e9after", eioclient.ParseError},
		{"", eioclient.ParseError},
		{"4" + strings.Repeat("x", 2000), eioclient.TransportError},
	} {
		f, url := serve(t, 25000, 1000)
		ended := make(chan eioclient.Reason, 1)
		h := eioclient.Handler{OnClose: func(r eioclient.Reason, err error) { ended <- r }}
		s, err := dialURL(t, url, eioclient.Config{MaxMessage: 1000}, h)
		if err != nil {
			t.Fatal(err)
		}
		f.answers <- c.answer
		if r := <-ended; r != c.reason {
			t.Errorf("%.20q: %s, want %s", c.answer, r, c.reason)
		}
		if err := s.Send(0, eioclient.Message{}); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Send: %v", err)
		}
	}
}

// Without pings the session ends.
func TestPingTimeout(t *testing.T) {
	f, url := serve(t, 1, 1000)
	f.handshake = `0{"sid":"id","upgrades":[],"pingInterval":30,"pingTimeout":20,"maxPayload":1000}`
	ended := make(chan eioclient.Reason, 1)
	if _, err := dialURL(t, url, eioclient.Config{}, eioclient.Handler{OnClose: func(r eioclient.Reason, err error) { ended <- r }}); err != nil {
		t.Fatal(err)
	}
	if r := <-ended; r != eioclient.PingTimeout {
		t.Errorf("reason %s", r)
	}
}

// The ways in which a dial fails.
func TestDialErrors(t *testing.T) {
	refuse := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Header.Get("X-Want") {
		case "403":
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"code":4,"message":"go away"}`)
		case "Session ID unknown", "go home", "<h1>502</h1>", "": // as a server answers an upgrade request
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, r.Header.Get("X-Want"))
		case "garbage":
			_, _ = io.WriteString(w, "<html>")
		case "message":
			_, _ = io.WriteString(w, "4hello")
		case "wait":
			<-r.Context().Done()
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(refuse.Close)
	dial := func(want, transport string, timeout time.Duration) *eioclient.DialError {
		t.Helper()
		cfg := eioclient.Config{Header: http.Header{"X-Want": {want}}, Transports: []string{transport}, Timeout: timeout}
		_, err := dialURL(t, refuse.URL, cfg, eioclient.Handler{OnClose: func(eioclient.Reason, error) { t.Error("OnClose of no session") }})
		var failed *eioclient.DialError
		if !errors.As(err, &failed) || failed.Transport != transport {
			t.Fatalf("%s over %s: %v", want, transport, err)
		}
		return failed
	}
	for _, transport := range []string{eioclient.Polling, eioclient.WebSocket} {
		if e := dial("403", transport, 0); e.Status != 403 || e.Code != 4 || e.Message != "go away" || !strings.Contains(e.Error(), "go away") {
			t.Errorf("%s: %v", transport, e)
		}
		if e := dial("404", transport, 0); e.Status != 404 {
			t.Errorf("%s: %v", transport, e)
		}
		if e := dial("wait", transport, 20*time.Millisecond); !e.Timeout() || !errors.Is(e, context.DeadlineExceeded) {
			t.Errorf("%s: %v", transport, e)
		}
	}
	for text, code := range map[string]int{"Session ID unknown": 1, "go home": 4} {
		if e := dial(text, eioclient.WebSocket, 0); e.Status != 400 || e.Code != code || e.Message != text {
			t.Errorf("%q: %v", text, e)
		}
	}
	for _, page := range []string{"<h1>502</h1>", ""} {
		if e := dial(page, eioclient.WebSocket, 0); e.Status != 400 || e.Code != 0 || e.Message != "" {
			t.Errorf("a page: %v", e)
		}
	}
	dial("garbage", eioclient.Polling, 0)
	dial("message", eioclient.Polling, 0)
	for _, url := range []string{"ftp://host", "http://", "://"} {
		if _, err := dialURL(t, url, eioclient.Config{}, eioclient.Handler{}); err == nil {
			t.Errorf("%s was taken", url)
		}
	}
}

// The next transport is tried only if that was asked for.
func TestTryAllTransports(t *testing.T) {
	_, url := serve(t, 25000, 1000)
	cfg := eioclient.Config{Transports: []string{eioclient.WebSocket, eioclient.Polling}}
	if _, err := dialURL(t, url, cfg, eioclient.Handler{}); err == nil {
		t.Error("no error")
	}
	cfg.TryAllTransports = true
	s, err := dialURL(t, url, cfg, eioclient.Handler{})
	if err != nil {
		t.Fatal(err)
	}
	if s.Transport() != eioclient.Polling || s.ID() != "id" {
		t.Errorf("%s %s", s.Transport(), s.ID())
	}
}

// Settings that make no sense.
func TestValidate(t *testing.T) {
	for _, cfg := range []eioclient.Config{
		{Transports: []string{}},
		{Transports: []string{"pigeon"}},
		{Queue: eioclient.Queue{Bytes: -1}},
	} {
		if _, err := eioclient.NewDialer(cfg); err == nil {
			t.Errorf("%+v was taken", cfg)
		}
	}
}
