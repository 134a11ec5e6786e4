package eioclient_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/engineio/eioclient"
	"github.com/hermod-io/hermod/internal/testnet"
)

// latency makes each step of an opening take 10 ms of fake time.
const latency = 10 * time.Millisecond

// An end at any moment of the opening, the upgrade and the time behind it, while
// messages are sent, leaves nothing and is told once. What arrives is the
// beginning of what was sent, and all of it after an orderly end.
func TestEndsAtEveryMoment(t *testing.T) {
	ends := map[string]func(m *moment){
		"Close": func(m *moment) {
			if s := m.session.Load(); s != nil {
				m.orderly = true
				s.Close()
			}
		},
		"Dialer":      func(m *moment) { _ = m.c.d.Close(context.Background()) },
		"ctx":         func(m *moment) { m.cancel() },
		"server":      func(m *moment) { m.onServer(false) },
		"server, now": func(m *moment) { m.onServer(true) },
		"cut":         func(m *moment) { _, _ = m.w.listener.Close(), m.w.http.Close() },
	}
	for name, end := range ends {
		for _, mode := range modes {
			for step := range 30 {
				t.Run(fmt.Sprint(name, " ", mode, " ", step), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { endAt(t, mode, time.Duration(step)*latency/2+1, end) })
				})
			}
		}
	}
}

// moment is a session on its way.
type moment struct {
	w       *world
	c       *client // without a session
	session atomic.Pointer[eioclient.Session]
	cancel  context.CancelFunc
	sent    log
	orderly bool
}

// talk sends messages for a second.
func (m *moment) talk(s *eioclient.Session) {
	for i := range 300 {
		text := fmt.Sprint("message ", i)
		if s.Send(0, eioclient.Message{Data: []byte(text)}) != nil {
			return
		}
		m.sent.add("%s", text)
		sleep(latency / 3)
	}
}

// onServer closes the server's side, if there is one.
func (m *moment) onServer(discard bool) {
	select {
	case s := <-m.w.sessions:
		s.Close(discard)
	default:
	}
}

// hearing is the Handler of a server that writes down what it hears.
type hearing struct{ echo }

func (h hearing) OnMessage(_ *engineio.Session, _ bool, data []byte) { h.w.server.add("%s", data) }

func (h hearing) OnClose(*engineio.Session, engineio.Reason, error) {}

func endAt(t *testing.T, mode string, at time.Duration, end func(*moment)) {
	w := &world{T: t, mode: mode, server: new(log), listener: testnet.Listen(testnet.Options{Latency: latency}), sessions: make(chan *engineio.Session, 10)}
	srv, err := engineio.New(engineio.Config{}, hearing{echo{w}})
	if err != nil {
		t.Fatal(err)
	}
	w.srv, w.http = srv, &http.Server{Handler: srv}
	served := make(chan struct{})
	go func() { // ends with w.http
		defer close(served)
		_ = w.http.Serve(w.listener)
	}()
	d, err := eioclient.NewDialer(w.config())
	if err != nil {
		t.Fatal(err)
	}
	m := &moment{w: w, c: &client{w: w, d: d}}
	ctx, cancel := context.WithCancel(t.Context())
	m.cancel = cancel
	dialed := make(chan struct{})
	go func() { // ends with Dial
		defer close(dialed)
		_, _ = d.Dial(ctx, "http://server", eioclient.Handler{
			OnOpen: func(s *eioclient.Session) {
				m.c.add("open")
				m.session.Store(s)
				go m.talk(s) // ends with the session, or after a second
			},
			OnClose: func(eioclient.Reason, error) { m.c.add("close") },
		})
	}()
	sleep(at)
	synctest.Wait()
	end(m)
	sleep(3 * time.Minute)
	cancel()
	<-dialed
	if err := d.Close(context.Background()); err != nil {
		t.Error(err)
	}
	sleep(3 * time.Minute)
	m.check()
	if err := srv.Close(context.Background()); err != nil {
		t.Error(err)
	}
	_ = w.http.Close()
	<-served
	// The bubble sees to it that nothing runs on.
}

func (m *moment) check() {
	t := m.w.T
	if got := m.c.all(); len(got) != 0 && !slices.Equal(got, []string{"open", "close"}) {
		t.Errorf("the handler was told %q", got)
	}
	sent, got := m.sent.all(), m.w.server.all()
	if len(got) > len(sent) || !slices.Equal(got, sent[:len(got)]) || m.orderly && len(got) != len(sent) {
		t.Errorf("%d messages of %d arrived, orderly %v: %q", len(got), len(sent), m.orderly, got)
	}
	if n := m.w.srv.Clients(); n != 0 {
		t.Errorf("%d sessions are left on the server", n)
	}
}
