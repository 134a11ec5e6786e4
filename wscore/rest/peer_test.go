package rest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/await"
	"github.com/hermod-io/hermod/wscore"
	"github.com/hermod-io/hermod/wscore/rest"
	"github.com/hermod-io/hermod/wscore/rest/weakaes"
)

// limit is how long anything in these tests may take.
const limit = 30 * time.Second

// pair is a server and a client that are connected, each with its handler.
type pair struct {
	t              *testing.T
	server, client *rest.Peer
	h              *wscore.Handler
	c              *wscore.Client
}

type settings struct {
	spec           func(rest.Options) wscore.ProtocolSpec
	names          []string // the client's; nil: those of spec
	server, client rest.Options
	process        wscore.ProcessSettings
	header         http.Header
}

func connect(t *testing.T, s settings) *pair {
	t.Helper()
	list := new(wscore.ProtocolList)
	list.Add(s.spec(s.server))
	s.process.Conn.CloseTimeout = time.Second
	h := wscore.NewHandler(list, s.process)
	hs := httptest.NewServer(h)
	clientSpec := s.spec(s.client)
	if s.names != nil {
		clientSpec.Names = s.names
	}
	c := wscore.NewClient(hs.URL, clientSpec, wscore.ClientSettings{
		ProcessSettings: wscore.ProcessSettings{Conn: s.process.Conn, SendDelay: s.process.SendDelay}, NoReconnect: true, Dial: wscore.DialOptions{Header: s.header}})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		if err := errors.Join(c.Close(ctx), h.Shutdown(ctx)); err != nil {
			t.Error(err)
		}
		hs.Close()
	})
	p, err := c.Connect(await.Context(t))
	if err != nil {
		t.Fatal(err)
	}
	client, ok := rest.PeerOf(p)
	if !ok {
		t.Fatal("no peer")
	}
	await.Until(t, "the server has it", func() bool { return h.Len() == 1 })
	sp, _ := h.Lookup(p.ID())
	await.Until(t, "it runs", func() bool { return sp.State() == wscore.StateRun })
	server, _ := rest.PeerOf(sp)
	return &pair{t, server, client, h, c}
}

// echo answers with what it was asked.
var echo = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	w.Header().Set("X-Method", r.Method)
	w.Header().Set("X-URL", r.URL.RequestURI())
	w.Header().Set("X-Auth", r.Header.Get("Authorization"))
	w.Header().Set("X-Seen", r.Header.Get("X-Mine"))
	if ct := r.Header.Get("Content-Type"); ct != "" {
		w.Header().Set("Content-Type", ct)
	}
	var status int
	if _, err := fmt.Sscanf(r.URL.Path, "/status/%d", &status); err == nil {
		w.WriteHeader(status)
	}
	_, _ = w.Write(b)
})

// forms are the ways in which two peers can speak.
func forms(t *testing.T, f func(t *testing.T, s settings)) {
	key := weakaes.DeriveKey([]byte("pass phrase"), []byte(weakaes.DefaultSalt), 1)
	aes, err := weakaes.New(key[:16], weakaes.CTR)
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]settings{
		"synopsejson":            {spec: rest.JSON},
		"synopsebin":             {spec: rest.Binary},
		"synopsebinary":          {spec: rest.Binary, names: []string{"synopsebinary"}},
		"synopsebin, SynLZ":      {spec: rest.Binary, server: rest.Options{SynLZ: true}, client: rest.Options{SynLZ: true}},
		"synopsebin, SynLZ, AES": {spec: rest.Binary, server: rest.Options{SynLZ: true, WeakAES: aes}, client: rest.Options{SynLZ: true, WeakAES: aes}},
		"synopsebin, deflate":    {spec: rest.Binary, process: wscore.ProcessSettings{Conn: wscore.Settings{Deflate: &wscore.Deflate{}}}},
	} {
		t.Run(name, func(t *testing.T) { f(t, s) })
	}
}

