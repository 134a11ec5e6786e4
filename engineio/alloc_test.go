//go:build !race && !poison

package engineio

import (
	"io"
	"testing"

	"github.com/hermod-io/hermod/internal/testnet"
	"github.com/hermod-io/hermod/wscore"
)

// silent is a Handler that does nothing.
type silent struct{}

func (silent) OnOpen(*Session)                  {}
func (silent) OnMessage(*Session, bool, []byte) {}
func (silent) OnClose(*Session, Reason, error)  {}

// A message in and a message out over WebSocket cost no memory.
func TestAllocations(t *testing.T) {
	srv, err := New(Config{}, silent{})
	if err != nil {
		t.Fatal(err)
	}
	client, end := testnet.Pipe(testnet.Options{})
	go func() { _, _ = io.Copy(io.Discard, client) }() // ends with the pipe
	s := &Session{srv: srv, id: "x", dialect: dialect4{}, busy: true, seldom: &nothing}
	tr := &wsTransport{s: s, conn: srv.ws.NewConn(end)}
	s.ws.Store(tr)
	s.opened()
	tr.conn.Serve(tr)
	in, data := []byte("4hello"), make([]byte, 64)
	p := NewPrepared(Message{Data: data})
	for name, f := range map[string]func(){
		"in":           func() { tr.OnMessage(wscore.OpText, in) },
		"binary in":    func() { tr.OnMessage(wscore.OpBinary, in) },
		"Send":         func() { _ = s.Send(0, Message{Data: data}) },
		"Send unit":    func() { _ = s.Send(0, Message{Data: data}, Message{Binary: true, Data: data}) },
		"SendPrepared": func() { _ = s.SendPrepared(p, 0) },
	} {
		if n := testing.AllocsPerRun(1000, f); n >= 1 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	if err := srv.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	_ = client.Close()
}
