// Command karagenc is the application that the load generator drives (see
// tests/load/benchapp) on github.com/karagenc/socket.io-go. It listens on
// 127.0.0.1:$PORT; $PING_INTERVAL is in milliseconds (25000).
package main

import (
	"fmt"
	"net/http"
	"os"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"time"

	sio "github.com/karagenc/socket.io-go"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "karagenc:", err)
		os.Exit(1)
	}
}

func run() error {
	var config sio.ServerConfig
	if ms := os.Getenv("PING_INTERVAL"); ms != "" {
		n, err := strconv.Atoi(ms)
		if err != nil {
			return fmt.Errorf("PING_INTERVAL: %w", err)
		}
		config.EIO.PingInterval = time.Duration(n) * time.Millisecond
	}
	io := sio.NewServer(&config)
	var clients atomic.Int64
	io.OnConnection(func(s sio.ServerSocket) {
		clients.Add(1)
		register(io, s, &clients)
	})
	if err := io.Run(); err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", io)
	return http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), mux)
}

// register sets the handlers of a socket.
func register(io *sio.Server, s sio.ServerSocket, clients *atomic.Int64) {
	s.OnEvent("echo", func(v any, ack func(any)) { ack(v) })
	s.OnEvent("join", func(room string, ack func()) { s.Join(sio.Room(room)); ack() })
	s.OnEvent("leave", func(room string, ack func()) { s.Leave(sio.Room(room)); ack() })
	s.OnEvent("pub", func(room string, v any) { io.To(sio.Room(room)).Emit("msg", v) })
	s.OnEvent("gc", func(ack func()) { debug.FreeOSMemory(); ack() })
	s.OnEvent("stats", func(ack func(any)) { ack(map[string]any{"clients": clients.Load(), "rooms": 0}) })
	s.OnDisconnect(func(sio.Reason) { clients.Add(-1) })
}