func TestHTTPClientOverTheSocket(t *testing.T) {
	forms(t, func(t *testing.T, s settings) {
		s.server.Handler = echo
		s.header = http.Header{"Authorization": {"Bearer token"}}
		p := connect(t, s)
		hc := &http.Client{Transport: p.client}
		for _, tt := range []struct {
			method, url, contentType, body string
			status                         int
		}{
			{"POST", "http://any/api/x?q=1", "application/json", `{"a":[1,2,3]}`, 200},
			{"PUT", "http://any/text", "text/plain", "héllo\r\n\"quoted\" \\", 200},
			{"POST", "http://any/bin", "application/octet-stream", "\x00\xff\xfe" + strings.Repeat("z", 3000), 200},
			{"GET", "http://any/", "", "", 200},
			{"DELETE", "http://any/status/404", "text/plain", "gone", 404},
			{"PATCH", "http://any/status/500", "application/json", "null", 500},
		} {
			req, _ := http.NewRequestWithContext(await.Context(t), tt.method, tt.url, strings.NewReader(tt.body))
			req.Header.Set("X-Mine", "1")
			if tt.contentType != "" {
				req.Header.Set("Content-Type", tt.contentType)
			}
			resp, err := hc.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			b, _ := io.ReadAll(resp.Body)
			if resp.StatusCode != tt.status || string(b) != tt.body || resp.Header.Get("X-Method") != tt.method ||
				resp.Header.Get("X-URL") != req.URL.RequestURI() || resp.Header.Get("X-Seen") != "1" {
				t.Errorf("%s %s: got %d %q %v", tt.method, tt.url, resp.StatusCode, b, resp.Header)
			}
			if got := resp.Header.Get("Content-Type"); tt.body != "" && got != tt.contentType {
				t.Errorf("content type %q, want %q", got, tt.contentType)
			}
			if got := resp.Header.Get("X-Auth"); got != "Bearer token" {
				t.Errorf("authorization %q", got)
			}
		}
	})
}

// A handler may call back on its own connection, and its call may be called
// back in turn.
func TestHandlersCallBack(t *testing.T) {
	forms(t, func(t *testing.T, s settings) {
		depth := func(w http.ResponseWriter, r *http.Request) {
			var n int
			_, _ = fmt.Sscanf(r.URL.Path, "/%d", &n)
			if n == 0 {
				_, _ = io.WriteString(w, "0")
				return
			}
			peer, _ := rest.PeerFromContext(r.Context())
			a, err := peer.Call(r.Context(), rest.Request{Method: "GET", URL: fmt.Sprint(n - 1)})
			if err != nil {
				http.Error(w, err.Error(), 599)
				return
			}
			_, _ = fmt.Fprintf(w, "%d>%s", n, a.Content)
		}
		s.server.Handler, s.client.Handler = http.HandlerFunc(depth), http.HandlerFunc(depth)
		p := connect(t, s)
		nested, want := 1, "1>0"
		if strings.HasPrefix(p.client.Process().Upgrade().Subprotocol, "synopsebin") && p.client.Process().Upgrade().Subprotocol != "synopsebinary" {
			nested, want = 4, "4>3>2>1>0" // without numbers one call at a time is under way
		}
		a, err := p.client.Call(await.Context(t), rest.Request{Method: "GET", URL: fmt.Sprint(nested)})
		if err != nil || string(a.Content) != want {
			t.Fatalf("got %s, %v", a.Content, err)
		}
		if a, err = p.server.Call(await.Context(t), rest.Request{Method: "GET", URL: fmt.Sprint(nested)}); err != nil || string(a.Content) != want {
			t.Fatalf("from the server: got %v, %v", a, err)
		}
	})
}

func TestConcurrentCallsAreCorrelated(t *testing.T) {
	forms(t, func(t *testing.T, s settings) {
		s.server.Handler, s.client.Handler = echo, echo
		s.server.MaxRequests, s.client.MaxRequests = 200, 200
		p := connect(t, s)
		var wg sync.WaitGroup
		for i := range 50 {
			for _, peer := range []*rest.Peer{p.client, p.server} {
				wg.Go(func() {
					text := fmt.Sprintf("call %d %s", i, strings.Repeat("x", i*37))
					a, err := peer.Call(await.Context(t), rest.Request{URL: "x", ContentType: "text/plain", Content: []byte(text)})
					if err != nil || string(a.Content) != text {
						t.Errorf("call %d: %v", i, err)
					}
				})
			}
		}
		wg.Wait()
		if s := p.client.Stats(); s != (rest.Stats{}) {
			t.Errorf("%+v", s)
		}
	})
}

