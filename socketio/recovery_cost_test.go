package socketio_test

import (
	"io"
	"testing"

	"github.com/hermod-io/hermod/internal/testnet"
	"github.com/hermod-io/hermod/socketio"
)

// emission returns a function that emits to one socket and reads the frame.
func emission(tb testing.TB, cfg socketio.Config) func() {
	tb.Helper()
	d := newDirect(tb, cfg)
	conn := d.connect(tb)
	var s *socketio.Socket
	for s = range d.srv.Sockets() {
		break
	}
	buf := make([]byte, 2+125)
	return func() {
		if err := s.Emit("news", text64); err != nil {
			tb.Fatal(err)
		}
		readShort(tb, conn, buf)
	}
}

// readShort reads a frame of less than 126 bytes.
func readShort(tb testing.TB, conn *testnet.Conn, buf []byte) {
	tb.Helper()
	if _, err := io.ReadFull(conn, buf[:2]); err != nil {
		tb.Fatal(err)
	}
	if _, err := io.ReadFull(conn, buf[2:2+buf[1]]); err != nil {
		tb.Fatal(err)
	}
}

// BenchmarkEmit: one event to one socket, without and with recovery.
func BenchmarkEmit(b *testing.B) {
	for name, cfg := range map[string]socketio.Config{"off": {}, "recovery": recovering} {
		b.Run(name, func(b *testing.B) {
			once := emission(b, cfg)
			b.ReportAllocs()
			for b.Loop() {
				once()
			}
		})
	}
}
