package engineio

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var quick = Config{PingInterval: 10 * time.Second, PingTimeout: 4 * time.Second}

// tick is how late a timer of quick may be.
const tick = 40 * time.Millisecond

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

// The pings of sessions that came one after the other leave one after the other.
func TestHeartbeatsAreSpread(t *testing.T) {
	scenario(t, quick, func(w *world) {
		const apart = 3*tick + time.Millisecond
		var all []*wsClient
		begun := time.Now()
		for range 20 {
			all = append(all, w.websocket())
			w.pass(apart)
		}
		for i, c := range all {
			due := time.Duration(i)*apart + quick.PingInterval
			w.pass(due - time.Since(begun) - time.Millisecond)
			c.wantSilence("no ping before pingInterval")
			w.pass(tick + time.Millisecond)
			c.want("2", "a ping, late by a tick at most")
			c.send("3")
		}
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
		w.hold(release)
		c := w.websocket()
		c.send("4one")
		w.pass(50 * time.Second)
		w.want("it is not cut", "open", "text one")
		c.send("3")
		close(release)
		synctest.Wait()
		w.pass(5 * time.Second)
		w.hold(make(chan struct{}))
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
			w.drag()
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

// uneven has a pingTimeout longer than its pingInterval.
var uneven = Config{PingInterval: 4 * time.Second, PingTimeout: 16 * time.Second}

// hold has the handler wait with the reading suspended until release is closed or
// the session is over.
func (w *world) hold(release chan struct{}) {
	w.h.onMessage = func(s *Session, _ bool, _ []byte) {
		s.Suspend()
		defer s.Resume()
		select {
		case <-release:
		case <-s.Done():
			w.h.note("woken by the end")
		}
	}
}

// drag has the handler take a second for each message, nine tenths of it with the
// reading suspended.
func (w *world) drag() {
	w.h.onMessage = func(s *Session, _ bool, _ []byte) {
		s.Suspend()
		time.Sleep(900 * time.Millisecond)
		s.Resume()
		time.Sleep(100 * time.Millisecond)
	}
}

// wantPings waits for n pings, each pingInterval after the one before, the first
// after last, and returns when the last came. answered is called after each.
func (w *world) wantPings(n int, last time.Time, ping, answered func()) time.Time {
	w.t.Helper()
	for i := range n {
		ping()
		gap := time.Since(last)
		if most := w.srv.cfg.PingInterval + tick; gap < w.srv.cfg.PingInterval || gap > most {
			w.t.Fatalf("ping %d came after %v, want at least %v and at most %v", i, gap, w.srv.cfg.PingInterval, most)
		}
		last = time.Now()
		answered()
	}
	return last
}

// A client of protocol 4 gives up when no ping has come for pingInterval and
// pingTimeout, and it does not know that its pongs wait behind a slow handler. No
// ping was sent once while the reading was held up and the pong not read, and one
// that was read late put off the next: healthy clients left.
func TestHeartbeatGoesOnWhileSuspended(t *testing.T) {
	for _, cfg := range []Config{quick, uneven} {
		cfg.MaxReadPause = 200 * time.Second
		scenario(t, cfg, func(w *world) {
			release := make(chan struct{})
			w.hold(release)
			opened := time.Now()
			c := w.websocket()
			c.send("4one")
			last := w.wantPings(12, opened, func() { c.want("2", "a ping while nothing is read") }, func() { c.send("3") })
			w.pass(cfg.PingInterval / 2)
			close(release)
			w.want("the pongs are read", "open", "text one")
			w.wantPings(2, last, func() { c.want("2", "the next as if they had come in time") }, func() { c.send("3") })
			w.pass(cfg.PingInterval + cfg.PingTimeout + 2*tick)
			w.want("then it is silent", "close: ping timeout")
		})
	}
}

func TestHeartbeatGoesOnWhileSuspendedPolling(t *testing.T) {
	cfg := quick
	cfg.MaxReadPause = 200 * time.Second
	scenario(t, cfg, func(w *world) {
		release := make(chan struct{})
		w.hold(release)
		opened := time.Now()
		p := w.poller()
		post := w.start("POST", p.query(), "4one")
		last := w.wantPings(6, opened, func() { p.get("2", "a ping while nothing is read") }, func() {})
		post.wantWaiting("nothing is read")
		close(release)
		post.wait()
		p.post(strings.TrimSuffix(strings.Repeat("3\x1e", 6), "\x1e"))
		w.wantPings(1, last, func() { p.get("2", "the next one") }, func() {})
		p.post("3")
		w.want("it lives", "open", "text one")
	})
}

// Each pong is read behind some hundred messages, and reading is held up by each of
// them; the last pongs come when nothing holds it up any more.
func TestHeartbeatBehindABurst(t *testing.T) {
	for _, upgraded := range []bool{false, true} {
		for _, cfg := range []Config{quick, uneven} {
			scenario(t, cfg, func(w *world) {
				w.drag()
				opened := time.Now()
				var c *wsClient
				if upgraded {
					c = w.poller().probe()
					c.send("2probe")
					c.want("3probe", "the probe")
					c.send("5")
				} else {
					c = w.websocket()
				}
				want := []string{"open"}
				for range 200 {
					c.send("4x")
					want = append(want, "text x")
				}
				last := w.wantPings(20, opened, func() { c.want("2", "a ping") }, func() { c.send("3", "4y") })
				for range 20 {
					want = append(want, "text y")
				}
				for time.Since(opened) < 250*time.Second {
					c.want("2", "it goes on")
					if gap := time.Since(last); gap > cfg.PingInterval+tick {
						w.t.Fatalf("a ping after %v", gap)
					}
					last = time.Now()
					c.send("3")
				}
				w.want("all is handled", want...)
			})
		}
	}
}

// A client that is gone is noticed when reading goes on: pingTimeout later if it is
// only silent, at once if a ping could not be written.
func TestHeartbeatGoneWhileSuspended(t *testing.T) {
	for _, cfg := range []Config{quick, uneven} {
		cfg.MaxReadPause = 200 * time.Second
		scenario(t, cfg, func(w *world) {
			release := make(chan struct{})
			w.hold(release)
			c := w.websocket()
			c.send("4one")
			w.pass(75 * time.Second)
			close(release)
			w.pass(cfg.PingTimeout - time.Millisecond)
			w.want("not before", "open", "text one")
			w.pass(tick)
			w.want("then", "close: ping timeout")
		})
		scenario(t, cfg, func(w *world) {
			release := make(chan struct{})
			w.hold(release)
			c := w.websocket()
			c.send("4one")
			if err := c.nc.Abort(); err != nil {
				w.t.Fatal(err)
			}
			w.pass(3*cfg.PingInterval + tick)
			w.want("its message is being handled", "open", "text one")
			close(release)
			w.want("there is no connection to read on", "close: transport error")
		})
	}
}

// A client that takes nothing has one ping wait for it, however long it is held up,
// and a full queue is not overrun by them.
func TestHeartbeatSuspendedAndStalled(t *testing.T) {
	cfg := quick
	cfg.MaxReadPause = time.Hour
	cfg.Queue = Queue{Packets: 8, OnFull: DropNewest}
	fill := func(w *world) (sent int) {
		s := w.h.session(0)
		for s.Send(0, Message{Data: []byte(strings.Repeat("x", 30_000))}) == nil {
			sent++
		}
		return sent
	}
	scenario(t, cfg, func(w *world) {
		release := make(chan struct{})
		w.hold(release)
		c := w.websocket()
		c.send("4one")
		sent := fill(w)
		w.pass(50 * cfg.PingInterval)
		s := w.h.session(0)
		_, packets := s.Buffered()
		if packets > 9 {
			w.t.Errorf("%d packets wait", packets)
		}
		s.mu.Lock()
		if d := s.untilPing(); d != cfg.PingTimeout/8 {
			w.t.Errorf("a ping that waits is looked after again in %v", d)
		}
		s.mu.Unlock()
		for range sent {
			c.next()
		}
		c.want("2", "the ping that has waited")
		w.pass(2 * tick)
		c.want("2", "the one that was due")
		c.wantSilence("no more of them")
		c.send("3")
		close(release)
		w.want("it lives", "open", "text one")
	})
	scenario(t, cfg, func(w *world) {
		release := make(chan struct{})
		w.hold(release)
		p := w.poller()
		post := w.start("POST", p.query(), "4one")
		sent := fill(w)
		w.pass(50 * cfg.PingInterval)
		p.get(strings.Repeat("4"+strings.Repeat("x", 30_000)+"\x1e", sent)+"2", "what has waited, and a ping")
		p.get("2", "the one that was due")
		close(release)
		post.wait()
		p.post("3\x1e3")
		w.want("it lives", "open", "text one")
	})
}
