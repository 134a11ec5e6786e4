package eioclient_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/engineio/eioclient"
)

// Who is held up for long is alive for the server, and the server for it.
func TestHold(t *testing.T) {
	for name, cfg := range map[string]engineio.Config{
		"default":       {},
		"rare pings":    {PingInterval: 2 * time.Minute, PingTimeout: 5 * time.Second},
		"long patience": {PingInterval: 5 * time.Second, PingTimeout: 2 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, cfg, func(w *world) {
				goOn, got, ended := make(chan struct{}), make(chan string, 10), make(chan struct{})
				var s *eioclient.Session
				d, err := eioclient.NewDialer(w.config())
				if err != nil {
					w.Fatal(err)
				}
				_, err = d.Dial(w.Context(), "http://server", eioclient.Handler{
					OnOpen: func(session *eioclient.Session) { s = session },
					OnMessage: func(_ bool, data []byte) {
						if string(data) == "hold" && s.Hold(goOn) {
							w.Error("Hold says that the session has ended")
						}
						got <- string(data)
					},
					OnClose: func(eioclient.Reason, error) { close(ended) },
				})
				if err != nil {
					w.Fatal(err)
				}
				send := func(text string) {
					if err := s.Send(0, eioclient.Message{Data: []byte(text)}); err != nil {
						w.Error(err)
					}
				}
				send("hold")
				sleep(10 * time.Minute)
				send("behind it")
				sleep(10 * time.Minute)
				synctest.Wait()
				if len(got) != 0 || len(w.server.all()) != 0 {
					w.Fatalf("%d messages, %q", len(got), w.server.all())
				}
				close(goOn)
				if a, b := <-got, <-got; a != "hold" || b != "behind it" {
					w.Errorf("got %q, %q", a, b)
				}
				sleep(10 * time.Minute) // the heartbeat is as before
				send("alive")
				if m := <-got; m != "alive" {
					w.Errorf("got %q", m)
				}
				s.Close()
				<-ended
				if err := d.Close(w.Context()); err != nil {
					w.Error(err)
				}
			})
		})
	}
}

// Hold ends with the session.
func TestHoldEnds(t *testing.T) {
	run(t, engineio.Config{}, func(w *world) {
		held, ended := make(chan bool, 1), make(chan eioclient.Reason, 1)
		var s *eioclient.Session
		d, err := eioclient.NewDialer(w.config())
		if err != nil {
			w.Fatal(err)
		}
		_, err = d.Dial(w.Context(), "http://server", eioclient.Handler{
			OnOpen:    func(session *eioclient.Session) { s = session },
			OnMessage: func(bool, []byte) { held <- s.Hold(nil) },
			OnClose:   func(reason eioclient.Reason, _ error) { ended <- reason },
		})
		if err != nil {
			w.Fatal(err)
		}
		if err := s.Send(0, eioclient.Message{Data: []byte("hold")}); err != nil {
			w.Error(err)
		}
		sleep(time.Minute)
		synctest.Wait()
		if len(held) != 0 {
			w.Error("Hold has returned")
		}
		if err := d.Close(w.Context()); err != nil {
			w.Error(err)
		}
		if !<-held || <-ended != eioclient.ForcedClose {
			w.Error("it did not end with the session")
		}
	})
}
