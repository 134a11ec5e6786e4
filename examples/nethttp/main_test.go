package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/polltest"
)

func TestProgram(t *testing.T) {
	srv, err := newServer()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	base := fmt.Sprintf("http://%s", l.Addr())
	served := make(chan error, 1)
	go func() { served <- serve(l, srv) }()

	c := polltest.Dial(t, base)
	c.Send(`420["whoami"]`)
	c.Want(`430["guest"]`)
	res, err := http.PostForm(base+"/announce", url.Values{"text": {"hi"}})
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("announce: %v %v", res, err)
	}
	_ = res.Body.Close()
	c.Want(`42["announcement","hi"]`)

	res, err = http.Get(base + "/hello")
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if string(body) != "hello, guest\n" {
		t.Errorf("hello: %q", body)
	}

	me, _ := os.FindProcess(os.Getpid())
	if err := me.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-served:
		if err != nil {
			t.Errorf("after SIGTERM: %v", err)
		}
	case <-time.After(time.Minute):
		t.Error("it does not end after SIGTERM")
	}
}
