package rest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/internal/testnet"
	"github.com/hermod-io/hermod/wscore"
)

// world is a server and clients in memory, in a synctest bubble.
type world struct {
	t   *testing.T
	l   *testnet.Listener
	h   *wscore.Handler
	srv *http.Server
}

// inBubble runs f with a server of these protocols. It ends when all that f began
// has ended; what does not is a leak, and fails the test.
func inBubble(t *testing.T, s wscore.ProcessSettings, specs []wscore.ProtocolSpec, f func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		list := new(wscore.ProtocolList)
		for _, spec := range specs {
			list.Add(spec)
		}
		w := &world{t: t, l: testnet.Listen(testnet.Options{}), h: wscore.NewHandler(list, s)}
		w.srv = &http.Server{Handler: w.h}
		go func() { _ = w.srv.Serve(w.l) }()
		f(t, w)
		if err := w.h.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		_ = w.srv.Close()
	})
}

// connect is a client with its peer, and that peer on the server's side.
func (w *world) connect(spec wscore.ProtocolSpec, s wscore.ClientSettings) (c *wscore.Client, client, server *Peer) {
	w.t.Helper()
	s.Dial = wscore.DialOptions{NetDial: w.l.DialContext, Proxy: func(*http.Request) (*url.URL, error) { return nil, nil }}
	c = wscore.NewClient("ws://server/", spec, s)
	p, err := c.Connect(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	synctest.Wait()
	client, _ = PeerOf(p)
	sp, _ := w.h.Lookup(p.ID())
	server, _ = PeerOf(sp)
	return c, client, server
}

func (w *world) end(c *wscore.Client) {
	w.t.Helper()
	if err := c.Close(w.t.Context()); err != nil {
		w.t.Error(err)
	}
}

// untilDone is a handler whose answer comes when its client gives up.
var untilDone = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })

// legacy is synopsebinary alone.
func legacy(o Options) wscore.ProtocolSpec {
	spec := Binary(o)
	spec.Names = []string{"synopsebinary"}
	return spec
}

func wantStatus(t *testing.T, err error, status int, cause error) {
	t.Helper()
	var ce *CallError
	if !errors.As(err, &ce) || ce.Status != status || !errors.Is(err, cause) {
		t.Errorf("got %v, want %d and %v", err, status, cause)
	}
}

func TestAnswerTimeout(t *testing.T) {
	for set, want := range map[time.Duration]time.Duration{0: 30 * time.Second, time.Millisecond: 2 * time.Second, time.Minute: time.Minute} {
		inBubble(t, wscore.ProcessSettings{}, []wscore.ProtocolSpec{Binary(Options{Handler: untilDone})}, func(t *testing.T, w *world) {
			c, client, _ := w.connect(Binary(Options{AnswerTimeout: set}), wscore.ClientSettings{})
			begin := time.Now()
			_, err := client.Call(t.Context(), Request{})
			wantStatus(t, err, 404, ErrAnswerTimeout)
			wantStatus(t, err, 404, context.DeadlineExceeded)
			if d := time.Since(begin); d != want {
				t.Errorf("%v: gave up after %v, want %v", set, d, want)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
			defer cancel()
			begin = time.Now()
			_, err = client.Call(ctx, Request{})
			wantStatus(t, err, 404, context.DeadlineExceeded)
			if d := time.Since(begin); d != 90*time.Second {
				t.Errorf("the context's deadline: %v", d)
			}
			w.end(c)
		})
	}
}

// An answer without a number that nobody waits for any more must not be taken for
// the next one's. Once it has come the connection is as good as before.
func TestLateAnswerWithoutNumber(t *testing.T) {
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			time.Sleep(40 * time.Second)
		}
		_, _ = io.WriteString(w, r.URL.Path)
	})
	inBubble(t, wscore.ProcessSettings{}, []wscore.ProtocolSpec{JSON(Options{Handler: slow})}, func(t *testing.T, w *world) {
		c, client, _ := w.connect(JSON(Options{}), wscore.ClientSettings{})
		begin := time.Now()
		_, err := client.Call(t.Context(), Request{URL: "slow"})
		wantStatus(t, err, 404, ErrAnswerTimeout)
		a, err := client.Call(t.Context(), Request{URL: "next"})
		if err != nil || string(a.Content) != "/next" {
			t.Errorf("got %v, %v", a, err)
		}
		if d := time.Since(begin); d != 40*time.Second {
			t.Errorf("after %v", d)
		}
		if n := client.Stats().LateAnswers; n != 1 {
			t.Errorf("%d late answers", n)
		}
		w.end(c)
	})
}

// If it does not come at all, the caller is told to make a new connection.
func TestMissingAnswerWithoutNumber(t *testing.T) {
	silent := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Content-Type", "!NORESPONSE") })
	inBubble(t, wscore.ProcessSettings{}, []wscore.ProtocolSpec{legacy(Options{Handler: silent})}, func(t *testing.T, w *world) {
		c, client, _ := w.connect(legacy(Options{MaxCalls: 2}), wscore.ClientSettings{})
		_, err := client.Call(t.Context(), Request{URL: "x"})
		wantStatus(t, err, 404, ErrAnswerTimeout)
		waiting := make(chan error, 2)
		for range 2 {
			go func() { _, err := client.Call(t.Context(), Request{URL: "x"}); waiting <- err }()
		}
		synctest.Wait()
		_, err = client.Call(t.Context(), Request{URL: "x"})
		wantStatus(t, err, 503, ErrTooManyCalls)
		missing := 0
		for range 2 {
			if err := <-waiting; errors.Is(err, ErrAnswerMissing) {
				missing++
				wantStatus(t, err, StatusReconnect, ErrAnswerTimeout)
			} else {
				wantStatus(t, err, 404, ErrAnswerTimeout)
			}
		}
		if missing == 0 {
			t.Error("nobody was told that an answer is missing")
		}
		w.end(c)
	})
}

