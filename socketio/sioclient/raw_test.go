package sioclient_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/engineio/eioclient"
	"github.com/hermod-io/hermod/internal/testnet"
	"github.com/hermod-io/hermod/socketio/sioclient"
)

// raw is a server that says what the test tells it to.
type raw struct {
	opened   chan *engineio.Session
	received chan string
	last     *engineio.Session // that was opened
	listen   func(testnet.Options) *testnet.Listener
}

func (r *raw) OnOpen(s *engineio.Session) {
	r.last = s
	r.opened <- s
}

func (r *raw) OnMessage(s *engineio.Session, binary bool, data []byte) { r.received <- string(data) }

func (r *raw) OnClose(*engineio.Session, engineio.Reason, error) {}

// scripted runs a body with a raw server in a bubble.
func scripted(t *testing.T, f func(w *world, r *raw)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &raw{opened: make(chan *engineio.Session, 10), received: make(chan string, 100)}
		srv, err := engineio.New(engineio.Config{Path: "/socket.io"}, r)
		if err != nil {
			t.Fatal(err)
		}
		h := &http.Server{Handler: srv}
		r.listen = func(o testnet.Options) *testnet.Listener {
			l := testnet.Listen(o)
			go h.Serve(l)
			return l
		}
		w := &world{T: t, mode: "websocket", listener: r.listen(testnet.Options{})}
		defer func() {
			if err := srv.Close(context.Background()); err != nil {
				t.Error(err)
			}
			h.Close()
		}()
		f(w, r)
	})
}

// say sends texts to the client.
func say(t *testing.T, s *engineio.Session, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if err := s.Send(0, engineio.Message{Data: []byte(text)}); err != nil {
			t.Fatal(err)
		}
	}
}

// expect waits for what the client says.
func (r *raw) expect(t *testing.T, want string) {
	t.Helper()
	if got := <-r.received; got != want {
		t.Errorf("the client said %s, want %s", got, want)
	}
}

// A connection is recovered: the client says where it was, and what it has missed
// comes before OnConnect.
func TestRecovery(t *testing.T) {
	scripted(t, func(w *world, r *raw) {
		t := w.T
		cfg := exact(w.config())
		cfg.Auth = func(context.Context) (any, error) { return map[string]string{"token": "t"}, nil }
		s := w.socket("/r", cfg)
		heard := follow(s)
		s.Open()
		server := <-r.opened
		r.expect(t, `0/r,{"token":"t"}`)
		say(t, server, `0/r,{"sid":"one","pid":"secret"}`, `2/r,["a",1,"first"]`, `2/r,["b",2]`)
		w.eventually("two events", func() bool { return len(heard.all()) == 3 })
		server.Close(true)

		server = <-r.opened
		r.expect(t, `0/r,{"pid":"secret","offset":"first","token":"t"}`)
		say(t, server, `2/r,["missed","second"]`, `0/r,{"sid":"one","pid":"secret"}`)
		w.eventually("OnConnect", func() bool { return len(heard.all()) == 6 })
		heard.want(t, "connect", "a [1 first]", "b [2]", "disconnect transport close", "missed [second]", "connect")
		if !s.Recovered() || s.ID() != "one" {
			t.Error("it was not recovered")
		}
		server.Close(true)

		server = <-r.opened
		r.expect(t, `0/r,{"pid":"secret","offset":"second","token":"t"}`)
		say(t, server, `0/r,{"sid":"two","pid":"other"}`)
		w.eventually("the id", func() bool { return s.ID() == "two" })
		if s.Recovered() {
			t.Error("it was recovered")
		}
		server.Close(true)

		<-r.opened
		r.expect(t, `0/r,{"pid":"other","token":"t"}`)
	})
}

// Disconnect drops the events that wait for their handlers. When its DISCONNECT was
// lost with the connection, the session was recovered behind them, and they were
// missing for ever.
func TestDisconnectGivesTheSessionUp(t *testing.T) {
	scripted(t, func(w *world, r *raw) {
		t := w.T
		s := w.socket("", exact(w.config()))
		s.Open()
		server := <-r.opened
		r.expect(t, `0`)
		say(t, server, `0{"sid":"one","pid":"secret"}`, `2["a","first"]`)
		w.eventually("the connection", s.Connected)
		s.Disconnect()
		r.expect(t, `1`)
		s.Open()
		<-r.opened
		r.expect(t, `0`)
	})
}

