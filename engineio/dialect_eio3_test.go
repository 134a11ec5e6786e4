package engineio

import (
	"strings"
	"testing"
	"time"
)

const (
	polling3   = "EIO=3&transport=polling"
	websocket3 = "EIO=3&transport=websocket"
)

var eio3 = Config{AllowEIO3: true}

// websocket3 opens a session of protocol 3 over WebSocket.
func (w *world) websocket3(more string) *wsClient {
	w.t.Helper()
	c, _ := w.dialWS(websocket3 + more)
	if p := c.next(); !strings.HasPrefix(p, `0{"sid":"`) {
		w.t.Fatalf("first packet %q", p)
	}
	return c
}

func (c *wsClient) sendBytes(data string) {
	c.w.t.Helper()
	if _, err := c.nc.Write(frame(0x82, data)); err != nil {
		c.w.t.Fatal(err)
	}
}

// compat: option allowEIO3
func TestEIO3Handshake(t *testing.T) {
	scenario(t, eio3, func(w *world) {
		for _, query := range []string{"transport=polling", polling3, "EIO=5&transport=polling", "EIO=&transport=polling"} {
			res := w.request("GET", query, "")
			n, open, _ := strings.Cut(res.body, ":")
			if want := `0{"sid":"`; n != "118" || len(open) != 118 || !strings.HasPrefix(open, want) ||
				!strings.HasSuffix(open, `","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`) {
				t.Errorf("%s: %+v", query, res)
			}
		}
		w.want("four sessions", "open", "open", "open", "open")
		if v := w.h.session(0).Protocol(); v != 3 {
			t.Errorf("Protocol() = %d", v)
		}
	})
	scenario(t, Config{}, func(w *world) {
		if res := w.request("GET", polling3, ""); res.status != 400 || res.body != `{"code":5,"message":"Unsupported protocol version"}` {
			t.Errorf("%+v", res)
		}
	})
}

func TestEIO3VersionOfASession(t *testing.T) {
	var errs []*ConnectionError
	cfg := Config{AllowEIO3: true, OnConnectionError: func(e *ConnectionError) { errs = append(errs, e) }}
	scenario(t, cfg, func(w *world) {
		for _, c := range [][2]string{{polling3, pollingQuery}, {pollingQuery, polling3}} {
			p := w.pollerWith(c[0])
			if res := w.request("GET", c[1]+"&sid="+p.sid, ""); res.status != 400 || res.body != `{"code":3,"message":"Bad request"}` {
				t.Errorf("%q: %+v", c, res)
			}
			if e := errs[len(errs)-1]; e.Context["name"] != "PROTOCOL_MISMATCH" {
				t.Errorf("%q: %+v", c, e)
			}
		}
	})
}

func TestEIO3PollingText(t *testing.T) {
	scenario(t, eio3, func(w *world) {
		p := w.pollerWith(polling3)
		p.post("2:4a3:4😀0:7:4 1:4x:2:4\u20286:b4AQI=")
		w.want("a body of five packets and a void one", "open", "text a", "text 😀", "text  1:4x:", "text \u2028", "binary 0102")
	})
}

func TestEIO3PollingPayloads(t *testing.T) {
	scenario(t, eio3, func(w *world) {
		p := w.pollerWith(polling3)
		s := w.h.session(0)
		send := func() {
			_ = s.Send(0, Message{Data: []byte("é😀")}, Message{Data: []byte("b")})
			_ = s.SendPrepared(NewPrepared(Message{Prefix: []byte("2"), Data: []byte("c")}), 0)
		}
		send()
		p.get("4:4é😀2:4b3:42c", "lengths count UTF-16 code units")
		send()
		_ = s.Send(0, Message{Binary: true, Prefix: []byte{1}, Data: []byte{2}})
		_ = s.SendPrepared(NewPrepared(Message{Binary: true, Data: []byte{3}}), 0)
		res := w.request("GET", p.query(), "")
		want := "\x00\x07\xff4é😀\x00\x02\xff4b\x00\x03\xff42c\x01\x03\xff\x04\x01\x02\x01\x02\xff\x04\x03"
		if res.body != want || res.header.Get("Content-Type") != "application/octet-stream" {
			t.Errorf("bytes make the payload binary: %+v, want %q", res, want)
		}
		if res := w.request("POST", p.query(), want, "Content-Type: application/octet-stream"); res.status != 200 || res.body != "ok" {
			t.Errorf("%+v", res)
		}
		w.want("the same from the client", "open", "text é😀", "text b", "text 2c", "binary 0102", "binary 03")
	})
}

