package redisadapter

import (
	"fmt"
	"slices"
	"testing"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/internal/redistest"
	"github.com/hermod-io/hermod/socketio/parser"
)

// Who puts sockets of other nodes into a room and emits to it at once reaches
// them, though their nodes have not subscribed its channel yet: seen to lose
// 20 of 20 before that went to the channel for all.
func TestClassicJoinThenEmit(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	a := classicNode(t, server.Client(), Options{}, &fakeLocal{name: "/"})
	b := classicNode(t, server.Client(), Options{}, &fakeLocal{name: "/"})
	e := newEmitter(t, server.Client(), EmitterOptions{})
	m := join(t, b, "m")
	var want []string
	for i := range 20 {
		room := fmt.Sprint("r", i)
		if err := a.SocketsJoin(t.Context(), adapters.Target{Rooms: []string{"m"}}, room); err != nil {
			t.Fatal(err)
		}
		p := &parser.Packet{Type: parser.Event, Args: parser.Args{JSON: []byte(`["` + room + `"]`)}}
		if err := a.Broadcast(p, adapters.Target{Rooms: []string{room}}); err != nil {
			t.Fatal(err)
		}
		want = append(want, `["`+room+`"]`)
	}
	for i := range 20 {
		room := fmt.Sprint("e", i)
		redistest.Until(t, "the node", func() bool { return len(m.events()) == len(want) })
		if err := e.In("m").SocketsJoin(room); err != nil {
			t.Fatal(err)
		}
		if err := e.To(room).Emit(room); err != nil {
			t.Fatal(err)
		}
		want = append(want, `["`+room+`"]`)
	}
	redistest.Until(t, "all", func() bool { return len(m.events()) == len(want) })
	if got := m.events(); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

// A socket that joined before the emit is reached, each time: Join returns when
// Redis has confirmed the channel.
func TestClassicJoinRace(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	a := classicNode(t, server.Client(), Options{}, &fakeLocal{name: "/"})
	b := classicNode(t, server.Client(), Options{}, &fakeLocal{name: "/"})
	for i := range 40 {
		room := fmt.Sprint("room", i)
		m := join(t, b, fmt.Sprint("m", i), room)
		p := &parser.Packet{Type: parser.Event, Args: parser.Args{JSON: []byte(`["e"]`)}}
		if err := a.Broadcast(p, adapters.Target{Rooms: []string{room}}); err != nil {
			t.Fatal(err)
		}
		redistest.Until(t, room, func() bool { return len(m.events()) == 1 })
	}
}
