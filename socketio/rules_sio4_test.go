package socketio_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/socketio"
)

// compat: option allowEIO3
// compat: clients of Socket.IO 2
func TestOldClient(t *testing.T) {
	run(t, oldConfig, func(r *rig) {
		r.srv.OnConnect(func(_ context.Context, s *socketio.Socket) error { return s.Emit("hello", s.ID()) })
		r.srv.On("echo", func(_ context.Context, s *socketio.Socket, e *socketio.Event) error {
			var v []byte
			if err := e.Scan(&v); err != nil {
				return err
			}
			return s.Emit("echo", v)
		})
		r.srv.On("ack", func(_ context.Context, _ *socketio.Socket, e *socketio.Event) error { return e.Ack(e.Raw(0)) })
		p, sid := r.old()
		p.want(`42["hello","`+sid+`"]`, "the socket's id is the engine's")
		s := p.socket()
		if v := s.Session().Protocol(); v != 3 || s.Handshake().Auth() != nil {
			r.Errorf("protocol %d, auth %q", v, s.Handshake().Auth())
		}
		p.send("451-[\"echo\",{\"_placeholder\":true,\"num\":0}]\x1eb\x04\x01\x02", `427["ack",5]`)
		p.want(`451-["echo",{"_placeholder":true,"num":0}]`, "an event with bytes")
		p.want("b\x04\x01\x02", "its attachment")
		p.want(`437[5]`, "an ack")
		p.send("2")
		p.want("3", "the client's heartbeat is answered")
		p.send("41")
		synctest.Wait()
		if s.Connected() {
			r.Error("the client has left")
		}
	})
}

func TestOldClientNamespaces(t *testing.T) {
	run(t, oldConfig, func(r *rig) {
		chat := r.srv.Of("/chat")
		r.srv.OfFunc(func(_ context.Context, name string, _ *socketio.Handshake) (bool, error) { return name == "/made", nil })
		var auths []string
		var ends list[string]
		chat.OnConnect(func(_ context.Context, s *socketio.Socket) error {
			auths = append(auths, string(s.Handshake().Auth()))
			return nil
		})
		chat.OnDisconnect(func(s *socketio.Socket, reason socketio.Reason) { ends.add(s.ID() + " " + string(reason)) })
		chat.On("x", func(_ context.Context, _ *socketio.Socket, e *socketio.Event) error { return e.Ack() })
		p, sid := r.old()
		p.send("40/chat?token=a%20b&x=1&x=2&y&z=50%;%41,")
		p.want("40/chat,", "the answer of a namespace")
		p.send(`42/chat,1["x"]`, `42/chat?token=a,2["x"]`)
		p.want(`43/chat,1[]`, "events")
		p.want(`43/chat,2[]`, "a query is no part of the name")
		id := "/chat#" + sid
		if chat.Socket(id) == nil {
			r.Errorf("no socket %s", id)
		}
		p.send("41/chat,", "40/chat,", `42/chat,3["x"]`)
		p.want("40/chat,", "joined again, by the same id")
		p.want(`43/chat,3[]`, "and alive")
		if s := chat.Socket(id); s == nil || !slices.Contains(s.Rooms(), id) {
			r.Errorf("the second socket of that id is %v", s)
		}
		p.send("40/nowhere?a=b,")
		p.want(`44/nowhere,{"message":"Invalid namespace"}`, "an unknown namespace")
		p.send("40/made?a=b,")
		p.want("40/made,", "a dynamic namespace")
		if want := []string{`{"token":"a b","x":"2","y":"","z":"50%;A"}`, ""}; !slices.Equal(auths, want) {
			r.Errorf("auth %q, want %q", auths, want)
		}
		if want := []string{id + " client namespace disconnect"}; !slices.Equal(ends.all(), want) {
			r.Errorf("ends %q, want %q", ends.all(), want)
		}
	})
}

