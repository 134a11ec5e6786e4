//go:build !race && !poison

package wscore

import (
	"io"
	"testing"

	"github.com/hermod-io/hermod/internal/alloctest"
	"github.com/hermod-io/hermod/internal/testnet"
)

// What is written all the time costs no memory.
func TestSendAllocations(t *testing.T) {
	client, end := testnet.Pipe(testnet.Options{})
	go func() { _, _ = io.Copy(io.Discard, client) }() // ends with the pipe
	srv := NewServer(Settings{})
	c := srv.NewConn(end)
	c.Serve(&recorder{})
	data := make([]byte, 64)
	prefix := []byte("4")
	prepared := NewPrepared(Message{Op: OpText, Data: data})
	for name, f := range map[string]func(){
		"Send": func() { _ = c.Send(OpText, data) },
		"SendMessages": func() {
			_ = c.SendMessages(0, Message{Op: OpText, Prefix: prefix, Data: data}, Message{Op: OpBinary, Data: data})
		},
		"SendPrepared": func() { _ = c.SendPrepared(prepared, 0) },
	} {
		if n := alloctest.PerRun(1000, f); n >= 1 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	if err := srv.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	_ = client.Close()
}

// What a message has run next costs no memory.
func TestRunNextAllocations(t *testing.T) {
	client, end := testnet.Pipe(testnet.Options{})
	srv := NewServer(Settings{})
	c := srv.NewConn(end)
	c.reads = youngReads
	n := &nexter{c: c, ran: make(chan bool, 1)}
	c.Serve(n)
	frame := text("a")
	if n := alloctest.PerRun(2000, func() {
		if _, err := client.Write(frame); err != nil || !<-n.ran {
			t.Fatal("it was not run", err)
		}
	}); n >= 1 {
		t.Errorf("%v allocations", n)
	}
	if err := srv.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	_ = client.Close()
}

// nexter is a Protocol that has itself run next.
type nexter struct {
	c   *Conn
	ran chan bool
}

func (n *nexter) OnMessage(Opcode, []byte) {
	if !n.c.RunNext(n) {
		n.ran <- false
	}
}
func (n *nexter) OnClose(error) {}
func (n *nexter) Run()          { n.ran <- true }

// A message that came whole is parsed where it lies.
func TestParserAllocations(t *testing.T) {
	frame := clientFrame(true, OpText, make([]byte, 1000))
	in := make([]byte, len(frame))
	p := server(0)
	if n := alloctest.PerRun(1000, func() {
		copy(in, frame)
		if _, it, err := p.next(in); err != nil || !it.ok {
			t.Fatal("no message", err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
