package siotest_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hermod-io/hermod/engineio/eioclient"
	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/event"
	"github.com/hermod-io/hermod/socketio/sioclient"
	"github.com/hermod-io/hermod/socketio/siotest"
)

func TestEventsAndCalls(t *testing.T) {
	siotest.Each(t, func(t *testing.T, mode siotest.Mode) {
		srv := siotest.Serve(t, chat, siotest.Config{Mode: mode, Latency: 10 * time.Millisecond})
		ada, bob := srv.Connect(t, "/", sioclient.Config{}), srv.Connect(t, "", sioclient.Config{})
		want := eioclient.WebSocket
		if mode == siotest.Polling {
			want = eioclient.Polling
		}
		if got := ada.Manager().Session().Transport(); got != want {
			t.Errorf("connected over %s", got)
		}
		if err := say.Emit(ada, "hi"); err != nil {
			t.Fatal(err)
		}
		if got := siotest.Expect(t, bob, said); got != "hi" {
			t.Errorf("bob hears %q", got)
		}
		siotest.ExpectNothing(t, ada, time.Minute)
		siotest.ExpectNothing(t, bob, time.Minute)
		if got := siotest.Call(t, ada, add, operands{A: 2, B: 3}); got != 5 {
			t.Errorf("2+3 = %d", got)
		}
		if e := siotest.CallError(t, ada, fail, event.None{}); e.Code != "no" || e.Message != "never" {
			t.Errorf("the error is %+v", e)
		}
	})
}

// Both sides can be asked; the names of events do for descriptors.
func TestPair(t *testing.T) {
	siotest.Run(t, func(t *testing.T) {
		srv, c := siotest.Pair(t, nil)
		c.On("double", sioclient.Reply(func(_ context.Context, _ *sioclient.Socket, n int) (int, error) { return 2 * n, nil }))
		if got := siotest.Call[int, int](t, c.Peer(t), "double", 21); got != 42 {
			t.Errorf("the answer is %d", got)
		}
		for _, name := range []string{"a", "b", "c", "b"} {
			if err := srv.IO().Emit(name, name, 1); err != nil {
				t.Fatal(err)
			}
		}
		siotest.Expect[int](t, c, "double")
		if e := siotest.ExpectEvent(t, c, "b"); e.Len() != 2 || e.WantsAck() {
			t.Errorf("the event has %d arguments", e.Len())
		}
		var got []string
		for range 3 {
			got = append(got, siotest.Next(t, c).Name())
		}
		if !slices.Equal(got, []string{"a", "c", "b"}) {
			t.Errorf("order %q", got)
		}
	})
}

func TestNamespacesOfOneConnection(t *testing.T) {
	siotest.Run(t, func(t *testing.T) {
		srv := siotest.Serve(t, func(srv *socketio.Server) {
			srv.Of("/admin").Use(func(_ context.Context, s *socketio.Socket) error {
				if string(s.Handshake().Auth()) != `{"key":1}` {
					return &socketio.Error{Message: "who are you", Data: "?"}
				}
				return nil
			})
		}, siotest.Config{})
		c := srv.Connect(t, "/", sioclient.Config{})
		admin := c.Of(t, "/admin", map[string]int{"key": 1})
		if srv.IO().Engine().Clients() != 1 {
			t.Error("there are two connections")
		}
		if admin.Peer(t).ID() != admin.ID() {
			t.Error("Peer is another's")
		}
		if e := srv.Refused(t, "/admin", sioclient.Config{}); e.Message != "who are you" || string(e.Data) != `"?"` {
			t.Errorf("refused by %+v", e)
		}
		srv.Raw(t, "").Want(`0{"sid":"`)
	})
}

