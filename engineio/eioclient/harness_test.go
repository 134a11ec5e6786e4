package eioclient_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/engineio/eioclient"
	"github.com/hermod-io/hermod/internal/testnet"
)

// The harness: a world is a server of ours in a bubble of fake time, in memory;
// it echoes what it is sent. A client is a session with what its Handler heard.

// modes are what a body of a test is run over.
var modes = []string{"polling", "websocket", "upgrade"}

// world belongs to the goroutine of the test.
type world struct {
	*testing.T
	mode     string
	srv      *engineio.Server
	server   *log
	listener *testnet.Listener
	http     *http.Server
	sessions chan *engineio.Session
}

// log is what a Handler heard, a line each.
type log struct {
	mu    sync.Mutex // guards what follows
	lines []string
}

func (l *log) add(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, fmt.Sprintf(format, args...))
}

func (l *log) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.lines)
}

func (l *log) has(line string) bool { return slices.Contains(l.all(), line) }

// echo is the server's Handler.
type echo struct{ w *world }

func (e echo) OnOpen(s *engineio.Session) { e.w.sessions <- s }

func (e echo) OnMessage(s *engineio.Session, binary bool, data []byte) {
	_ = s.Send(0, engineio.Message{Binary: binary, Data: data})
}

func (e echo) OnClose(s *engineio.Session, reason engineio.Reason, err error) {
	e.w.server.add("close %s", reason)
}

// run runs a body over every mode.
func run(t *testing.T, cfg engineio.Config, f func(w *world)) {
	t.Helper()
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) { bubble(t, mode, cfg, f) })
	}
}

func bubble(t *testing.T, mode string, cfg engineio.Config, f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t, mode: mode, server: new(log), listener: testnet.Listen(testnet.Options{}), sessions: make(chan *engineio.Session, 100)}
		srv, err := engineio.New(cfg, echo{w})
		if err != nil {
			t.Fatal(err)
		}
		w.srv, w.http = srv, &http.Server{Handler: srv}
		go w.http.Serve(w.listener)
		defer func() {
			if err := srv.Close(context.Background()); err != nil {
				t.Error(err)
			}
			w.http.Close()
		}()
		f(w)
	})
}

// config is that of a client of w.
func (w *world) config() eioclient.Config {
	cfg := eioclient.Config{
		NetDial: w.listener.DialContext,
		Proxy:   func(*http.Request) (*url.URL, error) { return nil, nil },
	}
	switch w.mode {
	case "polling":
		cfg.NoUpgrade = true
	case "websocket":
		cfg.Transports = []string{eioclient.WebSocket}
	}
	return cfg
}

// client is a session of the test.
type client struct {
	w *world
	d *eioclient.Dialer
	*eioclient.Session
	log
	received chan string
	ended    chan struct{} // closed by OnClose
}

// dial opens a session, which ends with the test.
func (w *world) dial(cfg eioclient.Config) *client {
	w.Helper()
	c, err := w.tryDial(cfg)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { c.stop() })
	if w.mode == "upgrade" {
		w.eventually("the upgrade", func() bool { return c.has("upgrade") })
	}
	return c
}

func (w *world) tryDial(cfg eioclient.Config) (*client, error) {
	w.Helper()
	d, err := eioclient.NewDialer(cfg)
	if err != nil {
		w.Fatal(err)
	}
	c := &client{w: w, d: d, received: make(chan string, 1<<14), ended: make(chan struct{})}
	c.Session, err = d.Dial(w.Context(), "http://server/ignored?from=url", eioclient.Handler{
		OnOpen: func(s *eioclient.Session) { c.add("open") },
		OnMessage: func(binary bool, data []byte) {
			if binary {
				c.received <- "b" + string(data)
			} else {
				c.received <- string(data)
			}
		},
		OnPing:    func() { c.add("ping") },
		OnUpgrade: func() { c.add("upgrade") },
		OnClose: func(reason eioclient.Reason, err error) {
			c.add("close %s", reason)
			close(c.ended)
		},
	})
	if err != nil {
		c.stop()
		return nil, err
	}
	return c, nil
}

func (c *client) stop() {
	if err := c.d.Close(context.Background()); err != nil {
		c.w.Error(err)
	}
}

// next is the next message; one that is binary begins with a "b".
func (c *client) next() string {
	c.w.Helper()
	select {
	case m := <-c.received:
		return m
	case <-time.After(time.Hour):
		c.w.Fatal("no message for an hour")
		return ""
	}
}

// eventually waits for something that happens elsewhere.
func (w *world) eventually(what string, f func() bool) {
	w.Helper()
	for range 2000 {
		synctest.Wait()
		if f() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	w.Fatalf("it did not happen: %s; the server heard %q", what, w.server.all())
}

// sleep lets fake time pass; it is only called in a bubble.
func sleep(d time.Duration) { time.Sleep(d) }
