package siotest

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/testnet"
	"github.com/hermod-io/hermod/wscore"
)

// Raw is a WebSocket to a Server on which nothing is said but what the test says:
// for tests of what the protocol, or a peer that breaks it, does. A message is
// an Engine.IO packet with its type in front, such as `42["say","hi"]`; binary
// ones are shown as "b" and their bytes. Pings are not answered. Its methods
// are to be called by the goroutine of the test.
type Raw struct {
	t        testing.TB
	patience time.Duration
	conn     *wscore.Conn
	net      *testnet.Conn
	received chan string // closed at the end
}

// maxRaw is how many messages a Raw keeps; then it reads no more.
const maxRaw = 4096

// Raw opens an Engine.IO session with this query; "" means
// "EIO=4&transport=websocket". The first message to come is the handshake
// (0{"sid":…). The connection ends with t.
func (s *Server) Raw(t testing.TB, query string) *Raw {
	t.Helper()
	if query == "" {
		query = "EIO=4&transport=websocket"
	}
	r := &Raw{t: t, patience: s.patience(), received: make(chan string, maxRaw)}
	d := wscore.NewDialer(wscore.Settings{MaxMessage: -1, ProgressTimeout: -1})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), s.patience())
		defer cancel()
		if err := d.Close(ctx); err != nil {
			t.Errorf("siotest: a Raw does not end: %v", err)
		}
		if r.conn != nil {
			for range r.received {
				continue
			}
		}
	})
	conn, _, err := d.Dial(t.Context(), "ws://server"+s.IO().Pattern()+"?"+query, &wscore.DialOptions{
		NetDial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := s.dial(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			r.net = c
			return c, nil
		},
		Proxy:   func(*http.Request) (*url.URL, error) { return nil, nil },
		Timeout: s.patience(),
	})
	if err != nil {
		t.Fatalf("siotest: a Raw does not connect: %v", err)
	}
	r.conn = conn
	go r.read() // ends with the connection; the cleanup waits for it
	return r
}

func (r *Raw) read() {
	defer close(r.received)
	for {
		op, data, err := r.conn.Read(context.Background())
		if err != nil {
			return
		}
		text := string(data)
		if op == wscore.OpBinary {
			text = "b" + text
		}
		r.received <- text
	}
}

// Send sends text messages.
func (r *Raw) Send(messages ...string) {
	r.t.Helper()
	for _, m := range messages {
		if err := r.conn.Send(wscore.OpText, []byte(m)); err != nil {
			r.t.Fatalf("siotest: Raw.Send(%q): %v", m, err)
		}
	}
}

// SendBinary sends a binary message.
func (r *Raw) SendBinary(data []byte) {
	r.t.Helper()
	if err := r.conn.Send(wscore.OpBinary, data); err != nil {
		r.t.Fatalf("siotest: Raw.SendBinary: %v", err)
	}
}

// Next waits for a message.
func (r *Raw) Next() string {
	r.t.Helper()
	m, open := r.next("want a message")
	if !open {
		r.t.Fatal("siotest: the connection of a Raw has ended, want a message")
	}
	return m
}

// Want waits for a message, which must begin with want.
func (r *Raw) Want(want string) {
	r.t.Helper()
	switch m, open := r.next("want " + want); {
	case !open:
		r.t.Fatalf("siotest: the connection of a Raw has ended, want %q", want)
	case !strings.HasPrefix(m, want):
		r.t.Fatalf("siotest: a Raw receives %.300q, want %q", m, want)
	}
}

// WantClosed waits for the end of the connection, without another message.
func (r *Raw) WantClosed() {
	r.t.Helper()
	if m, open := r.next("want the end"); open {
		r.t.Fatalf("siotest: a Raw receives %.300q, want the end", m)
	}
}

func (r *Raw) next(what string) (m string, open bool) {
	r.t.Helper()
	select {
	case m, open = <-r.received:
	case <-time.After(r.patience):
		r.t.Fatalf("siotest: nothing came to a Raw within %v: %s", r.patience, what)
	}
	return m, open
}

// Close closes the connection with code 1000.
func (r *Raw) Close() { _ = r.conn.Close(wscore.CloseNormal, "") }

// Cut resets the connection.
func (r *Raw) Cut() { _ = r.net.Abort() }
