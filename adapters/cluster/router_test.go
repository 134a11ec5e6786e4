package cluster_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/internal/testnet"
)

// Every request goes to a node by chance: nothing is lost and all is in order.
func TestRouterPolling(t *testing.T) {
	for _, c := range []struct{ name, query, open, text, out string }{
		{"protocol 4", polling4, "4", "4%s", "4%s"},
		{"protocol 3", "EIO=3&transport=polling&b64=1", "4", "%d:4%s", "%d:4%s"},
		{"JSONP", "EIO=4&transport=polling&j=7", "4", "d=4%s", `___eio[7]("4%s");`},
	} {
		t.Run(c.name, func(t *testing.T) {
			sail(t, engineio.Config{AllowEIO3: true}, cluster.RouterConfig{}, func(f *fleet) {
				owner := f.any()
				query := owner.open(c.query)
				frame := func(format, text string) string {
					if strings.Count(format, "%") == 2 {
						return fmt.Sprintf(format, len(text)+1, text)
					}
					return fmt.Sprintf(format, text)
				}
				for i := range 100 {
					text := fmt.Sprintf("message-%d", i)
					var header []string
					if c.name == "JSONP" {
						header = []string{"Content-Type: application/x-www-form-urlencoded"}
					}
					r := f.any().request(f.Context(), "POST", query, strings.NewReader(frame(c.text, text)), header...)
					f.wantReply(r, 200, "ok", "a POST")
					f.wantReply(f.any().get(query), 200, frame(c.out, text), "a GET")
				}
				owner.wantLog("one session", "open")
			})
		})
	}
}

// The WriteTimeout of the program's http.Server binds a relayed request no more than
// one that is served at home.
func TestRouterWriteTimeout(t *testing.T) {
	sail(t, engineio.Config{}, cluster.RouterConfig{}, func(f *fleet) {
		f.writeTimeout = 2 * time.Second
		n := f.launch(engineio.Config{}, cluster.RouterConfig{})
		time.Sleep(3 * time.Second)
		query := f.nodes[0].open(polling4)
		get := n.begin(f.Context(), query)
		time.Sleep(20 * time.Second)
		f.wantReply(f.nodes[1].post(query, "4late"), 200, "ok", "a POST")
		f.wantReply(<-get, 200, "4late", "a GET that has waited")
		f.nodes[0].wantLog("the session goes on", "open")
	})
}

// A client that says it is alive and reads nothing is not waited for without end
// at another node either.
func TestRouterAnswerThatIsNeverRead(t *testing.T) {
	sail(t, engineio.Config{}, cluster.RouterConfig{}, func(f *fleet) {
		query := f.nodes[0].open(polling4)
		s := f.nodes[0].log.last()
		if err := s.Send(0, engineio.Message{Data: bytes.Repeat([]byte("x"), 1<<20)}); err != nil {
			f.Fatal(err)
		}
		begun := time.Now()
		nc, err := f.dial(f.Context(), "", "node1")
		if err != nil {
			f.Fatal(err)
		}
		defer func() { _ = nc.Close() }()
		if _, err := io.WriteString(nc, "GET /engine.io/?"+query+" HTTP/1.1\r\nHost: node1\r\n\r\n"); err != nil {
			f.Fatal(err)
		}
		for range 6 {
			time.Sleep(10 * time.Second)
			f.wantReply(f.nodes[2].post(query, "3"), 200, "ok", "a sign of life")
		}
		<-s.Done()
		f.nodes[0].wantLog("it ends", "open", "close: transport error")
		if d := time.Since(begun); d != 65*time.Second {
			f.Errorf("it ends after %v", d)
		}
		if n := f.nodes[1].router.Stats().Streams; n != 0 {
			f.Errorf("%d streams are left where the client is", n)
		}
	})
}

