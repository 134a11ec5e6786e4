package engineio_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/wscore"
	"github.com/hermod-io/hermod/wscore/chat"
)

// echo answers each message with itself.
type echo struct{}

func (echo) OnOpen(*engineio.Session) {}

func (echo) OnMessage(s *engineio.Session, binary bool, data []byte) {
	_ = s.Send(0, engineio.Message{Binary: binary, Data: data})
}

func (echo) OnClose(*engineio.Session, engineio.Reason, error) {}

// The server is an http.Handler; here a client polls it by hand.
//
// compat: engine.attach
// compat: engine.listen
// compat: server.listen
func ExampleNew() {
	srv, err := engineio.New(engineio.Config{
		GenerateID: func(*http.Request) (string, error) { return "abc", nil },
	}, echo{})
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle(srv.Pattern(), srv)
	hs := httptest.NewServer(mux)
	defer hs.Close()

	url := hs.URL + "/engine.io/?EIO=4&transport=polling"
	show := func(res *http.Response, err error) {
		if err != nil {
			fmt.Println(err)
			return
		}
		defer func() { _ = res.Body.Close() }()
		body, _ := io.ReadAll(res.Body)
		fmt.Println(string(body))
	}
	show(http.Get(url))
	show(http.Post(url+"&sid=abc", "text/plain", strings.NewReader("4hello")))
	show(http.Get(url + "&sid=abc"))
	// Output:
	// 0{"sid":"abc","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}
	// ok
	// 4hello
}

// A program that serves plain WebSockets beside its sessions bounds both together.
func ExampleServer_Admit() {
	srv, err := engineio.New(engineio.Config{Limits: engineio.Limits{Connections: 1}}, echo{})
	if err != nil {
		fmt.Println(err)
		return
	}
	list := new(wscore.ProtocolList)
	list.Add(chat.New(chat.Options{URI: "/chat"}).Spec())
	plain := wscore.NewHandler(list, wscore.ProcessSettings{Admit: func(r *http.Request) (func(), error) {
		leave, refused := srv.Admit(r)
		if refused != nil {
			return nil, &wscore.HandshakeError{Status: refused.Status(), Msg: refused.Message}
		}
		return leave, nil
	}})
	mux := http.NewServeMux()
	mux.Handle(srv.Pattern(), srv)
	mux.Handle("/chat", plain)
	hs := httptest.NewServer(mux)
	defer hs.Close()

	ctx := context.Background()
	conn, _, err := wscore.Dial(ctx, hs.URL+"/chat", nil, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := http.Get(hs.URL + "/engine.io/?EIO=4&transport=polling")
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = res.Body.Close()
	fmt.Println(res.Status)
	_ = conn.CloseNow()
	_ = plain.Shutdown(ctx)
	// Output: 503 Service Unavailable
}
