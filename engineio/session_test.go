package engineio

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// modes runs a body over each transport; send and next are of the client.
func modes(t *testing.T, cfg Config, f func(w *world, s *Session, send func(packets ...string), want func(packets, why string))) {
	t.Run("polling", func(t *testing.T) {
		scenario(t, cfg, func(w *world) {
			p := w.poller()
			f(w, w.h.session(0), func(packets ...string) { p.post(strings.Join(packets, "\x1e")) },
				func(packets, why string) { p.get(packets, why) })
		})
	})
	websocket := func(w *world, c *wsClient) {
		f(w, w.h.session(0), c.send, func(packets, why string) {
			for part := range strings.SplitSeq(packets, "\x1e") {
				if b, ok := strings.CutPrefix(part, "b"); ok {
					part = map[string]string{"AQI=": "binary 0102"}[b]
				}
				c.want(part, why)
			}
		})
	}
	t.Run("websocket", func(t *testing.T) {
		scenario(t, cfg, func(w *world) { websocket(w, w.websocket()) })
	})
	t.Run("upgrade", func(t *testing.T) {
		scenario(t, cfg, func(w *world) { websocket(w, w.poller().switched()) })
	})
}

// compat: engineSocket.send
// compat: engineSocket event message
// compat: transport polling
// compat: transport websocket
func TestMessages(t *testing.T) {
	modes(t, Config{}, func(w *world, s *Session, send func(...string), want func(packets, why string)) {
		send("4hello", "4", "bAQI=", "4€")
		w.want("in order", "open", "text hello", "text ", "binary 0102", "text €")
		if err := s.Send(0, Message{Prefix: []byte("a"), Data: []byte("b")}, Message{Binary: true, Data: []byte{1, 2}}); err != nil {
			w.t.Fatal(err)
		}
		want("4ab\x1ebAQI=", "a unit")
		p := NewPrepared(Message{Data: []byte("p")}, Message{Binary: true, Prefix: []byte{1}, Data: []byte{2}})
		if err := s.SendPrepared(p, Later); err != nil {
			w.t.Fatal(err)
		}
		want("4p\x1ebAQI=", "a prepared unit")
		send("3", "6", "5", "0", "4last")
		w.want("packets without meaning are ignored", "text last")
		if b, n := s.Buffered(); b != 0 || n != 0 {
			w.t.Errorf("%d bytes, %d packets wait", b, n)
		}
	})
}

// compat: reason parse error
// compat: reason transport error
// compat: reason transport close
func TestBadPackets(t *testing.T) {
	for packet, reason := range map[string]Reason{"7": ParseError, "x": ParseError, "2": TransportError, "2probe": TransportError, "1": TransportClose} {
		modes(t, Config{}, func(w *world, s *Session, send func(...string), _ func(packets, why string)) {
			send("4before", packet, "4after")
			w.want(packet, "open", "text before", "close: "+string(reason))
			if err := s.Send(0, Message{}); !errors.Is(err, ErrClosed) || !errors.Is(err, net.ErrClosed) {
				w.t.Errorf("a send afterwards: %v", err)
			}
		})
	}
}

// Units of several goroutines stay whole on every transport.
func TestUnits(t *testing.T) {
	modes(t, Config{}, func(w *world, s *Session, _ func(...string), want func(packets, why string)) {
		var wg sync.WaitGroup
		for g := range 3 {
			wg.Go(func() {
				for range 20 {
					_ = s.Send(0, Message{Data: fmt.Append(nil, g)}, Message{Data: fmt.Append(nil, g)})
				}
			})
		}
		wg.Wait()
		if s.Transport() == Polling {
			res := w.request("GET", pollingQuery+"&sid="+s.ID(), "")
			all := strings.Split(res.body, "\x1e")
			for i := 0; i+1 < len(all); i += 2 {
				if all[i] != all[i+1] {
					w.t.Fatalf("units are mixed: %q", res.body)
				}
			}
			if len(all) != 120 {
				w.t.Errorf("%d packets", len(all))
			}
			return
		}
		seen := w.h.session(0)
		if n, _ := seen.Buffered(); n != 0 {
			w.t.Errorf("%d bytes wait", n)
		}
	})
}

func TestQueueFull(t *testing.T) {
	for _, full := range []OnFull{Disconnect, DropNewest} {
		scenario(t, Config{Queue: Queue{Packets: 8, OnFull: full}}, func(w *world) {
			p := w.poller()
			s := w.h.session(0)
			for range 8 {
				if err := s.Send(0, Message{Data: []byte("x")}); err != nil {
					w.t.Fatal(err)
				}
			}
			err := s.Send(0, Message{Data: []byte("y")})
			if !errors.Is(err, ErrQueueFull) {
				w.t.Errorf("one too many: %v", err)
			}
			if full == Disconnect {
				w.want("the client is cut", "open", "close: transport error")
				p.gone("after the cut")
				return
			}
			if err := s.Send(Must, Message{Data: []byte("z")}); err != nil {
				w.t.Errorf("Must: %v", err)
			}
			p.get(strings.Repeat("4x\x1e", 8)+"4z", "what was taken")
			w.want("the session lives", "open")
			if err := s.Send(0, Message{Data: make([]byte, 1<<20)}); err != nil {
				w.t.Errorf("a large message into an empty queue: %v", err)
			}
		})
	}
}