// Events that wait when Disconnect is called are dropped, also when the connection
// was lost just before.
func TestDisconnectAfterLossDropsEvents(t *testing.T) {
	scripted(t, func(w *world, r *raw) {
		t := w.T
		s := w.socket("", exact(w.config()))
		begun, goOn := make(chan struct{}, 2), make(chan struct{})
		s.OnAny(func(context.Context, *sioclient.Socket, *sioclient.Event) error {
			begun <- struct{}{}
			<-goOn
			return nil
		})
		s.Open()
		server := <-r.opened
		r.expect(t, `0`)
		say(t, server, `0{"sid":"one"}`, `2["a"]`, `2["b"]`)
		<-begun
		server.Close(true) // it is noticed behind the second event
		w.eventually("the loss", func() bool { return !s.Connected() })
		s.Disconnect()
		close(goOn)
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if len(begun) != 0 {
			t.Error("the second event was handled")
		}
	})
}

// Recovered was false in an OnConnect that ran after the connection was lost
// again, so that an application loaded anew what it had.
func TestRecoveredOutlivesTheConnection(t *testing.T) {
	scripted(t, func(w *world, r *raw) {
		t := w.T
		s := w.socket("", exact(w.config()))
		s.Open()
		server := <-r.opened
		r.expect(t, `0`)
		say(t, server, `0{"sid":"one","pid":"secret"}`, `2["a","first"]`)
		w.eventually("the connection", s.Connected)
		server.Close(true)
		w.eventually("the loss", func() bool { return !s.Connected() })
		if s.Recovered() {
			t.Error("the first one was no recovery")
		}
		server = <-r.opened
		r.expect(t, `0{"pid":"secret","offset":"first"}`)
		say(t, server, `0{"sid":"one","pid":"secret"}`)
		w.eventually("the connection", s.Connected)
		server.Close(true)
		w.eventually("the loss", func() bool { return !s.Connected() })
		if !s.Recovered() {
			t.Error("the last one was")
		}
	})
}

// What is no packet ends the connection, which is made again.
func TestParseError(t *testing.T) {
	scripted(t, func(w *world, r *raw) {
		t := w.T
		s := w.socket("", exact(w.config()))
		heard := follow(s)
		s.Open()
		server := <-r.opened
		r.expect(t, "0")
		say(t, server, `0{"sid":"one"}`, `2["a",`)
		<-r.opened
		r.expect(t, "0")
		heard.want(t, "connect", "disconnect parse error")
	})
}

// OnClose was called twice for one connection that the client gave up, and for
// one that OnOpen had told nothing of.
func TestOnCloseOnce(t *testing.T) {
	scripted(t, func(w *world, r *raw) {
		t := w.T
		s := w.socket("", exact(w.config()))
		told := make(chan string, 10)
		s.Manager().OnOpen(func() { told <- "open" })
		s.Manager().OnClose(func(reason sioclient.Reason, _ error) { told <- string(reason) })
		s.Open()
		server := <-r.opened
		r.expect(t, "0")
		say(t, server, `0{"sid":"one"}`, `2["a",`)
		<-r.opened
		r.expect(t, "0")
		s.Disconnect()
		synctest.Wait()
		close(told)
		var all []string
		for one := range told {
			all = append(all, one)
		}
		if want := []string{"open", "parse error", "open", "forced close"}; !slices.Equal(all, want) {
			t.Errorf("heard %q, want %q", all, want)
		}
	})
}

// A full queue took the ack from an event: there was no second one, and the
// server waited in vain. Acks are exempt, as the server's are.
func TestAckPassesAFullQueue(t *testing.T) {
	scripted(t, func(w *world, r *raw) {
		t := w.T
		cfg := exact(w.config())
		cfg.Engine.Transports = []string{eioclient.Polling} // what is sent waits for the POST before
		cfg.Engine.Queue.Packets = 1
		cfg.Engine.NoUpgrade = true
		s := w.socket("", cfg)
		s.On("ask", func(_ context.Context, s *sioclient.Socket, e *sioclient.Event) error {
			var err error
			for err == nil {
				err = s.Emit("filler")
			}
			return e.Ack("done")
		})
		s.OnError(func(_ *sioclient.Socket, _ string, err error) { t.Error(err) })
		s.Open()
		server := <-r.opened
		r.expect(t, "0")
		say(t, server, `0{"sid":"one"}`, `27["ask"]`)
		for got := ""; got != `37["done"]`; {
			select {
			case got = <-r.received:
			case <-time.After(time.Minute):
				t.Fatal("no ack")
			}
		}
	})
}

