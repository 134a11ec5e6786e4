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

// start runs the program's server, and stops it at the end.
func start(t *testing.T) (base string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- serve(ctx, l) }() // ends with ctx
	t.Cleanup(func() {
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
	return "http://" + l.Addr().String()
}

// terminal is a client of the program.
type terminal struct {
	t     *testing.T
	in    *io.PipeWriter
	lines chan string
	ended chan error
}

func open(t *testing.T, base string) *terminal {
	stdin, in := io.Pipe()
	out, stdout := io.Pipe()
	c := &terminal{t, in, make(chan string, 100), make(chan error, 1)}
	go func() { // ends with watch
		for s := bufio.NewScanner(out); s.Scan(); {
			c.lines <- s.Text()
		}
	}()
	go func() { // ends when in is closed
		err := watch(base, stdin, stdout)
		_ = stdout.Close()
		c.ended <- err
	}()
	t.Cleanup(func() {
		_ = in.Close()
		if err := <-c.ended; err != nil {
			t.Error(err)
		}
	})
	return c
}

func (c *terminal) types(line string) { _, _ = io.WriteString(c.in, line+"\n") }

func (c *terminal) shows(want ...string) {
	c.t.Helper()
	for _, w := range want {
		select {
		case got := <-c.lines:
			if got != w {
				c.t.Fatalf("it shows %q, want %q", got, w)
			}
		case <-time.After(limit):
			c.t.Fatalf("%q is not shown", w)
		}
	}
}

func TestClientsSeeChanges(t *testing.T) {
	base := start(t)
	ann := open(t, base)
	ann.shows("0 notes")
	ann.types("buy milk")
	ann.shows("added 1 buy milk")
	bob := open(t, base)
	bob.shows("1 notes", "1 buy milk")
	bob.types("call mum")
	bob.shows("added 2 call mum")
	ann.shows("added 2 call mum")
	ann.types("-1")
	bob.shows("deleted 1 buy milk")
	ann.shows("deleted 1 buy milk")
	ann.types("-1")
	ann.shows("404: no such note")
	ann.types(strings.Repeat("x", 1001))
	ann.shows("400: a note has a text of at most 1000 bytes")
}

// The page's protocol: JSON in text frames, and calls from the server.
func TestThePagesProtocol(t *testing.T) {
	base := start(t)
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	c, _, err := wscore.Dial(ctx, base+"/ws", &wscore.Settings{Subprotocols: []string{"synopsejson"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.CloseNow() }()
	for _, step := range []struct{ send, want string }{
		{`{"request":["GET","notes","",0,"",""]}`, `{"answer":[200,"","",[]` + "\n" + `]}`},
		// What the handler sent goes out before its answer.
		{`{"request":["POST","notes","",0,"",{"text":"from a page"}]}`, `{"request":["","changed/added","",1,"",{"id":1,"text":"from a page"}]}`},
		{"", `{"answer":[201,"","",{"id":1,"text":"from a page"}` + "\n" + `]}`},
	} {
		if step.send != "" {
			_ = c.Send(wscore.OpText, []byte(step.send))
		}
		if _, got, err := c.Read(ctx); err != nil || string(got) != step.want {
			t.Fatalf("got %s, %v; want %s", got, err, step.want)
		}
	}
}

func TestPlainHTTPAndPage(t *testing.T) {
	base := start(t)
	res, err := http.Post(base+"/notes", "application/json", strings.NewReader(`{"text":"by HTTP"}`))
	if err != nil || res.StatusCode != http.StatusCreated {
		t.Fatal(res, err)
	}
	res, err = http.Get(base + "/")
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := io.ReadAll(res.Body); !strings.Contains(string(b), "synopsejson") {
		t.Error("the page is not there")
	}
	var he *wscore.HandshakeError
	if _, _, err := wscore.Dial(t.Context(), base+"/ws", &wscore.Settings{Subprotocols: []string{"unknown"}}, nil); !errors.As(err, &he) || he.Status != http.StatusBadRequest {
		t.Errorf("an unknown subprotocol: %v", err)
	}
}
