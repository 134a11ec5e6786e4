package wscore_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/hermod-io/hermod/wscore"
)

// serveEcho is a server of what is in the other examples.
func serveEcho() (url string, stop func()) {
	srv := wscore.NewServer(wscore.Settings{Deflate: &wscore.Deflate{}})
	hs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if conn, err := srv.Accept(w, r, nil); err == nil {
			conn.Serve(echo{conn})
		}
	}))
	return hs.URL, func() {
		_ = srv.Close(context.Background())
		hs.Close()
	}
}

// A client: one message there, one back.
func ExampleDial() {
	url, stop := serveEcho() // in life: wss://example.com/ws
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, _, err := wscore.Dial(ctx, url, nil, nil)
	if err != nil {
		panic(err)
	}
	_ = conn.Send(wscore.OpText, []byte("hello"))
	_, data, err := conn.Read(ctx)
	fmt.Printf("%s %v\n", data, err)
	_ = conn.Close(wscore.CloseNormal, "")
	_, _, err = conn.Read(ctx) // until the connection has ended
	fmt.Println(err)
	// Output:
	// hello <nil>
	// wscore: closed (local): 1000
}

// Both sides offer to compress; small messages go as they are.
func ExampleDeflate() {
	url, stop := serveEcho()
	defer stop()
	conn, _, err := wscore.Dial(context.Background(), url, &wscore.Settings{Deflate: &wscore.Deflate{Threshold: 512}}, nil)
	if err != nil {
		panic(err)
	}
	fmt.Println(conn.Extensions())
	_ = conn.CloseNow()
	// Output: permessage-deflate; server_no_context_takeover; client_no_context_takeover
}

// A message that never is in memory as a whole, on either side.
func ExampleConn_NextWriter() {
	url, stop := serveEcho()
	defer stop()
	ctx := context.Background()
	conn, _, err := wscore.Dial(ctx, url, nil, nil)
	if err != nil {
		panic(err)
	}
	w, err := conn.NextWriter(ctx, wscore.OpText)
	if err != nil {
		panic(err)
	}
	for i := range 3 {
		_, _ = fmt.Fprintf(w, "line %d\n", i)
	}
	_ = w.Close()
	_, r, err := conn.NextReader(ctx)
	if err != nil {
		panic(err)
	}
	for lines := bufio.NewScanner(r); lines.Scan(); {
		fmt.Println(lines.Text())
	}
	_ = conn.CloseNow()
	// Output:
	// line 0
	// line 1
	// line 2
}

// A connection for code that knows only net.Conn.
func ExampleConn_NetConn() {
	url, stop := serveEcho()
	defer stop()
	conn, _, err := wscore.Dial(context.Background(), url, nil, nil)
	if err != nil {
		panic(err)
	}
	nc := conn.NetConn(wscore.OpBinary)
	_, _ = io.WriteString(nc, "PING\r\n")
	line, err := bufio.NewReader(nc).ReadString('\n')
	fmt.Printf("%q %v\n", line, err)
	_ = nc.Close()
	// Output: "PING\r\n" <nil>
}

// upper answers in capitals.
type upper struct{ p *wscore.Process }

func (u upper) OnMessage(op wscore.Opcode, data []byte) {
	for i, c := range data {
		if c >= 'a' && c <= 'z' {
			data[i] = c - 'a' + 'A'
		}
	}
	_ = u.p.Send(op, data)
}
func (u upper) OnClose(error) {}

// A server that negotiates a protocol by its name, and a client that stays
// connected to it.
func ExampleHandler() {
	spec := wscore.ProtocolSpec{Names: []string{"upper"}, New: func(p *wscore.Process) wscore.Protocol { return upper{p} }}
	list := new(wscore.ProtocolList)
	list.Add(spec)
	h := wscore.NewHandler(list, wscore.ProcessSettings{
		OnConnect: func(p *wscore.Process) { fmt.Println("connected:", p.Upgrade().Subprotocol) },
	})
	hs := httptest.NewServer(h)
	defer hs.Close()

	heard := make(chan string)
	client := wscore.NewClient(hs.URL, wscore.ProtocolSpec{
		Names: []string{"upper"},
		New:   func(*wscore.Process) wscore.Protocol { return hearing{heard} },
	}, wscore.ClientSettings{})
	p, err := client.Connect(context.Background())
	if err != nil {
		panic(err)
	}
	_ = p.Send(wscore.OpText, []byte("hello"))
	fmt.Println(<-heard)
	_ = client.Close(context.Background())
	_ = h.Shutdown(context.Background())
	// Output:
	// connected: upper
	// HELLO
}

type hearing struct{ heard chan string }

func (h hearing) OnMessage(_ wscore.Opcode, data []byte) { h.heard <- string(data) }
func (h hearing) OnClose(error)                          {}