// What had been kept for a connection could be more than its queue takes, by the
// attachments, or of several Sockets: then it was cut, and what was on its way
// lost. It leaves as there is room, in order, also what is emitted meanwhile.
func TestFlushPassesAFullQueue(t *testing.T) {
	for _, transport := range []string{eioclient.WebSocket, eioclient.Polling} {
		scripted(t, func(w *world, r *raw) {
			t := w.T
			w.listener = r.listen(testnet.Options{Capacity: 4 << 10, Latency: 10 * time.Millisecond})
			cfg := exact(w.config())
			cfg.Engine.Transports = []string{transport}
			cfg.Engine.NoUpgrade = true
			cfg.Engine.Queue.Packets = 20
			s := w.socket("", cfg)
			body := strings.Repeat("x", 1000)
			var acks sync.WaitGroup
			for i := range 200 {
				if i == 100 {
					s.Open()
					server := <-r.opened
					r.expect(t, "0")
					say(t, server, `0{"sid":"one"}`)
					w.eventually("the connection", s.Connected)
				}
				if err := s.Emit("n", i, body); err != nil {
					t.Fatal(err)
				}
			}
			acks.Go(func() {
				if _, err := s.EmitWithAck(t.Context(), "last"); err != nil {
					t.Error(err)
				}
			})
			for i := range 200 {
				r.expect(t, fmt.Sprintf(`2["n",%d,"%s"]`, i, body))
			}
			r.expect(t, `20["last"]`)
			say(t, r.last, `30[]`)
			acks.Wait()
		})
	}
}

// A panic of a function of the Manager, or of OnError, went unheard.
func TestPanicsOfHooksAreLogged(t *testing.T) {
	scripted(t, func(w *world, r *raw) {
		t := w.T
		var text syncBuffer
		cfg := exact(w.config())
		cfg.Log = slog.New(slog.NewTextHandler(&text, nil))
		s := w.socket("", cfg)
		s.Manager().OnOpen(func() { panic("in OnOpen") })
		s.OnError(func(*sioclient.Socket, string, error) { panic("in OnError") })
		s.On("e", func(context.Context, *sioclient.Socket, *sioclient.Event) error { return errors.New("e") })
		s.Open()
		server := <-r.opened
		r.expect(t, "0")
		say(t, server, `0{"sid":"one"}`, `2["e"]`)
		for _, want := range []string{"in OnOpen", "in OnError"} {
			w.eventually(want, func() bool { return strings.Contains(text.String(), want) })
		}
	})
}

// syncBuffer is what several goroutines write to.
type syncBuffer struct {
	mu   sync.Mutex // guards what follows
	text bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// A server of version 2 answers without an id.
func TestOldServer(t *testing.T) {
	scripted(t, func(w *world, r *raw) {
		t := w.T
		s := w.socket("", exact(w.config()))
		go func() { say(t, <-r.opened, "0") }()
		if err := s.Connect(t.Context()); err == nil {
			t.Error("no error")
		}
	})
}

// What a server should not say is passed over.
func TestStrayPackets(t *testing.T) {
	scripted(t, func(w *world, r *raw) {
		t := w.T
		s := w.socket("", exact(w.config()))
		heard := follow(s)
		s.Open()
		server := <-r.opened
		r.expect(t, "0")
		say(t, server, `2["early"]`, `0{"sid":"one"}`, `0{"sid":"two"}`, `2/other,["x"]`, `39[1]`, `3[1]`, `2`, `1/other,`, `4"late"`, `0/gone,{"sid":"x"}`, `2["last"]`)
		r.expect(t, "1/gone,")
		w.eventually("the last event", func() bool { return heard.has("last []") })
		heard.want(t, "early []", "connect", "last []")
		if s.ID() != "one" {
			t.Errorf("id %s", s.ID())
		}
	})
}

// A Socket that was disconnected before the answer came leaves when it comes.
func TestDisconnectBeforeTheAnswer(t *testing.T) {
	scripted(t, func(w *world, r *raw) {
		t := w.T
		m, err := sioclient.NewManager("http://server", exact(w.config()))
		if err != nil {
			t.Fatal(err)
		}
		defer w.close(m)
		s, other := m.Socket("/s", sioclient.SocketOptions{}), m.Socket("/other", sioclient.SocketOptions{})
		other.Open()
		server := <-r.opened
		r.expect(t, "0/other,")
		s.Open()
		r.expect(t, "0/s,")
		s.Disconnect()
		say(t, server, `0/s,{"sid":"one"}`)
		r.expect(t, "1/s,")
		s.Open()
		r.expect(t, "0/s,")
		s.Disconnect()
		s.Open() // the question still stands
		say(t, server, `0/s,{"sid":"two"}`)
		w.eventually("the id", func() bool { return s.ID() == "two" })
	})
}
