package sioclient_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"time"

	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/sioclient"
)

// exampleServer starts a server to talk to.
func exampleServer() (url string, stop func()) {
	srv, _ := socketio.New(socketio.Config{})
	srv.Of("/chat").On("join", socketio.Reply(func(ctx context.Context, s *socketio.Socket, room string) (string, error) {
		if room == "" {
			return "", socketio.Errorf("no_room", "which room?")
		}
		return "welcome to " + room, s.Emit("said", "hello from "+room)
	}))
	srv.Of("/private").Use(func(ctx context.Context, s *socketio.Socket) error {
		var auth struct{ Token string }
		if err := s.Handshake().DecodeAuth(&auth); err != nil || auth.Token != "secret" {
			return errors.New("not for you")
		}
		return nil
	})
	h := httptest.NewServer(srv)
	return h.URL, func() {
		_ = srv.Close(context.Background())
		h.Close()
	}
}

// A client with a handler, which asks and is told.
func Example() {
	url, stop := exampleServer()
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	client, err := sioclient.New(url+"/chat", sioclient.Config{})
	if err != nil {
		panic(err)
	}
	defer client.Close(ctx)
	said := make(chan string)
	client.On("said", sioclient.Receive(func(ctx context.Context, s *sioclient.Socket, text string) error {
		said <- text
		return nil
	}))
	if err := client.Connect(ctx); err != nil {
		panic(err)
	}
	var welcome string
	if err := client.Call(ctx, "join", &welcome, "lobby"); err != nil {
		panic(err)
	}
	fmt.Println(welcome)
	fmt.Println(<-said)
	// Output:
	// welcome to lobby
	// hello from lobby
}

// Dial for a client that only asks. The path of the URL is the namespace.
func ExampleDial() {
	url, stop := exampleServer()
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	_, err := sioclient.Dial(ctx, url+"/private", sioclient.Config{})
	var refused *sioclient.ConnectError
	fmt.Println(errors.As(err, &refused), err)

	client, err := sioclient.Dial(ctx, url+"/private", sioclient.Config{
		Auth: func(context.Context) (any, error) { return map[string]string{"Token": "secret"}, nil },
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(client.Connected())
	fmt.Println(client.Close(ctx))
	// Output:
	// true socketio: connect to /private: not for you
	// true
	// <nil>
}

// Descriptors are shared by both ends.
func ExampleHandleMessage() {
	const (
		Join sioclient.Request[string, string] = "join"
		Said sioclient.Message[string]         = "said"
	)
	url, stop := exampleServer()
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client, err := sioclient.Dial(ctx, url+"/chat", sioclient.Config{})
	if err != nil {
		panic(err)
	}
	defer client.Close(ctx)
	said := make(chan string)
	sioclient.HandleMessage(client, Said, func(ctx context.Context, s *sioclient.Socket, text string) error {
		said <- text
		return nil
	})
	welcome, err := Join.Call(ctx, client, "the club")
	fmt.Println(welcome, err)
	fmt.Println(<-said)
	// Output:
	// welcome to the club <nil>
	// hello from the club
}

// One connection for several namespaces, and its events.
func ExampleManager() {
	url, stop := exampleServer()
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	m, err := sioclient.NewManager(url, sioclient.Config{
		Reconnection: sioclient.Reconnection{Delay: 500 * time.Millisecond, Attempts: 10},
	})
	if err != nil {
		panic(err)
	}
	defer m.Close(ctx)
	m.OnOpen(func() { fmt.Println("open") })
	chat := m.Socket("/chat", sioclient.SocketOptions{})
	main := m.Socket("/", sioclient.SocketOptions{})
	for _, s := range []*sioclient.Socket{chat, main} {
		fmt.Println(s.Namespace(), s.Connect(ctx))
	}
	// Output:
	// open
	// /chat <nil>
	// / <nil>
}
