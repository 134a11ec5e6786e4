package rest_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/hermod-io/hermod/wscore"
	"github.com/hermod-io/hermod/wscore/rest"
)

// serve is a server for the examples. stop ends it.
func serve(h http.Handler) (url string, stop func()) {
	list := new(wscore.ProtocolList)
	list.Add(rest.Binary(rest.Options{Handler: h}))
	list.Add(rest.JSON(rest.Options{Handler: h}))
	ws := wscore.NewHandler(list, wscore.ProcessSettings{})
	hs := httptest.NewServer(ws)
	return hs.URL, func() {
		_ = ws.Shutdown(context.Background())
		hs.Close()
	}
}

func Example() {
	url, stop := serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, "%s %s", r.Method, r.URL)
	}))
	defer stop()

	c := wscore.NewClient(url, rest.Binary(rest.Options{}), wscore.ClientSettings{})
	defer c.Close(context.Background())
	if _, err := c.Connect(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	hc := &http.Client{Transport: rest.Transport(c)}
	resp, err := hc.Get("http://server/things?id=1")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	fmt.Println(resp.StatusCode, string(body))
	// Output: 200 GET /things?id=1
}

// A handler calls its client back before it answers.
func ExamplePeerFromContext() {
	url, stop := serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, _ := rest.PeerFromContext(r.Context())
		a, err := peer.Call(r.Context(), rest.Request{Method: "GET", URL: "name"})
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		_, _ = fmt.Fprintf(w, "hello %s", a.Content)
	}))
	defer stop()

	name := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "client") })
	c := wscore.NewClient(url, rest.JSON(rest.Options{Handler: name}), wscore.ClientSettings{})
	defer c.Close(context.Background())
	p, err := c.Connect(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	server, _ := rest.PeerOf(p)
	a, err := server.Call(context.Background(), rest.Request{Method: "GET", URL: "hello"})
	fmt.Println(a.Status, string(a.Content), err)
	// Output: 200 hello client <nil>
}

// Requests without an answer are gathered and arrive in order.
func ExamplePeer_Notify() {
	seen := make(chan string)
	url, stop := serve(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		seen <- r.URL.Path + r.Header.Get("Sec-WebSocket-Frame")
	}))
	defer stop()

	c := wscore.NewClient(url, rest.Binary(rest.Options{}), wscore.ClientSettings{})
	defer c.Close(context.Background())
	p, err := c.Connect(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	server, _ := rest.PeerOf(p)
	for i := range 3 {
		if _, err := server.Notify(context.Background(), rest.Request{URL: fmt.Sprint("step/", i)}, rest.NonBlocking); err != nil {
			fmt.Println(err)
		}
	}
	if err := p.Flush(); err != nil { // or wait for SendDelay
		fmt.Println(err)
	}
	for range 3 {
		fmt.Println(<-seen)
	}
	// Output:
	// /step/0[0]
	// /step/1
	// /step/2[1]
}