// Whoever posts and reads no answer does not hold a connection without end where
// it is relayed either.
func TestRouterPostAnswersThatNobodyReads(t *testing.T) {
	sail(t, engineio.Config{}, cluster.RouterConfig{}, func(f *fleet) {
		query := f.nodes[0].open(polling4)
		nc, err := f.dial(f.Context(), "", "node1")
		if err != nil {
			f.Fatal(err)
		}
		defer func() { _ = nc.Close() }()
		posts := strings.Repeat("POST /engine.io/?"+query+" HTTP/1.1\r\nHost: node1\r\nContent-Length: 1\r\n\r\n3", 1000)
		select {
		case <-testnet.Flood(nc, posts):
		case <-time.After(time.Hour):
			f.Error("the connection is held for an hour")
		}
	})
}

// A relayed POST costs two messages. So does a GET, and one more that says that
// the client has the answer, unless that has company.
func TestRouterMessages(t *testing.T) {
	sail(t, engineio.Config{}, cluster.RouterConfig{Heartbeat: time.Hour}, func(f *fleet) {
		query := f.nodes[0].open(polling4)
		const n = 50
		before := f.sent()
		for range n {
			f.wantReply(f.nodes[1].post(query, "4x"), 200, "ok", "a POST")
		}
		if got := f.sent() - before; got != 2*n {
			f.Errorf("%d messages for %d POSTs", got, n)
		}
		f.nodes[1].get(query)
		synctest.Wait()
		time.Sleep(time.Second)
		before = f.sent()
		for range n {
			waiting := f.nodes[1].begin(f.Context(), query)
			_ = f.nodes[0].log.last().Send(0, engineio.Message{Data: []byte("x")})
			f.wantReply(<-waiting, 200, "4x", "a GET")
		}
		time.Sleep(time.Second)
		if got := f.sent() - before; got != 2*n+1 { // each but the last confirmation has company
			f.Errorf("%d messages for %d GETs of the same node", got, n)
		}
	})
}

// Bodies and answers that are larger than a message and the window.
func TestRouterLargeBodies(t *testing.T) {
	sail(t, engineio.Config{}, cluster.RouterConfig{}, func(f *fleet) {
		query := f.nodes[0].open(polling4)
		for _, n := range []int{1, 1000, 32 << 10, 32<<10 + 1, 256 << 10, 900_000} {
			text := "4" + strings.Repeat("x", n)
			f.wantReply(f.nodes[1].post(query, text), 200, "ok", "a POST")
			f.wantReply(f.nodes[2].get(query), 200, text, "a GET")
		}
		r := f.nodes[1].post(query, strings.Repeat("x", 1_000_001))
		if r.err == nil && r.status != 413 {
			f.Errorf("a POST that is too large: %+v", r)
		}
		f.nodes[0].wantLog("it goes on", "open")
	})
}

// A body that comes slowly does not wait for its end to be relayed, and not at
// all when the session is over.
func TestRouterSlowBody(t *testing.T) {
	sail(t, engineio.Config{}, cluster.RouterConfig{}, func(f *fleet) {
		for _, begun := range []bool{false, true} {
			query := f.nodes[0].open(polling4)
			body, more := newSlowBody()
			done := make(chan reply, 1)
			go func() { done <- f.nodes[1].request(f.Context(), "POST", query, body) }() // ends with the session
			if begun {
				more("4he")
			}
			time.Sleep(5 * time.Second)
			if s := f.nodes[1].router.Stats(); s.Streams != 1 {
				f.Fatalf("it was not relayed: %+v", s)
			}
			f.nodes[0].log.last().Close(true)
			synctest.Wait()
			if s := f.nodes[1].router.Stats(); s.Streams != 0 {
				f.Errorf("begun %v: the body is still waited for: %+v", begun, s)
			}
			more("")
			if r := <-done; r.err == nil && r.status == 200 {
				f.Errorf("begun %v: %+v", begun, r)
			}
			f.nodes[0].wantLog("the session", "open", "close: forced close")
		}
	})
}

