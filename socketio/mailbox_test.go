package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/socketio"
)

// batches returns n events in pieces that a peer sends one after the other.
func batches(n, size int, format string) (out []string) {
	var b strings.Builder
	for i := range n {
		if b.Len() > 0 {
			b.WriteByte(0x1e)
		}
		fmt.Fprintf(&b, format, i)
		if (i+1)%size == 0 || i == n-1 {
			out = append(out, b.String())
			b.Reset()
		}
	}
	return out
}

// TestHandlerWaitsForAckBehindEvents: a handler waits for an ack that is on the
// wire behind 10 000 events, more than the mailbox takes. A reader that waited
// for the mailbox would never come to the ack.
func TestHandlerWaitsForAckBehindEvents(t *testing.T) {
	cfg := socketio.Config{Mailbox: socketio.Mailbox{Packets: 2600, Bytes: 4 << 20}}
	run(t, cfg, func(r *rig) {
		const n = 10_000
		var handled atomic.Int32
		var got string
		r.srv.On("ask", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
			reply, err := s.EmitWithAck(ctx, "question")
			got = string(reply.Raw(0))
			return err
		})
		r.srv.On("n", socketio.Receive(func(ctx context.Context, s *socketio.Socket, i int) error {
			if int(handled.Add(1)) != i+1 {
				r.Errorf("event %d is the %dth", i, handled.Load())
			}
			return nil
		}))
		p := r.join("/")
		p.send(`42["ask"]`)
		p.want(`420["question"]`, "the handler asks")
		p.send(batches(n, 500, `42["n",%d]`)...)
		p.send(`430["answer"]`)
		r.eventually("all events", func() bool { return handled.Load() == n })
		if got != `"answer"` {
			r.Errorf("the ack is %s", got)
		}
	})
}

// TestTooManyEventsBehindAsk: four times the bound, and the connection ends.
func TestTooManyEventsBehindAsk(t *testing.T) {
	runWebSocket(t, socketio.Config{Mailbox: socketio.Mailbox{Packets: 10}}, func(r *rig) {
		var j journal
		r.srv.On("ask", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
			_, err := s.EmitWithAck(ctx, "question")
			var left *socketio.DisconnectError
			j.add("%v", errors.As(err, &left) && left.Reason == socketio.ForcedClose)
			return nil
		})
		r.srv.On("n", func(context.Context, *socketio.Socket, *socketio.Event) error { return nil })
		p := r.join("/")
		p.send(`42["ask"]`)
		p.want(`420["question"]`, "the handler asks")
		p.send(batches(40, 10, `42["n",%d]`)...)
		p.wantIdle("forty may wait")
		p.send(`42["n",40]`)
		p.wantClosed("one more may not")
		r.eventually("the end of the wait", func() bool { return len(j.all()) == 1 })
		j.want(r.T, "true")
	})
}

// TestBackPressure: a slow handler stops the reading, and with it the sender.
// The connection lives on, though no pong is read.
func TestBackPressure(t *testing.T) {
	cfg := socketio.Config{
		Engine:  engineio.Config{PingInterval: time.Second, PingTimeout: time.Second},
		Mailbox: socketio.Mailbox{Packets: 10},
	}
	runWebSocket(t, cfg, func(r *rig) {
		var handled atomic.Int32
		open := make(chan struct{})
		r.srv.On("n", func(context.Context, *socketio.Socket, *socketio.Event) error {
			<-open
			handled.Add(1)
			return nil
		})
		p := r.join("/")
		body := strings.Repeat("x", 20_000)
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			p.send(batches(50, 1, `42["n",%d,"`+body+`"]`)...)
		}()
		time.Sleep(30 * time.Second)
		synctest.Wait()
		select {
		case <-sent:
			r.Fatal("a megabyte went into a mailbox of ten packets and a network of 64 KB")
		default:
		}
		close(open)
		<-sent
		r.eventually("all events", func() bool { return handled.Load() == 50 })
		if !p.socket().Connected() {
			r.Error("it was disconnected")
		}
	})
}

