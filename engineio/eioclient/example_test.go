package eioclient_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"time"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/engineio/eioclient"
)

// shouting is a server's Handler that answers in kind.
type shouting struct{}

func (shouting) OnOpen(*engineio.Session) {}

func (shouting) OnMessage(s *engineio.Session, binary bool, data []byte) {
	_ = s.Send(0, engineio.Message{Binary: binary, Data: append(data, '!')})
}

func (shouting) OnClose(*engineio.Session, engineio.Reason, error) {}

// A session with our own server.
func Example() {
	srv, _ := engineio.New(engineio.Config{}, shouting{})
	h := httptest.NewServer(srv)
	defer h.Close()
	defer srv.Close(context.Background())
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	d, err := eioclient.NewDialer(eioclient.Config{})
	if err != nil {
		panic(err)
	}
	defer d.Close(ctx)
	received := make(chan string)
	ended := make(chan eioclient.Reason, 1)
	s, err := d.Dial(ctx, h.URL, eioclient.Handler{
		OnMessage: func(binary bool, data []byte) { received <- string(data) },
		OnClose:   func(reason eioclient.Reason, err error) { ended <- reason },
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(s.Send(0, eioclient.Message{Data: []byte("hello")}))
	fmt.Println(<-received)
	s.Close()
	fmt.Println(<-ended)
	// Output:
	// <nil>
	// hello!
	// forced close
}