// A client that gives up its GET at another node ends its session, as at its own.
func TestRouterClientGone(t *testing.T) {
	sail(t, engineio.Config{}, cluster.RouterConfig{}, func(f *fleet) {
		query := f.nodes[0].open(polling4)
		ctx, cancel := context.WithCancel(f.Context())
		waiting := f.nodes[1].begin(ctx, query)
		cancel()
		<-waiting
		f.nodes[0].wantLog("the request is gone", "open", "close: transport error")
		f.wantReply(f.nodes[1].get(query), 400, unknownSID, "the session is over")
	})
}

// A client closes its connection as soon as it has the answer: that is no reason
// to end its session. Once the node took the end of the connection for a client
// that had given up.
func TestRouterClientClosesBehindAnswer(t *testing.T) {
	sail(t, engineio.Config{}, cluster.RouterConfig{}, func(f *fleet) {
		query := f.nodes[0].open(polling4)
		for i := range 200 {
			text := strings.Repeat("x", 1+i%2*60_000)
			_ = f.nodes[0].log.last().Send(0, engineio.Message{Data: []byte(text)})
			nc, err := f.nodes[1+i%2].l.Dial()
			if err != nil {
				f.Fatal(err)
			}
			if _, err := fmt.Fprintf(nc, "GET /engine.io/?%s HTTP/1.1\r\nHost: x\r\n\r\n", query); err != nil {
				f.Fatal(err)
			}
			res, err := http.ReadResponse(bufio.NewReader(nc), nil)
			if err != nil {
				f.Fatal(err)
			}
			if body, err := io.ReadAll(res.Body); err != nil || string(body) != "4"+text {
				f.Fatalf("answer %d: %.50q %v", i, body, err)
			}
			_ = nc.Close()
		}
		f.nodes[0].wantLog("it goes on", "open")
	})
}

// Two GETs at once end the session, wherever they came in.
func TestRouterOverlap(t *testing.T) {
	sail(t, engineio.Config{}, cluster.RouterConfig{}, func(f *fleet) {
		query := f.nodes[0].open(polling4)
		first := f.nodes[1].begin(f.Context(), query)
		if r := f.nodes[2].get(query); r.status != 400 {
			f.Errorf("the second: %+v", r)
		}
		f.wantReply(<-first, 200, "1", "the first")
		f.nodes[0].wantLog("overlap", "open", "close: transport error")
	})
}

// What the owner's hooks and middlewares see is what the client sent; and they
// see it once.
func TestRouterRequest(t *testing.T) {
	seen := make(chan string, 10)
	cfg := engineio.Config{OnConnectionError: func(e *engineio.ConnectionError) {
		r := e.Request
		seen <- fmt.Sprint(r.Method, " ", r.URL.Query().Get("transport"), " ", r.Host, " ", r.Header.Get("Cookie"), " ", r.Header.Get("Origin"), " ",
			strings.HasPrefix(r.RemoteAddr, "127.0.0.1:"), " ", e.Code, " ", r.Proto, " ", r.TLS == nil)
	}}
	sail(t, cfg, cluster.RouterConfig{}, func(f *fleet) {
		query := f.nodes[0].open("EIO=4&transport=polling")
		r := f.nodes[1].request(f.Context(), "GET", strings.Replace(query, "polling", "websocket", 1), nil, "Cookie: a=b", "Origin: http://x.example")
		if r.status != 400 || !strings.Contains(r.body, `"code":3`) {
			f.Errorf("%+v", r)
		}
		if got, want := <-seen, "GET websocket node1 a=b http://x.example true 3 HTTP/1.1 true"; got != want || len(seen) > 0 {
			f.Errorf("seen %q and %d more", got, len(seen))
		}
	})
}

