package engineio

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
)

// nearlyFull is a polling client for whom much waits, and how it upgrades.
type nearlyFull struct {
	open, upgrade  string
	queue          Queue
	probes         int // more than one; their answers wait in the queue of the WebSocket
	msg            Message
	n              int // messages that wait
	want           string
	more, tooMuch  int  // bytes that had room in the outbox behind that, and that had not
	prepared, must bool // ways to send
}

// What waited in an outbox that was nearly full was more as WebSocket messages, with
// their headers or in base64, than the queue there takes: the client that upgraded was
// closed. Nor was there room for what came next, though there had been in the outbox.
func TestUpgradeWithNearlyFullOutbox(t *testing.T) {
	bin := Message{Binary: true, Data: bytes.Repeat([]byte{1}, 30_000)}
	base64 := base64.StdEncoding.EncodeToString(bin.Data)
	x := strings.Repeat("x", 60_000)
	short := Queue{Bytes: 64_000, Packets: 1e6}
	const websocket = "EIO=4&transport=websocket"
	for name, c := range map[string]nearlyFull{
		"base64": {open: pollingQuery, upgrade: websocket + "&b64=1",
			msg: bin, n: 139, want: "b" + base64, more: 24_000, tooMuch: 400},
		"base64 of a broadcast": {open: pollingQuery, upgrade: websocket + "&b64=1", prepared: true,
			msg: bin, n: 139, want: "b" + base64, more: 24_000, tooMuch: 400},
		"base64 of EIO3": {open: polling3 + "&b64=1", upgrade: websocket3 + "&b64=1",
			msg: bin, n: 139, want: "b4" + base64, more: 24_000, tooMuch: 400},
		"headers": {open: pollingQuery, upgrade: websocket, queue: short,
			msg: Message{Data: []byte("x")}, n: 63_000, want: "4x", more: 900, tooMuch: 200},
		"acks": {open: pollingQuery, upgrade: websocket, queue: short, must: true,
			msg: Message{Data: []byte("x")}, n: 80_000, want: "4x", tooMuch: 1},
		"one too long behind others": {open: pollingQuery, upgrade: websocket, queue: Queue{Bytes: 32_000, Packets: 1e6},
			probes: 9000, msg: Message{Data: []byte(x)}, n: 1, want: "4" + x, tooMuch: 1},
	} {
		t.Run(name, func(t *testing.T) {
			c.queue.OnFull = DropNewest
			scenario(t, Config{AllowEIO3: true, Queue: c.queue}, c.run)
		})
	}
}

func (c *nearlyFull) run(w *world) {
	p := w.pollerWith(c.open)
	s := w.h.session(0)
	for range c.n {
		if err := c.send(s); err != nil {
			w.t.Fatalf("it is to wait: %v", err)
		}
	}
	ws, _ := w.dialWS(c.upgrade + "&sid=" + p.sid)
	for range c.probes + 1 {
		ws.send("2probe")
	}
	ws.send("5")
	if s.Transport() != WebSocket {
		w.t.Fatal("not switched")
	}
	if c.more > 0 {
		if err := s.Send(0, Message{Data: bytes.Repeat([]byte("m"), c.more)}); err != nil {
			w.t.Errorf("there was room in the outbox: %v", err)
		}
	}
	if err := s.Send(0, Message{Data: bytes.Repeat([]byte("l"), c.tooMuch)}); !errors.Is(err, ErrQueueFull) {
		w.t.Errorf("there was none any more: %v", err)
	}
	for range c.probes + 1 {
		ws.want("3probe", "an answer for each")
	}
	for range c.n {
		ws.want(c.want, "what waited")
	}
	if c.more > 0 {
		ws.want("4"+strings.Repeat("m", c.more), "what was sent behind")
	}
	ws.wantSilence("no more")
	if err := s.Send(0, Message{Data: []byte("end")}); err != nil {
		w.t.Error(err)
	}
	ws.want("4end", "the session goes on")
	w.want("nothing else", "open")
}

func (c *nearlyFull) send(s *Session) error {
	var f SendFlags
	if c.must {
		f = Must
	}
	if c.prepared {
		return s.SendPrepared(NewPrepared(c.msg), f)
	}
	return s.Send(f, c.msg)
}
