package wscore_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/internal/testnet"
	"github.com/hermod-io/hermod/wscore"
)

// Whoever writes to a net.Conn waits. Yet a long Write that found the queue half
// empty, and the slower of two at the same time, met a full queue, which closed
// the connection (1008).
func TestNetConnWriteWaitsForRoom(t *testing.T) {
	s := wscore.Settings{Queue: wscore.Queue{Bytes: 64 << 10}}
	for _, c := range []struct {
		name                   string
		writers, writes, bytes int
	}{
		{"long ones", 1, 4, 60 << 10},
		{"longer than the queue", 1, 3, 100 << 10},
		{"many at a time", 20, 5, 20 << 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			connected(t, s, testnet.Options{Capacity: 8 << 10}, func(e *ends) {
				a, b := e.client.NetConn(wscore.OpBinary), e.server.NetConn(wscore.OpBinary)
				var wg sync.WaitGroup
				for range c.writers {
					wg.Go(func() {
						for range c.writes {
							if n, err := a.Write(bytes.Repeat([]byte("x"), c.bytes)); err != nil || n != c.bytes {
								t.Errorf("Write: %d, %v", n, err)
								return
							}
							if n, _ := e.client.Buffered(); n > max(64<<10, c.bytes+16) {
								t.Errorf("%d bytes are buffered", n)
							}
						}
					})
				}
				if n, err := io.CopyN(io.Discard, b, int64(c.writers*c.writes*c.bytes)); err != nil {
					t.Errorf("%d bytes came, %v", n, err)
				}
				wg.Wait()
			})
		})
	}
	t.Run("until the deadline", func(t *testing.T) {
		connected(t, s, testnet.Options{Capacity: 8 << 10}, func(e *ends) {
			a := e.client.NetConn(wscore.OpBinary)
			_ = a.SetWriteDeadline(time.Now().Add(time.Second))
			var err error
			for n := 0; err == nil; n++ {
				if n == 3 {
					t.Fatal("nobody reads, yet all is taken")
				}
				_, err = a.Write(make([]byte, 60<<10))
			}
			var ne net.Error
			if !errors.As(err, &ne) || !ne.Timeout() {
				t.Errorf("got %v", err)
			}
		})
	})
}

// Close ends a Read at once, as with every net.Conn, though the peer does not
// answer the close frame; a deadline in the past does no harm meanwhile.
func TestNetConnReadEndsWithClose(t *testing.T) {
	connected(t, wscore.Settings{}, testnet.Options{}, func(e *ends) {
		a, start := e.client.NetConn(wscore.OpBinary), time.Now()
		done := make(chan error)
		go func() {
			_, err := a.Read(make([]byte, 1))
			done <- err
		}()
		synctest.Wait()
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-done; !errors.Is(err, net.ErrClosed) {
			t.Errorf("the Read that waited: %v", err)
		}
		if _, err := a.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("a later Read: %v", err)
		}
		if d := time.Since(start); d != 0 {
			t.Errorf("that took %v", d)
		}
		_ = a.SetDeadline(time.Unix(1, 0))
		if err := a.Close(); err != nil {
			t.Errorf("Close again: %v", err)
		}
		ctx, cancel := context.WithTimeout(e.t.Context(), time.Second)
		defer cancel()
		var ce *wscore.CloseError
		if _, _, err := e.server.Read(ctx); !errors.As(err, &ce) || ce.Code != wscore.CloseNormal || !ce.Remote {
			t.Errorf("the peer is told %v", err)
		}
		if d := time.Since(start); d > time.Second {
			t.Errorf("the end took %v", d)
		}
	})
}
