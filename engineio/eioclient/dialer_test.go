package eioclient_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hermod-io/hermod/engineio/eioclient"
)

// Dialer.Close once left a Dial over long-polling to its own timeout.
func TestCloseEndsDial(t *testing.T) {
	for _, transport := range []string{eioclient.Polling, eioclient.WebSocket} {
		asked := make(chan struct{})
		srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			close(asked)
			<-r.Context().Done() // no answer
		}))
		d, err := eioclient.NewDialer(eioclient.Config{Transports: []string{transport}, Timeout: -1})
		if err != nil {
			t.Fatal(err)
		}
		failed := make(chan error, 1)
		go func() { // ends with the Dialer
			_, err := d.Dial(t.Context(), srv.URL, eioclient.Handler{})
			failed <- err
		}()
		<-asked
		if err := d.Close(t.Context()); err != nil {
			t.Error(err)
		}
		select {
		case err := <-failed:
			if !errors.Is(err, eioclient.ErrClosed) {
				t.Errorf("%s: %v", transport, err)
			}
		case <-time.After(time.Minute):
			t.Errorf("%s: Dial goes on", transport)
		}
		srv.CloseClientConnections()
		srv.Close()
	}
}

// A server that sends pings without end once filled the memory with pongs.
func TestPingFlood(t *testing.T) {
	f, url := serve(t, 25000, 1e6)
	f.release = make(chan struct{}) // no POST is answered
	ended := make(chan error, 1)
	s, err := dialURL(t, url, eioclient.Config{NoUpgrade: true, Queue: eioclient.Queue{Packets: 100}}, eioclient.Handler{
		OnClose: func(_ eioclient.Reason, err error) { ended <- err },
	})
	if err != nil {
		t.Fatal(err)
	}
	f.answers <- strings.Repeat("2\x1e", 100) + "2"
	if got := <-f.posts; !strings.HasPrefix(got, "3") {
		t.Errorf("%q", got)
	}
	f.answers <- strings.Repeat("2\x1e", 1000) + "2"
	select {
	case err := <-ended:
		if !errors.Is(err, eioclient.ErrQueueFull) {
			t.Errorf("the end: %v", err)
		}
	case <-time.After(time.Minute):
		_, n := s.Buffered()
		t.Fatalf("%d pongs wait", n)
	}
}

// A Dial that is cancelled leaves nothing behind, in each phase.
func TestDialCancelled(t *testing.T) {
	for name, answer := range map[string]func(http.ResponseWriter, *http.Request, func()){
		"no answer": func(_ http.ResponseWriter, r *http.Request, cancel func()) {
			cancel()
			<-r.Context().Done()
		},
		"a slow answer": func(w http.ResponseWriter, r *http.Request, cancel func()) {
			_, _ = w.Write([]byte(`0{"sid":`))
			_ = http.NewResponseController(w).Flush()
			cancel()
			<-r.Context().Done()
		},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answer(w, r, cancel) }))
		d, err := eioclient.NewDialer(eioclient.Config{Transports: []string{eioclient.Polling}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Dial(ctx, srv.URL, eioclient.Handler{}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
		if err := d.Close(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		srv.Close() // waits for the request
	}
}

// A payload limit beyond 32 bits is no reason to refuse a server.
func TestLargeMaxPayload(t *testing.T) {
	f, url := serve(t, 25000, 1)
	f.handshake = strings.Replace(f.handshake, `"maxPayload":1}`, `"maxPayload":9007199254740991}`, 1)
	if _, err := dialURL(t, url, eioclient.Config{NoUpgrade: true}, eioclient.Handler{}); err != nil {
		t.Error(err)
	}
}

// A server that redirects for ever.
func TestEndlessRedirects(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.String()+"x", http.StatusFound)
	}))
	defer srv.Close()
	var refused *eioclient.DialError
	for _, transport := range []string{eioclient.Polling, eioclient.WebSocket} {
		_, err := dialURL(t, srv.URL, eioclient.Config{Transports: []string{transport}}, eioclient.Handler{})
		if !errors.As(err, &refused) || refused.Transport != transport {
			t.Errorf("%v", err)
		}
	}
}
