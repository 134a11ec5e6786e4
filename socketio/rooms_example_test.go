package socketio_test

import (
	"context"
	"fmt"

	"github.com/hermod-io/hermod/socketio"
)

// Whom a broadcast reaches: a socket's leaves out the socket itself, To adds
// rooms, Except takes sockets out again.
func ExampleBroadcast() {
	srv, err := socketio.New(socketio.Config{})
	if err != nil {
		panic(err)
	}
	srv.On("join", socketio.Reply(func(ctx context.Context, s *socketio.Socket, room string) (bool, error) {
		return true, s.Join(ctx, room)
	}))
	srv.On("say", socketio.Receive(func(ctx context.Context, s *socketio.Socket, text string) error {
		if err := s.To("red").Emit("red", text); err != nil { // the others in red
			return err
		}
		if err := srv.To("red", "blue").Emit("both", text); err != nil { // each once
			return err
		}
		return srv.Except("blue").Emit("rest", text)
	}))

	ada, bob := newTalk(srv), newTalk(srv)
	ada.send(`420["join","red"]`)
	ada.print()
	bob.send(`420["join","red"]`)
	bob.print()
	bob.send(`421["join","blue"]`)
	bob.print()
	ada.send(`42["say","hi"]`)
	fmt.Println("ada hears")
	ada.print()
	ada.print()
	fmt.Println("bob hears")
	bob.print()
	bob.print()
	// Output:
	// 430[true]
	// 430[true]
	// 431[true]
	// ada hears
	// 42["both","hi"]
	// 42["rest","hi"]
	// bob hears
	// 42["red","hi"]
	// 42["both","hi"]
}

// What happens to the rooms of this node. Each socket is in a room of its own, too.
func ExampleServer_OnRoom() {
	srv, err := socketio.New(socketio.Config{})
	if err != nil {
		panic(err)
	}
	told := make(chan socketio.RoomEvent, 8)
	srv.OnRoom(func(e socketio.RoomEvent) {
		if e.Room == "lobby" {
			told <- e
		}
	})
	srv.OnConnect(func(ctx context.Context, s *socketio.Socket) error {
		err := s.Join(ctx, "lobby")
		s.Leave("lobby")
		return err
	})
	newTalk(srv)
	for range 4 {
		e := <-told
		fmt.Println(e.Kind, e.Room)
	}
	// Output:
	// create-room lobby
	// join-room lobby
	// leave-room lobby
	// delete-room lobby
}