// A forged sid costs no message, nor does one of a node that is no more, nor one
// that its node did not know before.
func TestRouterRefusesAtHome(t *testing.T) {
	sail(t, engineio.Config{}, cluster.RouterConfig{}, func(f *fleet) {
		query := f.nodes[2].open(polling4)
		f.nodes[2].sink()
		home := f.nodes[1].open(polling4)
		f.nodes[1].log.last().Close(true)
		before := f.sent()
		sid := query[len(query)-20:]
		base := query[:len(query)-20]
		for i := range sid {
			c := byte('A')
			if sid[i] == c {
				c = 'B'
			}
			f.wantReply(f.any2().get(base+sid[:i]+string(c)+sid[i+1:]), 400, unknownSID, "forged")
		}
		for _, s := range []string{"x", "..", sid + "A", sid[:19], strings.Repeat("A", 20), "%00", strings.Repeat("x", 5000)} {
			f.wantReply(f.any2().get(base+s), 400, unknownSID, "no sid")
		}
		f.wantReply(f.any2().get(query), 400, unknownSID, "of a node that is gone")
		f.wantReply(f.nodes[1].get(home), 400, unknownSID, "over, of this node")
		if got := f.sent() - before; got != 0 {
			f.Errorf("%d messages", got)
		}
		for i := range 5 {
			f.wantReply(f.nodes[0].get(home), 400, unknownSID, "over, of another node")
			if got := f.sent() - before; got != 2 {
				f.Errorf("%d messages after request %d", got, i)
			}
		}
		s := f.nodes[0].router.Stats()
		if s1 := f.nodes[1].router.Stats(); s.Forged+s1.Forged != 27 || s.Dead+s1.Dead != 2 || s.Unknown != 5 {
			f.Errorf("counted %+v and %+v", s, s1)
		}
	})
}

// any2 is one of the first two nodes.
func (f *fleet) any2() *fleetNode { return f.nodes[f.rnd.IntN(2)] }

// A cluster with another key is another cluster.
func TestRouterOtherKey(t *testing.T) {
	sail(t, engineio.Config{}, cluster.RouterConfig{}, func(f *fleet) {
		stranger := f.launch(engineio.Config{}, cluster.RouterConfig{Key: []byte("a secret of somebody else")})
		time.Sleep(3 * time.Second)
		f.wantReply(stranger.get(f.nodes[0].open(polling4)), 400, unknownSID, "ours there")
		f.wantReply(f.nodes[0].get(stranger.open(polling4)), 400, unknownSID, "theirs here")
	})
}

// A node that has just started serves requests of the others at once.
func TestRouterNewNode(t *testing.T) {
	sail(t, engineio.Config{}, cluster.RouterConfig{}, func(f *fleet) {
		query := f.nodes[0].open(polling4)
		n := f.launch(engineio.Config{}, cluster.RouterConfig{})
		f.wantReply(n.post(query, "4x"), 200, "ok", "the first request of a node")
		f.wantReply(f.nodes[1].get(query), 200, "4x", "its echo")
	})
}

// Beyond MaxStreams nothing is relayed.
func TestRouterOverload(t *testing.T) {
	sail(t, engineio.Config{}, cluster.RouterConfig{MaxStreams: 2}, func(f *fleet) {
		for range 2 {
			f.nodes[1].begin(f.Context(), f.nodes[0].open(polling4))
		}
		query := f.nodes[0].open(polling4)
		for _, n := range f.nodes[1:] {
			if r := n.get(query); r.status != 503 || r.header.Get("Retry-After") == "" {
				f.Errorf("%+v", r)
			}
		}
		f.wantReply(f.nodes[0].post(query, "4x"), 200, "ok", "at home")
	})
}

func TestRouterConfig(t *testing.T) {
	for name, cfg := range map[string]cluster.RouterConfig{
		"no key":        {},
		"short key":     {Key: make([]byte, 15)},
		"short timeout": {Key: fleetKey, Heartbeat: time.Second, Timeout: time.Second},
	} {
		var room cluster.MailRoom
		if _, err := cluster.NewRouter(t.Context(), room.Join(), cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
