package socketio_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/hermod-io/hermod/internal/testnet"
	"github.com/hermod-io/hermod/socketio"
)

// direct is a server in memory outside of a bubble, for measurements: its
// clients write frames that were made before and allocate nothing.
type direct struct {
	srv      *socketio.Server
	listener *recorder
	http     *http.Server
}

// recorder is a Listener that remembers what it accepted.
type recorder struct {
	*testnet.Listener
	mu       sync.Mutex // guards what follows
	accepted []*testnet.Conn
}

// Accept implements net.Listener.
func (l *recorder) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.accepted = append(l.accepted, c.(*testnet.Conn))
	}
	return c, err
}

// writes is how many system calls the server would have written with.
func (l *recorder) writes() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.accepted {
		n += c.Writes()
	}
	return n
}

func newDirect(tb testing.TB, cfg socketio.Config) *direct {
	tb.Helper()
	srv, err := socketio.New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	return serveDirect(tb, srv)
}

func serveDirect(tb testing.TB, srv *socketio.Server) *direct {
	tb.Helper()
	d := &direct{srv: srv, listener: &recorder{Listener: testnet.Listen(testnet.Options{})}}
	d.http = &http.Server{Handler: srv}
	go d.http.Serve(d.listener)
	tb.Cleanup(func() {
		if err := srv.Close(context.Background()); err != nil {
			tb.Error(err)
		}
		d.http.Close()
	})
	return d
}

// connect opens a websocket and joins the main namespace.
func (d *direct) connect(tb testing.TB) *testnet.Conn {
	tb.Helper()
	conn := dial(tb, d.listener.Listener)
	tb.Cleanup(func() { conn.Close() })
	return conn
}

// dial opens a websocket, joins the main namespace and reads no more.
func dial(tb testing.TB, l *testnet.Listener) *testnet.Conn {
	tb.Helper()
	conn, err := l.Dial()
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := io.WriteString(conn, upgradeRequest); err != nil {
		tb.Fatal(err)
	}
	readUntil(tb, conn, []byte(`"maxPayload":1000000}`))
	if _, err := conn.Write(frames("40")); err != nil {
		tb.Fatal(err)
	}
	readUntil(tb, conn, []byte(`"}`))
	return conn
}

// readUntil reads byte by byte, so that nothing of what follows is read.
func readUntil(tb testing.TB, r io.Reader, end []byte) {
	tb.Helper()
	var got []byte
	one := make([]byte, 1)
	for !bytes.HasSuffix(got, end) {
		if _, err := r.Read(one); err != nil {
			tb.Fatalf("%v after %q", err, got)
		}
		got = append(got, one[0])
	}
}

// unmasked is the frame of a server.
func unmasked(text string) []byte {
	switch n := len(text); {
	case n < 126:
		return append([]byte{0x81, byte(n)}, text...)
	default:
		return append([]byte{0x81, 126, byte(n >> 8), byte(n)}, text...)
	}
}

// exchange returns a function that sends a packet and reads the answer, which
// is checked once.
func exchange(tb testing.TB, conn io.ReadWriter, packet, answer string) func() {
	tb.Helper()
	out, want := frames(message(packet)), unmasked(answer)
	in := make([]byte, len(want))
	once := func() {
		if _, err := conn.Write(out); err != nil {
			tb.Fatal(err)
		}
		if _, err := io.ReadFull(conn, in); err != nil {
			tb.Fatal(err)
		}
	}
	once()
	if !bytes.Equal(in, want) {
		tb.Fatalf("got %q, want %q", in, want)
	}
	return once
}
