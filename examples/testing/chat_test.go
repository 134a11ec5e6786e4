package main

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/sioclient"
	"github.com/hermod-io/hermod/socketio/siotest"
)

// serve starts the chat as main does.
func serve(t *testing.T, mode siotest.Mode) *siotest.Server {
	t.Helper()
	return siotest.Serve(t, register, siotest.Config{
		Mode:   mode,
		Server: socketio.Config{Recovery: &socketio.Recovery{}},
	})
}

// as is the configuration of a client with a name.
func as(name string) sioclient.Config {
	return sioclient.Config{Auth: func(context.Context) (any, error) { return map[string]string{"name": name}, nil }}
}

// Each runs the test over WebSocket, polling and the upgrade, in fake time.
func TestTalk(t *testing.T) {
	siotest.Each(t, func(t *testing.T, mode siotest.Mode) {
		srv := serve(t, mode)
		ada, bob, eve := srv.Connect(t, "/chat", as("ada")), srv.Connect(t, "/chat", as("bob")), srv.Connect(t, "/chat", as("eve"))
		if there := siotest.Call(t, ada, Join, "go"); len(there) != 0 {
			t.Errorf("ada finds %q", there)
		}
		if there := siotest.Call(t, bob, Join, "go"); !slices.Equal(there, []string{"ada"}) {
			t.Errorf("bob finds %q", there)
		}
		if who := siotest.Expect(t, ada, Joined); who != "bob" {
			t.Errorf("%s has joined", who)
		}
		siotest.Call(t, bob, Say, Words{Room: "go", Text: "hello"})
		if got, want := siotest.Expect(t, ada, Said), (Line{Who: "bob", Text: "hello"}); got != want {
			t.Errorf("ada hears %v", got)
		}
		// Fake time: a quiet hour takes no time, heartbeats included.
		siotest.ExpectNothing(t, bob, time.Hour)
		siotest.ExpectNothing(t, eve, time.Hour)
	})
}

func TestRefusals(t *testing.T) {
	siotest.Run(t, func(t *testing.T) {
		srv := serve(t, siotest.WebSocket)
		if e := srv.Refused(t, "/chat", as(" ")); e.Message != "what is your name?" {
			t.Errorf("refused by %q", e.Message)
		}
		ada := srv.Connect(t, "/chat", as("ada"))
		if e := siotest.CallError(t, ada, Say, Words{Room: "go"}); e.Code != "not_in_room" {
			t.Errorf("the error is %q", e.Code)
		}
	})
}

// The connection breaks; what is said meanwhile is not missed.
func TestNothingIsMissed(t *testing.T) {
	siotest.Each(t, func(t *testing.T, mode siotest.Mode) {
		srv := serve(t, mode)
		ada, bob := srv.Connect(t, "/chat", as("ada")), srv.Connect(t, "/chat", as("bob"))
		siotest.Call(t, ada, Join, "go")
		siotest.Call(t, bob, Join, "go")

		ada.Cut()
		siotest.ExpectDisconnect(t, ada)
		siotest.Call(t, bob, Say, Words{Room: "go", Text: "are you there?"})
		siotest.ExpectConnect(t, ada)
		if got := siotest.Expect(t, ada, Said); got.Text != "are you there?" {
			t.Errorf("ada hears %v", got)
		}
	})
}

// A laptop is shut: the others hear of it when its heartbeat is missed.
func TestSilentLoss(t *testing.T) {
	siotest.Run(t, func(t *testing.T) {
		srv := serve(t, siotest.WebSocket)
		ada, bob := srv.Connect(t, "/chat", as("ada")), srv.Connect(t, "/chat", as("bob"))
		siotest.Call(t, ada, Join, "go")
		siotest.Call(t, bob, Join, "go")
		ada.Stall()
		if who := siotest.Expect(t, bob, Left); who != "ada" {
			t.Errorf("%s has left", who)
		}
	})
}
