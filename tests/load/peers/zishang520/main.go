// Command zishang520 is the application that the load generator drives (see
// tests/load/benchapp) on github.com/zishang520/socket.io. It listens on
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

	"github.com/zishang520/socket.io/servers/socket/v3"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "zishang520:", err)
		os.Exit(1)
	}
}

func run() error {
	options := socket.DefaultServerOptions()
	options.SetServeClient(false)
	if ms := os.Getenv("PING_INTERVAL"); ms != "" {
		n, err := strconv.Atoi(ms)
		if err != nil {
			return fmt.Errorf("PING_INTERVAL: %w", err)
		}
		options.SetPingInterval(time.Duration(n) * time.Millisecond)
	}
	io := socket.NewServer(nil, options)
	var clients atomic.Int64
	if err := io.On("connection", func(args ...any) {
		s := args[0].(*socket.Socket)
		clients.Add(1)
		register(io, s, &clients)
	}); err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", io.ServeHandler(nil))
	return http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), mux)
}

// register sets the handlers of a socket. The arguments are of the load
// generator, so they have the types that it sends.
func register(io *socket.Server, s *socket.Socket, clients *atomic.Int64) {
	on := func(event string, f func(args []any, ack socket.Ack)) {
		// An error is a wrong name of an event.
		_ = s.On(event, func(args ...any) {
			ack, ok := args[len(args)-1].(socket.Ack)
			if ok {
				args = args[:len(args)-1]
			}
			f(args, ack)
		})
	}
	on("echo", func(args []any, ack socket.Ack) { ack(args, nil) })
	on("join", func(args []any, ack socket.Ack) { s.Join(socket.Room(args[0].(string))); ack(nil, nil) })
	on("leave", func(args []any, ack socket.Ack) { s.Leave(socket.Room(args[0].(string))); ack(nil, nil) })
	on("pub", func(args []any, _ socket.Ack) { _ = io.To(socket.Room(args[0].(string))).Emit("msg", args[1]) }) // it returns no error
	on("gc", func(_ []any, ack socket.Ack) { debug.FreeOSMemory(); ack(nil, nil) })
	on("stats", func(_ []any, ack socket.Ack) {
		ack([]any{map[string]any{"clients": clients.Load(), "rooms": 0}}, nil)
	})
	_ = s.On("disconnect", func(...any) { clients.Add(-1) }) // as above
}
