package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hermod-io/hermod/wscore"
)

const limit = time.Minute

func listen(t *testing.T) net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// start runs the program's server.
func start(t *testing.T, l net.Listener, state string) (base string, stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- run(ctx, l, state) }() // ends with ctx
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-served:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(limit):
			t.Error("the server does not end")
		}
	})
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

// hearsAtLast passes over what comes before.
func (p *person) hearsAtLast(want string) {
	p.t.Helper()
	for got := ""; got != want; {
		select {
		case got = <-p.lines:
		case <-time.After(limit):
			p.t.Fatalf("%q was not heard", want)
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
	base, stop := start(t, listen(t), "")
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
	ann.hears("(cut off, attempt 0: wscore: closed (remote): 1001)")
	ann.leaves()
}

// Only a URI that the server made lets anybody in.
func TestStrangers(t *testing.T) {
	base, _ := start(t, listen(t), "")
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

// A client comes back as the same person when the server was started anew.
func TestComesBack(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state")
	l := listen(t)
	kept, err := l.(*net.TCPListener).File() // the port stays taken
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = kept.Close() }()
	base, stop := start(t, l, state)
	ann := join(t, base, "ann")
	ann.hears("* nobody else is here")
	ann.say("hello") // by then she is connected: a loss before is a failure to connect
	ann.hears("ann: hello")
	stop()
	if l, err = net.FileListener(kept); err != nil {
		t.Fatal(err)
	}
	start(t, l, state)
	ann.hearsAtLast("(here again)")
	ann.say("still me")
	ann.hearsAtLast("ann: still me")
	ann.leaves()
}

func TestPage(t *testing.T) {
	base, _ := start(t, listen(t), "")
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

// Whoever comes back over a new connection while the old one is still thought to
// live is one person: when the old one ends nobody has left.
func TestComesBackEarly(t *testing.T) {
	l := listen(t)
	base, _ := start(t, l, "")
	bob := join(t, base, "bob")
	bob.hears("* nobody else is here")
	path, err := invited(base, "ann")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	old, resp, err := wscore.Dial(ctx, base+path, &wscore.Settings{Subprotocols: []string{protocol}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	bob.hears("* ann came")
	again := http.Header{"Sec-Websocket-Resume": resp.Header["Sec-Websocket-Resume"]}
	now, _, err := wscore.Dial(ctx, base+path, &wscore.Settings{Subprotocols: []string{protocol}}, &wscore.DialOptions{Header: again})
	if err != nil {
		t.Fatal(err)
	}
	heard := make(chan string, 10)
	go func() { // ends with the connection
		for {
			_, b, err := now.Read(ctx)
			if err != nil {
				close(heard)
				return
			}
			heard <- string(b)
		}
	}()
	if got := <-heard; got != `{"event":"here","names":["bob"]}` {
		t.Errorf("heard %s", got)
	}
	for err = nil; err == nil; { // the server has closed it
		_, _, err = old.Read(ctx)
	}
	bob.say("still there?")
	if got := <-heard; got != `{"event":"say","from":"bob","text":"still there?"}` {
		t.Errorf("heard %s", got)
	}
	bob.hears("bob: still there?")
	_ = now.CloseNow()
	bob.hears("* ann left")
}
