package wscore_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/await"
	"github.com/hermod-io/hermod/wscore"
)

// Processes and clients that come and go leave nothing behind, however they end,
// and each end is told once.
func TestChurnProcesses(t *testing.T) {
	for name, end := range map[string]func(c *wscore.Client, p *wscore.Process, h *wscore.Handler){
		"client closes":  func(c *wscore.Client, _ *wscore.Process, _ *wscore.Handler) { _ = c.Close(context.Background()) },
		"client is lost": func(_ *wscore.Client, p *wscore.Process, _ *wscore.Handler) { _ = p.CloseNow() },
		"server drops it": func(_ *wscore.Client, p *wscore.Process, h *wscore.Handler) {
			if sp, ok := h.Lookup(p.ID()); ok {
				_ = sp.CloseNow()
			}
			<-p.Done()
		},
		"server closes": func(_ *wscore.Client, p *wscore.Process, h *wscore.Handler) {
			if sp, ok := h.Lookup(p.ID()); ok {
				_ = sp.Close(wscore.CloseNormal, "")
			}
			<-p.Done()
		},
		"with something gathered": func(_ *wscore.Client, p *wscore.Process, _ *wscore.Handler) {
			_ = p.SendLater(wscore.OpText, make([]byte, 100))
			_ = p.CloseNow()
		},
	} {
		t.Run(name, func(t *testing.T) { churnProcesses(t, end) })
	}
}

func churnProcesses(t *testing.T, end func(c *wscore.Client, p *wscore.Process, h *wscore.Handler)) {
	var connects, disconnects atomic.Int64
	list := new(wscore.ProtocolList)
	list.Add(wscore.ProtocolSpec{Names: []string{"x"}, New: func(p *wscore.Process) wscore.Protocol { return quiet{} }})
	h := wscore.NewHandler(list, wscore.ProcessSettings{
		ResumeWindow: -1, Conn: wscore.Settings{Deflate: &wscore.Deflate{Takeover: true}, CloseTimeout: 200 * time.Millisecond},
		OnConnect:    func(*wscore.Process) { connects.Add(1) },
		OnDisconnect: func(*wscore.Process, error) { disconnects.Add(1) },
	})
	hs := httptest.NewServer(h)
	http.DefaultClient.CloseIdleConnections()
	run := func(n int) {
		for range n {
			spec := wscore.ProtocolSpec{Names: []string{"x"}, New: func(*wscore.Process) wscore.Protocol { return quiet{} }}
			c := wscore.NewClient(hs.URL, spec, wscore.ClientSettings{NoReconnect: true, ProcessSettings: wscore.ProcessSettings{
				HeartbeatDelay: time.Minute, Conn: wscore.Settings{Deflate: &wscore.Deflate{Takeover: true}}}})
			p, err := c.Connect(await.Context(t))
			if err != nil {
				t.Fatal(err)
			}
			_ = p.Send(wscore.OpText, []byte(sample(2000)))
			end(c, p, h)
			closeWithin(t, c.Close)
		}
		await.Until(t, "all are gone", func() bool { return h.Len() == 0 && connects.Load() == disconnects.Load() })
	}
	run(20)
	before := runtime.NumGoroutine()
	run(200)
	if n := connects.Load(); n != 220 {
		t.Errorf("%d connects", n)
	}
	await.Until(t, "the goroutines are gone", func() bool { return runtime.NumGoroutine() <= before+2 })
	closeWithin(t, h.Shutdown)
	hs.Close()
}

type quiet struct{}

func (quiet) OnMessage(wscore.Opcode, []byte) {}
func (quiet) OnClose(error)                   {}
