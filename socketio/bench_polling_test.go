package socketio_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/hermod-io/hermod/internal/testnet"
	"github.com/hermod-io/hermod/socketio"
)

// requests are those of a client over long-polling, over one connection for each
// method.
type requests struct {
	tb         testing.TB
	gets       net.Conn
	posts      net.Conn
	answers    map[net.Conn]*bufio.Reader
	get, event string
}

// newRequests opens a session and joins "/". The event is one for an ack.
func newRequests(tb testing.TB, l *testnet.Listener, event string) *requests {
	tb.Helper()
	c := &requests{tb: tb, answers: make(map[net.Conn]*bufio.Reader)}
	for _, to := range []*net.Conn{&c.gets, &c.posts} {
		nc, err := l.Dial()
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() { _ = nc.Close() })
		*to, c.answers[nc] = nc, bufio.NewReader(nc)
	}
	request := func(method, sid, body string) string {
		return fmt.Sprintf("%s /socket.io/?EIO=4&transport=polling%s HTTP/1.1\r\nHost: here.example\r\nContent-Length: %d\r\n\r\n%s", method, sid, len(body), body)
	}
	_, sid, _ := strings.Cut(c.ask(c.gets, request(http.MethodGet, "", "")), `"sid":"`)
	sid, _, _ = strings.Cut("&sid="+sid, `"`)
	c.ask(c.posts, request(http.MethodPost, sid, "40"))
	c.get, c.event = request(http.MethodGet, sid, ""), request(http.MethodPost, sid, event)
	if got := c.ask(c.gets, c.get); !strings.HasPrefix(got, "40{") {
		tb.Fatalf("CONNECT is answered %q", got)
	}
	return c
}

func (c *requests) ask(nc net.Conn, request string) (body string) {
	c.tb.Helper()
	c.send(nc, request)
	return string(c.read(nc, nil))
}

func (c *requests) send(nc net.Conn, request string) {
	if _, err := io.WriteString(nc, request); err != nil {
		c.tb.Fatal(err)
	}
}

// read reads an answer, appends its body to dst, and costs no memory if that has room.
func (c *requests) read(nc net.Conn, dst []byte) []byte {
	c.tb.Helper()
	r, length := c.answers[nc], 0
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			c.tb.Fatal(err)
		}
		if n, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(n))); err != nil {
				c.tb.Fatal(err)
			}
		}
		if len(line) == len("\r\n") {
			break
		}
	}
	body, err := r.Peek(length)
	if err != nil {
		c.tb.Fatal(err)
	}
	dst = append(dst, body...)
	_, _ = r.Discard(length) // it is there
	return dst
}

// BenchmarkPolling: an event and its ack of each of 60 clients over long-polling, in
// memory, with net/http, which has most of it.
func BenchmarkPolling(b *testing.B) {
	srv, err := socketio.New(socketio.Config{})
	if err != nil {
		b.Fatal(err)
	}
	echo(srv)
	l := testnet.Listen(testnet.Options{})
	hs := &http.Server{Handler: srv}
	go func() { _ = hs.Serve(l) }() // until it is closed
	defer func() { _ = hs.Close() }()
	clients := make([]*requests, 60)
	for i := range clients {
		clients[i] = newRequests(b, l, `420["text","`+text64+`"]`)
	}
	want, got := `430["`+text64+`"]`, make([]byte, 0, 128)
	b.ReportAllocs()
	for b.Loop() {
		for _, c := range clients {
			c.send(c.gets, c.get)
			c.send(c.posts, c.event)
		}
		for _, c := range clients {
			if got = c.read(c.posts, got[:0]); string(got) != "ok" {
				b.Fatalf("%q", got)
			}
			if got = c.read(c.gets, got[:0]); string(got) != want {
				b.Fatalf("%q", got)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(clients)), "ns/echo")
}
