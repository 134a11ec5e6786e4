package main

import (
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/hermod-io/hermod/wscore"
)

// maxMessage is what the largest test of a suite asks for, and some.
const maxMessage = 64 << 20

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "address to listen on")
	mode := flag.String("deflate", "off", "permessage-deflate: off, no-takeover or takeover")
	limit := flag.Int64("max", maxMessage, "size limit of a message in bytes")
	progress := flag.Duration("progress", time.Minute, "how long the rest of a message may be awaited")
	flag.Parse()
	if err := run(*addr, *mode, *limit, *progress); err != nil {
		log.Fatal("echoserver: ", err)
	}
}

func run(addr, mode string, limit int64, progress time.Duration) error {
	deflate, err := deflateOf(mode)
	if err != nil {
		return err
	}
	ws := wscore.NewServer(wscore.Settings{
		MaxMessage:      limit,
		Queue:           wscore.Queue{Bytes: 2 * maxMessage, Packets: 1 << 20},
		Deflate:         deflate,
		ProgressTimeout: progress,
	})
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fmt.Printf("listening on %s\n", l.Addr())
	srv := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := ws.Accept(w, r, nil); err == nil {
			c.Serve(echo{c})
		}
	})}
	return srv.Serve(l)
}

func deflateOf(mode string) (*wscore.Deflate, error) {
	switch mode {
	case "off":
		return nil, nil
	case "no-takeover":
		return &wscore.Deflate{Threshold: -1}, nil
	case "takeover":
		return &wscore.Deflate{Threshold: -1, Takeover: true}, nil
	}
	return nil, errors.New("-deflate is off, no-takeover or takeover")
}

// echo sends back what it receives.
type echo struct{ *wscore.Conn }

func (e echo) OnMessage(op wscore.Opcode, data []byte) {
	if err := e.Send(op, data); err != nil {
		_ = e.CloseNow() // a lost echo shows as a lost connection
	}
}

func (echo) OnClose(error) {}