func TestNewAndHandler(t *testing.T) {
	siotest.Run(t, func(t *testing.T) {
		type key struct{}
		made := 0
		srv := siotest.Serve(t, nil, siotest.Config{
			New: func() (*socketio.Server, error) {
				made++
				return socketio.New(socketio.Config{})
			},
			Handler: func(srv *socketio.Server) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					srv.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), key{}, "middleware")))
				})
			},
		})
		c := srv.Connect(t, "/", sioclient.Config{})
		if v := c.Peer(t).Context().Value(key{}); v != "middleware" {
			t.Errorf("the context has %v", v)
		}
		srv.Restart()
		siotest.ExpectDisconnect(t, c)
		siotest.ExpectConnect(t, c)
		if made != 2 {
			t.Errorf("%d servers were made", made)
		}
	})
}

func TestFaults(t *testing.T) {
	siotest.Each(t, func(t *testing.T, mode siotest.Mode) {
		srv := siotest.Serve(t, chat, siotest.Config{Mode: mode})
		c, other := srv.Connect(t, "/", sioclient.Config{}), srv.Connect(t, "/", sioclient.Config{})

		first := c.ID()
		c.Cut()
		siotest.ExpectDisconnect(t, c, sioclient.TransportClose, sioclient.TransportError)
		siotest.ExpectConnect(t, c)
		if c.ID() == first {
			t.Error("the same id after Cut")
		}

		c.Stall()
		if err := say.Emit(other, "late"); err != nil {
			t.Fatal(err)
		}
		siotest.ExpectNothing(t, c, 10*time.Second)
		c.Resume()
		if got := siotest.Expect(t, c, said); got != "late" {
			t.Errorf("after the stall: %q", got)
		}

		srv.Stop()
		siotest.ExpectDisconnect(t, c, sioclient.TransportClose, sioclient.TransportError)
		var dial *eioclient.DialError
		if err := siotest.ExpectConnectError(t, c); !errors.As(err, &dial) {
			t.Errorf("connect_error: %v", err)
		}
		srv.Start()
		siotest.ExpectConnect(t, c)
	})
}

func TestRaw(t *testing.T) {
	siotest.Run(t, func(t *testing.T) {
		srv := siotest.Serve(t, chat, siotest.Config{})
		r := srv.Raw(t, "EIO=4&transport=websocket&x=1")
		r.Want("0{")
		r.Send("40", `420["add",1,2]`)
		r.Want(`40{"sid":`)
		if got := r.Next(); got != `430[3]` {
			t.Errorf("the ack is %s", got)
		}
		r.Want("2") // a ping, 25 s later
		r.SendBinary([]byte{1})
		r.WantClosed()
		cut, closed := srv.Raw(t, ""), srv.Raw(t, "")
		cut.Want("0")
		closed.Want("0")
		cut.Cut()
		closed.Close()
		srv.Eventually(t, "both are gone", func() bool { return srv.IO().Engine().Clients() == 0 })
		cut.WantClosed()
		closed.WantClosed()
	})
}

// A client that the server disconnects as soon as it has joined never changes to a
// WebSocket; Connect waited for that, in the mode Upgrade alone.
func TestConnectOfOneThatIsDisconnected(t *testing.T) {
	siotest.Each(t, func(t *testing.T, mode siotest.Mode) {
		srv := siotest.Serve(t, func(srv *socketio.Server) {
			srv.OnConnect(func(_ context.Context, s *socketio.Socket) error { return s.Emit("bye") })
			srv.OnConnect(func(context.Context, *socketio.Socket) error { return errors.New("not today") })
		}, siotest.Config{Mode: mode})
		c := srv.Connect(t, "/", sioclient.Config{})
		siotest.ExpectEvent(t, c, "bye")
		siotest.ExpectDisconnect(t, c, sioclient.IOServerDisconnect)
	})
}

