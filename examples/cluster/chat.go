package main

import (
	"cmp"
	"context"
	"errors"
	"log"
	"slices"

	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/event"
)

// The events, which clients in Go share.
const (
	Join event.Request[Seat, []Person]     = "join" // answered with all who are in the room, on any node
	Say  event.Request[string, event.None] = "say"
	Said event.Message[Line]               = "said"
	Came event.Message[Person]             = "came"
	Left event.Message[Person]             = "left"
)

// Seat is what somebody asks for.
type Seat struct {
	Name string `json:"name"`
	Room string `json:"room"`
}

// Person is somebody in a room, and the node that she is connected to.
type Person struct {
	Name string `json:"name"`
	Node string `json:"node"`
}

// Line is what somebody says.
type Line struct {
	From Person `json:"from"`
	Text string `json:"text"`
}

// member is the data of a socket. Other nodes get it as JSON, with FetchSockets.
type member struct {
	Person
	Room string `json:"room"`
}

var key = socketio.NewKey[member]("member")

// register makes srv a node of the chat. None of it says where others are: To and
// In mean the sockets of all nodes.
func register(srv *socketio.Server, node string) {
	socketio.HandleRequest(srv, Join, func(ctx context.Context, s *socketio.Socket, q Seat) ([]Person, error) {
		if q.Name == "" || q.Room == "" {
			return nil, socketio.Errorf("no_name", "a name and a room, please")
		}
		if old, ok := key.Get(s); ok {
			return nil, socketio.Errorf("joined", "you are in %s", old.Room)
		}
		me := member{Person{q.Name, node}, q.Room}
		key.Set(s, me)
		// Join returns when Redis has confirmed that the room is heard here, so
		// nothing that is said from now on is missed.
		if err := s.Join(ctx, q.Room); err != nil {
			return nil, err
		}
		if err := Came.Emit(s.To(q.Room), me.Person); err != nil {
			return nil, err
		}
		return people(ctx, srv, q.Room)
	})
	socketio.HandleRequest(srv, Say, func(_ context.Context, s *socketio.Socket, text string) (none event.None, err error) {
		me, ok := key.Get(s)
		if !ok {
			return none, socketio.Errorf("no_seat", "join a room first")
		}
		return none, Said.Emit(srv.To(me.Room), Line{me.Person, text})
	})
	srv.OnDisconnecting(func(s *socketio.Socket, _ socketio.Reason) {
		if me, ok := key.Get(s); ok {
			_ = Left.Emit(s.To(me.Room), me.Person) // Redis may be away
		}
	})
}

// people asks all nodes who is in a room.
func people(ctx context.Context, srv *socketio.Server, room string) ([]Person, error) {
	sockets, err := srv.In(room).FetchSockets(ctx)
	var partial *socketio.AckError
	if errors.As(err, &partial) { // a node has just died, or is slow
		log.Printf("%s: %v", room, err)
	} else if err != nil {
		return nil, err
	}
	list := []Person{}
	for _, remote := range sockets {
		var data struct {
			Member member `json:"member"`
		}
		if err := remote.DecodeData(&data); err != nil {
			return nil, err
		}
		list = append(list, data.Member.Person)
	}
	slices.SortFunc(list, func(a, b Person) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Node, b.Node)) })
	return list, nil
}
