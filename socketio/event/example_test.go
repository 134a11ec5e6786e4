package event_test

import (
	"context"
	"fmt"

	"github.com/hermod-io/hermod/socketio/event"
)

type JoinRequest struct{ Room string }

type JoinResponse struct{ Members int }

// Move is an event with two arguments.
type Move struct {
	event.Args
	X, Y int
}

const (
	Typing event.Message[string]                    = "typing"
	Moved  event.Message[Move]                      = "moved"
	Left   event.Message[event.None]                = "left"
	Join   event.Request[JoinRequest, JoinResponse] = "join"
)

// console stands for a socket.
type console struct{}

func (console) Emit(name string, args ...any) error {
	fmt.Println(name, args)
	return nil
}

func (console) Call(_ context.Context, name string, reply any, args ...any) error {
	fmt.Printf("%s %+v\n", name, args)
	reply.(*JoinResponse).Members = 3
	return nil
}

func ExampleMessage() {
	_ = Typing.Emit(console{}, "ada")
	_ = Left.Emit(console{}, event.None{})
	// Output:
	// typing [ada]
	// left []
}

func ExampleRequest() {
	res, err := Join.Call(context.Background(), console{}, JoinRequest{Room: "lobby"})
	fmt.Println(res.Members, err)
	// Output:
	// join [{Room:lobby}]
	// 3 <nil>
}

func ExampleArgs() {
	_ = Moved.Emit(console{}, Move{X: 3, Y: 4})
	// Output: moved [3 4]
}

type Command struct {
	event.Args
	Name    string
	Options event.Rest
}

func ExampleRest() {
	const run event.Message[Command] = "run"
	_ = run.Emit(console{}, Command{Name: "copy", Options: event.Rest{"fast", 3}})
	const say event.Message[event.Rest] = "say"
	_ = say.Emit(console{}, event.Rest{"a", "b"})
	// Output:
	// run [copy fast 3]
	// say [a b]
}

func ExampleTargets() {
	var m Move
	for i, target := range event.Targets(&m) {
		*target.(*int) = 10 * (i + 1)
	}
	fmt.Println(m.X, m.Y)
	// Output: 10 20
}
