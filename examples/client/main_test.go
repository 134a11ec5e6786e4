package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/event"
)

const limit = time.Minute

// serve starts a server that speaks as the server program's chat does, and
// returns it and its address.
func serve(t *testing.T) (*socketio.Server, string) {
	t.Helper()
	srv, err := socketio.New(socketio.Config{})
	if err != nil {
		t.Fatal(err)
	}
	name := socketio.NewKey[string]("name")
	socketio.HandleRequest(srv, Join, func(ctx context.Context, s *socketio.Socket, in JoinRequest) (Joined, error) {
		name.Set(s, in.Name)
		if err := s.Join(ctx, in.Room); err != nil {
			return Joined{}, err
		}
		err := Came.Emit(s.To(in.Room), Change{Person{in.Name}})
		return Joined{Room: in.Room, People: make([]Person, 1), History: []Post{{From: Person{"old"}, Text: "times"}}}, err
	})
	socketio.HandleRequest(srv, Say, func(ctx context.Context, s *socketio.Socket, in Text) (event.None, error) {
		if in.Text == "bad" {
			return event.None{}, socketio.Errorf("bad_text", "no")
		}
		from, _ := name.Get(s)
		return event.None{}, Posted.Emit(s.To("lobby"), Post{From: Person{from}, Text: in.Text})
	})
	srv.OnDisconnecting(func(s *socketio.Socket, _ socketio.Reason) {
		from, _ := name.Get(s)
		_ = Left.Emit(s.To("lobby"), Change{Person{from}})
	})
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", srv)
	h := httptest.NewServer(mux)
	t.Cleanup(func() {
		_ = srv.Close(context.Background())
		h.Close()
	})
	return srv, h.URL
}

// person is the program with a terminal.
type person struct {
	t     *testing.T
	in    *io.PipeWriter
	lines chan string
	ended chan error
}

func join(t *testing.T, url, name string) *person {
	stdin, in := io.Pipe()
	out, stdout := io.Pipe()
	p := &person{t, in, make(chan string, 100), make(chan error, 1)}
	go func() { // ends with talk
		for s := bufio.NewScanner(out); s.Scan(); {
			p.lines <- s.Text()
		}
	}()
	go func() { // ends when in is closed
		err := talk(url, JoinRequest{Room: "lobby", Name: name}, stdin, stdout)
		_ = stdout.Close()
		p.ended <- err
	}()
	t.Cleanup(func() { _ = in.Close() })
	return p
}

func (p *person) say(text string) { _, _ = io.WriteString(p.in, text+"\n") }

func (p *person) hears(want ...string) {
	p.t.Helper()
	for _, w := range want {
		select {
		case got := <-p.lines:
			if got != w {
				p.t.Fatalf("heard %q, want %q", got, w)
			}
		case <-time.After(limit):
			p.t.Fatalf("%q was not heard", w)
		}
	}
}

func (p *person) leaves() {
	p.t.Helper()
	_ = p.in.Close()
	select {
	case err := <-p.ended:
		if err != nil {
			p.t.Error(err)
		}
	case <-time.After(limit):
		p.t.Fatal("the client does not end")
	}
}

func TestChat(t *testing.T) {
	srv, url := serve(t)
	ann := join(t, url, "ann")
	ann.hears("old: times", "* you are in lobby, with 1 people in all")
	bob := join(t, url, "bob")
	bob.hears("old: times", "* you are in lobby, with 1 people in all")
	ann.hears("* bob came")
	ann.say("hello")
	bob.hears("ann: hello")
	bob.say("bad")
	bob.hears("(not said: socketio: bad_text: no)")
	bob.leaves()
	ann.hears("* bob left")

	for s := range srv.Sockets() {
		s.Session().Close(true) // the connection is lost
	}
	ann.hears("(cut off: transport close)", "old: times", "* you are in lobby, with 1 people in all")
	ann.leaves()
}

func TestNoServer(t *testing.T) {
	if err := talk("nonsense://", JoinRequest{}, nil, io.Discard); err == nil {
		t.Error("no error")
	}
}
