package rest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/wscore"
)

// Lines of headers are split once, by whoever wrote them: nothing in a name, a value
// or a content type makes another line, and none tells a length or a coding that the
// content does not have.
func TestHeadersAreNotSplit(t *testing.T) {
	seen := make(chan http.Header, 1)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen <- r.Header
		w.Header()["X-A\r\nX-Injected"] = []string{"1"}
		w.Header()["X-B"] = []string{"b\r\nX-Injected: 1", "c\rX-Injected: 1"}
		w.Header().Set("Content-Type", "text/plain\r\nX-Injected: 1")
		w.Header().Set("Content-Length", "1000")
		w.Header().Set("Transfer-Encoding", "chunked")
		_, _ = io.WriteString(w, "body")
	})
	inBubble(t, wscore.ProcessSettings{}, []wscore.ProtocolSpec{Binary(Options{Handler: h})}, func(t *testing.T, w *world) {
		c, client, _ := w.connect(Binary(Options{}), wscore.ClientSettings{})
		a, err := client.Call(t.Context(), Request{ContentType: "text/x\r\nX-Injected: 1", Content: []byte("abc"), Header: strings.Join([]string{
			"Content-Length: 1", "Transfer-Encoding: chunked", "X-Ok: fine\tvalue", "X-Cr: a\rX-Injected: 1", "X-Nul: a\x00b", "X\x01: control", "é: no token", "X Y: blank", ": none"}, "\r\n")})
		if err != nil {
			t.Fatal(err)
		}
		got := <-seen
		if got.Get("Content-Type") != "text/x  X-Injected: 1" || got.Get("X-Ok") != "fine\tvalue" || len(got) != 2 {
			t.Errorf("the handler saw %q", got)
		}
		if strings.Count(a.Header, "\n") != 1 || strings.Contains(strings.ReplaceAll(a.Header, "\r\n", ""), "\r") || strings.ContainsAny(a.ContentType, "\r\n") ||
			strings.Contains(a.Header, "Length") || strings.Contains(a.Header, "chunked") {
			t.Errorf("the answer has %q, %q", a.Header, a.ContentType)
		}
		w.end(c)
	})
}

// What answers without content has none, and headers are those of WriteHeader's time,
// as net/http has it.
func TestAnswersAreThoseOfHTTP(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var err error
		switch r.URL.Path {
		case "/204", "/304":
			var status int
			_, _ = fmt.Sscanf(r.URL.Path, "/%d", &status)
			w.WriteHeader(status)
			w.Header().Set("X-Late", "1")
			if _, err = w.Write([]byte("x")); !errors.Is(err, http.ErrBodyNotAllowed) {
				panic(err)
			}
		case "/old":
			http.Redirect(w, r, "/new", http.StatusFound)
		default:
			if n, err := io.WriteString(w, "body"); n != 4 || err != nil {
				panic(err)
			}
			w.Header().Set("X-Late", "1")
		}
	})
	inBubble(t, wscore.ProcessSettings{}, []wscore.ProtocolSpec{Binary(Options{Handler: h})}, func(t *testing.T, w *world) {
		c, client, _ := w.connect(Binary(Options{}), wscore.ClientSettings{})
		hc := &http.Client{Transport: client}
		for _, tt := range []struct {
			method, path string
			status       int
			body         string
		}{{"GET", "204", 204, ""}, {"GET", "304", 304, ""}, {"HEAD", "x", 200, ""}, {"GET", "old", 200, "body"}} {
			req, _ := http.NewRequestWithContext(t.Context(), tt.method, "http://any/"+tt.path, nil)
			res, err := hc.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			if b, _ := io.ReadAll(res.Body); res.StatusCode != tt.status || string(b) != tt.body || res.Header.Get("X-Late") != "" {
				t.Errorf("%s %s: %d %q %v", tt.method, tt.path, res.StatusCode, b, res.Header)
			}
		}
		w.end(c)
	})
}

// stuck is a body that says nothing until it is closed.
type stuck struct{ closed chan struct{} }

func (s stuck) Read([]byte) (int, error) { <-s.closed; return 0, io.ErrClosedPipe }
func (s stuck) Close() error {
	select {
	case <-s.closed:
	default:
		close(s.closed)
	}
	return nil
}

