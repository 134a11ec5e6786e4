package siotest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/event"
	"github.com/hermod-io/hermod/socketio/sioclient"
	"github.com/hermod-io/hermod/socketio/siotest"
)

const (
	enter event.Request[string, event.None] = "enter"
	shout event.Message[string]             = "shout"
	heard event.Message[string]             = "heard"
)

// rooms is a server whose clients enter rooms and shout into "hall".
func rooms(srv *socketio.Server) {
	socketio.HandleRequest(srv, enter, func(ctx context.Context, s *socketio.Socket, room string) (event.None, error) {
		return event.None{}, s.Join(ctx, room)
	})
	socketio.HandleMessage(srv, shout, func(_ context.Context, s *socketio.Socket, text string) error {
		return heard.Emit(s.To("hall"), text)
	})
}

func TestServeCluster(t *testing.T) {
	siotest.Each(t, func(t *testing.T, mode siotest.Mode) {
		nodes := siotest.ServeCluster(t, 3, rooms, siotest.Config{Mode: mode, Latency: time.Millisecond})
		var all []*siotest.Client
		for _, node := range nodes {
			c := node.Connect(t, "/", sioclient.Config{})
			siotest.Call(t, c, enter, "hall")
			all = append(all, c)
		}
		outside := nodes[1].Connect(t, "/", sioclient.Config{})
		for i := range 5 {
			if err := shout.Emit(all[0], fmt.Sprint(i)); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range all[1:] {
			for i := range 5 {
				if got := siotest.Expect(t, c, heard); got != fmt.Sprint(i) {
					t.Errorf("%q comes in place of %d", got, i)
				}
			}
		}
		siotest.ExpectNothing(t, all[0], time.Minute)
		siotest.ExpectNothing(t, outside, time.Minute)
		if sockets, err := nodes[2].IO().In("hall").FetchSockets(t.Context()); err != nil || len(sockets) != 3 {
			t.Errorf("%d sockets, %v", len(sockets), err)
		}
	})
}

// A node that is stopped is none that others wait for; its successor is one of them.
func TestServeClusterRestart(t *testing.T) {
	siotest.Run(t, func(t *testing.T) {
		nodes := siotest.ServeCluster(t, 2, rooms, siotest.Config{})
		gone := nodes[1].Connect(t, "/", sioclient.Config{})
		nodes[1].Stop()
		siotest.ExpectDisconnect(t, gone)
		synctest.Wait() // its goodbye has arrived
		start := time.Now()
		if sockets, err := nodes[0].IO().FetchSockets(t.Context()); err != nil || len(sockets) != 0 {
			t.Errorf("%d sockets, %v", len(sockets), err)
		}
		if d := time.Since(start); d != 0 {
			t.Errorf("a node that has gone was waited for, for %v", d)
		}
		nodes[1].Start()
		siotest.ExpectConnect(t, gone)
		siotest.Call(t, gone, enter, "hall")
		if err := nodes[0].IO().To("hall").Emit("heard", "back"); err != nil {
			t.Fatal(err)
		}
		if got := siotest.Expect(t, gone, heard); got != "back" {
			t.Errorf("%q", got)
		}
		synctest.Wait() // so has the greeting of its successor
		ids, err := nodes[0].IO().ServerSideEmitWithAck(t.Context(), "nobody's")
		if err == nil {
			t.Errorf("an event that nobody handles was answered: %v", ids)
		}
	})
}

// ServeCluster is the cluster in memory that tests of several nodes need.
func ExampleServeCluster() {
	t := new(exampleTB)
	defer t.end()
	nodes := siotest.ServeCluster(t, 2, rooms, siotest.Config{})
	ada := nodes[0].Connect(t, "/", sioclient.Config{})
	bob := nodes[1].Connect(t, "/", sioclient.Config{})
	siotest.Call(t, bob, enter, "hall")

	_ = shout.Emit(ada, "is anybody there?")
	fmt.Println(siotest.Expect(t, bob, heard))
	// Output: is anybody there?
}

// What a cluster needs of a server is not asked of a function that makes one.
func TestServeClusterRefusesNew(t *testing.T) {
	failed := new(exampleTB)
	defer func() {
		if got := fmt.Sprint(recover()); !strings.Contains(got, "Config.New must be nil") {
			t.Errorf("it ends with %q", got)
		}
	}()
	siotest.ServeCluster(failed, 1, nil, siotest.Config{New: func() (*socketio.Server, error) { return socketio.New(socketio.Config{}) }})
}
