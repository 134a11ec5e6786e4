package eioclient_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/engineio/eioclient"
)

// Sessions come and go in every way, and leave nothing.
func TestChurn(t *testing.T) {
	run(t, engineio.Config{}, func(w *world) {
		t := w.T
		before := 0
		for i := range 60 {
			c, err := w.tryDial(w.config())
			if err != nil {
				t.Fatal(err)
			}
			s := <-w.sessions
			_ = c.Send(0, eioclient.Message{Data: []byte("x")})
			switch i % 5 {
			case 0:
				c.Close()
			case 1:
				s.Close(false)
			case 2:
				s.Close(true)
			case 3: // in the middle of whatever goes on
			case 4:
				sleep(time.Second)
				c.Close()
			}
			if i%5 < 3 {
				<-c.ended
			}
			c.stop()
			<-c.ended
			w.eventually("the end on the server", func() bool { return w.srv.Clients() == 0 })
			if i == 9 {
				before = runtime.NumGoroutine()
			}
		}
		w.eventually("the end of all goroutines", func() bool { return runtime.NumGoroutine() <= before+5 })
	})
}

// An idle session over WebSocket is one goroutine.
func TestIdleGoroutines(t *testing.T) {
	for _, mode := range []string{"websocket", "upgrade"} {
		t.Run(mode, func(t *testing.T) {
			bubble(t, mode, engineio.Config{}, func(w *world) {
				t := w.T
				w.dial(w.config())
				sleep(time.Minute)
				before := runtime.NumGoroutine()
				const n = 50 // so many that 5 goroutines of the runtime or of earlier tests do not matter
				for range n {
					w.dial(w.config())
				}
				sleep(time.Minute)
				// One more is the server's.
				if each := float64(runtime.NumGoroutine()-before) / n; each > 2.1 {
					t.Errorf("%.1f goroutines for each session and its server", each)
				}
			})
		})
	}
}
