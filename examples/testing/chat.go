package main

import (
	"context"
	"slices"
	"strings"

	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/event"
)

// The events, which the tests share.
const (
	Join   event.Request[string, []string]  = "join" // a room; answered with who is there
	Say    event.Request[Words, event.None] = "say"
	Said   event.Message[Line]              = "said"
	Joined event.Message[string]            = "joined"
	Left   event.Message[string]            = "left"
)

// Words are what someone says in a room.
type Words struct {
	Room string `json:"room"`
	Text string `json:"text"`
}

// Line is what the others hear.
type Line struct {
	Who  string `json:"who"`
	Text string `json:"text"`
}

var name = socketio.NewKey[string]("name")

// register puts the chat into the namespace /chat.
func register(srv *socketio.Server) {
	chat := srv.Of("/chat")
	chat.Use(authenticate)
	socketio.HandleRequest(chat, Join, func(ctx context.Context, s *socketio.Socket, room string) ([]string, error) {
		there := []string{}
		for other := range chat.Sockets() {
			if in(other, room) {
				who, _ := name.Get(other)
				there = append(there, who)
			}
		}
		if err := s.Join(ctx, room); err != nil {
			return nil, err
		}
		who, _ := name.Get(s)
		return there, Joined.Emit(s.To(room), who)
	})
	socketio.HandleRequest(chat, Say, func(_ context.Context, s *socketio.Socket, w Words) (none event.None, err error) {
		if !in(s, w.Room) {
			return none, socketio.Errorf("not_in_room", "join %s first", w.Room)
		}
		who, _ := name.Get(s)
		return none, Said.Emit(s.To(w.Room), Line{Who: who, Text: w.Text})
	})
	chat.OnDisconnecting(func(s *socketio.Socket, _ socketio.Reason) {
		if who, ok := name.Get(s); ok {
			_ = Left.Emit(chat.To(s.Rooms()...), who)
		}
	})
}

// authenticate lets in who has a name.
func authenticate(_ context.Context, s *socketio.Socket) error {
	var auth struct {
		Name string `json:"name"`
	}
	if err := s.Handshake().DecodeAuth(&auth); err != nil || strings.TrimSpace(auth.Name) == "" {
		return &socketio.Error{Message: "what is your name?"}
	}
	name.Set(s, auth.Name)
	return nil
}

func in(s *socketio.Socket, room string) bool { return slices.Contains(s.Rooms(), room) }
