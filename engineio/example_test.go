package engineio_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/hermod-io/hermod/engineio"
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