// A RoundTrip was not ended by its context while it read the body.
func TestRoundTripEndsWithItsContext(t *testing.T) {
	inBubble(t, wscore.ProcessSettings{}, []wscore.ProtocolSpec{Binary(Options{})}, func(t *testing.T, w *world) {
		c, client, _ := w.connect(Binary(Options{}), wscore.ClientSettings{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		body := stuck{make(chan struct{})}
		req, _ := http.NewRequestWithContext(ctx, "POST", "http://any/", body)
		_, err := client.RoundTrip(req)
		wantStatus(t, err, 404, context.DeadlineExceeded)
		<-body.closed
		body = stuck{make(chan struct{})}
		if _, err := client.RoundTrip(&http.Request{Body: body}); err == nil {
			t.Error("a request without a URL")
		}
		<-body.closed
		w.end(c)
	})
}

// No mode reports a request as sent on a connection that has ended.
func TestEveryModeOnAnEndedConnection(t *testing.T) {
	inBubble(t, wscore.ProcessSettings{}, []wscore.ProtocolSpec{Binary(Options{})}, func(t *testing.T, w *world) {
		c, client, _ := w.connect(Binary(Options{}), wscore.ClientSettings{NoReconnect: true})
		_ = client.Process().CloseNow()
		synctest.Wait()
		for _, mode := range []Mode{BlockWithAnswer, BlockWithoutAnswer, NonBlocking} {
			_, err := client.Notify(t.Context(), Request{}, mode)
			wantStatus(t, err, StatusReconnect, net.ErrClosed)
		}
		w.end(c)
	})
}

// A status is of three digits; more were let through by one.
func TestStatusOfAnAnswer(t *testing.T) {
	for status, ok := range map[string]bool{"200": true, "999": true, "1000": false, "9999": false, "": false, "-1": false, "99999999999999999999": false} {
		if a, err := (&message{head: "answer", values: [4]string{status}}).answer(); (err == nil) != ok {
			t.Errorf("%q: %+v, %v", status, a, err)
		}
	}
	for _, status := range []int{0, 99} { // no http.Response has it
		h := &Answer{Status: status}
		if _, err := h.httpResponse(nil); !errors.Is(err, ErrBadAnswer) {
			t.Errorf("%d: %v", status, err)
		}
	}
}

// Long URLs and headers took memory that nobody counted.
func TestWaitingRequestsAreCountedWhole(t *testing.T) {
	block := make(chan struct{})
	var h http.Handler
	s := wscore.ProcessSettings{Conn: wscore.Settings{MaxMessage: 10_000}}
	spec := Binary(Options{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r) })})
	inBubble(t, s, []wscore.ProtocolSpec{spec}, func(t *testing.T, w *world) {
		block = make(chan struct{})
		h = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-block })
		c, client, server := w.connect(Binary(Options{}), wscore.ClientSettings{})
		for range 10 {
			if _, err := client.Notify(t.Context(), Request{URL: "x?" + strings.Repeat("y", 4500), Header: "X: " + strings.Repeat("z", 4500)}, BlockWithoutAnswer); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if n := server.Stats().Refused; n != 5 { // one is handled, four wait
			t.Errorf("%d refused", n)
		}
		close(block)
		synctest.Wait()
		if server.waiting != 0 {
			t.Errorf("%d bytes wait", server.waiting)
		}
		w.end(c)
	})
}

// lines counts what is logged as a warning.
type lines struct {
	slog.Handler
	n *int
}

func (l lines) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }
func (l lines) Handle(context.Context, slog.Record) error        { *l.n++; return nil }

// A peer could fill the log, a line for a few bytes of its.
func TestBadFramesDoNotFillTheLog(t *testing.T) {
	n := 0
	s := wscore.ProcessSettings{}
	s.Conn.Log = slog.New(lines{slog.DiscardHandler, &n})
	inBubble(t, s, []wscore.ProtocolSpec{Binary(Options{Handler: http.NotFoundHandler()})}, func(t *testing.T, w *world) {
		c, client, server := w.connect(Binary(Options{}), wscore.ClientSettings{})
		frames := make([][]byte, 5000)
		for i := range frames {
			frames[i] = []byte("x")
		}
		_ = client.Process().Send(wscore.OpBinary, appendJumbo(nil, frames))
		for range 1000 {
			_, _ = client.Notify(t.Context(), Request{URL: "bad%zz"}, BlockWithoutAnswer)
		}
		synctest.Wait()
		if server.Stats().BadFrames != 6000 || n > 20 {
			t.Errorf("%+v, %d lines", server.Stats(), n)
		}
		w.end(c)
	})
}

// A panic of the application's code while an answer is sent ends that connection, not
// the program.
func TestPanicWhileAnswering(t *testing.T) {
	for _, spec := range []func(Options) wscore.ProtocolSpec{Binary, JSON} {
		s := wscore.ProcessSettings{BeforeSend: func(*wscore.Process, wscore.Opcode, []byte) { panic("in BeforeSend") }}
		inBubble(t, s, []wscore.ProtocolSpec{spec(Options{})}, func(t *testing.T, w *world) {
			c, client, _ := w.connect(spec(Options{}), wscore.ClientSettings{NoReconnect: true})
			_, err := client.Call(t.Context(), Request{})
			var ce *wscore.CloseError
			if !errors.As(err, &ce) || ce.Code != wscore.CloseInternal {
				t.Errorf("got %v", err)
			}
			w.end(c)
		})
	}
}
