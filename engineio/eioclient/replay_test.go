package eioclient_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/hermod-io/hermod/engineio/eioclient"
)

// A connection was cut after the server had answered a GET on it, and before the
// answer arrived. net/http sends a GET again by itself when its connection was in
// use before, so the session went on, without the messages of that answer.
func TestLostAnswerEndsTheSession(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var gets atomic.Int32
	go func() { // ends with the listener
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go cutSecond(c.(*net.TCPConn), &gets)
		}
	}()
	ended := make(chan eioclient.Reason, 1)
	_, err = dialURL(t, "http://"+l.Addr().String(), eioclient.Config{NoUpgrade: true}, eioclient.Handler{
		OnClose: func(r eioclient.Reason, err error) { ended <- r },
	})
	if err != nil {
		t.Fatal(err)
	}
	if r := <-ended; r != eioclient.TransportError {
		t.Errorf("ended with %s", r)
	}
	if n := gets.Load(); n != 2 {
		t.Errorf("%d requests, want the handshake and one GET", n)
	}
}

// cutSecond answers requests of one connection but for the second, at which it
// resets the connection. It ends with the connection.
func cutSecond(c *net.TCPConn, gets *atomic.Int32) {
	defer c.Close()
	in := bufio.NewReader(c)
	for i := range 2 {
		if _, err := http.ReadRequest(in); err != nil {
			return
		}
		gets.Add(1)
		if i == 1 {
			_ = c.SetLinger(0)
			return
		}
		body := fmt.Sprintf(open, 25000, 1000000)
		if _, err := fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body); err != nil {
			return
		}
	}
}
