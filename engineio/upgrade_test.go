package engineio

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

// switched upgrades p.
func (p *poller) switched() *wsClient {
	p.w.t.Helper()
	c := p.probe()
	c.send("2probe")
	c.want("3probe", "the probe is answered")
	c.send("5")
	return c
}

// compat: engineSocket event upgrade
// compat: engineSocket.upgraded
func TestOnUpgrade(t *testing.T) {
	upgraded := make(chan string, 2)
	cfg := Config{OnUpgrade: func(s *Session) { upgraded <- s.ID() + s.Transport() }}
	scenario(t, cfg, func(w *world) {
		p := w.poller()
		sid := w.h.session(0).ID()
		p.switched().send("4first by websocket")
		w.want("the hook does not stand in the way", "open", "text first by websocket")
		if got := <-upgraded; got != sid+WebSocket || len(upgraded) != 0 {
			w.t.Errorf("told of %q, and %d more", got, len(upgraded))
		}
	})
}

func TestUpgrade(t *testing.T) {
	scenario(t, Config{}, func(w *world) {
		p := w.poller()
		s := w.h.session(0)
		g := p.begin()
		c := p.probe()
		g.wantWaiting("a connection alone changes nothing")
		c.send("2probe")
		c.want("3probe", "the probe is answered")
		if res := g.wait(); res.body != "6" {
			w.t.Fatalf("the GET is ended by a noop: %+v", res)
		}
		if s.Transport() != Polling {
			w.t.Error("switched too early")
		}
		g = p.begin()
		w.pass(99 * time.Millisecond)
		g.wantWaiting("the next noop comes after 100 ms")
		w.pass(2 * time.Millisecond)
		if res := g.wait(); res.body != "6" {
			w.t.Fatalf("%+v", res)
		}
		for i := range 3 {
			if err := s.Send(0, Message{Data: fmt.Append(nil, "before", i)}); err != nil {
				w.t.Fatal(err)
			}
		}
		c.wantSilence("nothing overtakes the switch")
		p.post("4last by polling")
		c.send("5", "4first by websocket")
		_ = s.Send(0, Message{Data: []byte("after")})
		for _, m := range []string{"4before0", "4before1", "4before2", "4after"} {
			c.want(m, "in order")
		}
		if s.Transport() != WebSocket {
			w.t.Error("not switched")
		}
		w.want("in order", "open", "text last by polling", "text first by websocket")
		if res := w.request("GET", p.query(), ""); res.body != `{"code":3,"message":"Bad request"}` {
			w.t.Errorf("polling after the switch: %+v", res)
		}
	})
}

// A probe that fails hurts nobody, and another may follow.
func TestUpgradeFails(t *testing.T) {
	for _, bad := range [][]string{{"x"}, {"4message"}, {"2other"}, {"3probe"}, {""}, {"2probe", "4message"}, {"2probe", "2probe", "1"}} {
		scenario(t, Config{}, func(w *world) {
			p := w.poller()
			c := p.probe()
			c.send(bad...)
			for got := c.next(); got != "close"; got = c.next() {
				if got != "3probe" {
					w.t.Fatalf("%q: got %q", bad, got)
				}
			}
			_ = w.h.session(0).Send(0, Message{Data: []byte("hi")})
			p.get("4hi", "polling goes on")
			again := p.switched()
			_ = w.h.session(0).Send(0, Message{Data: []byte("ws")})
			again.want("4ws", "the second try succeeds")
			w.want("nothing else", "open")
		})
	}
}

// compat: option upgradeTimeout
func TestUpgradeTimeout(t *testing.T) {
	scenario(t, Config{UpgradeTimeout: 3 * time.Second}, func(w *world) {
		p := w.poller()
		c := p.probe()
		c.send("2probe")
		c.want("3probe", "the probe is answered")
		w.pass(2900 * time.Millisecond)
		c.wantSilence("there is time")
		w.pass(5 * time.Second)
		c.want("close", "it was too long")
		p.switched()
		w.want("the session is fine", "open")
	})
}

