package wscore

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/internal/await"
	"github.com/hermod-io/hermod/internal/testnet"
)

// stall fills the way to a peer that does not read, until the kernel refuses.
func (p *peer) stall() {
	p.t.Helper()
	for range 10_000 {
		if p.conn.Stalled() {
			return
		}
		if err := p.conn.Send(OpText, bytes.Repeat([]byte("x"), 500)); err != nil {
			p.t.Fatal(err)
		}
	}
	p.t.Fatal("it does not stall")
}

// What is queued while the peer does not read comes in order when it does.
func TestStalledPeer(t *testing.T) {
	scenario(t, Settings{}, testnet.Options{Capacity: 4096}, func(p *peer) {
		p.stall()
		prepared := NewPrepared(Message{Op: OpText, Data: []byte("prepared")})
		for i := range 100 {
			if err := p.conn.SendMessages(SendFlags(i%2), Message{Op: OpText, Data: fmt.Append(nil, i)}); err != nil {
				t.Fatal(err)
			}
			if err := p.conn.SendPrepared(prepared, SendFlags(i%2)); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.conn.Send(OpBinary, make([]byte, 70_000)); err != nil {
			t.Fatal(err)
		}
		if err := p.conn.Close(CloseNormal, ""); err != nil {
			t.Fatal(err)
		}
		var got []string
		for {
			op, b, err := readServerFrame(p.r)
			if err != nil {
				t.Fatal(err)
			}
			if op == OpClose {
				break
			}
			if !strings.HasPrefix(string(b), "xxx") {
				got = append(got, string(b))
			}
		}
		if len(got) != 201 || got[0] != "0" || got[1] != "prepared" || got[198] != "99" || len(got[200]) != 70_000 {
			t.Errorf("%d messages: %.100q", len(got), got)
		}
	})
}

func TestQueueDisconnects(t *testing.T) {
	scenario(t, Settings{Queue: Queue{Bytes: 20_000}}, testnet.Options{Capacity: 1024}, func(p *peer) {
		p.stall()
		var err error
		for range 1000 {
			if err = p.conn.Send(OpText, make([]byte, 500)); err != nil {
				break
			}
		}
		if !errors.Is(err, ErrQueueFull) {
			t.Fatalf("error %v", err)
		}
		if ce := p.wantClosed(ClosePolicy, false); !errors.Is(ce, ErrQueueFull) {
			t.Errorf("cause %v", ce.Err)
		}
		if b, n := p.conn.Buffered(); b != 0 || n != 0 {
			t.Errorf("%d bytes, %d messages are kept", b, n)
		}
	})
}

// DropNewest refuses what does not fit; Must has a reserve of a quarter; one
// message always finds room in an empty queue.
func TestQueueDropsNewest(t *testing.T) {
	scenario(t, Settings{Queue: Queue{Bytes: 20_000, OnFull: DropNewest}}, testnet.Options{Capacity: 1024}, func(p *peer) {
		if err := p.conn.Send(OpText, make([]byte, 100_000)); err != nil {
			t.Errorf("a message larger than the bound, into an empty queue: %v", err)
		}
		if err := p.conn.Send(OpText, []byte("x")); !errors.Is(err, ErrQueueFull) {
			t.Errorf("behind it: %v", err)
		}
		for {
			if _, b, err := readServerFrame(p.r); err != nil || len(b) == 100_000 {
				break
			}
		}
		synctest.Wait()
		p.stall()
		for p.conn.Send(OpText, make([]byte, 500)) == nil {
		}
		if err := p.conn.SendMessages(Must, Message{Op: OpText, Data: make([]byte, 500)}); err != nil {
			t.Errorf("Must: %v", err)
		}
		p.wantOpen("only what did not fit is lost")
		for p.conn.SendMessages(Must, Message{Op: OpText, Data: make([]byte, 500)}) == nil {
		}
		if ce := p.wantClosed(ClosePolicy, false); !errors.Is(ce, ErrQueueFull) {
			t.Errorf("beyond the reserve: %v", ce)
		}
	})
}

// What would break the protocol is not sent: it would be we whom the peer fails.
func TestSendRefusesWhatIsNoMessage(t *testing.T) {
	scenario(t, Settings{}, testnet.Options{}, func(p *peer) {
		for _, m := range []Message{
			{Op: OpContinuation}, {Op: 3}, {Op: 0xB}, {Op: 0x81}, {Op: OpClose, Data: []byte("\x03\xe8")},
			{Op: OpPing, Data: make([]byte, 126)}, {Op: OpPong, Prefix: make([]byte, 100), Data: make([]byte, 26)},
		} {
			if err := p.conn.SendMessages(Must, Message{Op: OpText}, m); err == nil {
				t.Errorf("a unit with a message of opcode %d and %d bytes is taken", m.Op, len(m.Prefix)+len(m.Data))
			}
			if err := p.conn.SendPrepared(NewPrepared(m), 0); err == nil {
				t.Errorf("prepared, with opcode %d and %d bytes, it is taken", m.Op, len(m.Prefix)+len(m.Data))
			}
		}
		p.wantSilence("nothing was sent")
		for _, m := range []Message{{Op: OpPing, Data: make([]byte, 125)}, {Op: OpPong}, {Op: OpText}, {Op: OpBinary, Data: make([]byte, 126)}} {
			if err := p.conn.SendMessages(0, m); err != nil {
				t.Error(err)
			}
			p.want(m.Op, string(m.Data), "what may be sent")
		}
	})
}

// What was moved here from another queue is taken whatever waits, and counts as it
// did there until the queue is empty.
func TestQueueOfMoved(t *testing.T) {
	scenario(t, Settings{Queue: Queue{Bytes: 20_000, Packets: 100, OnFull: DropNewest}}, testnet.Options{Capacity: 1024}, func(p *peer) {
		send := func(f SendFlags, size int, full bool) {
			t.Helper()
			err := p.conn.SendMessages(f, Message{Op: OpText, Data: make([]byte, size)})
			if errors.Is(err, ErrQueueFull) != full || !full && err != nil {
				t.Errorf("%d bytes: %v", size, err)
			}
		}
		p.conn.CountAs(0, 0) // of nothing: changes nothing
		p.stall()
		for range 300 {
			send(Moved, 500, false)
		}
		send(0, 1, true)
		p.conn.CountAs(19_000, 98)
		send(0, 1000, true) // with its header
		send(0, 900, false)
		send(0, 95, true)
		send(0, 1, false)
		send(0, 1, true) // the 101st
		for {            // until nothing waits
			if _, n := p.conn.Buffered(); n == 0 {
				break
			}
			if _, _, err := readServerFrame(p.r); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		p.stall()
		for p.conn.Send(OpText, make([]byte, 500)) == nil {
		}
		if b, _ := p.conn.Buffered(); b > 20_000 {
			t.Errorf("%d bytes wait: the bound is what it was", b)
		}
	})
}

func TestQueuePackets(t *testing.T) {
	scenario(t, Settings{Queue: Queue{Packets: 200, OnFull: DropNewest}}, testnet.Options{Capacity: 1024}, func(p *peer) {
		p.stall()
		n := 0
		for p.conn.Send(OpText, nil) == nil {
			n++
		}
		if _, packets := p.conn.Buffered(); packets != 200 {
			t.Errorf("%d messages wait, %d were taken on top", packets, n)
		}
	})
}

// A ping flood of a peer that does not read costs one pong.
func TestPingFloodWhileStalled(t *testing.T) {
	scenario(t, Settings{}, testnet.Options{Capacity: 4096}, func(p *peer) {
		p.stall()
		before, _ := p.conn.Buffered()
		for range 500 {
			p.write(clientFrame(true, OpPing, make([]byte, 100)))
		}
		after, _ := p.conn.Buffered()
		if after-before > 300 {
			t.Errorf("%d bytes of pongs wait", after-before)
		}
	})
}

// Units of several goroutines do not mix.
func TestUnitsAreContiguous(t *testing.T) {
	scenario(t, Settings{}, testnet.Options{}, func(p *peer) {
		var wg sync.WaitGroup
		for g := range 4 {
			wg.Go(func() {
				for i := range 100 {
					name := fmt.Appendf(nil, "%d.%d", g, i)
					_ = p.conn.SendMessages(SendFlags(i%2), Message{Op: OpText, Data: name}, Message{Op: OpBinary, Data: name}, Message{Op: OpBinary, Data: name})
				}
			})
		}
		for range 400 {
			_, head, err := readServerFrame(p.r)
			if err != nil {
				t.Fatal(err)
			}
			p.want(OpBinary, string(head), "the first attachment")
			p.want(OpBinary, string(head), "the second")
		}
		wg.Wait()
	})
}

// The handshake's answer and what is sent before Serve leave in one write.
func TestCork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t, Settings{}, testnet.Options{})
		for _, s := range []string{"a", "b"} {
			if err := p.conn.Send(OpText, []byte(s)); err != nil {
				t.Fatal(err)
			}
		}
		p.wantSilence("nothing is written before Serve")
		p.conn.Serve(p.rec)
		p.want(OpText, "a", "the first")
		p.want(OpText, "b", "the second")
		if n := p.end.Writes(); n != 1 {
			t.Errorf("%d writes", n)
		}
		p.finish()
	})
}

