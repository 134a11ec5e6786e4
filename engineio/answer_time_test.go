package engineio

import (
	"context"
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
// handler has returned has a short one. The bound of a server that has one, and of one
// that nobody knows, is taken off first; to do that for others would cost.
func TestBoundsOfAnswers(t *testing.T) {
	const long = 65 * time.Second // of the default heartbeat
	for name, c := range map[string]struct {
		method string
		server *http.Server
		want   []time.Duration
	}{
		"GET":                   {http.MethodGet, &http.Server{}, []time.Duration{long, lastAnswer}},
		"GET, a bound":          {http.MethodGet, &http.Server{WriteTimeout: 1}, []time.Duration{-1, long, lastAnswer}},
		"GET, unknown":          {http.MethodGet, nil, []time.Duration{-1, long, lastAnswer}},
		"POST":                  {http.MethodPost, &http.Server{}, []time.Duration{lastAnswer}},
		"POST, a bound":         {http.MethodPost, &http.Server{WriteTimeout: 1}, []time.Duration{-1, lastAnswer}},
		"another, and no bound": {http.MethodPut, &http.Server{}, []time.Duration{lastAnswer}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := polled(t)
				if err := s.Send(0, Message{Data: []byte("x")}); err != nil {
					t.Fatal(err)
				}
				ctx := t.Context()
				if c.server != nil {
					ctx = context.WithValue(ctx, http.ServerContextKey, c.server)
				}
				r, err := http.NewRequestWithContext(ctx, c.method, "/", strings.NewReader("4x"))
				if err != nil {
					t.Fatal(err)
				}
				var bounds []time.Duration
				s.poll(bounded{discarding{http.Header{}}, time.Now(), &bounds}, r)
				if !slices.Equal(bounds, c.want) {
					t.Errorf("bounds %v, want %v", bounds, c.want)
				}
			})
		})
	}
}

// closedBody calls f when it is closed.
type closedBody struct {
	io.Reader
	f func()
}

func (b closedBody) Close() error { b.f(); return nil }

// Of a body that was closed net/http does not look for a rest. That comes last: who
// wraps the body may have seen its end before its end came.
func TestBodyIsClosed(t *testing.T) {
	s, closed := polled(t), 0
	body := closedBody{strings.NewReader("4x"), func() {
		closed++
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.posting {
			t.Error("the POST is not through")
		}
	}}
	for _, want := range []int{1, 1} { // the second one is not read: the session has ended
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "/", body)
		if err != nil {
			t.Fatal(err)
		}
		s.poll(discarding{http.Header{}}, r)
		if closed != want {
			t.Errorf("%d times", closed)
		}
		s.end(TransportError, nil)
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
