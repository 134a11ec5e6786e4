package socketio_test

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"

	"github.com/hermod-io/hermod/internal/testnet"
	"github.com/hermod-io/hermod/socketio"
)

// talk is a client of the examples, joined to the main namespace: it sends
// packets and prints what comes. It lives as long as the program.
type talk struct {
	conn *testnet.Conn
	in   *bufio.Reader
	pid  string // when recovery is on
}

func newTalk(srv *socketio.Server) *talk {
	l := testnet.Listen(testnet.Options{})
	go http.Serve(l, srv)
	return dialTalk(l)
}

func dialTalk(l *testnet.Listener) *talk {
	t := openTalk(l)
	t.send("40")
	_, pid, _ := strings.Cut(string(t.skip()), `"pid":"`) // in the reply
	t.pid = strings.TrimSuffix(pid, `"}`)
	return t
}

// openTalk is a client that has not joined yet.
func openTalk(l *testnet.Listener) *talk {
	conn, err := l.Dial()
	if err != nil {
		panic(err)
	}
	t := &talk{conn: conn, in: bufio.NewReader(conn)}
	if _, err := conn.Write([]byte(upgradeRequest)); err != nil {
		panic(err)
	}
	if _, err := http.ReadResponse(t.in, nil); err != nil {
		panic(err)
	}
	t.skip() // the handshake
	return t
}

func (t *talk) send(packet string) {
	if _, err := t.conn.Write(frames(message(packet))); err != nil {
		panic(err)
	}
}

func (t *talk) skip() message {
	m, err := readFrame(t.in)
	if err != nil {
		panic(err)
	}
	return m
}

func (t *talk) print() { fmt.Println(t.skip()) }
