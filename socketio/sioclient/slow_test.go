package sioclient_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/sioclient"
)

// Handlers that take minutes for what came in one go once cost the client its
// connection, and all events that it had not read yet: the server's pings were behind
// them.
func TestSlowHandlersKeepTheConnection(t *testing.T) {
	const n = 1000
	run(t, func(srv *socketio.Server) {
		srv.On("flood", func(_ context.Context, s *socketio.Socket, _ *socketio.Event) error {
			for i := range n {
				if err := s.Emit("n", i); err != nil {
					return err
				}
			}
			return nil
		})
		srv.OnDisconnect(func(_ *socketio.Socket, reason socketio.Reason) {
			if reason == socketio.PingTimeout {
				panic("the server takes the client for dead")
			}
		})
	}, func(w *world) {
		t := w.T
		s := w.socket("", w.config())
		life := new(log)
		s.OnDisconnect(func(_ *sioclient.Socket, reason sioclient.Reason) { life.add("disconnect %s", reason) })
		got := 0
		done := make(chan struct{})
		s.On("n", sioclient.Receive(func(_ context.Context, _ *sioclient.Socket, i int) error {
			sleep(700 * time.Millisecond)
			if i != got {
				return fmt.Errorf("event %d in the place of %d", i, got)
			}
			if got++; got == n {
				close(done)
			}
			return nil
		}))
		w.connect(s)
		if err := s.Emit("flood"); err != nil {
			t.Fatal(err)
		}
		select {
		case <-done:
		case <-time.After(time.Hour):
			t.Errorf("%d of %d events were handled", got, n)
		}
		life.want(t)
		if stats := w.srv.Stats(); stats.Panics != 0 {
			t.Error("the server has seen a ping timeout")
		}
	})
}