// Outside of a bubble time is real.
func TestRealTime(t *testing.T) {
	for _, mode := range []siotest.Mode{siotest.WebSocket, siotest.Polling, siotest.Upgrade} {
		t.Run(string(mode), func(t *testing.T) {
			srv := siotest.Serve(t, chat, siotest.Config{Mode: mode})
			ada, bob := srv.Connect(t, "/", sioclient.Config{}), srv.Connect(t, "/", sioclient.Config{})
			if err := say.Emit(ada, "hi"); err != nil {
				t.Fatal(err)
			}
			if got := siotest.Expect(t, bob, said); got != "hi" {
				t.Errorf("bob hears %q", got)
			}
			siotest.ExpectNothing(t, ada, time.Millisecond)
			srv.Eventually(t, "two sockets", func() bool { return srv.IO().Engine().Clients() == 2 })
		})
	}
}

func TestMissingEventIsToldClearly(t *testing.T) {
	wantFailure(t, func(t testing.TB, srv *siotest.Server) {
		c := srv.Connect(t, "/", sioclient.Config{})
		if err := srv.IO().Emit("other", "x", 1); err != nil {
			t.Fatal(err)
		}
		if err := c.Emit("say", 7); err != nil {
			t.Fatal(err)
		}
		siotest.Expect(t, c, said)
	}, `event "said" did not come within 2m0s`, `the client of / is connected over websocket`,
		`not asked for yet: "other" ["x",1]`, `error on the server ("say"): `)
}

// failing is a test that fails, and how its message begins.
type failing struct {
	f    func(t testing.TB, srv *siotest.Server, c *siotest.Client)
	want string
}

var failingExpectations = map[string]failing{
	"type": {func(t testing.TB, srv *siotest.Server, c *siotest.Client) {
		_ = srv.IO().Emit("said", 7)
		siotest.Expect(t, c, said)
	}, `event "said" [7] is no string: `},
	"nothing": {func(t testing.TB, srv *siotest.Server, c *siotest.Client) {
		_ = srv.IO().Emit("said", "x")
		siotest.ExpectNothing(t, c, time.Second, "heard", "said")
	}, `"said" ["x"] came, want nothing`},
	"next": {func(t testing.TB, _ *siotest.Server, c *siotest.Client) { siotest.Next(t, c) }, "no event came within"},
	"silence of a client that left": {func(t testing.TB, _ *siotest.Server, c *siotest.Client) {
		c.Peer(t).Disconnect(false)
		siotest.ExpectNothing(t, c, time.Second)
	}, "disconnect (io server disconnect) came"},
	"reason": {func(t testing.TB, _ *siotest.Server, c *siotest.Client) {
		c.Peer(t).Disconnect(false)
		siotest.ExpectDisconnect(t, c, sioclient.PingTimeout)
	}, `disconnected for the reason "io server disconnect", want ["ping timeout"]`},
	"no disconnect": {func(t testing.TB, _ *siotest.Server, c *siotest.Client) { siotest.ExpectDisconnect(t, c) },
		"no disconnect within"},
	"no connect": {func(t testing.TB, _ *siotest.Server, c *siotest.Client) { siotest.ExpectConnect(t, c) }, "no connect within"},
	"no connect_error": {func(t testing.TB, _ *siotest.Server, c *siotest.Client) { siotest.ExpectConnectError(t, c) },
		"no connect_error within"},
}