// What a protocol sends and then blocks for ever arrives.
func TestSendThenBlock(t *testing.T) {
	for _, f := range []SendFlags{0, Later} {
		scenario(t, Settings{}, testnet.Options{}, func(p *peer) {
			release := make(chan struct{})
			p.rec.onMessage = func(Opcode, []byte) {
				_ = p.conn.SendMessages(f, Message{Op: OpText, Data: []byte("out")})
				<-release
			}
			p.write(text("in"))
			p.want(OpText, "out", "held back by nothing")
			close(release)
		})
	}
}

// costly is a connection whose writes take the time that system calls take.
type costly struct {
	*testnet.Conn
	cost time.Duration
}

func (c costly) TryWritev(bufs [][]byte) (int, bool, error) {
	for start := time.Now(); time.Since(start) < c.cost; {
	}
	return c.Conn.TryWritev(bufs)
}

// systemCall is what a system call takes, 10 µs, or 30 times as long as queueing a
// message if that is more: a build that checks or counts what our code does makes
// that slower, but not the kernel.
func systemCall(t *testing.T) time.Duration {
	client, server := testnet.Pipe(testnet.Options{})
	defer func() { _ = client.Close() }()
	srv := NewServer(Settings{})
	c := srv.NewConn(server) // nothing of it is written before Serve
	p := NewPrepared(Message{Op: OpText, Data: []byte("x")})
	queueing := time.Hour
	for range 20 {
		start := time.Now()
		for range 100 {
			if err := c.SendPrepared(p, Later); err != nil {
				t.Fatal(err)
			}
		}
		queueing = min(queueing, time.Since(start)/100)
	}
	if err := srv.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return max(10*time.Microsecond, 30*queueing)
}

