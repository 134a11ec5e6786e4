package wscore

import (
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/internal/testnet"
)

// churner counts what its connection tells it. Its fields have no lock: two
// readers at once are a data race.
type churner struct {
	t        *testing.T
	conn     *Conn
	heard    int
	closes   int
	ran      *atomic.Int64
	accepted *atomic.Int64
}

func (c *churner) OnMessage(_ Opcode, data []byte) {
	f := strings.Fields(string(data))
	if want := fmt.Sprint(c.heard); f[0] != want {
		c.t.Errorf("message %s, want %s", f[0], want)
	}
	c.heard++
	if c.conn.RunNext(runFunc(func() { c.run(f[1]) })) {
		c.accepted.Add(1)
	}
	if f[1] == "front" {
		c.conn.ReadOn()
	}
}

func (c *churner) OnClose(error) { c.closes++ }

func (c *churner) run(what string) {
	c.ran.Add(1)
	switch what {
	case "short":
		time.Sleep(3 * time.Millisecond)
	case "long":
		time.Sleep(25 * time.Millisecond)
	case "on":
		c.conn.ReadOn()
		time.Sleep(time.Millisecond)
	case "other":
		go c.conn.ReadOn()
		runtime.Gosched()
	case "exit":
		runtime.Goexit()
	case "say":
		_ = c.conn.Send(OpText, []byte("said"))
	}
}

// Whatever runs next, and however it goes on: all messages are heard, in order, by
// one reader, all that was taken is run, and the end is told once.
func TestChurnRunNext(t *testing.T) {
	kinds := []string{"short", "long", "on", "other", "exit", "say", "front", "none"}
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			const conns, messages = 8, 60
			srv := NewServer(Settings{})
			var ran, accepted atomic.Int64
			var all []*churner
			for i := range conns {
				client, end := testnet.Pipe(testnet.Options{})
				c := &churner{t: t, conn: srv.NewConn(end), ran: &ran, accepted: &accepted}
				c.conn.reads = uint8(i * 4)
				c.conn.Serve(c)
				all = append(all, c)
				go churnClient(client, seed*conns+uint64(i), messages, kinds)
			}
			time.Sleep(5 * time.Second)
			synctest.Wait()
			if err := srv.Close(t.Context()); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Second)
			synctest.Wait()
			for i, c := range all {
				if c.heard != messages || c.closes != 1 {
					t.Errorf("seed %d: connection %d heard %d messages, and %d ends", seed, i, c.heard, c.closes)
				}
			}
			if ran.Load() != accepted.Load() || ran.Load() < messages {
				t.Errorf("seed %d: %d of %d were run", seed, ran.Load(), accepted.Load())
			}
			if n, l := running(&srv.group), watchedBy(&srv.group); n != 0 || l != 0 {
				t.Errorf("seed %d: %d goroutines and %d on the lookout are left", seed, n, l)
			}
		})
	}
}

// churnClient sends messages in pieces of all sizes and pauses, and ends somehow.
func churnClient(nc *testnet.Conn, seed uint64, messages int, kinds []string) {
	go func() { _, _ = io.Copy(io.Discard, nc) }()
	r := rand.New(rand.NewPCG(seed, 4))
	for i := 0; i < messages; {
		var b []byte
		for range min(1+r.IntN(4), messages-i) {
			b = append(b, text(fmt.Sprint(i, " ", kinds[r.IntN(len(kinds))]))...)
			i++
		}
		if i == messages && seed%3 == 0 {
			b = append(b, closeFrame(CloseNormal, "")...)
		}
		if _, err := nc.Write(b); err != nil {
			return
		}
		time.Sleep(time.Duration(r.IntN(8)) * time.Millisecond)
	}
	if seed%3 == 1 {
		_ = nc.Close()
	}
}