var failingActions = map[string]failing{
	"error ack": {func(t testing.TB, _ *siotest.Server, c *siotest.Client) { siotest.Call(t, c, fail, event.None{}) },
		`"fail" is answered by the error no: never`},
	"no error ack": {func(t testing.TB, _ *siotest.Server, c *siotest.Client) { siotest.CallError(t, c, add, operands{}) },
		`"add" is answered by [0], want an error`},
	"ack type": {func(t testing.TB, _ *siotest.Server, c *siotest.Client) {
		siotest.Call[operands, string](t, c, "add", operands{})
	},
		`the answer [0] to "add" is no string`},
	"no ack": {func(t testing.TB, _ *siotest.Server, c *siotest.Client) { siotest.Call[int, int](t, c, "unknown", 1) },
		`call of "unknown": `},
	"refused": {func(t testing.TB, srv *siotest.Server, _ *siotest.Client) {
		srv.Connect(t, "/unknown", sioclient.Config{})
	},
		"the client of /unknown does not connect: "},
	"not refused": {func(t testing.TB, srv *siotest.Server, _ *siotest.Client) { srv.Refused(t, "/", sioclient.Config{}) },
		"the client of / is not refused"},
	"eventually": {func(t testing.TB, srv *siotest.Server, _ *siotest.Client) {
		srv.Eventually(t, "a miracle", func() bool { return false })
	}, "it did not happen within 2m0s: a miracle"},
	"peer": {func(t testing.TB, _ *siotest.Server, c *siotest.Client) {
		c.Disconnect()
		siotest.ExpectDisconnect(t, c)
		c.Peer(t)
	}, "the server has no socket of the client of /"},
	"raw": {func(t testing.TB, srv *siotest.Server, _ *siotest.Client) { srv.Raw(t, "").Want("1") }, `a Raw receives "0{`},
	"raw query": {func(t testing.TB, srv *siotest.Server, _ *siotest.Client) { srv.Raw(t, "EIO=4") },
		"a Raw does not connect: "},
	"two starts": {func(t testing.TB, srv *siotest.Server, _ *siotest.Client) { srv.Start() }, "Start of a server that runs"},
	"two stops": {func(t testing.TB, srv *siotest.Server, _ *siotest.Client) {
		srv.Stop()
		srv.Stop()
	}, "Stop of a server that does not run"},
}

func TestFailures(t *testing.T) {
	for _, table := range []map[string]failing{failingExpectations, failingActions} {
		for name, c := range table {
			t.Run(name, func(t *testing.T) {
				wantFailure(t, func(t testing.TB, srv *siotest.Server) { c.f(t, srv, srv.Connect(t, "/", sioclient.Config{})) }, c.want)
			})
		}
	}
}

func TestHandlerThatWaitsIsReported(t *testing.T) {
	siotest.Run(t, func(t *testing.T) {
		release := make(chan struct{})
		got := failures(t, func(t testing.TB) {
			_, c := siotest.Pair(t, func(srv *socketio.Server) {
				srv.On("hang", func(context.Context, *socketio.Socket, *socketio.Event) error {
					<-release
					return nil
				})
			})
			if err := c.Emit("hang"); err != nil {
				t.Fatal(err)
			}
			siotest.ExpectNothing(t, c, time.Second)
		})
		close(release)
		if !strings.Contains(got, "the server does not end, a handler may be waiting") {
			t.Errorf("reported: %s", got)
		}
	})
}

// A session that outlives the clients of the test is reported.
func TestSessionThatIsLeftIsReported(t *testing.T) {
	siotest.Run(t, func(t *testing.T) {
		got := failures(t, func(short testing.TB) {
			srv := siotest.Serve(short, nil, siotest.Config{})
			srv.Connect(short, "/", sioclient.Config{})
			srv.Connect(t, "/", sioclient.Config{}) // ends later
		})
		if !strings.Contains(got, "1 sessions are left, of clients that have gone") {
			t.Errorf("reported: %q", got)
		}
	})
}

// The errors of handlers are told once, those of a dynamic namespace too.
func TestTroublesAreToldOnce(t *testing.T) {
	siotest.Run(t, func(t *testing.T) {
		got := failures(t, func(t testing.TB) {
			srv := siotest.Serve(t, func(srv *socketio.Server) {
				srv.OfPattern("/room-{id}").On("bad", func(context.Context, *socketio.Socket, *socketio.Event) error {
					return errors.New("out of order")
				})
			}, siotest.Config{})
			c := srv.Connect(t, "/room-1", sioclient.Config{})
			if err := c.Emit("bad"); err != nil {
				t.Fatal(err)
			}
			siotest.ExpectEvent(t, c, "good")
		})
		if n := strings.Count(got, `error on the server ("bad"): out of order`); n != 1 {
			t.Errorf("told %d times: %s", n, got)
		}
	})
}