// TestStoppedReaderWakes: whoever waits in front of a full mailbox goes on when
// the server closes, when the socket is disconnected, and when the heartbeat
// ends the session.
func TestStoppedReaderWakes(t *testing.T) {
	cfg := socketio.Config{
		Engine:  engineio.Config{PingInterval: time.Second, PingTimeout: time.Second, MaxReadPause: 10 * time.Second},
		Mailbox: socketio.Mailbox{Packets: 2},
	}
	for name, end := range map[string]func(r *rig, p *peer){
		"close":      func(r *rig, p *peer) { _ = r.srv.Close(context.Background()) },
		"disconnect": func(r *rig, p *peer) { p.socket().Disconnect(true) },
		"heartbeat":  func(r *rig, p *peer) { time.Sleep(time.Minute) },
	} {
		t.Run(name, func(t *testing.T) {
			runWebSocket(t, cfg, func(r *rig) {
				var reason atomic.Value
				r.srv.OnDisconnect(func(s *socketio.Socket, why socketio.Reason) { reason.Store(why) })
				r.srv.On("n", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
					<-ctx.Done()
					return nil
				})
				p := r.join("/")
				p.send(batches(20, 20, `42["n",%d]`)...)
				synctest.Wait()
				end(r, p)
				r.eventually("the end", func() bool { return reason.Load() != nil })
				t.Log(reason.Load())
			})
		})
	}
}

// TestConcurrent: handlers that opted out run at once, and their number is
// bounded by the mailbox.
func TestConcurrent(t *testing.T) {
	runWebSocket(t, socketio.Config{Mailbox: socketio.Mailbox{Packets: 8}}, func(r *rig) {
		var running, most atomic.Int32
		r.srv.On("n", socketio.Concurrent(func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
			if n := running.Add(1); n > most.Load() {
				most.Store(n)
			}
			time.Sleep(time.Second)
			running.Add(-1)
			return &socketio.Error{Code: "c", Message: "m"}
		}))
		p := r.join("/")
		p.send(batches(40, 40, `42%d["n"]`)...)
		for range 40 {
			p.wantMatch(`^43\d+\[\{"error":\{"code":"c","message":"m"\}\}\]$`, "the error is the ack")
		}
		if n := most.Load(); n < 2 || n > 20 {
			r.Errorf("%d ran at once", n)
		}
	})
}

// TestConcurrentTwice: an event that two concurrent handlers have counts for each, and
// for neither when both are done.
func TestConcurrentTwice(t *testing.T) {
	runWebSocket(t, socketio.Config{Mailbox: socketio.Mailbox{Packets: 8}}, func(r *rig) {
		var handled atomic.Int32
		count := socketio.Concurrent(func(context.Context, *socketio.Socket, *socketio.Event) error {
			handled.Add(1)
			return nil
		})
		r.srv.On("n", count)
		r.srv.OnAny(count)
		p := r.join("/")
		p.send(batches(40, 1, `42["n",%d]`)...)
		r.eventually("all events", func() bool { return handled.Load() == 80 })
	})
}

// TestConcurrentReplaces: what an event counts does not change with its arguments,
// which a handler may replace.
func TestConcurrentReplaces(t *testing.T) {
	runWebSocket(t, socketio.Config{Mailbox: socketio.Mailbox{Bytes: 2000}}, func(r *rig) {
		var handled atomic.Int32
		r.srv.On("n", socketio.Concurrent(func(_ context.Context, _ *socketio.Socket, e *socketio.Event) error {
			e.Args = socketio.Args{}
			handled.Add(1)
			return nil
		}))
		p := r.join("/")
		p.send(batches(400, 1, `42["n",%d]`)...)
		r.eventually("all events", func() bool { return handled.Load() == 400 })
	})
}

// TestWorkersEnd: the goroutines of handlers are kept for a while, not for ever
// and not all.
func TestWorkersEnd(t *testing.T) {
	// Over WebSocket the goroutines that receive do the work of workers.
	bubble(t, engineio.Polling, socketio.Config{}, func(r *rig) {
		r.srv.On("n", func(context.Context, *socketio.Socket, *socketio.Event) error {
			time.Sleep(time.Second)
			return nil
		})
		var peers []*peer
		for range 100 {
			peers = append(peers, r.join("/"))
		}
		for _, p := range peers {
			p.send(`42["n"]`)
		}
		time.Sleep(1100 * time.Millisecond)
		if n := socketio.IdleWorkers(r.srv); n != 64 {
			r.Errorf("%d workers are kept, want 64", n)
		}
		time.Sleep(time.Second)
		if n := socketio.IdleWorkers(r.srv); n != 0 {
			r.Errorf("%d workers are kept after a second", n)
		}
	})
}
