package wscore_test

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/await"
	"github.com/hermod-io/hermod/wscore"
)

// sealing is a protocol whose Coder marks what it has seen.
type sealing struct{ plain *atomic.Int64 }

func (s sealing) OnMessage(_ wscore.Opcode, d []byte) {}
func (s sealing) OnClose(error)                       {}
func (s sealing) Encode(op wscore.Opcode, d []byte) (wscore.Opcode, []byte, error) {
	return op, append([]byte("sealed "), d...), nil
}
func (s sealing) Decode(op wscore.Opcode, d []byte) (wscore.Opcode, []byte, error) {
	if len(d) < 7 || string(d[:7]) != "sealed " {
		s.plain.Add(1)
		return op, d, nil
	}
	return op, d[7:], nil
}

// A process could be found, by a broadcast or Client.Process, before its
// protocol was there: what was sent then bypassed the Coder, and with Noise left
// in the clear.
func TestFoundProcessHasItsCoder(t *testing.T) {
	plain := new(atomic.Int64)
	slow := func(*wscore.Process) wscore.Protocol {
		runtime.Gosched() // others may find the process
		return sealing{plain}
	}
	h, u := serving(t, wscore.ProcessSettings{}, wscore.ProtocolSpec{Names: []string{"x"}, New: slow})
	c := wscore.NewClient(u, wscore.ProtocolSpec{Names: []string{"x"}, New: slow}, wscore.ClientSettings{MinBackoff: time.Millisecond, MaxBackoff: time.Millisecond})
	stop, ended := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		for stop.Err() == nil {
			h.Broadcast(wscore.OpText, []byte("from the server"))
			if p := c.Process(); p != nil {
				_ = p.Send(wscore.OpText, []byte("from the client"))
			}
		}
	})
	if _, err := c.Connect(await.Context(t)); err != nil {
		t.Error(err)
	}
	for range 20 {
		if p := c.Process(); p != nil {
			_ = p.CloseNow()
			await.Until(t, "another connection", func() bool { q := c.Process(); return q != nil && q != p })
		}
	}
	ended()
	wg.Wait()
	closeWithin(t, c.Close)
	if n := plain.Load(); n != 0 {
		t.Errorf("%d messages bypassed the Coder", n)
	}
}

// What must not be sent was taken without an error where there was a Coder, and
// nothing was sent.
func TestSendPreparedOfNoMessageFailsWithACoder(t *testing.T) {
	spec := wscore.ProtocolSpec{Names: []string{"x"}, New: func(*wscore.Process) wscore.Protocol { return sealing{new(atomic.Int64)} }}
	_, u := serving(t, wscore.ProcessSettings{}, spec)
	c := wscore.NewClient(u, spec, wscore.ClientSettings{})
	p, err := c.Connect(await.Context(t))
	if err != nil {
		t.Fatal(err)
	}
	defer closeWithin(t, c.Close)
	if err := p.SendPrepared(wscore.NewPrepared(wscore.Message{Op: wscore.OpClose})); err == nil {
		t.Error("a close frame was taken")
	}
	if err := p.SendPrepared(wscore.NewPrepared(wscore.Message{Op: wscore.OpText, Data: []byte("a")})); err != nil {
		t.Error(err)
	}
}

// A broadcast could reach a connection before its OnOpen: what was said to all came
// before the greeting.
func TestBroadcastWaitsForOnOpen(t *testing.T) {
	connecting, goOn := make(chan struct{}), make(chan struct{})
	s := wscore.ProcessSettings{OnConnect: func(*wscore.Process) { close(connecting); <-goOn }}
	h, u := serving(t, s, wscore.ProtocolSpec{Names: []string{"x"}, New: func(p *wscore.Process) wscore.Protocol {
		return greeter{p, "hello"}
	}})
	c, _, err := dialNames(t, u, nil, "x")
	if err != nil {
		t.Fatal(err)
	}
	<-connecting
	m := wscore.NewPrepared(wscore.Message{Op: wscore.OpText, Data: []byte("to all")})
	if n := h.Broadcast(wscore.OpText, []byte("to all")) + h.BroadcastRaw(m); n != 0 {
		t.Errorf("%d took it", n)
	}
	close(goOn)
	for _, want := range []string{"hello", "to all"} {
		if _, got, err := c.Read(await.Context(t)); err != nil || string(got) != want {
			t.Fatalf("got %q, %v", got, err)
		}
		if n := h.Broadcast(wscore.OpText, []byte("to all")); n != 1 {
			t.Errorf("%d took it", n)
		}
	}
	_ = c.CloseNow()
}
