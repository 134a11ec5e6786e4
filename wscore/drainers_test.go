package wscore

import (
	"fmt"
	"io"
	"runtime"
	"runtime/metrics"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/internal/testnet"
)

// created is how many goroutines there have been.
func created() uint64 {
	s := []metrics.Sample{{Name: "/sched/goroutines-created:goroutines"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// Each message over TLS started a goroutine, when they did not come in heaps.
func TestDrainersAreKept(t *testing.T) {
	scenarioPlain(t, func(p *peer) {
		send := func(n int) (started uint64) {
			before := created()
			for i := range n {
				if err := p.conn.Send(OpText, fmt.Append(nil, i)); err != nil {
					t.Fatal(err)
				}
				p.want(OpText, fmt.Sprint(i), "at once")
				synctest.Wait()
			}
			return created() - before
		}
		if n := send(100); n > 50 {
			t.Errorf("%d goroutines for 100 messages", n)
		}
		idle := func() int {
			p.srv.mu.Lock()
			defer p.srv.mu.Unlock()
			return len(p.srv.drainers.idle)
		}
		p.pass(idleDrainerSweep)
		send(1)
		if n := idle(); n != 1 {
			t.Errorf("%d are kept while there is need of one", n)
		}
		p.pass(2 * idleDrainerSweep)
		if n := idle(); n != 0 {
			t.Errorf("%d are kept when there is none", n)
		}
		send(1) // and one is kept when the server is closed: it ends, or the bubble would not
	})
}

// None is left when the last connection has ended, though the server is not closed: who
// only dials has nothing to close.
func TestDrainersEndWithTheConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := dial(t, Settings{}, testnet.Options{})
		p.conn = p.srv.NewConn(hidden{p.end})
		p.conn.Serve(p.rec)
		if err := p.conn.Send(OpText, []byte("x")); err != nil {
			t.Fatal(err)
		}
		p.want(OpText, "x", "a message")
		p.write(closeFrame(CloseNormal, ""))
		p.wantClose(CloseNormal, "echoed")
		_ = p.nc.Close()
		p.wantClosed(CloseNormal, true)
	})
}

// However many connections there are, no more are kept than a few.
func TestDrainersAreFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := NewServer(Settings{})
		conns := make([]*Conn, 3*maxIdleDrainers)
		for i := range conns {
			client, end := testnet.Pipe(testnet.Options{})
			go func() { _, _ = io.Copy(io.Discard, client) }() // ends with the pipe
			conns[i] = srv.NewConn(hidden{end})
			conns[i].Serve(&recorder{})
		}
		synctest.Wait()
		for round := range 3 {
			for _, c := range conns {
				if err := c.Send(OpText, []byte("x")); err != nil {
					t.Fatal(err)
				}
			}
			synctest.Wait()
			srv.mu.Lock()
			n := len(srv.drainers.idle)
			srv.mu.Unlock()
			if n == 0 || n > maxIdleDrainers {
				t.Errorf("round %d: %d are kept", round, n)
			}
		}
		if err := srv.Close(t.Context()); err != nil {
			t.Error(err)
		}
		for _, c := range conns {
			if err := c.Send(OpText, []byte("x")); err == nil {
				t.Error("sent after the end")
			}
		}
	})
}

// exiting is a stream whose Write ends the goroutine.
type exiting struct{ io.ReadWriteCloser }

func (exiting) Write([]byte) (int, error) { runtime.Goexit(); return 0, nil }

// A stream that ends the goroutine that writes does not hold up Close.
func TestDrainerExits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := NewServer(Settings{})
		client, end := testnet.Pipe(testnet.Options{})
		defer client.Close()
		c := srv.NewConn(exiting{end})
		c.Serve(&recorder{})
		_ = c.Send(OpText, []byte("x"))
		synctest.Wait()
		begin := time.Now()
		if err := srv.Close(t.Context()); err != nil || time.Since(begin) > time.Minute {
			t.Errorf("Close: %v, after %v", err, time.Since(begin))
		}
	})
}
