package main

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hermod-io/hermod/adapters/redisadapter"
	"github.com/hermod-io/hermod/internal/polltest"
	"github.com/hermod-io/hermod/internal/redistest"
	"github.com/hermod-io/hermod/socketio"
)

// The clients of two servers are told; a room alone is told if there is one.
func TestTell(t *testing.T) {
	r := redistest.Start(t, redistest.Options{})
	for _, room := range []string{"", "clock"} {
		var clients []*polltest.Client
		for range 2 {
			srv, err := socketio.New(socketio.Config{Adapter: redisadapter.New(r.Client(), redisadapter.Options{})})
			if err != nil {
				t.Fatal(err)
			}
			srv.OnConnect(func(ctx context.Context, s *socketio.Socket) error { return s.Join(ctx, "clock") })
			h := httptest.NewServer(srv)
			t.Cleanup(func() {
				_ = srv.Close(context.Background())
				h.Close()
			})
			clients = append(clients, polltest.Dial(t, h.URL))
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- tell(ctx, r.Client(), room, 20*time.Millisecond) }() // until cancel
		for _, c := range clients {
			for range 2 {
				if p := c.Next(); !strings.HasPrefix(p, `42["tick","`) {
					t.Errorf("got %q", p)
				}
			}
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}