func TestWritable(t *testing.T) {
	scenario(t, Config{}, func(w *world) {
		p := w.poller()
		s := w.h.session(0)
		if s.Writable() {
			w.t.Error("writable without a GET")
		}
		g := p.begin()
		if !s.Writable() {
			w.t.Error("not writable with a GET")
		}
		_ = s.Send(0, Message{Data: []byte("x")})
		if res := g.wait(); res.body != "4x" {
			w.t.Errorf("%+v", res)
		}
		p.switched()
		if !s.Writable() {
			w.t.Error("not writable over WebSocket")
		}
	})
}

// compat: engineSocket.close
// compat: reason forced close
func TestClosePolling(t *testing.T) {
	t.Run("with a waiting GET", func(t *testing.T) {
		scenario(t, Config{}, func(w *world) {
			p := w.poller()
			g := p.begin()
			w.h.session(0).Close(false)
			if res := g.wait(); res.body != "1" {
				w.t.Errorf("%+v", res)
			}
			w.want("closed", "open", "close: forced close")
			p.gone("closed")
		})
	})
	t.Run("without", func(t *testing.T) {
		scenario(t, Config{}, func(w *world) {
			p := w.poller()
			s := w.h.session(0)
			_ = s.Send(0, Message{Data: []byte("last")})
			s.Close(false)
			if err := s.Send(0, Message{}); !errors.Is(err, ErrClosed) {
				w.t.Errorf("a send after Close: %v", err)
			}
			w.want("not yet", "open")
			p.get("4last", "the message first")
			p.get("6\x1e1", "then the end")
			w.want("closed", "close: forced close")
			p.gone("closed")
		})
	})
	t.Run("and nobody polls", func(t *testing.T) {
		scenario(t, Config{PingInterval: time.Hour, PingTimeout: time.Hour}, func(w *world) {
			p := w.poller()
			w.h.session(0).Close(false)
			w.pass(29 * time.Second)
			w.want("there is time", "open")
			w.pass(3 * time.Second)
			w.want("after 30 s", "close: forced close")
			p.gone("closed")
		})
	})
	t.Run("discarding", func(t *testing.T) {
		scenario(t, Config{}, func(w *world) {
			p := w.poller()
			s := w.h.session(0)
			_ = s.Send(0, Message{Data: []byte("lost")})
			s.Close(true)
			w.want("at once", "open", "close: forced close")
			p.gone("closed")
		})
	})
}

// compat: engineSocket.close
func TestCloseWebSocket(t *testing.T) {
	scenario(t, Config{}, func(w *world) {
		c := w.websocket()
		s := w.h.session(0)
		_ = s.Send(Later, Message{Data: []byte("last")})
		s.Close(false)
		c.want("4last", "the message first")
		c.want("close", "then the end, without a code")
		_ = c.nc.Close()
		w.want("closed", "open", "close: forced close")
	})
	for name, end := range map[string]func(c *wsClient){
		"transport close": func(c *wsClient) { _ = c.nc.Close() },
		"transport error": func(c *wsClient) { _ = c.nc.Abort() },
	} {
		scenario(t, Config{}, func(w *world) {
			c := w.websocket()
			end(c)
			w.want("the client is gone", "open", "close: "+name)
		})
	}
}

