package socketio_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/memory"
	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/socketio"
)

func TestValidate(t *testing.T) {
	for name, cfg := range map[string]socketio.Config{
		"packets":   {Mailbox: socketio.Mailbox{Packets: -1}},
		"bytes":     {Mailbox: socketio.Mailbox{Bytes: -1}},
		"transport": {Engine: engineio.Config{Transports: []string{"pigeon"}}},
	} {
		if _, err := socketio.New(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	var zero socketio.Config
	if err := zero.Validate(); err != nil {
		t.Error(err)
	}
	srv, err := socketio.New(zero)
	if err != nil {
		t.Fatal(err)
	}
	if got := srv.Engine().Config(); got.Path != "/socket.io" || got.PingInterval != 25*time.Second {
		t.Errorf("%+v", got)
	}
	if err := srv.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestAdapterThatCannotBeMade: New reports it; a namespace that comes later
// refuses everything with the error.
// compat: option adapter
func TestAdapterThatCannotBeMade(t *testing.T) {
	broken := errors.New("no route to the store")
	fail := func(adapters.Local) (adapters.Adapter, error) { return nil, broken }
	if _, err := socketio.New(socketio.Config{Adapter: fail}); !errors.Is(err, broken) {
		t.Error(err)
	}
	ok := true
	srv, err := socketio.New(socketio.Config{Adapter: func(l adapters.Local) (adapters.Adapter, error) {
		if ok {
			ok = false
			return memory.New()(l)
		}
		return nil, broken
	}})
	if err != nil {
		t.Fatal(err)
	}
	n := srv.Of("/late")
	ctx := context.Background()
	_, ackErr := n.EmitWithAck(ctx, "x")
	_, fetchErr := n.FetchSockets(ctx)
	_, roomsErr := n.Rooms(ctx)
	for i, err := range []error{
		n.Emit("x"), ackErr, fetchErr, roomsErr, n.SocketsJoin(ctx, "r"), n.SocketsLeave(ctx, "r"),
		n.DisconnectSockets(ctx, true), n.ServerSideEmit(ctx, "x"),
	} {
		if !errors.Is(err, broken) {
			t.Errorf("%d: %v", i, err)
		}
	}
	d := serveDirect(t, srv)
	client := dialTalk(d.listener.Listener)
	client.send("40/late,")
	if m := client.skip(); m != `44/late,{"message":"internal error"}` {
		t.Error(m)
	}
}
