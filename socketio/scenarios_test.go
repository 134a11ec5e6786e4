package socketio_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/hermod-io/hermod/engineio/eioclient"
	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/event"
	"github.com/hermod-io/hermod/socketio/sioclient"
	"github.com/hermod-io/hermod/socketio/siotest"
)

// The scenarios run whole clients against the server, with siotest; what is on
// the wire is the business of the other tests.

const (
	eventJoin  event.Request[string, int]   = "join"
	eventTell  event.Request[telling, bool] = "tell"
	eventTold  event.Message[string]        = "told"
	eventCount event.Message[int]           = "count"
)

type telling struct {
	event.Args
	Room, Text string
}

// roomHandlers let clients join rooms and tell them something.
func roomHandlers(srv *socketio.Server) {
	socketio.HandleRequest(srv, eventJoin, func(ctx context.Context, s *socketio.Socket, room string) (int, error) {
		if err := s.Join(ctx, room); err != nil {
			return 0, err
		}
		in, err := srv.In(room).FetchSockets(ctx)
		return len(in), err
	})
	socketio.HandleRequest(srv, eventTell, func(_ context.Context, s *socketio.Socket, in telling) (bool, error) {
		if !slices.Contains(s.Rooms(), in.Room) {
			return false, &socketio.Error{Code: "not_in_room", Message: "join " + in.Room + " first"}
		}
		return true, eventTold.Emit(s.To(in.Room), in.Text)
	})
}

func TestScenarioRooms(t *testing.T) {
	siotest.Each(t, func(t *testing.T, mode siotest.Mode) {
		srv := siotest.Serve(t, roomHandlers, siotest.Config{Mode: mode})
		var c [4]*siotest.Client
		for i := range c {
			c[i] = srv.Connect(t, "/", sioclient.Config{})
		}
		for i, room := range []string{"red", "red", "blue"} {
			if got, want := siotest.Call(t, c[i], eventJoin, room), []int{1, 2, 1}[i]; got != want {
				t.Errorf("%s has %d members, want %d", room, got, want)
			}
		}
		if e := siotest.CallError(t, c[3], eventTell, telling{Room: "red"}); e.Code != "not_in_room" {
			t.Errorf("the error is %v", e)
		}
		siotest.Call(t, c[0], eventTell, telling{Room: "red", Text: "hi"})
		if got := siotest.Expect(t, c[1], eventTold); got != "hi" {
			t.Errorf("told %q", got)
		}
		c[1].Disconnect()
		siotest.ExpectDisconnect(t, c[1], sioclient.IOClientDisconnect)
		srv.Eventually(t, "the room has one member", func() bool {
			in, err := srv.IO().In("red").FetchSockets(t.Context())
			return err == nil && len(in) == 1
		})
		for _, i := range []int{0, 2, 3} {
			siotest.ExpectNothing(t, c[i], time.Minute)
		}
	})
}

func TestScenarioAcksOfABroadcast(t *testing.T) {
	siotest.Each(t, func(t *testing.T, mode siotest.Mode) {
		srv := siotest.Serve(t, nil, siotest.Config{Mode: mode, Latency: 20 * time.Millisecond})
		for i := range 3 {
			c := srv.Connect(t, "/", sioclient.Config{})
			c.On("square", sioclient.Reply(func(ctx context.Context, _ *sioclient.Socket, n int) (int, error) {
				if i == 2 {
					<-ctx.Done() // does not answer in time
					return 0, ctx.Err()
				}
				return n * n, nil
			}))
		}
		replies, err := srv.IO().Timeout(time.Second).EmitWithAck(t.Context(), "square", 7)
		var missing *socketio.AckError
		if !errors.As(err, &missing) || len(replies) != 2 {
			t.Fatalf("%d replies, %v", len(replies), err)
		}
		for _, r := range replies {
			if string(r.Raw(0)) != "49" {
				t.Errorf("a reply is %s", r.Raw(0))
			}
		}
	})
}

func TestScenarioRefusal(t *testing.T) {
	type credentials struct{ Token string }
	siotest.Each(t, func(t *testing.T, mode siotest.Mode) {
		srv := siotest.Serve(t, func(srv *socketio.Server) {
			srv.Of("/private").Use(func(_ context.Context, s *socketio.Socket) error {
				var got credentials
				if err := s.Handshake().DecodeAuth(&got); err != nil || got.Token != "right" {
					return &socketio.Error{Message: "not authorized", Data: map[string]int{"wait": 5}}
				}
				return nil
			})
		}, siotest.Config{Mode: mode})
		tokens := []string{"wrong", "right"}
		cfg := sioclient.Config{Auth: func(context.Context) (any, error) {
			token := tokens[0]
			tokens = tokens[1:]
			return map[string]string{"Token": token}, nil
		}}
		c := srv.Client(t, "/private", cfg)
		c.Open()
		var refusal *sioclient.ConnectError
		if err := siotest.ExpectConnectError(t, c); !errors.As(err, &refusal) || refusal.Message != "not authorized" ||
			string(refusal.Data) != `{"wait":5}` {
			t.Fatalf("refused by %v", err)
		}
		if c.Active() {
			t.Error("it tries again by itself")
		}
		c.Open()
		siotest.ExpectConnect(t, c)
	})
}

