//go:build unix

package wscore

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"
)

// secured is a connection over TLS on loopback, and what its client reads.
type secured struct {
	conn *Conn
	r    *bufio.Reader
}

// secureConns opens n connections over TLS.
func secureConns(b *testing.B, n int) []secured {
	ws := NewServer(Settings{})
	conns := make(chan *Conn, 1)
	hs := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := ws.Accept(w, r, nil); err == nil {
			conns <- c
			c.Serve(&recorder{})
		}
	}))
	b.Cleanup(func() {
		if err := ws.Close(b.Context()); err != nil && b.Context().Err() == nil {
			b.Error(err)
		}
		hs.Close()
	})
	conf := hs.Client().Transport.(*http.Transport).TLSClientConfig
	all := make([]secured, n)
	for i := range all {
		nc, err := tls.Dial("tcp", hs.Listener.Addr().String(), conf)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = nc.Close() })
		if _, err := io.WriteString(nc, handshake()); err != nil {
			b.Fatal(err)
		}
		all[i].r = bufio.NewReader(nc)
		if _, err := http.ReadResponse(all[i].r, nil); err != nil {
			b.Fatal(err)
		}
		all[i].conn = <-conns
	}
	return all
}

// Messages over TLS, whose writes may wait and are never the sender's: the processor
// time of one, the client's part included.
func BenchmarkSecured(b *testing.B) {
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	const size = 200
	data := make([]byte, size)
	for _, c := range []struct{ conns, burst int }{{1, 1}, {1, 100}, {20, 1}, {200, 1}} {
		b.Run(fmt.Sprintf("conns=%d/burst=%d", c.conns, c.burst), func(b *testing.B) {
			all := secureConns(b, c.conns)
			frame := make([]byte, c.burst*frameLen(size, false))
			b.ReportAllocs()
			begin := used()
			for b.Loop() {
				for _, s := range all {
					for range c.burst {
						if err := s.conn.Send(OpBinary, data); err != nil {
							b.Fatal(err)
						}
					}
				}
				for _, s := range all {
					if _, err := io.ReadFull(s.r, frame); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(used()-begin)/float64(b.N*c.conns*c.burst), "cpu-ns/each")
		})
	}
}
