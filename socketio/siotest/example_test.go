package siotest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/event"
	"github.com/hermod-io/hermod/socketio/sioclient"
	"github.com/hermod-io/hermod/socketio/siotest"
)

// exampleTB stands in an example for the *testing.T that a test is given.
type exampleTB struct {
	testing.TB
	cleanups []func()
}

func (t *exampleTB) Helper()                           {}
func (t *exampleTB) Context() context.Context          { return context.Background() }
func (t *exampleTB) Cleanup(f func())                  { t.cleanups = append(t.cleanups, f) }
func (t *exampleTB) Errorf(format string, args ...any) { fmt.Printf(format+"\n", args...) }
func (t *exampleTB) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
func (t *exampleTB) Fatal(args ...any)                 { panic(fmt.Sprint(args...)) }

func (t *exampleTB) end() {
	for ; len(t.cleanups) > 0; t.cleanups = t.cleanups[:len(t.cleanups)-1] {
		t.cleanups[len(t.cleanups)-1]()
	}
}

// A test of its own begins with func TestGreet(t *testing.T) and siotest.Run,
// which gives it fake time.
func Example() {
	t := new(exampleTB)
	defer t.end()

	const (
		Greet   event.Request[string, string] = "greet"
		Greeted event.Message[string]         = "greeted"
	)
	srv := siotest.Serve(t, func(srv *socketio.Server) {
		socketio.HandleRequest(srv, Greet, func(_ context.Context, s *socketio.Socket, who string) (string, error) {
			return "hello " + who, Greeted.Emit(s.Broadcast(), who)
		})
	}, siotest.Config{Mode: siotest.Upgrade})
	ada := srv.Connect(t, "/", sioclient.Config{})
	bob := srv.Connect(t, "/", sioclient.Config{})

	fmt.Println(siotest.Call(t, ada, Greet, "world"))
	fmt.Println(siotest.Expect(t, bob, Greeted))
	siotest.ExpectNothing(t, ada, time.Millisecond)
	// Output:
	// hello world
	// world
}

// A connection that breaks comes back by itself.
func ExampleClient_Cut() {
	t := new(exampleTB)
	defer t.end()
	srv := siotest.Serve(t, nil, siotest.Config{Server: socketio.Config{Recovery: &socketio.Recovery{}}})
	c := srv.Connect(t, "/", sioclient.Config{Reconnection: sioclient.Reconnection{Delay: time.Millisecond}})

	c.Cut()
	siotest.ExpectDisconnect(t, c)
	_ = srv.IO().Emit("news", "missed?")
	siotest.ExpectConnect(t, c)
	fmt.Println(siotest.Expect[string](t, c, "news"), c.Recovered())
	// Output: missed? true
}

// What the protocol says can be seen and said.
func ExampleServer_Raw() {
	t := new(exampleTB)
	defer t.end()
	srv := siotest.Serve(t, func(srv *socketio.Server) {
		srv.On("echo", func(_ context.Context, _ *socketio.Socket, e *socketio.Event) error {
			return e.Ack(e.Raw(0))
		})
	}, siotest.Config{})

	r := srv.Raw(t, "")
	r.Want(`0{"sid":`)
	r.Send("40")
	r.Want(`40{"sid":`)
	r.Send(`427["echo",{"a":1}]`)
	fmt.Println(r.Next())
	// Output: 437[{"a":1}]
}