// Eight broadcasts that follow each other closely share their writes: 1.5 a
// member is the promise. It is one of those that broadcast faster than the
// flushers write, so that a machine busy with other things gets further tries.
func TestBroadcastsMerge(t *testing.T) {
	const members, rounds, limit, tries = 1000, 8, 1.5, 60
	cost := systemCall(t)
	best := float64(rounds)
	for i := 0; i < tries && best > limit; i++ {
		best = min(best, broadcastWrites(t, members, rounds, cost))
	}
	t.Logf("%.2f writes a member, of %v each", best, cost)
	if best > limit {
		t.Errorf("%.2f writes a member for %d broadcasts, want at most %v", best, rounds, limit)
	}
}

// broadcastWrites makes broadcasts and returns how many writes a member took.
func broadcastWrites(t *testing.T, members, rounds int, cost time.Duration) float64 {
	srv := NewServer(Settings{})
	conns := make([]*Conn, members)
	ends := make([]*testnet.Conn, members)
	for i := range conns {
		client, server := testnet.Pipe(testnet.Options{})
		defer func() { _ = client.Close() }()
		conns[i], ends[i] = srv.NewConn(costly{server, cost}), server
		conns[i].Serve(&recorder{})
	}
	for k := range rounds {
		p := NewPrepared(Message{Op: OpText, Data: fmt.Append(nil, k)})
		for _, c := range conns {
			if err := c.SendPrepared(p, Later); err != nil {
				t.Fatal(err)
			}
		}
	}
	writes := 0
	for i, c := range conns {
		await.Until(t, "all messages are written", func() bool { _, n := c.Buffered(); return n == 0 })
		writes += ends[i].Writes()
		if n := ends[i].Stats().BytesWritten; n != int64(3*rounds) {
			t.Fatalf("%d bytes written", n)
		}
	}
	if err := srv.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return float64(writes) / float64(members)
}