func TestOldClientRefused(t *testing.T) {
	for want, err := range map[string]error{
		`44"go away"`:                   errors.New("go away"),
		`44"no data"`:                   &socketio.Error{Message: "no data"},
		`44{"code":1,"why":["x",null]}`: &socketio.Error{Message: "m", Data: map[string]any{"code": 1, "why": []any{"x", nil}}},
		`44"text"`:                      &socketio.Error{Message: "m", Data: "text"},
		`44"zero"`:                      &socketio.Error{Message: "zero", Data: 0},
		`44"void"`:                      &socketio.Error{Message: "void", Data: ""},
		`44"bytes"`:                     &socketio.Error{Message: "bytes", Data: []byte{1}},
	} {
		run(t, oldConfig, func(r *rig) {
			r.srv.Use(func(context.Context, *socketio.Socket) error { return err })
			r.srv.Of("/open")
			p, sid := r.openOld()
			p.want(want, "the middleware refuses the implicit join")
			if r.srv.Socket(sid) != nil {
				r.Error("there is a socket")
			}
			p.send("40/open,")
			p.want("40/open,", "the connection lives")
		})
	}
}

// A client that is refused everywhere is cut like any other.
func TestOldClientConnectTimeout(t *testing.T) {
	cfg := oldConfig
	cfg.ConnectTimeout = 5 * time.Second
	run(t, cfg, func(r *rig) {
		r.srv.Use(func(context.Context, *socketio.Socket) error { return errors.New("no") })
		p, _ := r.openOld()
		p.want(`44"no"`, "refused")
		p.wantClosed("nothing was joined in time")
	})
}

// The implicit join may take a while; what the client sends meanwhile waits.
func TestOldClientPending(t *testing.T) {
	run(t, oldConfig, func(r *rig) {
		proceed := make(chan struct{})
		r.srv.Use(func(context.Context, *socketio.Socket) error { <-proceed; return nil })
		r.srv.On("x", func(_ context.Context, _ *socketio.Socket, e *socketio.Event) error { return e.Ack() })
		p, _ := r.openOld()
		p.send(`421["x"]`)
		p.wantIdle("the middleware runs")
		close(proceed)
		p.want("40", "the answer")
		p.want("431[]", "then the event")
	})
}

func TestOldClientSecondConnect(t *testing.T) {
	run(t, oldConfig, func(r *rig) {
		p, _ := r.old()
		p.send("40")
		p.wantClosed("a CONNECT for a namespace that is joined")
	})
}

// One broadcast reaches clients of both protocols.
func TestOldAndNewClients(t *testing.T) {
	run(t, oldConfig, func(r *rig) {
		var new, old []*peer
		for range 2 {
			new = append(new, r.join("/"))
			p, _ := r.old()
			old = append(old, p)
		}
		if err := r.srv.Emit("news", []byte{1}, "e"); err != nil {
			r.Fatal(err)
		}
		for i := range new {
			new[i].want(`451-["news",{"_placeholder":true,"num":0},"e"]`, "an event")
			new[i].want("b\x01", "its attachment")
			old[i].want(`451-["news",{"_placeholder":true,"num":0},"e"]`, "the same")
			old[i].want("b\x04\x01", "in the old form")
		}
		replies := make(chan socketio.Replies)
		go func() {
			got, err := r.srv.EmitWithAck(context.Background(), "count")
			if err != nil {
				r.Error(err)
			}
			replies <- got
		}()
		for _, p := range append(new, old...) {
			m := string(p.wantMatch(`^42\d+\["count"\]$`, "a question"))
			p.send("43" + m[2:len(m)-len(`["count"]`)] + "[1]")
		}
		if got := <-replies; len(got) != 4 {
			r.Errorf("%d replies", len(got))
		}
	})
}

func TestOldClientDisconnected(t *testing.T) {
	run(t, oldConfig, func(r *rig) {
		r.srv.Of("/chat")
		p, sid := r.old()
		p.send("40/chat,")
		p.want("40/chat,", "joined")
		r.srv.Of("/chat").Socket("/chat#" + sid).Disconnect(false)
		p.want("41/chat,", "DISCONNECT")
		r.srv.Socket(sid).Disconnect(true)
		p.want("41", "DISCONNECT")
		p.wantClosed("the connection")
	})
}
