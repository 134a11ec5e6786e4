package engineio

import (
	"testing"
	"testing/synctest"
	"time"
)

var quick = Config{PingInterval: 10 * time.Second, PingTimeout: 4 * time.Second}

// tick is how late a timer of quick may be.
const tick = 600 * time.Millisecond

// compat: option pingInterval
// compat: option pingTimeout
func TestHeartbeatWebSocket(t *testing.T) {
	scenario(t, quick, func(w *world) {
		c := w.websocket()
		for range 3 {
			w.pass(10*time.Second - time.Millisecond)
			c.wantSilence("no ping before pingInterval")
			w.pass(2 * tick)
			c.want("2", "then a ping")
			w.pass(2 * time.Second)
			c.send("3")
		}
		w.pass(10*time.Second + 2*tick)
		c.want("2", "the fourth")
		w.want("nothing yet", "open")
		w.pass(2 * time.Second)
		w.want("not before pingTimeout")
		w.pass(4 * time.Second)
		w.want("no pong came", "close: ping timeout")
		c.want("close", "the WebSocket is closed without a code")
	})
}

// compat: option pingInterval
// compat: option pingTimeout
func TestHeartbeatPolling(t *testing.T) {
	scenario(t, quick, func(w *world) {
		p := w.poller()
		for range 3 {
			g := p.begin()
			w.pass(10*time.Second - time.Millisecond)
			g.wantWaiting("no ping before pingInterval")
			if res := g.wait(); res.body != "2" {
				w.t.Fatalf("%+v", res)
			}
			p.post("3")
		}
		w.pass(10*time.Second + 2*tick)
		p.get("2", "a ping waits for the GET")
		w.pass(4*time.Second + 2*tick)
		w.want("no pong came", "open", "close: ping timeout")
		p.gone("after the timeout")
	})
}

// A pong that nobody asked for begins the interval anew.
func TestHeartbeatUnaskedPong(t *testing.T) {
	scenario(t, quick, func(w *world) {
		c := w.websocket()
		w.pass(6 * time.Second)
		c.send("3")
		w.pass(10*time.Second - time.Millisecond)
		c.wantSilence("no ping before pingInterval after it")
		w.pass(2 * tick)
		c.want("2", "then a ping")
	})
}

// While a pong is due, the first other packet gives the client pingTimeout anew,
// once.
func TestHeartbeatOtherPackets(t *testing.T) {
	scenario(t, quick, func(w *world) {
		c := w.websocket()
		w.pass(10*time.Second + 2*tick)
		c.want("2", "the ping")
		w.pass(2 * time.Second)
		c.send("4alive")
		w.pass(3 * time.Second)
		w.want("prolonged", "open", "text alive")
		c.send("4still")
		w.pass(4*time.Second + 2*tick)
		w.want("not again", "text still", "close: ping timeout")
	})
}

// The heartbeat goes on over the switch, also when a ping is on its way.
func TestHeartbeatAcrossUpgrade(t *testing.T) {
	scenario(t, quick, func(w *world) {
		p := w.poller()
		g := p.begin()
		if res := g.wait(); res.body != "2" {
			w.t.Fatalf("%+v", res)
		}
		c := p.probe()
		c.send("2probe")
		c.want("3probe", "the probe")
		c.send("5", "3")
		w.pass(9 * time.Second)
		c.wantSilence("the interval begins with the pong")
		w.pass(time.Second + 2*tick)
		c.want("2", "the next ping")
		w.pass(4*time.Second + 2*tick)
		w.want("no pong", "open", "close: ping timeout")
	})
}

// A handler that holds the reading up does not make its client look dead, for
// MaxReadPause.
func TestHeartbeatSuspended(t *testing.T) {
	cfg := quick
	cfg.MaxReadPause = 60 * time.Second
	scenario(t, cfg, func(w *world) {
		release := make(chan struct{})
		w.h.onMessage = func(s *Session, _ bool, _ []byte) {
			s.Suspend()
			defer s.Resume()
			select {
			case <-release:
			case <-s.Done():
				w.h.note("woken by the end")
			}
		}
		c := w.websocket()
		c.send("4one")
		w.pass(50 * time.Second)
		w.want("it is not cut", "open", "text one")
		c.send("3")
		close(release)
		synctest.Wait()
		w.pass(5 * time.Second)
		release = make(chan struct{})
		c.send("4two")
		w.pass(90 * time.Second)
		w.want("but not for ever", "text two", "woken by the end", "close: ping timeout")
	})
}

func TestTimer(t *testing.T) {
	scenario(t, quick, func(w *world) {
		var a, b Timer
		w.srv.After(&a, 5*time.Second, func() { w.h.note("a") })
		w.srv.After(&b, 5*time.Second, func() { w.h.note("b") })
		if !b.Stop() || b.Stop() {
			w.t.Error("Stop reports wrongly")
		}
		w.pass(5*time.Second - time.Millisecond)
		w.want("not early")
		w.pass(3 * tick)
		w.want("then", "a")
	})
}

// A handler that holds the reading up again and again leaves short times between
// in which a heartbeat can be due, and the pong wait behind what is still to be
// read: its client was once taken for dead then.
func TestHeartbeatBetweenSuspensions(t *testing.T) {
	for _, protocol := range []string{"4", "3"} {
		cfg := quick
		cfg.AllowEIO3 = true
		scenario(t, cfg, func(w *world) {
			w.h.onMessage = func(s *Session, _ bool, _ []byte) {
				s.Suspend()
				time.Sleep(900 * time.Millisecond)
				s.Resume()
				time.Sleep(100 * time.Millisecond)
			}
			c, _ := w.dialWS("EIO=" + protocol + "&transport=websocket")
			c.next() // open
			if protocol == "4" {
				w.pass(cfg.PingInterval + time.Second)
			}
			want := []string{"open"}
			for range 100 {
				c.send("4x")
				want = append(want, "text x")
			}
			c.send(map[string]string{"4": "3", "3": "2"}[protocol])
			w.pass(101 * time.Second)
			w.want("it lives as long as there is something to read", want...)
			w.pass(cfg.PingInterval + 2*cfg.PingTimeout + time.Minute)
			w.want("and not longer", "close: ping timeout")
		})
	}
}