// A connection that is cut comes back as the same Socket, with its rooms, its
// data and what it missed.
func TestScenarioRecoveryThroughACut(t *testing.T) {
	siotest.Each(t, func(t *testing.T, mode siotest.Mode) {
		srv := siotest.Serve(t, roomHandlers, siotest.Config{Mode: mode, Server: recovering})
		c, other := srv.Connect(t, "/", sioclient.Config{}), srv.Connect(t, "/", sioclient.Config{})
		siotest.Call(t, c, eventJoin, "red")
		siotest.Call(t, other, eventJoin, "red")
		c.Peer(t).Data().Set("name", "ada")
		siotest.Call(t, other, eventTell, telling{Room: "red", Text: "before"})
		siotest.Expect(t, c, eventTold)

		for round := range 3 {
			id := c.ID()
			c.Cut()
			siotest.ExpectDisconnect(t, c, sioclient.TransportClose, sioclient.TransportError)
			for _, text := range []string{"one", "two"} {
				siotest.Call(t, other, eventTell, telling{Room: "red", Text: text})
			}
			siotest.ExpectConnect(t, c)
			if !c.Recovered() || c.ID() != id {
				t.Fatalf("round %d: recovered: %v, the id was %s and is %s", round, c.Recovered(), id, c.ID())
			}
			if name, _ := c.Peer(t).Data().Get("name"); name != "ada" {
				t.Errorf("the data is %v", name)
			}
			for _, want := range []string{"one", "two"} {
				if got := siotest.Expect(t, c, eventTold); got != want {
					t.Errorf("round %d: told %q, want %q", round, got, want)
				}
			}
		}
		siotest.ExpectNothing(t, c, time.Minute)
	})
}

// A client whose network fails without a word is noticed by both sides within
// pingInterval + pingTimeout, others live on, and it comes back after.
func TestScenarioHeartbeatThroughAStall(t *testing.T) {
	siotest.Each(t, func(t *testing.T, mode siotest.Mode) {
		var left list[socketio.Reason]
		srv := siotest.Serve(t, func(srv *socketio.Server) {
			srv.OnDisconnect(func(_ *socketio.Socket, r socketio.Reason) { left.add(r) })
		}, siotest.Config{Mode: mode})
		c, other := srv.Connect(t, "/", sioclient.Config{}), srv.Connect(t, "/", sioclient.Config{})
		id := c.ID()
		start := time.Now()
		c.Stall()
		siotest.ExpectDisconnect(t, c, sioclient.PingTimeout)
		if d := time.Since(start); d > 46*time.Second {
			t.Errorf("the client notices after %v", d)
		}
		srv.Eventually(t, "the server notices", func() bool { return len(left.all()) > 0 })
		if d := time.Since(start); d > 55*time.Second {
			t.Errorf("the server notices after %v", d)
		}
		if got := left.all(); got[0] != socketio.PingTimeout {
			t.Errorf("the reasons are %q", got)
		}
		siotest.ExpectNothing(t, other, time.Hour)
		c.Resume()
		siotest.ExpectConnect(t, c)
		if c.ID() == id || c.Peer(t) == nil {
			t.Error("it is no new socket")
		}
	})
}

// What both sides send before, during and after the upgrade arrives once, in
// order.
func TestScenarioOrderAcrossTheUpgrade(t *testing.T) {
	const n = 500
	for _, latency := range []time.Duration{0, time.Millisecond, 30 * time.Millisecond} {
		siotest.Each(t, func(t *testing.T, mode siotest.Mode) {
			var got list[int]
			srv := siotest.Serve(t, func(srv *socketio.Server) {
				srv.OnConnect(func(_ context.Context, s *socketio.Socket) error {
					for i := range n {
						pause(time.Duration(i%3) * time.Millisecond)
						if err := eventCount.Emit(s, i); err != nil {
							return err
						}
					}
					return nil
				})
				socketio.HandleMessage(srv, eventCount, func(_ context.Context, _ *socketio.Socket, i int) error {
					got.add(i)
					return nil
				})
			}, siotest.Config{Mode: mode, Latency: latency})
			c := srv.Client(t, "/", sioclient.Config{})
			c.Open()
			for i := range n {
				pause(time.Duration(i%2) * time.Millisecond)
				if err := eventCount.Emit(c, i); err != nil {
					t.Fatal(err)
				}
			}
			for i := range n {
				if v := siotest.Expect(t, c, eventCount); v != i {
					t.Fatalf("the client's event %d is %d", i, v)
				}
			}
			srv.Eventually(t, "the server has all", func() bool { return len(got.all()) >= n })
			for i, v := range got.all() {
				if v != i {
					t.Fatalf("the server's event %d is %d", i, v)
				}
			}
			if tr := c.Manager().Session().Transport(); tr != eioclient.WebSocket {
				t.Errorf("it ends over %s", tr)
			}
		}, siotest.Upgrade)
	}
}

// What is emitted while the server is away arrives, in order, at the next one.
func TestScenarioRestart(t *testing.T) {
	siotest.Each(t, func(t *testing.T, mode siotest.Mode) {
		var got list[int]
		srv := siotest.Serve(t, func(srv *socketio.Server) {
			socketio.HandleMessage(srv, eventCount, func(_ context.Context, _ *socketio.Socket, i int) error {
				got.add(i)
				return nil
			})
		}, siotest.Config{Mode: mode})
		c := srv.Connect(t, "/", sioclient.Config{})
		srv.Stop()
		siotest.ExpectDisconnect(t, c, sioclient.TransportClose, sioclient.TransportError)
		for i := range 100 {
			if err := eventCount.Emit(c, i); err != nil {
				t.Fatal(err)
			}
		}
		if err := siotest.ExpectConnectError(t, c); err == nil {
			t.Error("no error")
		}
		srv.Start()
		siotest.ExpectConnect(t, c)
		srv.Eventually(t, "all arrive", func() bool { return len(got.all()) >= 100 })
		for i, v := range got.all() {
			if v != i {
				t.Fatalf("event %d is %d", i, v)
			}
		}
	})
}