func TestPollingRequests(t *testing.T) {
	t.Run("two GETs", func(t *testing.T) {
		scenario(t, Config{}, func(w *world) {
			p := w.poller()
			g := p.begin()
			if res := w.request("GET", p.query(), ""); res.status != 400 || res.body != "" {
				w.t.Errorf("the second: %+v", res)
			}
			if res := g.wait(); res.body != "1" {
				w.t.Errorf("the first: %+v", res)
			}
			w.want("the session is gone", "open", "close: transport error")
		})
	})
	t.Run("two POSTs", func(t *testing.T) {
		scenario(t, Config{}, func(w *world) {
			release := make(chan struct{})
			w.h.onMessage = func(*Session, bool, []byte) { <-release }
			p := w.poller()
			first := w.start("POST", p.query(), "4one")
			if res := w.request("POST", p.query(), "4two"); res.status != 400 || res.body != "" {
				w.t.Errorf("the second: %+v", res)
			}
			w.want("OnClose waits for OnMessage", "open", "text one")
			close(release)
			first.wait()
			w.want("then", "close: transport error")
		})
	})
	t.Run("an aborted GET", func(t *testing.T) {
		scenario(t, Config{}, func(w *world) {
			w.poller().begin().abort()
			w.want("the session is gone", "open", "close: transport error")
		})
	})
	t.Run("bodies", func(t *testing.T) {
		scenario(t, Config{MaxHTTPBufferSize: 10}, func(w *world) {
			p := w.poller()
			p.post("4" + strings.Repeat("x", 9))
			if res := w.request("POST", p.query(), "4"+strings.Repeat("€", 4)); res.status != 413 || res.body != "" {
				w.t.Errorf("13 bytes: %+v", res)
			}
			p.post("4still")
			w.want("the limit counts bytes", "open", "text xxxxxxxxx", "text still")
			if res := w.request("PUT", p.query(), "4x"); res.status != 500 {
				w.t.Errorf("PUT: %+v", res)
			}
			if res := w.request("POST", p.query(), "4x", "Content-Type: application/octet-stream"); res.status != 400 || res.body != "" {
				w.t.Errorf("octet-stream: %+v", res)
			}
			w.want("the session is gone", "close: transport error")
		})
	})
}

// A callback that panics, or ends its goroutine, takes its own session along and no
// other.
func TestPanics(t *testing.T) {
	for name, end := range map[string]func(){"panic": func() { panic("on purpose") }, "Goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) { testPanics(t, end) })
	}
}

func testPanics(t *testing.T, end func()) {
	scenario(t, Config{}, func(w *world) {
		w.h.onMessage = func(_ *Session, _ bool, data []byte) {
			if string(data) == "bad" {
				end()
			}
		}
		c, other := w.websocket(), w.websocket()
		c.send("4bad", "4more")
		c.want("close 1011", "an internal error")
		other.send("4good")
		w.want("the other goes on", "open", "open", "text bad", "close: transport error", "text good")
		p := w.poller()
		<-w.start("POST", p.query(), "4bad\x1e4more").done // answered or not
		w.want("over polling too", "open", "text bad", "close: transport error")
		p.gone("after the panic")
	})
	scenario(t, Config{}, func(w *world) {
		w.h.onOpen = func(*Session) { end() }
		<-w.start("GET", "EIO=4&transport=polling", "").done // answered or not
		w.want("it is over", "open", "close: transport error")
	})
}

// A panic while a WebSocket is opened, or the end of the goroutine, is no fault of its
// client, which is told.
func TestPanicInOnOpen(t *testing.T) {
	for name, end := range map[string]func(){"panic": func() { panic("on purpose") }, "Goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) { testPanicInOnOpen(t, end) })
	}
}

func testPanicInOnOpen(t *testing.T, end func()) {
	scenario(t, Config{}, func(w *world) {
		w.h.onOpen = func(*Session) { end() }
		c, _ := w.dialWS("EIO=4&transport=websocket")
		if p := c.next(); !strings.HasPrefix(p, "0{") {
			w.t.Errorf("got %q", p)
		}
		c.want("close 1011", "an internal error")
		w.want("it is over", "open", "close: transport error")
	})
}

// A client that answers OPEN in the same segment as the request is heard, after
// OnOpen; what OnOpen sends comes after the initial packet.
//
// compat: option initialPacket
func TestEarlyClient(t *testing.T) {
	scenario(t, Config{InitialPacket: &Message{Data: []byte("welcome")}}, func(w *world) {
		w.h.onOpen = func(s *Session) { _ = s.Send(0, Message{Data: []byte("from OnOpen")}) }
		c, _ := w.dialWS("EIO=4&transport=websocket", "4early", "4bird")
		c.next()
		c.want("4welcome", "the initial packet")
		c.want("4from OnOpen", "then the handler's")
		w.want("nothing is lost", "open", "text early", "text bird")
		p := w.poller()
		_ = p
	})
}

// compat: engine.close
func TestServerClose(t *testing.T) {
	for name, end := range map[string]func(w *world) error{
		"Close":    func(w *world) error { return w.srv.Close(w.t.Context()) },
		"Shutdown": func(w *world) error { return w.srv.Shutdown(w.t.Context()) },
	} {
		t.Run(name, func(t *testing.T) {
			scenario(t, Config{}, func(w *world) {
				p := w.poller()
				g := p.begin()
				c := w.websocket()
				if err := end(w); err != nil {
					w.t.Fatal(err)
				}
				if res := g.wait(); res.body != "1" {
					w.t.Errorf("the GET: %+v", res)
				}
				c.want("close", "the WebSocket")
				w.want("all are closed", "open", "open", "close: forced close", "close: forced close")
				w.wantRefused(http.StatusServiceUnavailable, "Server is shutting down", "a new session")
				synctest.Wait()
			})
		})
	}
}
