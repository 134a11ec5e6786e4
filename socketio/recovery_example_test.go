package socketio_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"strings"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/internal/testnet"
	"github.com/hermod-io/hermod/socketio"
)

// A client whose connection breaks goes on as the same socket, and is sent what
// it missed. Only a new one needs to be set up.
func ExampleRecovery() {
	srv, err := socketio.New(socketio.Config{Recovery: &socketio.Recovery{}})
	if err != nil {
		log.Fatal(err)
	}
	connected := make(chan bool)
	srv.OnConnect(func(ctx context.Context, s *socketio.Socket) error {
		defer func() { connected <- s.Recovered() }()
		if s.Recovered() {
			return nil
		}
		return s.Join(ctx, "news")
	})
	srv.OnSessionExpired(func(s adapters.Session) { log.Print(s.ID, " did not come back") })

	l := testnet.Listen(testnet.Options{})
	go http.Serve(l, srv)
	first := dialTalk(l) // its CONNECT is answered with {"sid":"…","pid":"…"}
	fmt.Println("recovered:", <-connected)
	first.conn.Close()
	fmt.Println(srv.To("news").Emit("headline", "while nobody listens"))

	second := openTalk(l)
	second.send(`40{"pid":"` + first.pid + `"}`)
	missed, _, _ := strings.Cut(string(second.skip()), `,"`+"while")
	fmt.Println(missed)
	fmt.Println("recovered:", <-connected)
	// Output:
	// recovered: false
	// <nil>
	// 42["headline"
	// recovered: true
}
