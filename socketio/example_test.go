package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"strings"
	"time"

	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/event"
)

// A whole server: clients say things, and everybody in their room hears them.
func Example() {
	srv, err := socketio.New(socketio.Config{})
	if err != nil {
		log.Fatal(err)
	}
	srv.On("join", socketio.Reply(func(ctx context.Context, s *socketio.Socket, room string) (string, error) {
		return "welcome to " + room, s.Join(ctx, room)
	}))
	srv.On("say", socketio.Receive(func(ctx context.Context, s *socketio.Socket, text string) error {
		return s.To(s.Rooms()...).Emit("said", text)
	}))
	http.Handle("/socket.io/", srv)
	// log.Fatal(http.ListenAndServe(":3000", nil))

	ada, bob := newTalk(srv), newTalk(srv)
	ada.send(`420["join","engines"]`)
	bob.send(`420["join","engines"]`)
	ada.print()
	bob.print()
	ada.send(`42["say","hello"]`)
	bob.print()
	// Output:
	// 430["welcome to engines"]
	// 430["welcome to engines"]
	// 42["said","hello"]
}

// The result of a function is the ack; an *Error may be seen by the client.
//
// compat: socket.on
// compat: ack function
func ExampleReply() {
	srv, _ := socketio.New(socketio.Config{})
	srv.On("divide", socketio.Reply(func(ctx context.Context, s *socketio.Socket, in struct {
		event.Args
		A, B int
	}) (int, error) {
		if in.B == 0 {
			return 0, socketio.Errorf("division", "%d divided by nothing", in.A)
		}
		return in.A / in.B, nil
	}))
	client := newTalk(srv)
	client.send(`420["divide",6,3]`)
	client.print()
	client.send(`421["divide",6,0]`)
	client.print()
	client.send(`422["divide","six",1]`)
	client.print()
	// Output:
	// 430[2]
	// 431[{"error":{"code":"division","message":"6 divided by nothing"}}]
	// 432[{"error":{"code":"bad_request","message":"argument 0: invalid"}}]
}

// A function that answers nothing.
//
// compat: socket.on
func ExampleReceive() {
	srv, _ := socketio.New(socketio.Config{})
	srv.On("typing", socketio.Receive(func(ctx context.Context, s *socketio.Socket, room string) error {
		return s.To(room).Volatile().Emit("typing", "somebody")
	}))
}

// Any number of arguments, as raw JSON, with an ack that may come later.
func ExampleEvent_Ack() {
	srv, _ := socketio.New(socketio.Config{})
	srv.On("sum", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
		total := 0
		for i := range e.Len() {
			var n int
			if err := e.Decode(i, &n); err != nil {
				return err
			}
			total += n
		}
		go e.Ack(total)
		return nil
	})
	client := newTalk(srv)
	client.send(`420["sum",1,2,3,4]`)
	client.print()
	// Output:
	// 430[10]
}

// Asking a client, within a handler.
func ExampleSocket_Call() {
	srv, _ := socketio.New(socketio.Config{})
	srv.On("delete", socketio.Reply(func(ctx context.Context, s *socketio.Socket, name string) (string, error) {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		var sure bool
		if err := s.Call(ctx, "really?", &sure, name); err != nil || !sure {
			return "kept", err
		}
		return "deleted", nil
	}))
	client := newTalk(srv)
	client.send(`427["delete","file"]`)
	client.print()
	client.send(`430[true]`)
	client.print()
	// Output:
	// 420["really?","file"]
	// 437["deleted"]
}

// A middleware decides who may join, by the payload that the client connects with.
//
// compat: server.use
func ExampleServer_Use() {
	srv, _ := socketio.New(socketio.Config{})
	name := socketio.NewKey[string]("name")
	srv.Of("/admin").Use(func(ctx context.Context, s *socketio.Socket) error {
		var auth struct {
			Name  string `json:"name"`
			Token string `json:"token"`
		}
		if err := s.Handshake().DecodeAuth(&auth); err != nil {
			return err
		}
		if auth.Token != "secret" {
			return &socketio.Error{Message: "unauthorized", Data: map[string]string{"hint": "ask an admin"}}
		}
		name.Set(s, auth.Name)
		return nil
	})
	srv.Of("/admin").On("who", socketio.Reply(func(ctx context.Context, s *socketio.Socket, _ event.None) (string, error) {
		who, _ := name.Get(s)
		return who, nil
	}))
	client := newTalk(srv)
	client.send(`40/admin,{"name":"eve"}`)
	client.print()
	client.send(`40/admin,{"name":"ada","token":"secret"}`)
	client.skip()
	client.send(`42/admin,0["who"]`)
	client.print()
	// Output:
	// 44/admin,{"message":"unauthorized","data":{"hint":"ask an admin"}}
	// 43/admin,0["ada"]
}

