package program

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/hermod-io/hermod/wscore"
	"github.com/hermod-io/hermod/wscore/rest"
)

// By flags it serves plain WebSockets beside Socket.IO, and closes them when it
// stops.
func TestPlainSockets(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	p, url := start(t, "-ws-chat", "-ws-rest")
	c, _, err := wscore.Dial(ctx, url+"/ws/chat", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Send(wscore.OpText, []byte("hello"))
	if _, got, err := c.Read(ctx); err != nil || string(got) != "hello" {
		t.Errorf("heard %q, %v", got, err)
	}
	ws := wscore.NewClient(url+"/ws/rest", rest.JSON(rest.Options{}), wscore.ClientSettings{NoReconnect: true})
	if _, err := ws.Connect(ctx); err != nil {
		t.Fatal(err)
	}
	res, err := (&http.Client{Transport: rest.Transport(ws)}).Get("http://hermod/status")
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := io.ReadAll(res.Body); !strings.Contains(string(b), `"members":1`) {
		t.Errorf("status: %s", b)
	}
	end := make(chan error, 1)
	go func() { _, _, err := c.Read(ctx); end <- err }()
	if status := p.Stop(); status != 0 {
		t.Errorf("exit status %d", status)
	}
	var ce *wscore.CloseError
	if err := <-end; !errors.As(err, &ce) || ce.Code != wscore.CloseGoingAway {
		t.Errorf("the chat ended with %v", err)
	}
	if err := ws.Close(ctx); err != nil {
		t.Error(err)
	}
}

// Without the flags nothing is there.
func TestNoPlainSockets(t *testing.T) {
	_, url := start(t)
	for _, path := range []string{"/ws/chat", "/ws/rest"} {
		if status, _ := get(t, url+path); status != http.StatusNotFound {
			t.Errorf("%s: %d", path, status)
		}
	}
}
