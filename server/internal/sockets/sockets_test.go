package sockets_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/await"
	"github.com/hermod-io/hermod/server/internal/sockets"
	"github.com/hermod-io/hermod/wscore"
	"github.com/hermod-io/hermod/wscore/rest"
)

func serve(t *testing.T, c sockets.Config) (*sockets.Sockets, string) {
	c.Status = func() any { return map[string]string{"state": "fine"} }
	s := sockets.New(c)
	m := http.NewServeMux()
	for _, p := range c.Paths() {
		m.Handle(p, s)
	}
	hs := httptest.NewServer(m)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		hs.Close()
	})
	return s, hs.URL
}

func TestChat(t *testing.T) {
	s, u := serve(t, sockets.Config{Chat: true})
	var conns []*wscore.Conn
	for _, names := range [][]string{{"chat"}, nil} {
		c, _, err := wscore.Dial(await.Context(t), u+sockets.ChatPath, &wscore.Settings{Subprotocols: names}, nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.Ping(nil)
		conns = append(conns, c)
	}
	for s.Members() < 2 {
		select {
		case <-await.Context(t).Done():
			t.Fatal("they did not come")
		case <-time.After(time.Millisecond):
		}
	}
	_ = conns[0].Send(wscore.OpText, []byte("hello"))
	for _, c := range conns {
		if _, got, err := c.Read(await.Context(t)); err != nil || string(got) != "hello" {
			t.Errorf("heard %q, %v", got, err)
		}
		_ = c.CloseNow()
	}
	var he *wscore.HandshakeError
	if _, _, err := wscore.Dial(await.Context(t), u+sockets.RESTPath, nil, nil); !errors.As(err, &he) || he.Status != 404 {
		t.Errorf("REST is off: %v", err)
	}
}

func TestREST(t *testing.T) {
	_, u := serve(t, sockets.Config{REST: true, Chat: true})
	for name, spec := range map[string]wscore.ProtocolSpec{"json": rest.JSON(rest.Options{}), "binary": rest.Binary(rest.Options{})} {
		t.Run(name, func(t *testing.T) {
			ws := wscore.NewClient(u+sockets.RESTPath, spec, wscore.ClientSettings{})
			if _, err := ws.Connect(await.Context(t)); err != nil {
				t.Fatal(err)
			}
			hc := &http.Client{Transport: rest.Transport(ws)}
			for _, tt := range []struct{ method, path, body, want string }{
				{"GET", "/status", "", `{"state":"fine"}`},
				{"POST", "/echo", `{"a":1}`, `{"a":1}`},
				{"POST", "/chat", "hello", `{"heard":0}`},
				{"POST", "/chat", "\xff", "no text"}, // would end every member's connection
				{"GET", "/nowhere", "", "404 page not found"},
			} {
				req, _ := http.NewRequestWithContext(await.Context(t), tt.method, "http://hermod"+tt.path, strings.NewReader(tt.body))
				resp, err := hc.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				if b, _ := io.ReadAll(resp.Body); strings.TrimSpace(string(b)) != tt.want {
					t.Errorf("%s: %q", tt.path, b)
				}
			}
			if err := ws.Close(await.Context(t)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestOrigins(t *testing.T) {
	_, u := serve(t, sockets.Config{Chat: true, Origins: []string{"https://friend.test", "http://[::1]:5173", "http://[::2]:*", "http://localhost:*", "*.scheme.test", "null"}})
	for origin, ok := range map[string]bool{
		"": true, u: true, "https://friend.test": true, "https://foe.test": false, "http://[::1]:5173": true, "http://[::1]:5174": false,
		"http://[::2]:7": true, "http://localhost:5173": true,
		"http://any.scheme.test": true, "null": true,
	} {
		h := http.Header{}
		if origin != "" {
			h.Set("Origin", origin)
		}
		c, _, err := wscore.Dial(await.Context(t), u+sockets.ChatPath, nil, &wscore.DialOptions{Header: h})
		if (err == nil) != ok {
			t.Errorf("%q: %v", origin, err)
		}
		if err == nil {
			_ = c.CloseNow()
		}
	}
}
