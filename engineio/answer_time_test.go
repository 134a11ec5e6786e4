package engineio

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// silent is a Handler that does nothing.
type silent struct{}

func (silent) OnOpen(*Session)                  {}
func (silent) OnMessage(*Session, bool, []byte) {}
func (silent) OnClose(*Session, Reason, error)  {}

// discarding is a ResponseWriter that costs nothing.
type discarding struct{ h http.Header }

func (d discarding) Header() http.Header         { return d.h }
func (d discarding) Write(p []byte) (int, error) { return len(p), nil }
func (d discarding) WriteHeader(int)             {}
func (d discarding) Flush()                      {}

// SetWriteDeadline is as free as that of net/http.
func (d discarding) SetWriteDeadline(time.Time) error { return nil }

// bounded is a ResponseWriter that notes how long what is written then may take.
type bounded struct {
	discarding
	begun  time.Time
	bounds *[]time.Duration // -1 for no bound
}

func (b bounded) SetWriteDeadline(t time.Time) error {
	d := time.Duration(-1)
	if !t.IsZero() {
		d = t.Sub(b.begun)
	}
	*b.bounds = append(*b.bounds, d)
	return nil
}

// unflushed hides Flush.
type unflushed struct{ b bounded }

func (u unflushed) Header() http.Header                { return u.b.Header() }
func (u unflushed) Write(p []byte) (int, error)        { return u.b.Write(p) }
func (u unflushed) WriteHeader(status int)             { u.b.WriteHeader(status) }
func (u unflushed) SetWriteDeadline(t time.Time) error { return u.b.SetWriteDeadline(t) }

// polled is an open session over polling, without a connection.
func polled(t *testing.T) *Session {
	t.Helper()
	srv, err := New(Config{}, silent{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	s := &Session{srv: srv, id: "x", dialect: dialect4{}, busy: true, seldom: &nothing}
	s.opened()
	return s
}

// Each answer has a bound while it is written, and what net/http writes when the
// handler has returned has the short one. Where nothing is left to write none is set:
// that costs a timer.
func TestBoundsOfAnswers(t *testing.T) {
	const long = 65 * time.Second // of the default heartbeat
	for name, c := range map[string]struct {
		method    string
		major     int
		unflushed bool
		want      []time.Duration
	}{
		"GET":                {http.MethodGet, 1, false, []time.Duration{long}},
		"GET, not flushed":   {http.MethodGet, 1, true, []time.Duration{long, lastAnswer}},
		"GET over HTTP/2":    {http.MethodGet, 2, false, []time.Duration{-1, long, lastAnswer}},
		"POST":               {http.MethodPost, 1, false, []time.Duration{lastAnswer}},
		"GET over TLS":       {http.MethodGet, 1, false, []time.Duration{-1, long}},
		"POST over HTTP/2":   {http.MethodPost, 2, false, []time.Duration{-1, lastAnswer}},
		"what is not served": {http.MethodPut, 1, false, []time.Duration{lastAnswer}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := polled(t)
				if err := s.Send(0, Message{Data: []byte("x")}); err != nil {
					t.Fatal(err)
				}
				r, err := http.NewRequestWithContext(t.Context(), c.method, "/", nil)
				if err != nil {
					t.Fatal(err)
				}
				r.ProtoMajor = c.major
				if strings.HasSuffix(name, "TLS") {
					r.TLS = new(tls.ConnectionState)
				}
				if c.method == http.MethodPost {
					r.Body = io.NopCloser(strings.NewReader("4x"))
				}
				var bounds []time.Duration
				b := bounded{discarding{http.Header{}}, time.Now(), &bounds}
				if c.unflushed {
					s.poll(unflushed{b}, r)
				} else {
					s.poll(b, r)
				}
				if !slices.Equal(bounds, c.want) {
					t.Errorf("bounds %v, want %v", bounds, c.want)
				}
			})
		})
	}
}

// closedBody notes that it was closed.
type closedBody struct {
	io.Reader
	closed bool
}

func (b *closedBody) Close() error { b.closed = true; return nil }

// Of a body that was closed net/http does not look for a rest.
func TestBodyIsClosed(t *testing.T) {
	s, body := polled(t), &closedBody{Reader: strings.NewReader("4x")}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "/", body)
	if err != nil {
		t.Fatal(err)
	}
	s.poll(discarding{http.Header{}}, r)
	if !body.closed {
		t.Error("it was not")
	}
}

// A client has gone while its GET waited for the answer before, and something to
// send was there. Its next GET, which still found the session, is not held up by what
// the first did not take.
func TestGETBehindOneThatWasWoken(t *testing.T) {
	s := polled(t)
	s.mu.Lock()
	s.needed().answer = &s.answerRoom // for ever
	s.mu.Unlock()
	if err := s.Send(0, Message{Data: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for range 2 {
		r, err := http.NewRequestWithContext(gone, http.MethodGet, "/", nil)
		if err != nil {
			t.Fatal(err)
		}
		s.poll(discarding{http.Header{}}, r)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != stateClosed || !s.getRoom.woken || s.get != nil {
		t.Errorf("state %v, woken %v", s.state, s.getRoom.woken)
	}
}
