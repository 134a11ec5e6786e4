package wscore

import (
	"fmt"
	"net"
	"runtime"
	"testing"

	"github.com/hermod-io/hermod/internal/await"
)

// base is what there is when nothing is connected.
type base struct {
	goroutines int
	heap       uint64
}

func measure() base {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return base{runtime.NumGoroutine(), m.HeapAlloc}
}

// wantBack waits until goroutines and heap are back at the base.
func wantBack(t *testing.T, before base) {
	t.Helper()
	const slack = 2 << 20
	var now base
	await.Until(t, "goroutines and heap are back", func() bool {
		now = measure()
		return now.goroutines <= before.goroutines+2 && now.heap <= before.heap+slack
	}, func() string {
		return fmt.Sprintf("%d goroutines and %d KB of heap, before %d and %d", now.goroutines, now.heap>>10, before.goroutines, before.heap>>10)
	})
}

// Connections that come and go leave nothing behind, however they end.
func TestChurn(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, a *acceptor, nc net.Conn){
		"peer FIN": func(_ *testing.T, _ *acceptor, nc net.Conn) { _ = nc.Close() },
		"peer RST": func(_ *testing.T, _ *acceptor, nc net.Conn) { _ = nc.(*net.TCPConn).SetLinger(0); _ = nc.Close() },
		"peer says": func(_ *testing.T, _ *acceptor, nc net.Conn) {
			_, _ = nc.Write(closeFrame(CloseNormal, ""))
			_ = nc.Close()
		},
		"oversized": func(_ *testing.T, _ *acceptor, nc net.Conn) {
			_, _ = nc.Write(clientFrame(true, OpBinary, make([]byte, 2000))[:100])
			_ = nc.Close()
		},
		"unfinished": func(_ *testing.T, _ *acceptor, nc net.Conn) { _, _ = nc.Write(text("half")[:7]); _ = nc.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			a := newAcceptor(t, Settings{MaxMessage: 1000}, nil)
			a.churn(t, 50, end)
			before := measure()
			a.churn(t, 1000, end)
			wantBack(t, before)
			if n := a.ws.Conns(); n != 0 {
				t.Errorf("%d connections are left", n)
			}
		})
	}
}

func (a *acceptor) churn(t *testing.T, n int, end func(t *testing.T, a *acceptor, nc net.Conn)) {
	t.Helper()
	for range n {
		nc, r, res := a.dial(t, handshake()+string(text("hi")))
		if res.StatusCode != 101 {
			t.Fatal(res.Status)
		}
		if _, _, err := readServerFrame(r); err != nil {
			t.Fatal(err)
		}
		end(t, a, nc)
	}
	await.Until(t, "all connections are gone", func() bool { return a.ws.Conns() == 0 }, func() string { return fmt.Sprint(a.ws.Conns(), " are left") })
}

// The server closes a thousand at once.
func TestChurnServerClose(t *testing.T) {
	before := measure()
	a := newAcceptor(t, Settings{}, nil)
	for range 1000 {
		if _, _, res := a.dial(t, handshake()); res.StatusCode != 101 {
			t.Fatal(res.Status)
		}
	}
	idle := runtime.NumGoroutine() - before.goroutines
	// Each client is in the test's hands; the server has one goroutine for each,
	// net/http's are gone.
	if idle > 1000+20 {
		t.Errorf("%d goroutines for 1000 idle connections", idle)
	}
	if err := a.ws.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.Close()
	if n := a.ws.Conns(); n != 0 {
		t.Errorf("%d connections are left", n)
	}
}
