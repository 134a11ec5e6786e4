package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hermod-io/hermod/wscore"
)

const limit = time.Minute

// start runs the program's server.
func start(t *testing.T) (base string, stop func()) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- serve(ctx, l) }() // ends with ctx
	stop = func() {
		cancel()
		select {
		case err := <-served:
			if err != nil {
				t.Error(err)
			}
			served <- nil
		case <-time.After(limit):
			t.Error("the server does not end")
		}
	}
	t.Cleanup(stop)
	return "http://" + l.Addr().String(), stop
}

// person is a client of the program with a terminal.
type person struct {
	t     *testing.T
	in    *io.PipeWriter
	lines chan string
	ended chan error
}

func join(t *testing.T, base, name string) *person {
	stdin, in := io.Pipe()
	out, stdout := io.Pipe()
	p := &person{t, in, make(chan string, 100), make(chan error, 1)}
	go func() { // ends with talk
		for s := bufio.NewScanner(out); s.Scan(); {
			p.lines <- s.Text()
		}
	}()
	go func() { // ends when in is closed
		err := talk(base, name, stdin, stdout)
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
	base, stop := start(t)
	ann := join(t, base, "ann")
	ann.hears("* nobody else is here")
	bob := join(t, base, "bob")
	bob.hears("* here: ann")
	ann.hears("* bob came")
	ann.say("hello")
	bob.say("hi <b>ann</b>")
	for _, p := range []*person{ann, bob} {
		heard := map[string]bool{<-p.lines: true, <-p.lines: true} // who was first is open
		if !heard["ann: hello"] || !heard["bob: hi <b>ann</b>"] {
			t.Errorf("heard %v", heard)
		}
	}
	bob.leaves()
	ann.hears("* bob left")
	stop()
	if got := <-ann.lines; !strings.HasPrefix(got, "(cut off, attempt 0: ") {
		t.Errorf("got %q", got)
	}
	ann.leaves()
}

// Only a URI that the server made lets anybody in.
func TestStrangers(t *testing.T) {
	base, _ := start(t)
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	for _, path := range []string{"/ws/", "/ws/ann", "/ws/jgii_veJdQAOdbkS4nO5EniKqzyc3DFuVSac1TyTweM"} {
		_, _, err := wscore.Dial(ctx, base+path, &wscore.Settings{Subprotocols: []string{protocol}}, nil)
		var he *wscore.HandshakeError
		if !errors.As(err, &he) || he.Status != http.StatusNotFound {
			t.Errorf("%s: %v", path, err)
		}
	}
	for _, name := range []string{"", " ", strings.Repeat("x", 21), "\xff"} {
		if _, err := invited(base, name); err == nil || !strings.Contains(err.Error(), "400") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// A client whose connection is lost comes back as the same person.
func TestComesBack(t *testing.T) {
	r := newRoom()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	hs := &http.Server{Handler: r.routes(), ReadHeaderTimeout: limit}
	go func() { _ = hs.Serve(l) }() // ends with hs
	t.Cleanup(func() { _ = hs.Close() })
	ann := join(t, "http://"+l.Addr().String(), "ann")
	ann.hears("* nobody else is here")
	for p := range r.chat.Members() {
		_ = p.CloseNow()
	}
	for {
		line := <-ann.lines
		if line == "(here again)" {
			break
		}
	}
	ann.say("still me")
	for got := ""; got != "ann: still me"; {
		select {
		case got = <-ann.lines:
		case <-time.After(limit):
			t.Fatal("not heard")
		}
	}
	ann.leaves()
}

func TestPage(t *testing.T) {
	base, _ := start(t)
	res, err := http.Get(base)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if !strings.Contains(string(body), "'"+protocol+"'") || !strings.Contains(string(body), "/join") {
		t.Errorf("the page is %.80q", body)
	}
}