// Requests without an answer are handled in the order in which they were sent,
// gathered or not.
func TestNotifyKeepsOrder(t *testing.T) {
	forms(t, func(t *testing.T, s settings) {
		got := make(chan string, 1000)
		s.server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			got <- string(b) + r.Header.Get("Sec-Websocket-Frame")
		})
		s.server.MaxRequests = 1000
		s.process.SendDelay = 50 * time.Millisecond
		p := connect(t, s)
		for i := range 100 {
			mode := rest.NonBlocking
			if i%10 == 9 {
				mode = rest.BlockWithoutAnswer
			}
			a, err := p.client.Notify(await.Context(t), rest.Request{URL: "x", ContentType: "text/plain", Content: fmt.Append(nil, i)}, mode)
			if err != nil || a.Status != 200 {
				t.Fatal(a, err)
			}
		}
		marks := 0
		for i := range 100 {
			select {
			case g := <-got:
				text, mark, _ := strings.Cut(g, "[")
				if text != fmt.Sprint(i) {
					t.Fatalf("got %s at place %d", g, i)
				}
				if mark != "" {
					marks++
				}
			case <-time.After(limit):
				t.Fatalf("%d did not come", i)
			}
		}
		if binary := p.client.Process().Upgrade().Subprotocol != "synopsejson"; (marks > 0) != binary {
			t.Errorf("%d marks of jumbo frames", marks)
		}
	})
}

func TestRoundTripModes(t *testing.T) {
	seen := make(chan string, 10)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { seen <- r.Header.Get("Sec-Websocket-Rest") })
	p := connect(t, settings{spec: rest.Binary, server: rest.Options{Handler: h}})
	for _, mode := range []string{"NonBlocking", "WithoutAnswer"} {
		req, _ := http.NewRequestWithContext(await.Context(t), "POST", "http://any/", nil)
		req.Header.Set("Sec-WebSocket-REST", mode)
		resp, err := p.client.RoundTrip(req)
		if err != nil || resp.StatusCode != 200 {
			t.Fatal(resp, err)
		}
		if got := <-seen; got != mode {
			t.Errorf("the handler saw %q", got)
		}
	}
}

// What has no content type in HTTP must not become JSON by having none on the
// wire; and a proxy's word about the address comes with the request.
func TestContentWithoutTypeAndProxiedAddress(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, r.Header.Get("Content-Type"), " ", r.RemoteAddr)
	})
	p := connect(t, settings{spec: rest.Binary, server: rest.Options{Handler: h}, header: http.Header{"X-Forwarded-For": {"203.0.113.9"}},
		process: wscore.ProcessSettings{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}})
	req, _ := http.NewRequestWithContext(await.Context(t), "POST", "http://any/", strings.NewReader("bytes"))
	resp, err := p.client.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := io.ReadAll(resp.Body); string(b) != "application/octet-stream 203.0.113.9:0" {
		t.Errorf("got %s", b)
	}
}

func wantCallError(t *testing.T, err error, status int, cause error) {
	t.Helper()
	var ce *rest.CallError
	if !errors.As(err, &ce) || ce.Status != status || !errors.Is(err, cause) {
		t.Errorf("got %v, want %d and %v", err, status, cause)
	}
}

func TestCallFailures(t *testing.T) {
	forms(t, func(t *testing.T, s settings) {
		block := make(chan struct{})
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/block" {
				select {
				case <-block:
				case <-r.Context().Done():
				}
			}
		})
		s.server.Handler = h
		s.client.MaxCalls = 2
		p := connect(t, s)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		_, err := p.client.Call(ctx, rest.Request{URL: "block"})
		wantCallError(t, err, 404, context.DeadlineExceeded)
		close(block)
		if _, err := p.client.Call(await.Context(t), rest.Request{URL: "ok"}); err != nil { // the late answer is not taken for this one's
			t.Error(err)
		}
		await.Until(t, "the late answer is counted", func() bool { return p.client.Stats().LateAnswers == 1 })

		_, err = p.server.Call(await.Context(t), rest.Request{URL: "nobody"}) // the client has no handler
		if err != nil {
			t.Error(err)
		}
		if _, err := rest.Notify(await.Context(t), p.h, 42, rest.Request{}, rest.BlockWithAnswer); err == nil {
			t.Error("a call to nobody")
		} else {
			wantCallError(t, err, 404, rest.ErrNoPeer)
		}
		ctx2, cancel2 := context.WithCancelCause(t.Context())
		cancel2(io.ErrNoProgress)
		_, err = p.client.Call(ctx2, rest.Request{URL: "x"})
		wantCallError(t, err, 404, io.ErrNoProgress)
		_, err = p.client.Notify(ctx2, rest.Request{URL: "x"}, rest.NonBlocking)
		wantCallError(t, err, 404, io.ErrNoProgress)
	})
}