// Where answers carry no number a call within a call within a call cannot be: it
// ends, and takes nobody with it.
func TestDeepCallWithoutNumberEnds(t *testing.T) {
	back := func(url string, patience time.Duration) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			peer, _ := PeerFromContext(r.Context())
			ctx, cancel := context.WithTimeout(r.Context(), patience)
			defer cancel()
			a, err := peer.Call(ctx, Request{URL: url})
			if err != nil {
				a = &Answer{Status: http.StatusGatewayTimeout}
			}
			w.WriteHeader(a.Status)
		})
	}
	inBubble(t, wscore.ProcessSettings{}, []wscore.ProtocolSpec{JSON(Options{Handler: back("second", 10*time.Second)})}, func(t *testing.T, w *world) {
		c, client, _ := w.connect(JSON(Options{Handler: back("third", 5*time.Second)}), wscore.ClientSettings{})
		begin := time.Now()
		a, err := client.Call(t.Context(), Request{URL: "first"})
		if d := time.Since(begin); err != nil || a.Status != http.StatusGatewayTimeout || d != 5*time.Second {
			t.Errorf("got %v, %v after %v", a, err, d)
		}
		w.end(c)
	})
}

func TestWaitingRequestsAreBounded(t *testing.T) {
	for _, o := range []Options{{Handler: untilDone, MaxWaiting: 3}, {Handler: untilDone}} {
		inBubble(t, wscore.ProcessSettings{Conn: wscore.Settings{MaxMessage: 1000}}, []wscore.ProtocolSpec{Binary(o)}, func(t *testing.T, w *world) {
			c, client, server := w.connect(Binary(Options{}), wscore.ClientSettings{})
			for range 10 { // the first is handled; more wait: 3, or what 4000 bytes hold
				if _, err := client.Notify(t.Context(), Request{Content: make([]byte, 900)}, BlockWithoutAnswer); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
			}
			want := int64(6)
			if o.MaxWaiting == 0 {
				want = 5
			}
			if n := server.Stats().Refused; n != want {
				t.Errorf("%d refused, want %d", n, want)
			}
			w.end(c)
		})
	}
}

// Everything ends with the connection, however it ends: inBubble would tell.
func TestChurn(t *testing.T) {
	seen := 0
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, _ := PeerFromContext(r.Context())
		_, _ = peer.Call(r.Context(), Request{URL: "back"})
		<-r.Context().Done()
	})
	s := wscore.ProcessSettings{OnDisconnect: func(*wscore.Process, error) { seen++ }}
	inBubble(t, s, []wscore.ProtocolSpec{JSON(Options{Handler: h}), Binary(Options{Handler: h})}, func(t *testing.T, w *world) {
		for i := range 60 {
			spec := []func(Options) wscore.ProtocolSpec{JSON, Binary, legacy}[i%3]
			c, client, server := w.connect(spec(Options{Handler: untilDone}), wscore.ClientSettings{NoReconnect: true})
			ended := make(chan error, 6)
			for range 3 {
				go func() { _, err := client.Call(t.Context(), Request{URL: "x"}); ended <- err }()
				go func() { _, err := server.Call(t.Context(), Request{URL: "y"}); ended <- err }()
				_, _ = client.Notify(t.Context(), Request{}, NonBlocking)
			}
			synctest.Wait()
			switch i % 4 {
			case 0:
				_ = client.Process().CloseNow()
			case 1:
				_ = server.Process().CloseNow()
			case 2:
				_ = server.Process().Close(wscore.CloseNormal, "")
			}
			w.end(c)
			for range 6 {
				if err := <-ended; err == nil {
					t.Error("a call ended well")
				}
			}
		}
		synctest.Wait()
		if seen != 60 || w.h.Len() != 0 {
			t.Errorf("%d connections ended, %d are there", seen, w.h.Len())
		}
	})
}

func TestTransportReconnects(t *testing.T) {
	hello := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = fmt.Fprint(w, r.URL.Path) })
	inBubble(t, wscore.ProcessSettings{}, []wscore.ProtocolSpec{Binary(Options{Handler: hello})}, func(t *testing.T, w *world) {
		c, _, server := w.connect(Binary(Options{}), wscore.ClientSettings{})
		hc := &http.Client{Transport: Transport(c)}
		for range 3 {
			resp, err := hc.Post("http://any/path", "text/plain", strings.NewReader("x"))
			if err != nil {
				t.Fatal(err)
			}
			if b, _ := io.ReadAll(resp.Body); string(b) != "/path" {
				t.Errorf("got %q", b)
			}
			_ = server.Process().CloseNow()
			synctest.Wait()
			_, err = hc.Get("http://any/")
			wantStatus(t, err, StatusReconnect, ErrNotConnected)
			time.Sleep(20 * time.Second) // more than one backoff
			sp, ok := w.h.Lookup(c.Process().ID())
			if !ok {
				t.Fatal("not connected again")
			}
			server, _ = PeerOf(sp)
		}
		w.end(c)
	})
}