// A middleware around handlers.
func ExampleNamespace_UseEvent() {
	srv, _ := socketio.New(socketio.Config{})
	srv.UseEvent(func(next socketio.Handler) socketio.Handler {
		return func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
			if strings.HasPrefix(e.Name(), "admin:") {
				return errors.New("not for everybody")
			}
			return next(ctx, s, e)
		}
	})
	srv.On("admin:stop", func(context.Context, *socketio.Socket, *socketio.Event) error {
		fmt.Println("never")
		return nil
	})
	client := newTalk(srv)
	client.send(`420["admin:stop"]`)
	client.print()
	// Output:
	// 430[{"error":{"code":"internal","message":"internal error"}}]
}

// Rooms, and a broadcast that is answered.
func ExampleBroadcast_EmitWithAck() {
	srv, _ := socketio.New(socketio.Config{})
	srv.Use(func(ctx context.Context, s *socketio.Socket) error { return s.Join(ctx, "voters") }) // before the client has joined
	a, b := newTalk(srv), newTalk(srv)
	votes := make(chan socketio.Replies)
	go func() {
		replies, err := srv.To("voters").Timeout(time.Second).EmitWithAck(context.Background(), "vote")
		if missing := (*socketio.AckError)(nil); errors.As(err, &missing) {
			fmt.Println(missing.Missing, "did not vote")
		}
		votes <- replies
	}()
	a.print()
	b.print()
	a.send(`430["yes"]`)
	for _, vote := range <-votes {
		fmt.Printf("%s\n", vote.Raw(0))
	}
	// Output:
	// 420["vote"]
	// 420["vote"]
	// 1 did not vote
	// "yes"
}

// Descriptors are shared by both ends, so that they agree on names and types.
func ExampleHandleRequest() {
	type Point struct {
		X int `json:"x"`
		Y int `json:"y"`
	}
	const Mirror socketio.Request[Point, Point] = "mirror"

	srv, _ := socketio.New(socketio.Config{})
	socketio.HandleRequest(srv, Mirror, func(ctx context.Context, s *socketio.Socket, p Point) (Point, error) {
		return Point{p.Y, p.X}, nil
	})
	client := newTalk(srv)
	client.send(`420["mirror",{"x":1,"y":2}]`)
	client.print()
	// Output:
	// 430[{"x":2,"y":1}]
}

// An event with several arguments, that is not answered.
func ExampleHandleMessage() {
	type Move struct {
		event.Args
		X, Y int
	}
	const Moved socketio.Message[Move] = "moved"

	srv, _ := socketio.New(socketio.Config{})
	socketio.HandleMessage(srv, Moved, func(ctx context.Context, s *socketio.Socket, m Move) error {
		return Moved.Emit(s, Move{X: -m.X, Y: -m.Y})
	})
	client := newTalk(srv)
	client.send(`42["moved",1,2]`)
	client.print()
	// Output:
	// 42["moved",-1,-2]
}

// Namespaces whose names have one form.
func ExampleServer_OfPattern() {
	srv, err := socketio.New(socketio.Config{CleanupEmptyChildNamespaces: true})
	if err != nil {
		panic(err)
	}
	docs := srv.OfPattern("/docs/{team}/{id...}")
	docs.OnConnect(func(ctx context.Context, s *socketio.Socket) error {
		return s.Emit("document", s.Param("team"), s.Param("id"))
	})

	// Clients make the namespaces by joining them; Of does so as well.
	n := srv.Of("/docs/blue/plans/2027")
	fmt.Println(n.Param("team"), n.Param("id"))
	fmt.Println(n.Parent() == docs)
	// Output:
	// blue plans/2027
	// true
}
