// Command benchapp is the application that load generators drive: it listens on
// 127.0.0.1:$PORT and handles the events echo, join, leave, pub, gc and stats.
// $PING_INTERVAL is the ping interval in milliseconds (25000). $TLS_CERT and
// $TLS_KEY, names of PEM files, make it speak TLS; $PARSER=msgpack and $DEFLATE=1
// choose the encoding and the compression of WebSocket messages.
//
//	echo  any arguments   acks them, decoded and encoded again
//	join  room            joins it, acks nothing
//	leave room            leaves it, acks nothing
//	pub   room, payload   emits "msg" with the payload to the room
//	gc                    collects garbage, acks nothing
//	stats                 acks the number of clients and of rooms
//
// With -bare idle clients over long-polling are none of Socket.IO's: a handler
// of net/http alone has them wait.
//
// With -raw the payloads of echo and pub are not decoded: their JSON text is sent
// on as it came. Binary values are then not understood.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"syscall"
	"time"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/event"
	"github.com/hermod-io/hermod/socketio/parser"
	"github.com/hermod-io/hermod/wscore"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "benchapp:", err)
		os.Exit(1)
	}
}

func run() error {
	ping, err := interval(os.Getenv("PING_INTERVAL"))
	if err != nil {
		return err
	}
	raw := flag.Bool("raw", false, "send payloads on as they came")
	noServer := flag.Bool("bare", false, "have idle clients over long-polling wait in a handler of net/http alone")
	keep := flag.Duration("keep", 0, "how long a connection stays open for the next HTTP request, 0 for ever")
	flag.Parse()
	config := socketio.Config{Engine: engineio.Config{PingInterval: ping}}
	if os.Getenv("PARSER") == "msgpack" {
		config.Parser = parser.MsgPack()
	}
	if os.Getenv("DEFLATE") == "1" {
		config.Engine.PerMessageDeflate = &wscore.Deflate{}
	}
	srv, err := socketio.New(config)
	if err != nil {
		return err
	}
	register(srv.Of("/"), *raw)
	var handler http.Handler = srv
	if *noServer {
		b := &bare{next: srv}
		handler = b
		registerStats(srv.Of("/"), b.clients)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	app := &http.Server{Addr: net.JoinHostPort("127.0.0.1", os.Getenv("PORT")), Handler: handler, IdleTimeout: *keep, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
	failed := make(chan error, 1)
	go func() { failed <- serve(app) }() // ended by Close
	select {
	case <-ctx.Done():
		return app.Close()
	case err := <-failed:
		return err
	}
}

// serve speaks TLS if there is a certificate.
func serve(app *http.Server) error {
	if cert := os.Getenv("TLS_CERT"); cert != "" {
		return app.ListenAndServeTLS(cert, os.Getenv("TLS_KEY"))
	}
	return app.ListenAndServe()
}

// interval returns the duration of so many milliseconds, 0 for "".
func interval(ms string) (time.Duration, error) {
	if ms == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(ms)
	if err != nil {
		return 0, fmt.Errorf("PING_INTERVAL: %w", err)
	}
	return time.Duration(n) * time.Millisecond, nil
}

// publication is what a client has sent to a room.
type publication struct {
	event.Args
	Room    string
	Payload any
}

func register(nsp *socketio.Namespace, raw bool) {
	nsp.On("echo", socketio.Reply(echo))
	nsp.On("pub", socketio.Receive(func(_ context.Context, _ *socketio.Socket, p publication) error {
		return nsp.To(p.Room).Emit("msg", p.Payload)
	}))
	if raw {
		nsp.On("echo", rawEcho)
		nsp.On("pub", func(_ context.Context, _ *socketio.Socket, e *socketio.Event) error { return rawPublish(nsp, e) })
	}
	nsp.On("join", socketio.Reply(func(ctx context.Context, s *socketio.Socket, room string) (event.None, error) {
		return event.None{}, s.Join(ctx, room)
	}))
	nsp.On("leave", socketio.Reply(func(_ context.Context, s *socketio.Socket, room string) (event.None, error) {
		s.Leave(room)
		return event.None{}, nil
	}))
	nsp.On("gc", func(_ context.Context, _ *socketio.Socket, e *socketio.Event) error {
		debug.FreeOSMemory()
		return e.Ack()
	})
	registerStats(nsp, func() int { return 0 })
}

// registerStats registers the event stats, with clients that are no sockets.
func registerStats(nsp *socketio.Namespace, others func() int) {
	nsp.On("stats", func(ctx context.Context, _ *socketio.Socket, e *socketio.Event) error {
		clients := others()
		for range nsp.Sockets() {
			clients++
		}
		rooms, err := nsp.Rooms(ctx)
		if err != nil {
			return err
		}
		return e.Ack(map[string]any{"clients": clients, "rooms": len(rooms), "gc": collecting()})
	})
}

// collecting is the processor time that garbage collections have taken from the
// program, in seconds; what they did while nothing else ran is not counted.
func collecting() float64 {
	s := []metrics.Sample{{Name: "/cpu/classes/gc/total:cpu-seconds"}, {Name: "/cpu/classes/gc/mark/idle:cpu-seconds"}}
	metrics.Read(s)
	return s[0].Value.Float64() - s[1].Value.Float64()
}

// echo acks its arguments as an application that looks at them would.
func echo(_ context.Context, _ *socketio.Socket, args event.Rest) (event.Rest, error) {
	return args, nil
}

// rawEcho acks its arguments without a look at them.
func rawEcho(_ context.Context, _ *socketio.Socket, e *socketio.Event) error {
	var one [1]any
	args := one[:0]
	for i := range e.Len() {
		args = append(args, e.Raw(i))
	}
	return e.Ack(args...)
}

func rawPublish(nsp *socketio.Namespace, e *socketio.Event) error {
	var room string
	if err := e.Decode(0, &room); err != nil {
		return err
	}
	return nsp.To(room).Emit("msg", e.Raw(1))
}
