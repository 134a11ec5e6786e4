package wscore_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/wscore"
)

// piped is a listener whose connections are made in memory.
type piped struct {
	conns chan net.Conn
	done  chan struct{}
}

func (l *piped) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, io.EOF
	}
}
func (l *piped) Close() error   { return nil }
func (l *piped) Addr() net.Addr { return &net.UnixAddr{} }

// A server that takes every connection and loses it a second later was asked
// again without pause, since each success forgot the waits before it.
func TestClientSparesAFlappingServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lost atomic.Int64
		spec := wscore.ProtocolSpec{Names: []string{"x"}, New: func(*wscore.Process) wscore.Protocol { return quiet{} }}
		list := new(wscore.ProtocolList)
		list.Add(spec)
		var steady atomic.Bool
		h := wscore.NewHandler(list, wscore.ProcessSettings{HeartbeatDelay: -1, OnConnect: func(p *wscore.Process) {
			if !steady.Load() {
				time.AfterFunc(time.Second, func() { _ = p.CloseNow() })
			}
		}})
		l := &piped{make(chan net.Conn), make(chan struct{})}
		srv := &http.Server{Handler: h}
		go func() { _ = srv.Serve(l) }()
		s := wscore.ClientSettings{OnLost: func(error, int) { lost.Add(1) }}
		s.Dial.NetDial = func(ctx context.Context, _, _ string) (net.Conn, error) {
			a, b := net.Pipe()
			l.conns <- b
			return a, nil
		}
		c := wscore.NewClient("ws://pipe.test/", spec, s)
		if _, err := c.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if n := lost.Load(); n < 100 || n > 1000 {
			t.Errorf("lost %d times in an hour, want about 420", n)
		}
		steady.Store(true)
		time.Sleep(time.Minute) // what lasts is trusted again
		steady.Store(false)
		for p := range h.Processes() {
			_ = p.CloseNow()
		}
		time.Sleep(250 * time.Millisecond)
		if c.Process() == nil {
			t.Error("the first wait after a connection that lasted is a short one")
		}
		closeWithin(t, c.Close)
		closeWithin(t, h.Shutdown)
		close(l.done)
		_ = srv.Close()
	})
}
