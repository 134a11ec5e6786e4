package socketio_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/socketio"
)

// TestChurn: 1000 connections of each kind come and go. Nothing of them is left
// but what pools keep; that no goroutine is, the bubble sees to.
func TestChurn(t *testing.T) {
	joined := func(r *rig) *peer { return r.join("/") }
	for name, kind := range map[string]struct {
		open func(r *rig) *peer
		end  func(r *rig, p *peer)
	}{
		"peer FIN":      {joined, func(r *rig, p *peer) { p.hangUp() }},
		"peer RST":      {joined, func(r *rig, p *peer) { p.conn.Abort() }},
		"server close":  {joined, func(r *rig, p *peer) { p.socket().Disconnect(true) }},
		"ping timeout":  {joined, func(r *rig, p *peer) {}},
		"leave, return": {joined, func(r *rig, p *peer) { p.send("41"); p.join("/"); p.hangUp() }},
		"oversized":     {joined, func(r *rig, p *peer) { _ = p.write(message("4" + strings.Repeat("x", 2000))) }},
		"malformed":     {joined, func(r *rig, p *peer) { p.send("4!") }},
		"never joined":  {func(r *rig) *peer { return r.open() }, func(r *rig, p *peer) {}},
		"refused": {func(r *rig) *peer { return r.open() }, func(r *rig, p *peer) {
			p.send("40/refused,")
			p.want(`44/refused,{"message":"no"}`, "refused")
			p.hangUp()
		}},
		"asked": {joined, func(r *rig, p *peer) {
			s := p.socket()
			ctx, cancel := context.WithCancel(s.Context())
			cancel()
			_, _ = s.EmitWithAck(ctx, "q")
			go s.EmitWithAck(context.Background(), "q")
			p.want(`42`+lastAsk(p)+`["q"]`, "a question")
			p.hangUp()
		}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := socketio.Config{
				Engine:         engineio.Config{PingInterval: 2 * time.Second, PingTimeout: time.Second, MaxHTTPBufferSize: 1000},
				ConnectTimeout: 2 * time.Second,
			}
			runWebSocket(t, cfg, func(r *rig) { churn(r, kind.open, kind.end) })
		})
	}
}

// lastAsk waits for a question and gives it back with its number.
func lastAsk(p *peer) string {
	m := p.wantMatch(`^42\d+\["q"\]$`, "a question")
	p.received <- m
	return strings.TrimSuffix(strings.TrimPrefix(string(m), "42"), `["q"]`)
}

func churn(r *rig, open func(r *rig) *peer, end func(r *rig, p *peer)) {
	r.Helper()
	refused := r.srv.Of("/refused")
	refused.Use(func(ctx context.Context, s *socketio.Socket) error {
		return errors.Join(s.Join(ctx, "room"), errors.New("no"))
	})
	r.srv.OnConnect(func(ctx context.Context, s *socketio.Socket) error { return s.Join(ctx, "lobby", "of "+s.ID()) })
	round := func(n int) {
		for range n {
			end(r, open(r))
		}
		time.Sleep(5 * time.Second) // until the timeouts
		r.eventually("all are gone", func() bool { return r.srv.Engine().Clients() == 0 })
		for _, p := range r.peers {
			p.hangUp()
		}
		r.peers = nil
		synctest.Wait()
	}
	round(100)
	before := heap()
	for range 10 {
		round(100)
	}
	if after := heap(); after > before+1<<20 {
		r.Errorf("the heap grew from %d KB to %d KB", before>>10, after>>10)
	}
	for _, n := range []*socketio.Namespace{r.srv.Of("/"), refused} {
		rooms, err := n.Rooms(r.Context())
		if sockets := slices.Collect(n.Sockets()); len(rooms) != 0 || err != nil || len(sockets) != 0 {
			r.Errorf("%s: rooms %v, %d sockets", n.Name(), rooms, len(sockets))
		}
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestHandlerThatBlocksHoldsNothingBack: what it has emitted leaves, though
// more mail waits behind it and it never returns.
func TestHandlerThatBlocksHoldsNothingBack(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		r.srv.On("x", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
			err := errors.Join(s.Emit("emitted"), e.Ack("acked"), r.srv.Emit("broadcast"))
			<-ctx.Done()
			return err
		})
		p := r.join("/")
		p.send("420[\"x\"]\x1e42[\"x\"]\x1e42[\"x\"]")
		p.want(`42["emitted"]`, "an emit")
		p.want(`430["acked"]`, "an ack")
		p.want(`42["broadcast"]`, "a broadcast")
		p.wantIdle("the handler blocks")
	})
}