// The timeout of a probe that was about to be called when the probe failed hit what
// came after it: the next probe, or the wait for the last GET.
func TestUpgradeTimeoutIsOfItsProbe(t *testing.T) {
	fail := func(w *world) (p *poller, s *Session, late func()) {
		p, s = w.poller(), w.h.session(0)
		c := p.probe()
		s.mu.Lock()
		timer := s.patience
		s.mu.Unlock()
		c.send("x")
		c.want("close", "the probe has failed")
		return p, s, func() { (*sessionTimer)(s).Expire(timer) }
	}
	t.Run("next probe", func(t *testing.T) {
		scenario(t, Config{}, func(w *world) {
			p, _, late := fail(w)
			c := p.probe()
			late()
			c.send("2probe")
			c.want("3probe", "it has all the time there is")
			w.pass(9 * time.Second)
			c.wantSilence("nearly all of it has passed")
			w.pass(3 * time.Second)
			c.want("close", "its own timeout")
			late()
			p.switched()
			w.want("the session is fine", "open")
		})
	})
	t.Run("last GET", func(t *testing.T) {
		scenario(t, Config{}, func(w *world) {
			p, s, late := fail(w)
			s.Close(false)
			late()
			w.want("the last GET is waited for", "open")
			p.get("6\x1e1", "it comes")
			w.want("then it is over", "close: forced close")
		})
	})
}

// A second WebSocket for a session is closed; the first is not touched.
func TestUpgradeTwice(t *testing.T) {
	scenario(t, Config{}, func(w *world) {
		p := w.poller()
		c := p.probe()
		second := p.probe()
		second.want("close", "while the first is probing")
		c.send("2probe")
		c.want("3probe", "the first goes on")
		c.send("5")
		third := p.probe()
		third.want("close", "after the switch")
		c.send("4hello")
		w.want("the first is the transport", "open", "text hello")
	})
}

// A GET that waits when the switch comes is ended by a noop.
func TestUpgradeWithWaitingGet(t *testing.T) {
	scenario(t, Config{}, func(w *world) {
		p := w.poller()
		c := p.probe()
		g := p.begin()
		c.send("5")
		if res := g.wait(); res.body != "6" {
			w.t.Fatalf("%+v", res)
		}
		c.send("4hello")
		w.want("5 alone is enough", "open", "text hello")
	})
}

func TestCloseDuringUpgrade(t *testing.T) {
	scenario(t, Config{}, func(w *world) {
		p := w.poller()
		s := w.h.session(0)
		c := p.probe()
		c.send("2probe")
		c.want("3probe", "the probe")
		_ = s.Send(0, Message{Data: []byte("last")})
		s.Close(false)
		c.send("5")
		c.want("4last", "what was sent before")
		c.want("close", "then the end")
		_ = c.nc.Close()
		w.want("closed by us", "open", "close: forced close")
	})
	scenario(t, Config{}, func(w *world) {
		p := w.poller()
		c := p.probe()
		c.send("2probe")
		c.want("3probe", "the probe")
		w.h.session(0).Close(true)
		c.want("close", "the probe goes down with its session")
		w.want("closed by us", "open", "close: forced close")
		p.gone("after a discarding close")
	})
}

// What is sent while a client upgrades arrives once and in order, however the
// sends fall.
func TestUpgradeKeepsOrder(t *testing.T) {
	scenario(t, Config{}, func(w *world) {
		p := w.poller()
		s := w.h.session(0)
		var sender sync.WaitGroup
		sender.Go(func() {
			for i := range 200 {
				_ = s.Send(0, Message{Data: fmt.Append(nil, i)})
				<-time.After(time.Millisecond)
			}
		})
		next := 0
		take := func(packet string) {
			if packet == "6" {
				return
			}
			if packet != fmt.Sprint("4", next) {
				w.t.Fatalf("got %q, want number %d", packet, next)
			}
			next++
		}
		polls := func(body string) {
			start := 0
			for i := 0; i <= len(body); i++ {
				if i == len(body) || body[i] == 0x1e {
					take(body[start:i])
					start = i + 1
				}
			}
		}
		for next < 50 {
			polls(p.begin().wait().body)
		}
		c := p.probe()
		c.send("2probe")
		c.want("3probe", "the probe")
		polls(p.begin().wait().body)
		c.send("5")
		for next < 200 {
			take(c.next())
		}
		sender.Wait()
		c.wantSilence("nothing twice")
	})
}