func TestEIO3PollingBase64(t *testing.T) {
	scenario(t, eio3, func(w *world) {
		p := w.pollerWith(polling3 + "&b64=1")
		s := w.h.session(0)
		_ = s.Send(0, Message{Data: []byte("a")}, Message{Binary: true, Data: []byte{1, 2}})
		_ = s.SendPrepared(NewPrepared(Message{Binary: true, Data: []byte{3}}), 0)
		res := w.request("GET", p.query(), "")
		if res.body != "2:4a6:b4AQI=6:b4Aw==" || res.header.Get("Content-Type") != "text/plain; charset=UTF-8" {
			t.Errorf("%+v", res)
		}
	})
}

func TestEIO3ParseErrors(t *testing.T) {
	for _, body := range []string{"", "4a", "2:4a3:4b", "1:9", "99999999999999999999:4a", "5:4é"} {
		scenario(t, eio3, func(w *world) {
			p := w.pollerWith(polling3)
			p.post(body)
			lines := []string{"open"}
			if strings.HasPrefix(body, "2:4a") {
				lines = append(lines, "text a")
			}
			w.want("what came before is delivered", append(lines, "close: parse error")...)
		})
	}
	for _, data := range []string{"", "\x07"} {
		scenario(t, eio3, func(w *world) {
			w.websocket3("").sendBytes(data)
			w.want("a binary message without a type", "open", "close: parse error")
		})
	}
}

func TestEIO3WebSocket(t *testing.T) {
	scenario(t, eio3, func(w *world) {
		c := w.websocket3("")
		s := w.h.session(0)
		c.send("4hi", "b4AQI=")
		c.sendBytes("\x04\x03")
		w.want("messages of three forms", "open", "text hi", "binary 0102", "binary 03")
		_ = s.Send(0, Message{Data: []byte("a")}, Message{Binary: true, Prefix: []byte{1}, Data: []byte{2}})
		_ = s.SendPrepared(NewPrepared(Message{Data: []byte("b")}, Message{Binary: true, Data: []byte{3}}), 0)
		for _, m := range []string{"4a", "binary 040102", "4b", "binary 0403"} {
			c.want(m, "bytes stand behind their type")
		}
	})
}

// compat: option allowEIO3
func TestBase64WebSocket(t *testing.T) {
	for query, want := range map[string][2]string{
		websocket3 + "&b64=1":             {"b4AQI=", "b4Aw=="},
		"EIO=4&transport=websocket&b64=1": {"bAQI=", "bAw=="},
	} {
		scenario(t, eio3, func(w *world) {
			c, _ := w.dialWS(query)
			_ = c.next()
			s := w.h.session(0)
			_ = s.Send(0, Message{Binary: true, Prefix: []byte{1}, Data: []byte{2}})
			_ = s.SendPrepared(NewPrepared(Message{Binary: true, Data: []byte{3}}), 0)
			c.want(want[0], "bytes as text")
			c.want(want[1], "prepared bytes as text")
		})
	}
}

func TestEIO3Heartbeat(t *testing.T) {
	cfg := Config{AllowEIO3: true, PingInterval: 10 * time.Second, PingTimeout: 4 * time.Second}
	scenario(t, cfg, func(w *world) {
		c, p := w.websocket3(""), w.pollerWith(polling3)
		for range 5 {
			w.pass(12 * time.Second)
			c.wantSilence("the server sends no pings")
			c.send("2")
			c.want("3", "it answers them")
			p.post("6:2probe")
			p.get("1:3", "without what they held")
		}
		w.want("both live", "open", "open")
		w.pass(13 * time.Second)
		w.want("the sum of interval and timeout is not over", []string{}...)
		w.pass(2 * time.Second)
		w.want("no ping for longer than that", "close: ping timeout", "close: ping timeout")
		p.gone("the session is over")
	})
}

