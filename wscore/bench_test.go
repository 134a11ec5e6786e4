package wscore

import (
	"fmt"
	"io"
	"testing"

	"github.com/hermod-io/hermod/internal/testnet"
)

// One message there and back over TCP loopback.
func BenchmarkEcho(b *testing.B) {
	for _, size := range []int{64, 1024, 64 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			a := newAcceptor(b, Settings{}, nil)
			nc, r, _ := a.dial(b, handshake())
			frame := clientFrame(true, OpBinary, make([]byte, size))
			answer := make([]byte, headerLen(size)+size)
			b.ReportAllocs()
			b.SetBytes(int64(size))
			for b.Loop() {
				if _, err := nc.Write(frame); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(r, answer); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A prepared message to a thousand connections in memory.
func BenchmarkBroadcast(b *testing.B) {
	const members = 1000
	srv := NewServer(Settings{})
	conns := make([]*Conn, members)
	for i := range conns {
		client, end := testnet.Pipe(testnet.Options{})
		go func() { _, _ = io.Copy(io.Discard, client) }() // ends with the pipe
		conns[i] = srv.NewConn(end)
		conns[i].Serve(&recorder{})
	}
	data := make([]byte, 200)
	b.ReportAllocs()
	for b.Loop() {
		p := NewPrepared(Message{Op: OpText, Data: data})
		for _, c := range conns {
			if err := c.SendPrepared(p, Later); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := srv.Close(b.Context()); err != nil {
		b.Fatal(err)
	}
}
