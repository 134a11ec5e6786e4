package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"net/http"

	"github.com/hermod-io/hermod/wscore"
)

// maxMessage is what the largest test of a suite asks for, and some.
const maxMessage = 64 << 20

func main() {
	mode := flag.String("deflate", "takeover", "permessage-deflate: off, no-takeover or takeover")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("echoclient: one argument, the URL of a test case")
	}
	if err := run(flag.Arg(0), *mode); err != nil {
		log.Fatal("echoclient: ", err)
	}
}

func run(url, mode string) error {
	deflate, err := deflateOf(mode)
	if err != nil {
		return err
	}
	ctx := context.Background()
	c, resp, err := wscore.Dial(ctx, url, &wscore.Settings{
		MaxMessage: maxMessage,
		Queue:      wscore.Queue{Bytes: 2 * maxMessage, Packets: 1 << 20},
		Deflate:    deflate,
	}, nil)
	if resp != nil && resp.Body != nil && resp.StatusCode != http.StatusSwitchingProtocols {
		_ = resp.Body.Close()
	}
	if err != nil {
		return err
	}
	e := &echo{c, make(chan struct{})}
	c.Serve(e)
	<-e.closed
	return nil
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
type echo struct {
	*wscore.Conn
	closed chan struct{}
}

func (e *echo) OnMessage(op wscore.Opcode, data []byte) {
	if err := e.Send(op, data); err != nil {
		_ = e.CloseNow() // a lost echo shows as a lost connection
	}
}

func (e *echo) OnClose(error) { close(e.closed) }