func TestEIO3PongIsAnError(t *testing.T) {
	scenario(t, eio3, func(w *world) {
		w.websocket3("").send("3")
		w.want("a pong", "open", "close: transport error")
		w.pollerWith(polling3).post("1:32:4a")
		w.want("a pong, and nothing behind it", "open", "close: transport error")
	})
}

// While a handler holds up the reading, pings cannot be seen.
func TestEIO3HeartbeatWhileSuspended(t *testing.T) {
	cfg := Config{AllowEIO3: true, PingInterval: 10 * time.Second, PingTimeout: 4 * time.Second, MaxReadPause: 30 * time.Second}
	scenario(t, cfg, func(w *world) {
		w.h.onMessage = func(s *Session, _ bool, _ []byte) {
			s.Suspend()
			defer s.Resume()
			select {
			case <-s.Done():
			case <-time.After(25 * time.Second):
			}
		}
		c := w.websocket3("")
		c.send("4wait", "2")
		w.pass(26 * time.Second)
		c.want("3", "the ping is answered when reading goes on")
		w.want("and the session lives", "open", "text wait")
	})
}

func TestEIO3Close(t *testing.T) {
	scenario(t, eio3, func(w *world) {
		p := w.pollerWith(polling3)
		get := p.begin()
		w.h.session(0).Close(false)
		if res := get.wait(); res.body != "1:1" {
			t.Errorf("a waiting GET got %q", res.body)
		}
		w.want("a GET waited", "open", "close: forced close")
		p = w.pollerWith(polling3)
		_ = w.h.session(1).Send(0, Message{Data: []byte("last")})
		w.h.session(1).Close(false)
		p.get("5:4last", "what was sent before")
		p.get("1:61:1", "the close packet")
		w.want("none waited", "open", "close: forced close")
		p = w.pollerWith(polling3)
		get = p.begin()
		p.post("1:12:4a")
		if res := get.wait(); res.body != "1:6" {
			t.Errorf("the GET of a client that leaves got %q", res.body)
		}
		w.want("the client left", "open", "close: transport close")
		c := w.websocket3("")
		w.h.session(3).Close(false)
		c.want("close", "a close frame without a code")
		_ = c.nc.Close()
		w.want("over WebSocket", "open", "close: forced close")
	})
}

func TestEIO3CloseWithoutGET(t *testing.T) {
	scenario(t, eio3, func(w *world) {
		p := w.pollerWith(polling3)
		w.h.session(0).Close(false)
		w.pass(20 * time.Second)
		w.want("the last GET is waited for", "open")
		w.pass(15 * time.Second)
		w.want("but not for ever", "close: forced close")
		p.gone("after 30 s")
	})
}

func TestEIO3Upgrade(t *testing.T) {
	scenario(t, eio3, func(w *world) {
		p := w.pollerWith(polling3)
		s := w.h.session(0)
		get := p.begin()
		c, _ := w.dialWS(websocket3 + "&sid=" + p.sid)
		c.send("2probe")
		c.want("3probe", "the probe is answered")
		if res := get.wait(); res.body != "1:6" {
			t.Errorf("the waiting GET got %q", res.body)
		}
		get = p.begin()
		w.pass(200 * time.Millisecond)
		if res := get.wait(); res.body != "1:6" {
			t.Errorf("the next GET got %q", res.body)
		}
		_ = s.Send(0, Message{Data: []byte("a")}, Message{Binary: true, Data: []byte{1}})
		_ = s.SendPrepared(NewPrepared(Message{Binary: true, Data: []byte{2}}), 0)
		c.send("5")
		for _, m := range []string{"4a", "binary 0401", "binary 0402"} {
			c.want(m, "what waited comes over the new transport")
		}
		c.send("4b", "2")
		c.want("3", "pings are answered there")
		w.want("the session is the same", "open", "text b")
		if res := w.request("GET", p.query(), ""); res.status != 400 {
			t.Errorf("polling afterwards: %+v", res)
		}
		w.pass(time.Minute)
		w.want("its heartbeat goes on", "close: ping timeout")
	})
}