// What was on its way when the flushers were busy leaves in one write.
func TestQueuedBroadcastsAreOneWrite(t *testing.T) {
	scenario(t, Settings{}, testnet.Options{}, func(p *peer) {
		p.srv.mu.Lock()
		p.srv.flushers += 1 << 20 // all are busy
		p.srv.mu.Unlock()
		for k := range 8 {
			if err := p.conn.SendPrepared(NewPrepared(Message{Op: OpText, Data: fmt.Append(nil, k)}), Later); err != nil {
				t.Fatal(err)
			}
		}
		p.wantSilence("no flusher is free")
		p.srv.mu.Lock()
		p.srv.flushers -= 1 << 20
		p.srv.flushers++
		p.srv.running++
		p.srv.mu.Unlock()
		p.srv.flusher()
		for k := range 8 {
			p.want(OpText, fmt.Sprint(k), "in order")
		}
		if n := p.end.Writes(); n != 1 {
			t.Errorf("%d writes", n)
		}
	})
}

// A stream that can only wait, such as TLS or a pipe, is served as well.
func TestPlainStream(t *testing.T) {
	scenarioPlain(t, func(p *peer) {
		p.write(text("in"))
		p.wantGot("1 in")
		for i := range 50 {
			if err := p.conn.SendMessages(SendFlags(i%2), Message{Op: OpText, Data: fmt.Append(nil, i)}); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 50 {
			p.want(OpText, fmt.Sprint(i), "in order")
		}
		p.write(closeFrame(CloseNormal, ""))
		p.wantClose(CloseNormal, "echoed")
		_ = p.nc.Close()
		p.wantClosed(CloseNormal, true)
	})
}

// hidden shows nothing of a connection but what io.ReadWriteCloser has.
type hidden struct{ c *testnet.Conn }

func (h hidden) Read(b []byte) (int, error)  { return h.c.Read(b) }
func (h hidden) Write(b []byte) (int, error) { return h.c.Write(b) }
func (h hidden) Close() error                { return h.c.Close() }

func scenarioPlain(t *testing.T, f func(p *peer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := dial(t, Settings{}, testnet.Options{})
		p.conn = p.srv.NewConn(hidden{p.end})
		p.conn.Serve(p.rec)
		synctest.Wait()
		f(p)
		p.finish()
	})
}

// Answers to the messages of one read leave in one write, and do not wait for a
// handler that blocks.
func TestAnswersOfOneRead(t *testing.T) {
	scenario(t, Settings{}, testnet.Options{}, func(p *peer) {
		p.rec.onMessage = func(op Opcode, data []byte) { _ = p.conn.Send(op, data) }
		before := p.end.Writes()
		var in []byte
		for i := range 16 {
			in = append(in, text(fmt.Sprint(i))...)
		}
		p.write(in)
		for i := range 16 {
			p.want(OpText, fmt.Sprint(i), "in order")
		}
		if n := p.end.Writes() - before; n > 8 {
			t.Errorf("%d writes for 16 answers", n)
		}
		block := make(chan struct{})
		p.rec.onMessage = func(op Opcode, data []byte) {
			_ = p.conn.Send(op, data)
			if string(data) == "block" {
				<-block
			}
		}
		p.write(append(text("first"), append(text("block"), text("last")...)...))
		p.want(OpText, "first", "a handler that blocks holds nothing back")
		p.want(OpText, "block", "not even its own")
		p.wantSilence("the last one is not handled yet")
		close(block)
		p.want(OpText, "last", "then it is")
	})
}
