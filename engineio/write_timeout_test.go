package engineio

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/testnet"
)

// briefly is a program's http.Server with a WriteTimeout far below PingInterval.
func briefly() *http.Server { return &http.Server{WriteTimeout: 2 * time.Second} }

// The WriteTimeout of the program's http.Server counts from the request, so it once
// ended each polling session whose GET had waited for longer.
func TestWriteTimeoutWhileGETWaits(t *testing.T) {
	for name, query := range lossDialects {
		t.Run(name, func(t *testing.T) {
			scenarioOn(t, briefly(), Config{AllowEIO3: true}, func(w *world) {
				p := w.pollerWith(query)
				s := w.h.session(0)
				get := p.begin()
				w.pass(20 * time.Second)
				get.wantWaiting("there is nothing to send")
				if err := s.Send(0, Message{Data: []byte("late")}); err != nil {
					t.Fatal(err)
				}
				if res := get.wait(); res.status != http.StatusOK || !bytes.Contains([]byte(res.body), []byte("4late")) {
					t.Errorf("%+v", res)
				}
				w.want("the session goes on", "open")
			})
		})
	}
}

// A heartbeat of several rounds on one connection.
func TestWriteTimeoutAndHeartbeat(t *testing.T) {
	scenarioOn(t, briefly(), Config{}, func(w *world) {
		p := w.poller()
		for range 3 {
			p.get("2", "the ping")
			p.post("3")
		}
		w.want("the session goes on", "open")
	})
}

// HTTP/2 has a deadline for each stream, which ends requests that wait.
func TestWriteTimeoutOverHTTP2(t *testing.T) {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	hs := briefly()
	hs.Protocols = &protocols
	scenarioOn(t, hs, Config{}, func(w *world) {
		p := w.poller()
		var only http.Protocols
		only.SetUnencryptedHTTP2(true)
		tr := &http.Transport{Protocols: &only, DialContext: func(context.Context, string, string) (net.Conn, error) { return w.l.Dial() }}
		defer tr.CloseIdleConnections()
		for range 2 {
			req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, "http://here.example/engine.io/?"+p.query(), nil)
			if err != nil {
				t.Fatal(err)
			}
			res, err := tr.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			if b, err := io.ReadAll(res.Body); err != nil || string(b) != "2" || res.ProtoMajor != 2 {
				t.Errorf("%s %q, %v", res.Proto, b, err)
			}
			_ = res.Body.Close()
			p.post("3")
		}
		w.want("the session goes on", "open")
	})
}

// Neither does it bind a client that takes its time to read.
func TestWriteTimeoutAndSlowReader(t *testing.T) {
	scenarioOn(t, briefly(), Config{}, func(w *world) {
		p := w.poller()
		s := w.h.session(0)
		if err := s.Send(0, Message{Data: bytes.Repeat([]byte("x"), 1<<20)}); err != nil {
			t.Fatal(err)
		}
		nc := p.stall()
		w.pass(15 * time.Second)
		w.answer(nc)
		_ = nc.Close()
		w.want("the session goes on", "open")
	})
}

// Nor a POST whose handler takes longer.
func TestWriteTimeoutAndSlowHandler(t *testing.T) {
	scenarioOn(t, briefly(), Config{}, func(w *world) {
		w.h.onMessage = func(*Session, bool, []byte) { <-time.After(10 * time.Second) }
		w.poller().post("4slow")
		w.want("it is answered", "open", "text slow")
	})
}

func TestWriteTimeoutAndWebSocket(t *testing.T) {
	scenarioOn(t, briefly(), Config{}, func(w *world) {
		c := w.websocket()
		w.pass(20 * time.Second)
		if err := w.h.session(0).Send(0, Message{Data: []byte("late")}); err != nil {
			t.Fatal(err)
		}
		c.want("4late", "long behind the handshake")
	})
}

// Who says that it is alive and does not read is not waited for without end.
func TestAnswerThatIsNeverRead(t *testing.T) {
	for _, hs := range []*http.Server{{}, briefly()} {
		scenarioOn(t, hs, Config{}, func(w *world) {
			p := w.poller()
			begun := time.Now()
			if err := w.h.session(0).Send(0, Message{Data: bytes.Repeat([]byte("x"), 1<<20)}); err != nil {
				t.Fatal(err)
			}
			nc := p.stall()
			defer func() { _ = nc.Close() }()
			done := w.h.session(0).Done()
			for range 6 {
				w.pass(10 * time.Second)
				p.post("3")
			}
			w.want("it may be slow", "open")
			<-done
			w.want("it is not", "close: transport error")
			if d := time.Since(begun); d != 65*time.Second {
				t.Errorf("it ends after %v", d)
			}
		})
	}
}

// The time that an answer has does not bind what comes later on its connection.
func TestRequestLongBehindAnswer(t *testing.T) {
	for _, hs := range []*http.Server{{}, briefly()} {
		scenarioOn(t, hs, Config{}, func(w *world) {
			nc, err := w.l.Dial()
			if err != nil {
				t.Fatal(err)
			}
			for range 3 {
				if _, err := io.WriteString(nc, "GET /engine.io/?"+pollingQuery+" HTTP/1.1\r\nHost: here.example\r\n\r\n"); err != nil {
					t.Fatal(err)
				}
				w.answer(nc)
				w.pass(10 * time.Minute)
			}
			_ = nc.Close()
		})
	}
}

// Whoever posts and reads no answer does not hold a connection without end: the
// time of net/http was taken off it.
func TestPostAnswersThatNobodyReads(t *testing.T) {
	for _, timeout := range []time.Duration{0, 2 * time.Second} {
		scenarioOn(t, &http.Server{WriteTimeout: timeout}, Config{}, func(w *world) {
			p := w.poller()
			nc, err := w.l.Dial()
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = nc.Close() }()
			posts := strings.Repeat("POST /engine.io/?"+p.query()+" HTTP/1.1\r\nHost: here.example\r\nContent-Length: 1\r\n\r\n3", 1000)
			select {
			case <-testnet.Flood(nc, posts):
			case <-time.After(time.Hour):
				t.Error("the connection is held for an hour")
			}
		})
	}
}

// A client of protocol 3 on a slow link that reads, and pings as it should, is not
// late, however long an answer takes.
func TestSlowAnswerToProtocol3(t *testing.T) {
	scenarioOn(t, &http.Server{}, Config{AllowEIO3: true}, func(w *world) {
		p := w.pollerWith("EIO=3&transport=polling")
		if err := w.h.session(0).Send(0, Message{Data: bytes.Repeat([]byte("x"), 3<<20)}); err != nil {
			t.Fatal(err)
		}
		nc := p.stall()
		defer func() { _ = nc.Close() }()
		buf := make([]byte, 32<<10)
		for i := range 95 { // 32 KiB a second
			if _, err := io.ReadFull(nc, buf); err != nil {
				t.Fatalf("after %d s: %v", i, err)
			}
			if i%20 == 19 {
				if res := w.request("POST", p.query(), "1:2"); res.status != 200 {
					t.Fatalf("ping: %+v", res)
				}
			}
			w.pass(time.Second)
		}
	})
}
