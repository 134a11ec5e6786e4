package engineio

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// announce sends a request whose body does not come.
func (w *world) announce(method, query string, header ...string) net.Conn {
	w.t.Helper()
	nc, err := w.l.Dial()
	if err != nil {
		w.t.Fatal(err)
	}
	lines := strings.Join(append(header, "", ""), "\r\n")
	if _, err := fmt.Fprintf(nc, "%s /engine.io/?%s HTTP/1.1\r\nHost: here.example\r\nContent-Length: 5\r\n%s", method, query, lines); err != nil {
		w.t.Fatal(err)
	}
	w.pass(0)
	return nc
}

// wantAnswer wants an answer of that status in time, and the end.
func (w *world) wantAnswer(nc net.Conn, status int, body string) {
	w.t.Helper()
	_ = nc.SetReadDeadline(time.Now().Add(lastAnswer))
	in := bufio.NewReader(nc)
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		w.t.Fatalf("no answer: %v", err)
	}
	got, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != status || string(got) != body {
		w.t.Fatalf("%d %q, %v", res.StatusCode, got, err)
	}
	if _, err := in.ReadByte(); err != io.EOF {
		w.t.Fatalf("the connection goes on: %v", err)
	}
	_ = nc.Close()
}

// net/http reads what a request has announced as its body before it answers, also
// where nobody asks for it. A GET whose body did not come held its answer, and all
// that is in it, for ever: also when its session was long over.
func TestBodyOfGETDoesNotCome(t *testing.T) {
	scenario(t, Config{}, func(w *world) {
		p := w.poller()
		s := w.h.session(0)
		nc := w.announce("GET", p.query())
		w.pass(20 * time.Second)
		if err := s.Send(0, Message{Data: []byte("news")}); err != nil {
			w.t.Fatal(err)
		}
		w.wantAnswer(nc, http.StatusOK, "4news")
		p.post("3")

		nc = w.announce("GET", p.query())
		s.Close(true)
		w.wantAnswer(nc, http.StatusOK, "1")
		w.want("all that happened", "open", "close: forced close")
	})
}

// The same of those that are refused.
func TestBodyOfRefusedDoesNotCome(t *testing.T) {
	scenario(t, Config{}, func(w *world) {
		for query, want := range map[string]string{
			"EIO=4&transport=x":            `{"code":0,"message":"Transport unknown"}`,
			pollingQuery + "&sid=x":        `{"code":1,"message":"Session ID unknown"}`,
			pollingQuery:                   `{"code":2,"message":"Bad handshake method"}`,
			"EIO=4&transport=websocket":    `{"code":2,"message":"Bad handshake method"}`,
			pollingQuery + "&sid=x&j=0&t=": `{"code":1,"message":"Session ID unknown"}`,
		} {
			w.wantAnswer(w.announce("POST", query), http.StatusBadRequest, want)
		}
		p := w.poller()
		w.wantAnswer(w.announce("PUT", p.query()), http.StatusInternalServerError, "")
		w.wantAnswer(w.announce("POST", p.query(), "Content-Type: application/octet-stream"), http.StatusBadRequest, "")
	})
}

// A body that has come does no harm, nor does the bound to what follows on the
// connection.
func TestBodyOfGETComes(t *testing.T) {
	scenario(t, Config{}, func(w *world) {
		p := w.poller()
		s := w.h.session(0)
		nc := w.announce("GET", p.query())
		defer nc.Close()
		in := bufio.NewReader(nc)
		for i := range 3 {
			if _, err := io.WriteString(nc, "hello"); err != nil {
				t.Fatal(err)
			}
			w.pass(lateBody + 5*time.Second)
			if err := s.Send(0, Message{Data: []byte("news")}); err != nil {
				t.Fatal(err)
			}
			res, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatalf("answer %d: %v", i, err)
			}
			if body, err := io.ReadAll(res.Body); err != nil || string(body) != "4news" {
				t.Fatalf("answer %d: %q, %v", i, body, err)
			}
			w.pass(lateBody + 5*time.Second)
			p.post("3")
			if _, err := fmt.Fprintf(nc, "GET /engine.io/?%s HTTP/1.1\r\nHost: here.example\r\nContent-Length: 5\r\n\r\n", p.query()); err != nil {
				t.Fatal(err)
			}
		}
	})
}
