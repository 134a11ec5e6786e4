package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// The handler has clients join and wait as a server does, and leaves all else to
// the next.
func TestBare(t *testing.T) {
	b := &bare{next: http.NotFoundHandler()}
	arrived := make(chan struct{}, 5) // as many requests as there are
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		b.ServeHTTP(w, r)
	}))
	defer srv.Close() // waits until the last has ended
	ask := func(ctx context.Context, method, query string) (int, string, error) {
		sent := io.Reader(http.NoBody) // net/http would not see a client go whose body nobody reads
		if method == http.MethodPost {
			sent = strings.NewReader("40")
		}
		req, err := http.NewRequestWithContext(ctx, method, srv.URL+"/socket.io/?EIO=4&transport="+query, sent)
		if err != nil {
			t.Fatal(err)
		}
		res, err := srv.Client().Do(req)
		if err != nil {
			return 0, "", err
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		return res.StatusCode, string(body), err
	}
	for _, c := range []struct{ method, query, want string }{
		{"GET", "polling", `0{"sid":"0",`},
		{"POST", "polling&sid=0", "ok"},
		{"GET", "polling&sid=0", `40{"sid":"0"}`},
		{"GET", "websocket", "404"},
	} {
		status, body, err := ask(t.Context(), c.method, c.query)
		if err != nil || !strings.HasPrefix(body, c.want) {
			t.Errorf("%s %s: %d %q, %v", c.method, c.query, status, body, err)
		}
	}
	if n := b.clients(); n != 1 {
		t.Errorf("%d clients", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { // ends with the request
		_, _, err := ask(ctx, "GET", "polling&sid=0")
		ended <- err
	}()
	for range cap(arrived) {
		<-arrived
	}
	cancel()
	if err := <-ended; err == nil {
		t.Error("a GET was answered that was to wait")
	}
}
