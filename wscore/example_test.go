package wscore_test

import (
	"context"
	"fmt"
	"net"
	"net/http"

	"github.com/hermod-io/hermod/wscore"
)

// echo answers each message with itself.
type echo struct{ conn *wscore.Conn }

func (e echo) OnMessage(op wscore.Opcode, data []byte) { _ = e.conn.Send(op, data) }
func (e echo) OnClose(error)                           {}

// A server of WebSockets in a net/http program.
func ExampleServer_Accept() {
	srv := wscore.NewServer(wscore.Settings{MaxMessage: 64 << 10})
	http.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		conn, err := srv.Accept(w, r, nil)
		if err != nil {
			return // the response has been written
		}
		conn.Serve(echo{conn})
	})
}

// The caller-driven form reads on the caller's goroutine, here from a stream
// whose handshake was done elsewhere.
func ExampleConn_Read() {
	srv := wscore.NewServer(wscore.Settings{})
	client, stream := net.Pipe()
	conn := srv.NewConn(stream)
	go func() {
		_, _ = client.Write([]byte{0x81, 0x85, 1, 2, 3, 4, 'h' ^ 1, 'e' ^ 2, 'l' ^ 3, 'l' ^ 4, 'o' ^ 1}) // a masked text frame
		_ = client.Close()
	}()
	ctx := context.Background()
	for {
		op, data, err := conn.Read(ctx)
		if err != nil {
			fmt.Println("closed")
			break
		}
		fmt.Println(op == wscore.OpText, string(data))
	}
	// Output:
	// true hello
	// closed
}

// A message for many connections is encoded once.
func ExampleNewPrepared() {
	news := wscore.NewPrepared(wscore.Message{Op: wscore.OpText, Data: []byte("news")})
	var conns []*wscore.Conn
	for _, c := range conns {
		_ = c.SendPrepared(news, wscore.Later)
	}
}
