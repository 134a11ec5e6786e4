package main

import (
	"bufio"
	"net/http"
	"strings"
	"testing"
)

func TestRequestIsLikeABrowsers(t *testing.T) {
	text := request("127.0.0.1:3000")
	if n := len(text); n < 820 || n > 920 {
		t.Errorf("%d bytes, want about 870", n)
	}
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
	if err != nil {
		t.Fatal(err)
	}
	if r.Host != "127.0.0.1:3000" || r.URL.Query().Get("EIO") != "4" || len(r.Cookies()) != 6 || r.Header.Get("Sec-WebSocket-Key") != key {
		t.Errorf("host %q, URL %s, cookies %v", r.Host, r.URL, r.Cookies())
	}
}

func TestReportPerConnection(t *testing.T) {
	r := report{n: 10, before: figures{HeapInuse: 1000, StackInuse: 500}, with: figures{HeapInuse: 41000, StackInuse: 20500}}
	if got := r.perConn(); got != 6000 {
		t.Errorf("%v bytes per connection, want 6000", got)
	}
}