func TestTooManyCallsAndRequests(t *testing.T) {
	block := make(chan struct{})
	h := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-block })
	p := connect(t, settings{spec: rest.Binary, server: rest.Options{Handler: h, MaxRequests: 2}, client: rest.Options{MaxCalls: 3}})
	results := make(chan error, 3)
	for range 3 {
		go func() {
			a, err := p.client.Call(await.Context(t), rest.Request{URL: "x"})
			if err == nil && a.Status != 200 {
				err = fmt.Errorf("status %d", a.Status)
			}
			results <- err
		}()
	}
	if err := <-results; err == nil || err.Error() != "status 503" { // two are handled, the third is refused
		t.Errorf("got %v", err)
	}
	if n := p.server.Stats().Refused; n != 1 {
		t.Errorf("%d refused", n)
	}
	began, third := make(chan struct{}, 1), make(chan error, 1)
	p2 := connect(t, settings{spec: rest.Binary, client: rest.Options{MaxCalls: 1}, server: rest.Options{
		Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { began <- struct{}{}; <-block })}})
	go func() { _, err := p2.client.Call(await.Context(t), rest.Request{URL: "x"}); third <- err }()
	<-began
	_, err := p2.client.Call(await.Context(t), rest.Request{URL: "x"})
	wantCallError(t, err, 503, rest.ErrTooManyCalls)
	close(block)
	for _, ch := range []chan error{results, results, third} {
		if err := <-ch; err != nil {
			t.Error(err)
		}
	}
}

// All that waits ends with the connection, on both sides.
func TestCallsEndWithTheConnection(t *testing.T) {
	forms(t, func(t *testing.T, s settings) {
		began, ended := make(chan struct{}), make(chan error, 1)
		s.server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			close(began)
			<-r.Context().Done()
			ended <- context.Cause(r.Context())
		})
		p := connect(t, s)
		result := make(chan error, 1)
		go func() { _, err := p.client.Call(await.Context(t), rest.Request{URL: "x"}); result <- err }()
		<-began
		_ = p.client.Process().CloseNow()
		wantCallError(t, <-result, 404, net.ErrClosed)
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("the handler's context: %v", err)
		}
		_, err := p.client.Call(await.Context(t), rest.Request{URL: "x"})
		wantCallError(t, err, rest.StatusReconnect, net.ErrClosed)
		hc := &http.Client{Transport: rest.Transport(p.c)}
		await.Until(t, "there is no connection", func() bool { return p.c.Process() == nil })
		if _, err := hc.Get("http://any/"); err == nil {
			t.Error("a request without a connection")
		} else {
			wantCallError(t, err, rest.StatusReconnect, rest.ErrNotConnected)
		}
	})
}

// errorLines counts what is logged as an error.
type errorLines struct {
	slog.Handler
	n *atomic.Int32
}

func (l errorLines) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelError
}

func (l errorLines) Handle(context.Context, slog.Record) error {
	l.n.Add(1)
	return nil
}

func TestHandlerPanicsAndRefuses(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/panic":
			panic("at the disco")
		case "/exit":
			runtime.Goexit()
		case "/silent":
			w.Header().Set("Content-Type", "!NORESPONSE")
		}
	})
	s, logged := settings{spec: rest.Binary, server: rest.Options{Handler: h}}, new(atomic.Int32)
	s.process.Conn.Log = slog.New(errorLines{slog.DiscardHandler, logged})
	p := connect(t, s)
	for url, status := range map[string]int{"panic": 500, "exit": 500, "ok": 200, "bad%zz": 400} {
		before := logged.Load()
		if a, err := p.client.Call(await.Context(t), rest.Request{URL: url}); err != nil || a.Status != status {
			t.Errorf("%s: %v, %v", url, a, err)
		}
		if n := logged.Load() - before; (n == 1) != (status == 500) {
			t.Errorf("%s: %d errors are logged", url, n)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := p.client.Call(ctx, rest.Request{URL: "silent"})
	wantCallError(t, err, 404, context.DeadlineExceeded)
	if a, err := p.server.Call(await.Context(t), rest.Request{URL: "x"}); err != nil || a.Status != 404 {
		t.Errorf("a peer without a handler: %v, %v", a, err)
	}
}
