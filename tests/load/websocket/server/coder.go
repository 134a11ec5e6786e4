package main

import (
	"context"
	"net/http"
	"sync"

	"github.com/coder/websocket"
)

// coderRoutes serves with coder/websocket, which has no form for many
// connections: they are written one after the other.
func coderRoutes(mux *http.ServeMux, deflate string) {
	options := &websocket.AcceptOptions{CompressionThreshold: threshold}
	switch deflate {
	case noTakeover:
		options.CompressionMode = websocket.CompressionNoContextTakeover
	case takeover:
		options.CompressionMode = websocket.CompressionContextTakeover
	}
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, options)
		if err != nil {
			return
		}
		defer c.CloseNow()
		ctx := context.Background()
		for {
			kind, data, err := c.Read(ctx)
			if err != nil || c.Write(ctx, kind, data) != nil {
				return
			}
		}
	})
	var mu sync.Mutex // guards conns
	conns := map[*websocket.Conn]struct{}{}
	mux.HandleFunc("/fan", func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, options)
		if err != nil {
			return
		}
		defer c.CloseNow()
		mu.Lock()
		conns[c] = struct{}{}
		mu.Unlock()
		defer func() {
			mu.Lock()
			defer mu.Unlock()
			delete(conns, c)
		}()
		ctx := context.Background()
		for {
			kind, data, err := c.Read(ctx)
			if err != nil {
				return
			}
			mu.Lock()
			for to := range conns {
				_ = to.Write(ctx, kind, data) // its reader sees the end
			}
			mu.Unlock()
		}
	})
}