// Polling may need text where the WebSocket takes bytes.
func TestEIO3UpgradeFromBase64(t *testing.T) {
	scenario(t, eio3, func(w *world) {
		p := w.pollerWith(polling3 + "&b64=1")
		bytes := Message{Binary: true, Data: []byte{1}}
		_ = w.h.session(0).Send(0, bytes)
		p.get("6:b4AQ==", "as text")
		c, _ := w.dialWS(websocket3 + "&sid=" + p.sid)
		c.send("2probe", "5")
		c.want("3probe", "probe")
		_ = w.h.session(0).Send(0, bytes)
		c.want("binary 0401", "as bytes")
	})
}

func TestEIO3InitialPacket(t *testing.T) {
	cfg := Config{AllowEIO3: true, InitialPacket: &Message{Binary: true, Data: []byte{7}}}
	scenario(t, cfg, func(w *world) {
		w.websocket3("").want("binary 0407", "the initial packet")
		if res := w.request("GET", polling3, ""); !strings.HasSuffix(res.body, "\x01\x02\xff\x04\x07") {
			t.Errorf("polling: %q", res.body)
		}
	})
}

// One broadcast for all kinds of sessions: each form is built once.
func TestPreparedForms(t *testing.T) {
	scenario(t, eio3, func(w *world) {
		p := NewPrepared(Message{Data: []byte("a")}, Message{Binary: true, Data: []byte{1}})
		sockets := map[string]*wsClient{}
		for _, q := range []string{"EIO=4&transport=websocket", "EIO=4&transport=websocket&b64=1", websocket3, websocket3 + "&b64=1"} {
			sockets[q], _ = w.dialWS(q)
			_ = sockets[q].next()
		}
		polls := map[string]*poller{}
		for _, q := range []string{pollingQuery, polling3, polling3 + "&b64=1", polling3 + "&j=0", pollingQuery + "&j=1"} {
			polls[q] = w.pollerWith(q)
		}
		for s := range w.srv.Sessions() {
			for range 2 {
				if err := s.SendPrepared(p, Later); err != nil {
					t.Fatal(err)
				}
			}
		}
		for q, want := range map[string]string{"EIO=4&transport=websocket": "binary 01", "EIO=4&transport=websocket&b64=1": "bAQ==", websocket3: "binary 0401", websocket3 + "&b64=1": "b4AQ=="} {
			for _, m := range []string{"4a", want, "4a", want} {
				sockets[q].want(m, q)
			}
		}
		for q, want := range map[string]string{
			pollingQuery:          "4a\x1ebAQ==\x1e4a\x1ebAQ==",
			polling3:              "\x00\x02\xff4a\x01\x02\xff\x04\x01\x00\x02\xff4a\x01\x02\xff\x04\x01",
			polling3 + "&b64=1":   "2:4a6:b4AQ==2:4a6:b4AQ==",
			polling3 + "&j=0":     `___eio[0]("2:4a6:b4AQ==2:4a6:b4AQ==");`,
			pollingQuery + "&j=1": `___eio[1]("4a\u001ebAQ==\u001e4a\u001ebAQ==");`,
		} {
			polls[q].get(want, q)
		}
		for f := range framings {
			if first, again := p.frames(f), p.frames(f); first != again {
				t.Errorf("framing %d was built twice", f)
			}
		}
		for c := range chunkings {
			if first, again := p.chunk(c), p.chunk(c); &first[0] != &again[0] {
				t.Errorf("chunking %d was built twice", c)
			}
		}
		text := NewPrepared(Message{Data: []byte("a")})
		if text.frames(framePlain) != text.frames(frameBase64EIO3) {
			t.Errorf("text has more than one WebSocket form")
		}
	})
}
